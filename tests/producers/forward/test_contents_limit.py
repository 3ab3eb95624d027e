"""tracking.contents at its limit: the largest part in the dearest JSON fits its topic; one byte more is refused."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from producers.api.contents import read_contents
from producers.api.registry import BadField
from producers.forward.outbox import Failure, Outcome
from producers.forward.parcel import Parcel
from producers.forward.session import Session
from sendtrail.contents import MAX_BYTES, Content, content_key, content_record, decode_content
from sendtrail.deliveries import RegistryRecord
from sendtrail.kafka_read import read_to_end
from sendtrail.topics import CONTENTS
from tests.producers.forward.running import kafka_settings

DEAREST = "\x01"  # six bytes of JSON


def test_a_part_of_a_mebibyte_is_taken_and_one_byte_more_is_not() -> None:
    assert isinstance(read_contents({"html": "é" * (MAX_BYTES // 2)}, 7, 0), list)
    refused = read_contents({"html": "é" * (MAX_BYTES // 2) + "x"}, 7, 0)
    assert isinstance(refused, BadField)
    assert f"at most {MAX_BYTES} bytes of UTF-8, this one has {MAX_BYTES + 1}" in refused.detail


@pytest.fixture
def session(kafka: str) -> Any:
    made = Session(kafka, 30_000)
    yield made
    made.close()


def _sent(session: Session, topic: str, key: bytes, value: bytes) -> Outcome:
    owner: Any = None
    session.wake.clear()
    session.send(Parcel(topic, 0, value, owner, 0, key=key))
    assert session.wake.wait(60)
    return session.results.pop()[1]


def test_the_largest_part_reaches_its_topic_and_a_record_past_the_topic_s_limit_is_said_to_be(
    kafka: str, topic_prefix: str, session: Session
) -> None:
    topic = kafka_settings(kafka, topic_prefix).topic_prefix + CONTENTS.name
    contents = read_contents({"html": DEAREST * MAX_BYTES}, 7, 0)
    assert isinstance(contents, list)
    (entry,) = contents
    key, value = content_key(7, "html").encode(), record_of(entry)
    assert MAX_BYTES * 6 < len(value) < CONTENTS.max_bytes
    assert isinstance(_sent(session, topic, key, value), int)
    (found,) = read_to_end(kafka, topic, lambda _consumer, _partitions: {})
    assert decode_content(found.key, found.value) == entry
    beyond = _sent(session, topic, key, b"x" * CONTENTS.max_bytes)
    assert isinstance(beyond, Failure)
    assert beyond.too_large


def record_of(entry: Content) -> bytes:
    """As the forwarder sends it: the value within the segment's payload."""
    payload = content_record(entry)
    return bytes(msgspec.json.decode(payload, type=RegistryRecord).value)
