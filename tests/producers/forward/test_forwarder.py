"""The forwarder on a real broker: nothing lost, whatever is killed, and repeated only as identical bytes."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from producers.spool import SpoolWriter
from sendtrail.deliveries import Delivery, decode_record, record_of
from sendtrail.events import Event, encode
from sendtrail.local.kafka import KafkaBroker
from sendtrail.packs import MAX_BYTES, MAX_EVENTS
from sendtrail.partitions import message_partition
from sendtrail.segments import Stream
from sendtrail.settings import KafkaSettings
from sendtrail.spool_files import segment_files
from sendtrail.topics import DELIVERIES, EVENTS
from tests.producers.forward.parts import hit, write_segment
from tests.producers.forward.running import (
    PARTITIONS,
    ForwarderProcess,
    Ledger,
    kafka_settings,
    read_topic,
    wait_for_empty,
    wait_until,
)

pytestmark = pytest.mark.stack


@pytest.fixture
def settings(kafka: str, topic_prefix: str) -> KafkaSettings:
    return kafka_settings(kafka, topic_prefix)


def spool(directory: Path) -> SpoolWriter:
    return SpoolWriter(directory, "edge", fsync="none", segment_bytes=200_000, segment_age_ms=100)


def ledger_of(settings: KafkaSettings) -> Ledger:
    return Ledger(read_topic(settings.bootstrap, settings.topic_prefix + EVENTS.name))


@contextmanager
def traffic(writer: SpoolWriter, per_s: int) -> Iterator[list[str]]:
    """Hits that go on meanwhile; the ids of those that are in the spool."""
    ids: list[str] = []
    ending = threading.Event()

    def write() -> None:
        while not ending.wait(0.01):
            events: list[Event] = [hit(random.randrange(10_000)) for _ in range(per_s // 100)]
            assert writer.append(events) == len(events)
            ids.extend(event.event_id for event in events)
            writer.tick()

    thread = threading.Thread(target=write)
    thread.start()
    try:
        yield ids
    finally:
        ending.set()
        thread.join()
        writer.close()


def test_everything_arrives_and_the_spool_is_empty(settings: KafkaSettings, tmp_path: Path) -> None:
    writer, events = spool(tmp_path / "edge"), [hit(number // 2) for number in range(20_000)]
    for start in range(0, len(events), 100):
        writer.append(events[start : start + 100])
    writer.close()
    with ForwarderProcess(settings, tmp_path / "edge") as forwarder:
        wait_for_empty(tmp_path / "edge")
        assert forwarder.stop() == 0
    ledger = ledger_of(settings)
    assert ledger.ids == sorted(event.event_id for event in events)
    assert ledger.copies == 0
    ledger.check_totals()
    assert len(ledger.totals) > 5
    assert all(len(value) <= MAX_BYTES for values in ledger.packs.values() for value in values)
    assert all(value.count(b"\n") < MAX_EVENTS for values in ledger.packs.values() for value in values)


def test_killed_again_and_again_it_loses_nothing(settings: KafkaSettings, tmp_path: Path) -> None:
    directory = tmp_path / "edge"
    with traffic(spool(directory), 20_000) as ids, ForwarderProcess(settings, directory) as forwarder:
        for _ in range(8):
            time.sleep(random.uniform(0.4, 1.1))
            forwarder.kill()
            forwarder.start()
    with ForwarderProcess(settings, directory):
        wait_for_empty(directory)
    ledger = ledger_of(settings)
    assert ledger.ids == sorted(ids)
    ledger.check_totals()
    assert all(len(set(values)) == 1 for values in ledger.packs.values())


def test_kafka_away_frozen_and_killed_only_makes_the_spool_longer(tmp_path: Path) -> None:
    directory, broker = tmp_path / "edge", KafkaBroker(tmp_path / "kafka")
    settings = KafkaSettings(bootstrap=broker.bootstrap, partitions=PARTITIONS)
    try:
        with (
            ForwarderProcess(settings, directory, delivery_timeout_ms=2000) as forwarder,
            traffic(spool(directory), 1_000) as ids,
        ):
            wait_until(lambda: "kafka_waiting" in forwarder.log.read_text(), "word of the wait")
            assert len(segment_files(directory)) > 1
            broker.start()
            broker.wait_ready()
            kafka_settings(broker.bootstrap, "")
            wait_until(lambda: bool(read_topic(settings.bootstrap, EVENTS.name)), "a first pack")
            assert broker.pid is not None
            os.kill(broker.pid, signal.SIGSTOP)
            time.sleep(3.5)
            os.kill(broker.pid, signal.SIGCONT)
            wait_until(lambda: forwarder.backlog() <= 3, "the backlog to go")
            broker.kill()
            broker.start()
            broker.wait_ready()
            wait_until(lambda: forwarder.backlog() <= 3, "the backlog to go")
        with ForwarderProcess(settings, directory):
            wait_for_empty(directory)
        ledger = ledger_of(settings)
    finally:
        broker.kill()
    assert ledger.ids == sorted(ids)
    ledger.check_totals()
    assert "send_repeated" in forwarder.log.read_text()


def test_it_ends_at_once_without_kafka(tmp_path: Path) -> None:
    settings = KafkaSettings(bootstrap="127.0.0.1:1", partitions=PARTITIONS)
    with ForwarderProcess(settings, tmp_path / "edge") as forwarder:
        wait_until(lambda: "kafka_waiting" in forwarder.log.read_text(), "word of the wait")
        assert forwarder.stop() == 0


def test_a_partition_count_other_than_configured_ends_it(kafka: str, topic_prefix: str, tmp_path: Path) -> None:
    kafka_settings(kafka, topic_prefix)
    other = KafkaSettings(bootstrap=kafka, topic_prefix=topic_prefix, partitions=PARTITIONS + 1)
    with ForwarderProcess(other, tmp_path / "edge") as forwarder:
        assert forwarder.wait() == 3
        assert "has 4 partitions" in forwarder.log.read_text()


def test_a_dead_writers_torn_segment_is_taken_over(settings: KafkaSettings, tmp_path: Path) -> None:
    directory = tmp_path / "edge"
    lines = [encode(hit(number)) for number in range(700)]
    write_segment(directory, lines, state="open", tail=b"\x00\x00\x01\x00torn")
    with ForwarderProcess(settings, directory) as forwarder:
        wait_for_empty(directory)
        assert forwarder.stop() == 0
    ledger = ledger_of(settings)
    assert len(ledger.events()) == 700
    ledger.check_totals()
    assert "segment_taken_over" in forwarder.log.read_text()


def test_lines_that_can_not_be_decoded_take_no_neighbour_along(settings: KafkaSettings, tmp_path: Path) -> None:
    directory = tmp_path / "edge"
    good = [encode(hit(number)) for number in range(50)]
    bad = [b"not json", b'{"v":1,"id":"short","k":"open","d":1}', b"\xff\xfe", b'{"v":1,\n"broken']
    write_segment(directory, [line for pair in zip(good, bad * 13, strict=False) for line in pair])
    with ForwarderProcess(settings, directory):
        wait_for_empty(directory)
    records = read_topic(settings.bootstrap, settings.topic_prefix + EVENTS.name)
    lines = [line for record in records for line in record.value.split(b"\n") if line]
    assert sorted(lines) == sorted(good + [line.replace(b"\n", b" ") for line in (bad * 13)[:50]])
    strays = {record.partition for record in records if b"\xff\xfe" in record.value}
    assert strays == {message_partition(0, 0, PARTITIONS)}


def test_packs_too_large_for_the_topic_are_made_smaller(settings: KafkaSettings, tmp_path: Path) -> None:
    from kafka.admin import ConfigResource, ConfigResourceType

    from sendtrail.kafka_admin import admin_client

    topic = settings.topic_prefix + EVENTS.name
    client = admin_client(settings.bootstrap)
    client.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, {"max.message.bytes": "12000"})])
    client.close()
    lines = [encode(hit(number)) for number in range(3000)]
    noise = random.Random(5).randbytes(40_000).hex().encode()
    huge = encode(hit(3000))[:-1] + b',"ua":"' + noise + b'"}'
    directory = tmp_path / "edge"
    write_segment(directory, [*lines, huge])
    with ForwarderProcess(settings, directory):
        wait_for_empty(directory)
    found = [line for record in read_topic(settings.bootstrap, topic) for line in record.value.split(b"\n")]
    assert set(lines) <= set(found)
    assert any(len(line) > 1000 and huge.startswith(line) for line in found)


def test_the_registry_keeps_its_order_through_kills(settings: KafkaSettings, tmp_path: Path) -> None:
    directory = tmp_path / "api" / "registry"
    writer = SpoolWriter(directory, "api", stream=Stream.REGISTRY, fsync="none", segment_bytes=4096)
    with ForwarderProcess(settings, tmp_path / "api") as forwarder:
        for number in range(3000):
            writer.append_payloads([record_of(Delivery(delivery=number % 5, label=str(number)))])
            if number % 500 == 499:
                time.sleep(0.4)
                forwarder.kill()
                forwarder.start()
        writer.close()
        wait_for_empty(directory)
    last: dict[bytes | None, str] = {}
    seen: set[str] = set()
    for record in read_topic(settings.bootstrap, settings.topic_prefix + DELIVERIES.name):
        entry = decode_record(record.key, record.value)
        assert isinstance(entry, Delivery)
        last[record.key] = entry.label
        seen.add(entry.label)
    assert last == {f"{number % 5}/meta".encode(): str(number) for number in range(2995, 3000)}
    assert len(seen) == 3000


def test_health_and_metrics(settings: KafkaSettings, tmp_path: Path) -> None:
    directory = tmp_path / "edge"
    write_segment(directory, [encode(hit(number)) for number in range(30)])
    with ForwarderProcess(settings, directory) as forwarder:
        wait_for_empty(directory)
        port = forwarder.log.read_text().partition('"admin_port": ')[2].partition(",")[0]
        ready = httpx.get(f"http://127.0.0.1:{port}/ready")
        metrics = httpx.get(f"http://127.0.0.1:{port}/metrics").text
    assert ready.status_code == 200
    assert ready.json()["kafka"] == "connected"
    assert ready.json()["unacknowledged_bytes"] == 0
    assert 'sendtrail_forward_events_total{spool="edge"} 30.0' in metrics
