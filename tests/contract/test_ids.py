"""Event ids, as FORMATS spells them."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sendtrail.ids import feed_id, hit_id, id_time_ms, is_event_id, reject_key, relabel_id, transaction_id
from tests.support.golden import Golden, golden_keyring

NAMING_KEY = golden_keyring().naming_key
TIME = 1_790_000_000_123
TOPIC_ID = "b7e0c1d2-0000-4000-8000-0123456789ab"


def _prefixed(*parts: str) -> bytes:
    return b"".join(len(part.encode()).to_bytes(4, "big") + part.encode() for part in parts)


def test_a_hit_is_time_and_random_bits() -> None:
    assert hit_id(TIME, lambda n: b"\xee" * n) == TIME.to_bytes(6, "big").hex() + "ee" * 10
    assert len({hit_id(TIME) for _ in range(1000)}) == 1000


def test_a_fed_event_has_the_id_of_the_providers_own_id() -> None:
    expected = hashlib.blake2b(_prefixed("shop", "mailgun", "e-1"), key=NAMING_KEY, person=b"event", digest_size=10)
    made = feed_id(NAMING_KEY, TIME, "shop", "mailgun", "e-1", {"any": "thing"})
    assert made == TIME.to_bytes(6, "big").hex() + expected.hexdigest()
    assert made == feed_id(NAMING_KEY, TIME, "shop", "mailgun", "e-1", {})


def test_a_fed_event_without_one_has_the_id_of_its_payload() -> None:
    item = {"b": [1, {"z": None, "a": "ü"}], "a": True}
    canonical = json.dumps(item, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    expected = hashlib.blake2b(_prefixed("", "api", canonical), key=NAMING_KEY, person=b"event", digest_size=10)
    made = feed_id(NAMING_KEY, TIME, "", "api", None, item)
    assert made == TIME.to_bytes(6, "big").hex() + expected.hexdigest()
    assert made == feed_id(NAMING_KEY, TIME, "", "api", "", {"a": True, "b": [1, {"a": "ü", "z": None}]})


def test_a_transaction_has_no_time_in_its_id() -> None:
    expected = hashlib.blake2b(_prefixed("shop", "shop.example", "A-1"), digest_size=10).hexdigest()
    assert transaction_id("shop", "shop.example", "A-1") == "00" * 6 + expected


def test_a_relabel_has_the_time_of_its_run() -> None:
    target = "cd" * 16
    over = _prefixed("r-7") + (16).to_bytes(4, "big") + bytes.fromhex(target)
    assert relabel_id(TIME, "r-7", target)[12:] == hashlib.blake2b(over, digest_size=10).hexdigest()
    assert id_time_ms(relabel_id(TIME, "r-7", target)) == TIME


def test_a_reject_has_a_key_of_its_place() -> None:
    made = reject_key(TIME, TOPIC_ID, 3, 1234, 7)
    assert made[12:] == hashlib.blake2b(_prefixed(TOPIC_ID, "3:1234:7"), digest_size=10).hexdigest()
    assert len({reject_key(TIME, TOPIC_ID, p, o, i) for p in (1, 11) for o in (1, 11) for i in (1, 11)}) == 8


def test_ids_are_frozen(golden: Golden) -> None:
    item: dict[str, Any] = {"kind": "sent", "message": 5, "meta": {"z": 1, "a": "ü"}}
    golden.check(
        "ids.json",
        {
            "feed_own_id": feed_id(NAMING_KEY, TIME, "shop", "mailgun", "e-1", item),
            "feed_payload": feed_id(NAMING_KEY, TIME, "", "api", None, item),
            "transaction": transaction_id("", "shop.example", "A-1001"),
            "relabel": relabel_id(TIME, "r-7", "cd" * 16),
            "reject": reject_key(TIME, TOPIC_ID, 3, 1234, 7),
        },
    )


@given(st.integers(0, 2**48 - 1))
def test_the_time_comes_back(time_ms: int) -> None:
    made = hit_id(time_ms)
    assert is_event_id(made)
    assert id_time_ms(made) == time_ms


@pytest.mark.parametrize("time_ms", [-1, 2**48])
def test_a_time_outside_48_bits_is_refused(time_ms: int) -> None:
    with pytest.raises(OverflowError):
        hit_id(time_ms)


@pytest.mark.parametrize("text", ["", "ab" * 15, "AB" * 16, "ab " * 16, "zz" * 16, "ab" * 17, "٣" * 32])
def test_what_is_no_id(text: str) -> None:
    assert not is_event_id(text)
