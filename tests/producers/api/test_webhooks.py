"""Webhooks over real HTTP: what is answered, and what is in the spool."""

from __future__ import annotations

import gzip
import json
import resource
import time
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from producers.api.providers.events import is_reject
from sendtrail.events import Event
from sendtrail.naming import HASHED
from sendtrail.provider_metadata import NAMES
from tests.producers.api.providers import payloads, signing
from tests.producers.api.providers.signing import METADATA, SendGrid
from tests.producers.api.running import ApiProcess

SIGNER = SendGrid()
SETTINGS = {
    "SENDGRID_PUBLIC_KEY": SIGNER.public, "SENDGRID_ACCOUNT": "shop", "MAILGUN_SIGNING_KEY": "key",
    "POSTMARK_PASSWORD": "pass", "SPARKPOST_SECRET": "hidden", "KUMOMTA_SECRET": "token",
}  # fmt: skip


@pytest.fixture(scope="module")
def hooked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiProcess]:
    """An API with providers."""
    api = ApiProcess(tmp_path_factory.mktemp("hooked"))
    api.environment |= {f"SENDTRAIL_PROVIDERS_{name}": value for name, value in SETTINGS.items()}
    with api:
        yield api


def now_s() -> int:
    return int(time.time())


def item(message: int, event: str = "delivered", **more: Any) -> dict[str, Any]:
    """An event of SendGrid's about a message of a delivery of account shop, whose keys are all hashes."""
    keys = {name: str(HASHED + number) for name, number in zip(NAMES, (7, message, 9), strict=False)}
    ids = keys | {"sg_event_id": f"e-{message}-{event}"}
    return {"email": "a@mail.example", "timestamp": now_s(), "event": event, **ids, **more}


def of_message(api: ApiProcess, *messages: int) -> list[Event]:
    return [event for event in api.events() if event.message in messages or event.message - HASHED in messages]


def send(api: ApiProcess, items: Any, path: str = "sendgrid", **headers: str) -> tuple[int, Any]:
    body = json.dumps(items).encode()
    signed = SIGNER.headers(body, int(time.time() * 1000)) if path == "sendgrid" else {}
    reply = api.client.post(f"/v1/webhooks/{path}", content=body, headers={**signed, **headers})
    return reply.status_code, reply.json()


def test_a_signed_batch_is_in_the_spool_when_the_answer_comes(hooked: ApiProcess) -> None:
    assert send(hooked, [item(101), item(102, "open")]) == (200, {"accepted": 2, "rejected": 0})
    delivered, opened = of_message(hooked, 101, 102)
    assert (delivered.kind, delivered.delivery, delivered.recipient, delivered.domain) == (
        "delivered", HASHED + 7, HASHED + 9, "mail.example",
    )  # fmt: skip
    assert (opened.kind, opened.source, opened.account) == ("open", "sendgrid", "shop")


def test_one_bad_item_keeps_the_others_and_is_kept_itself(hooked: ApiProcess) -> None:
    strangers = [{"event": "delivered", "timestamp": now_s(), "x": "nobody's"}, {"event": "waved"}, 5]
    assert send(hooked, [item(111), *strangers, item(112)]) == (200, {"accepted": 2, "rejected": 3})
    assert [event.message for event in of_message(hooked, 111, 112)] == [HASHED + 111, HASHED + 112]
    rejects = [event for event in hooked.events() if is_reject(event)][-3:]
    assert [event.reason for event in rejects] == ["unattributed", "unknown_type", "undecodable"]
    assert [json.loads(event.original) for event in rejects] == strangers


def test_a_repeated_batch_gives_the_same_ids(hooked: ApiProcess) -> None:
    batch = [item(121), item(121, "click", url="https://shop.example/")]
    assert send(hooked, batch) == send(hooked, batch)
    assert len({event.event_id for event in of_message(hooked, 121)}) == 2


def test_the_account_of_the_webhook_is_the_only_one_it_feeds(hooked: ApiProcess) -> None:
    batch = [item(131, sendtrail_account="other"), item(131, "open", sendtrail_account="shop")]
    assert send(hooked, batch) == (200, {"accepted": 1, "rejected": 1})
    # The number 7 is a delivery of the default account: shop's "7" is a hash.
    assert send(hooked, [item(132, sendtrail_delivery="7")]) == (200, {"accepted": 0, "rejected": 1})
    assert [event.message for event in of_message(hooked, 131, 132)] == [HASHED + 131]


def test_a_wrong_signature_leaves_nothing(hooked: ApiProcess) -> None:
    before = len(hooked.events())
    body = json.dumps([item(141)]).encode()
    reply = hooked.client.post("/v1/webhooks/sendgrid", content=body, headers=SIGNER.headers(body + b"x"))
    assert (reply.status_code, reply.json()["error"]) == (403, "bad_signature")
    assert len(hooked.events()) == before


def test_packed_bodies_are_signed_as_they_are_unpacked(hooked: ApiProcess) -> None:
    body = json.dumps([item(151)]).encode()
    headers = SIGNER.headers(body, int(time.time() * 1000)) | {"Content-Encoding": "gzip"}
    assert hooked.client.post("/v1/webhooks/sendgrid", content=gzip.compress(body), headers=headers).status_code == 200
    assert len(of_message(hooked, 151)) == 1


def test_mailgun_does_not_come_again_for_what_is_refused(hooked: ApiProcess) -> None:
    event = payloads.mailgun()[1] | {"timestamp": now_s(), "user-variables": METADATA | {"sendtrail_message": "161"}}
    body = signing.mailgun(event, "key", at_ms=now_s() * 1000)
    assert send(hooked, body, "mailgun") == (200, {"accepted": 1, "rejected": 0})
    status, answer = send(hooked, body, "mailgun")
    assert (status, answer["error"]) == (406, "replayed")
    assert len(of_message(hooked, 161)) == 1


def test_what_a_full_disk_refused_is_taken_when_it_comes_again(tmp_path: Path) -> None:
    api = ApiProcess(tmp_path)
    api.environment["SENDTRAIL_PROVIDERS_MAILGUN_SIGNING_KEY"] = "key"
    event = payloads.mailgun()[1] | {"timestamp": now_s(), "user-variables": METADATA}
    body = signing.mailgun(event, "key", at_ms=now_s() * 1000)
    with api:
        resource.prlimit(api.pid, resource.RLIMIT_FSIZE, (16, resource.RLIM_INFINITY))
        reply = api.client.post("/v1/webhooks/mailgun", json=body)
        assert (reply.status_code, reply.json()["error"]) == (503, "spool_unavailable")
        assert int(reply.headers["retry-after"]) > 0
        resource.prlimit(api.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        assert send(api, body, "mailgun") == (200, {"accepted": 1, "rejected": 0})
        assert [event.kind for event in api.events()] == ["delivered"]


def test_providers_that_do_not_sign_prove_themselves_otherwise(hooked: ApiProcess) -> None:
    record = payloads.postmark()[0] | {"Metadata": METADATA | {"sendtrail_message": "171"}}
    basic = "Basic " + b64encode(b"sendtrail:pass").decode()
    status, answer = send(hooked, record, "postmark")
    assert (status, answer["error"]) == (401, "bad_credentials")
    assert send(hooked, record, "postmark/pass")[0] == 401
    assert send(hooked, record, "postmark", authorization=basic)[0] == 200
    assert send(hooked, [{"msys": {}}], "sparkpost/hidden") == (200, {"accepted": 0, "rejected": 0})
    assert send(hooked, [{"msys": {}}], "sparkpost", authorization="Bearer hidden")[0] == 200
    assert send(hooked, payloads.kumomta()[:2], "kumomta", authorization="Bearer token")[0] == 200
    assert len(of_message(hooked, 171)) == 1


@pytest.mark.parametrize(
    ("path", "body", "status", "error"),
    [
        ("nobody", b"[]", 404, "not_found"),
        ("ses", b"{}", 403, "not_configured"),
        ("sendgrid", b" " * (10 * 1024 * 1024 + 1), 413, "too_large"),
        ("sparkpost/hidden", b"[" * 200_000, 400, "bad_json"),
        ("sparkpost/hidden", b"\xff", 400, "bad_json"),
        ("sparkpost/hidden", b"", 400, "bad_json"),
        ("sparkpost/%ff%00", b"[]", 401, "bad_credentials"),
    ],
    ids=["unknown", "not set up", "too large", "deep", "no text", "empty", "odd secret"],
)
def test_what_is_not_taken(hooked: ApiProcess, path: str, body: bytes, status: int, error: str) -> None:
    reply = hooked.client.post(f"/v1/webhooks/{path}", content=body)
    assert (reply.status_code, reply.json()["error"]) == (status, error)
    assert "Traceback" not in reply.text


def test_webhooks_are_for_everybody_and_what_commands_tell_is_not(hooked: ApiProcess) -> None:
    abroad = {"host": "api.shop.example"}
    assert send(hooked, [item(181)], **abroad)[0] == 200
    told = hooked.client.post("/v1/mta/bounces", json=[], headers=abroad)
    assert (told.status_code, told.json()["error"]) == (421, "misdirected")


def test_what_commands_tell_is_taken_item_by_item(hooked: ApiProcess) -> None:
    good = {"kind": "bounced", "time_ms": now_s() * 1000, "metadata": METADATA | {"sendtrail_message": "191"}}
    reply = hooked.client.post("/v1/mta/bounces", json=[good, {"kind": "waved"}, 5])
    assert reply.json() == {"accepted": 1, "rejected": 2}
    assert [event.source for event in of_message(hooked, 191)] == ["bounces"]
    for path, body, status in (("nobody", [], 404), ("bounces", {}, 400)):
        assert hooked.client.post(f"/v1/mta/{path}", json=body).status_code == status


def test_a_delivery_counts_hits_of_a_source_there_is(hooked: ApiProcess) -> None:
    for source in ("edge", "sendgrid"):
        assert hooked.client.put("/v1/deliveries/d", json={"hits_from": source}).status_code == 200
    refused = hooked.client.put("/v1/deliveries/d", json={"hits_from": "sengrid"})
    assert (refused.status_code, refused.json()["field"]) == (400, "hits_from")
    assert "sendgrid" in refused.json()["detail"]


def test_another_method_is_told_the_right_one(hooked: ApiProcess) -> None:
    assert hooked.client.get("/v1/webhooks/sendgrid").headers["allow"] == "POST"
