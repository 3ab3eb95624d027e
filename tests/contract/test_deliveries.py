"""Registry records."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sendtrail.deliveries import Delivery, DeliveryUrl, RegistryRecord, decode_record, key_of, record_of
from sendtrail.errors import Invalid
from tests.support.golden import Golden

META = Delivery(
    account="shop", delivery=2**63 + 5, name="autumn", label="Autumn", code="A1", campaign="Autumn", type="newsletter",
    category="sales", tags=["a", "b"], sender="news@shop.example", subject="Ünïcode ✉",
    contact_date_ms=1_790_000_000_000, status="sending",
    targeted=10, excluded={"blocklist": 2}, to_deliver=8, success=7,
    track_until_ms=1_790_000_100_000, updated_ms=5,
)  # fmt: skip
URL = DeliveryUrl(
    delivery=2**63 + 5, url_id=2**32 - 1, url="https://shop.example/ä?b#c", label="Shop", category="offer",
    mode="optout", updated_ms=6,
)  # fmt: skip
ENTRIES: list[Delivery | DeliveryUrl] = [META, URL, Delivery(), DeliveryUrl()]


def test_records_are_frozen(golden: Golden) -> None:
    golden.check("registry.json", [record_of(entry).decode() for entry in ENTRIES])


@pytest.mark.parametrize("entry", ENTRIES)
def test_records_round_trip(entry: Delivery | DeliveryUrl) -> None:
    record = msgspec.json.decode(record_of(entry), type=RegistryRecord)
    assert record.key == key_of(entry)
    assert decode_record(record.key.encode(), bytes(record.value)) == entry


def test_keys_let_meta_and_urls_be_edited_apart() -> None:
    assert key_of(META) == "9223372036854775813/meta"
    assert key_of(URL) == "9223372036854775813/url/4294967295"


@pytest.mark.parametrize(
    ("key", "value"),
    [
        (None, b"{}"), (b"0/meta", None), (b"0/meta", b""), (b"0/meta", b"[]"), (b"0/meta", b"\xff"),
        (b"0/meta", b"[" * 100_000), (b"0/meta", b'{"status":"gone"}'), (b"1/meta", b'{"delivery":2}'),
        (b"2/url/1", b'{"delivery":2,"url_id":2}'), (b"2/url/1", b'{"delivery":2}'), (b"", b"{}"),
        (b"2/url/1", b'{"delivery":2,"url_id":1,"mode":"else"}'),
    ],
)  # fmt: skip
def test_bad_records_are_a_value(key: bytes | None, value: bytes | None) -> None:
    read = decode_record(key, value)
    assert isinstance(read, Invalid)
    assert read.reason == "bad_registry"


@given(st.binary(max_size=40), st.binary(max_size=120))
def test_any_record_is_a_value(key: bytes, value: bytes) -> None:
    assert isinstance(decode_record(key, value), Delivery | DeliveryUrl | Invalid)
