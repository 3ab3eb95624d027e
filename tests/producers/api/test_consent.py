"""POST /v1/consent: entries for the log, each with its own result."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from producers.api.consent import read_consent
from sendtrail.consents import Consent, decode_consent
from sendtrail.deliveries import RegistryRecord
from sendtrail.errors import Invalid
from sendtrail.naming import key
from tests.producers.api.running import ApiProcess, payloads
from tests.producers.api.test_access import new

NAMING_KEY = bytes(32)
NOW_MS = 1_790_000_000_000
SAID: dict[str, Any] = {"recipient": "anna", "purpose": "tracking", "state": "withdrawn", "time": NOW_MS}


def read(entry: Any) -> Consent | Invalid:
    return read_consent(json.dumps(entry).encode(), NAMING_KEY, "shop", NOW_MS)


def test_an_entry_is_of_a_recipient_of_the_account() -> None:
    assert read(SAID) == Consent(
        account="shop", recipient=key(NAMING_KEY, "shop", "recipient", "anna"), recipient_name="anna",
        purpose="tracking", state="withdrawn", time_ms=NOW_MS, updated_ms=NOW_MS,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"time": None}, "time_missing"),
        ({"time": "yesterday"}, "bad_time"),
        ({"time": NOW_MS + 2 * 86_400_000}, "bad_time"),
        ({"recipient": None}, "bad_name"),
        ({"recipient": ""}, "bad_name"),
        ({"recipient": 1.5}, "bad_name"),
        ({"purpose": "Track Me"}, "bad_field"),
        ({"purpose": ""}, "bad_field"),
        ({"state": "maybe"}, "bad_field"),
        ({"more": 1}, "bad_field"),
    ],
)
def test_what_is_refused(change: dict[str, Any], reason: str) -> None:
    outcome = read(SAID | change)
    assert isinstance(outcome, Invalid)
    assert outcome.reason == reason


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b"\xff", b"[" * 100_000, b'{"recipient": "\\ud800"}'])
def test_no_bytes_raise(raw: bytes) -> None:
    assert isinstance(read_consent(raw, NAMING_KEY, "", NOW_MS), Invalid)


def test_entries_are_in_the_spool_when_the_answer_comes(api: ApiProcess) -> None:
    lines = b"\n".join(json.dumps(entry).encode() for entry in (SAID, SAID | {"state": "granted"}, {}))
    reply = api.client.post("/v1/consent", content=lines, headers={"Content-Type": "application/x-ndjson"})
    assert reply.status_code == 200
    assert [result["status"] for result in reply.json()["results"]] == ["accepted", "accepted", "rejected"]
    records = [msgspec.json.decode(payload, type=RegistryRecord) for payload in payloads(api.spool / "consents")]
    entries = [decode_consent(record.key.encode(), bytes(record.value)) for record in records]
    assert [entry.state for entry in entries if isinstance(entry, Consent)] == ["withdrawn", "granted"]
    assert api.client.post("/v1/consent", json=5).status_code == 400


def test_the_account_is_that_of_the_key(api: ApiProcess) -> None:
    mailer = new(api, "consent", "--account", "shop")
    before = len(payloads(api.spool / "consents"))
    assert api.client.post("/v1/consent", json=[SAID], headers=mailer).json()["accepted"] == 1
    (payload,) = payloads(api.spool / "consents")[before:]
    record = msgspec.json.decode(payload, type=RegistryRecord)
    entry = decode_consent(record.key.encode(), bytes(record.value))
    assert isinstance(entry, Consent)
    assert (entry.account, entry.recipient) == ("shop", key(api.keys.naming_key, "shop", "recipient", "anna"))
