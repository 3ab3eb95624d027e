"""Records of tracking.contents."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sendtrail.contents import MAX_BYTES, Content, content_key, content_record, decode_content
from sendtrail.deliveries import RegistryRecord
from sendtrail.errors import Invalid
from sendtrail.topics import CONTENTS
from tests.support.golden import Golden

HTML = Content(
    delivery=2**63 + 5, part="html", updated_ms=5,
    content='<p>Grüße ✉ <a href="https://t.example.com/c/AQACEIAAAAAAAAAF">Shop</a></p>',
)  # fmt: skip
TEXT = Content(delivery=7, part="text", content="Shop:\n\thttps://t.example.com/c/AQAC", updated_ms=6)
ENTRIES = [HTML, TEXT, Content(), Content(delivery=7, part="text")]


def test_records_are_frozen(golden: Golden) -> None:
    golden.check("contents.json", [content_record(entry).decode() for entry in ENTRIES])


@pytest.mark.parametrize("entry", ENTRIES)
def test_records_round_trip(entry: Content) -> None:
    record = msgspec.json.decode(content_record(entry), type=RegistryRecord)
    assert record.key == content_key(entry.delivery, entry.part)
    assert decode_content(record.key.encode(), bytes(record.value)) == entry


@pytest.mark.parametrize(
    ("key", "value"),
    [
        (None, b"{}"), (b"0/html", None), (b"0/html", b""), (b"0/html", b"[]"), (b"0/html", b"\xff"),
        (b"0/html", b"[" * 100_000), (b"0/html", b'{"part":"amp"}'), (b"1/html", b'{"delivery":2}'),
        (b"2/html", b'{"delivery":2,"part":"text"}'), (b"2/text", b'{"delivery":2}'), (b"", b"{}"),
        (b"0/html", b'{"content":"' + b"x" * (MAX_BYTES + 1) + b'"}'), (b"-1/html", b'{"delivery":-1}'),
    ],
)  # fmt: skip
def test_bad_records_are_a_value(key: bytes | None, value: bytes | None) -> None:
    read = decode_content(key, value)
    assert isinstance(read, Invalid)
    assert read.reason == "bad_content"


@given(st.binary(max_size=40), st.binary(max_size=120))
def test_any_record_is_a_value(key: bytes, value: bytes) -> None:
    assert isinstance(decode_content(key, value), Content | Invalid)


def test_the_longest_part_fits_into_a_record_of_the_topic() -> None:
    longest = content_record(Content(delivery=2**64 - 1, content="\x01" * MAX_BYTES, updated_ms=2**50))
    assert len(longest) + 1024 < CONTENTS.max_bytes
