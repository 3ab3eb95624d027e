"""Records and spool files that are really lost, and what the audit says of each: real spools, forwarder, Kafka, workers
and loaders."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from kafka import TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType

from producers.forward.forwarder import Forwarder
from producers.spool import SpoolWriter
from sendtrail.events import Event
from sendtrail.kafka_admin import admin_client
from sendtrail.local.kafka import KafkaBroker
from sendtrail.partitions import message_partition, partition_of
from sendtrail.settings import Config, ForwardSettings, RetentionSettings
from sendtrail.spool_files import segment_files
from sendtrail.topics import ENRICHED, EVENTS
from sinks.audit import Audit, balance
from sinks.audit_findings import Finding
from sinks.audit_sources import Place, read_books
from sinks.queries import query
from tests.streams import running
from tests.support import loading
from tests.support.line import clickhouse_settings
from tests.support.stack import ClickHouse

OF_A_SEGMENT = 6


class Edge:
    """A spool whose segments are finished when the test says so."""

    def __init__(self, directory: Path, name: str) -> None:
        self._now = 0.0
        self._writer = SpoolWriter(
            directory, name, fsync="none", segment_age_ms=1000, clock=lambda: self._now
        )  # fmt: skip
        self.directory, self.spool = directory, self._writer.spool_id.hex()

    def write(self, events: list[Event]) -> None:
        """One segment of these events."""
        assert self._writer.append(events) == len(events)
        self._now += 2
        self._writer.tick()

    def lose(self, sequence: int) -> None:
        """Remove a segment's file."""
        [file] = [one for one in segment_files(self.directory) if (one.spool, one.sequence) == (self.spool, sequence)]
        file.path.unlink()

    def close(self) -> None:
        self._writer.close()


class Whole:
    """Topics and tables of one test, edges, and whatever of the line the test starts."""

    def __init__(self, bootstrap: str, prefix: str, clickhouse: ClickHouse, database: str, directory: Path) -> None:
        self.sink = loading.Line.make(bootstrap, prefix, clickhouse_settings(clickhouse, database), directory)
        self.stream = running.Line.make(bootstrap, prefix, directory)
        self.directory, self.kafka = directory, self.sink.kafka
        self.edges: list[Edge] = []
        self._made = 0

    def edge(self, name: str) -> Edge:
        edge = Edge(self.directory / "spool" / name, name)
        self.edges.append(edge)
        return edge

    def events(self, number: int = OF_A_SEGMENT) -> list[Event]:
        """New ones of messages of their own."""
        self._made += number
        return [self.stream.open(index) for index in range(self._made - number, self._made)]

    def forward(self) -> None:
        """Everything that is in the spools."""
        stop, directories = threading.Event(), [edge.directory for edge in self.edges]
        settings = Config({}).section(ForwardSettings, spool_dirs=directories, poll_ms=10)
        thread = threading.Thread(target=Forwarder(self.kafka, settings, stop.is_set).run)
        thread.start()
        try:
            running.wait_for(lambda: not any(map(segment_files, directories)))
        finally:
            stop.set()
            thread.join()

    def ends(self) -> dict[int, int]:
        return {number: end for number, end in self.stream.ends().items() if end}

    def wait_loaded(self) -> None:
        """Until all of tracking.events is in the tables."""
        wanted = {number: end - 1 for number, end in self.ends().items()}
        self.sink.wait(lambda: self.sink.committed() == wanted, f"{wanted} are loaded", 60.0)

    def delete(self, topic: str, partition: int, before: int) -> None:
        """Records of a partition that a broker forgets, as it does when their time is over."""
        admin = admin_client(self.kafka.bootstrap)
        try:
            admin.delete_records({TopicPartition(topic, partition): before})
        finally:
            admin.close()

    def audit(self) -> Audit:
        with self.sink.client() as client:
            spools = [edge.directory for edge in self.edges]
            return balance(read_books(Place(client, self.kafka, spools, Config({}).section(RetentionSettings))))

    def close(self) -> None:
        for edge in self.edges:
            edge.close()
        self.stream.close()
        self.sink.close()


@pytest.fixture
def whole(kafka: str, topic_prefix: str, clickhouse: ClickHouse, database: str, tmp_path: Path) -> Iterator[Whole]:
    made = Whole(kafka, topic_prefix, clickhouse, database, tmp_path)
    yield made
    made.close()


def files(found: Finding) -> tuple[Any, ...]:
    place = found.place
    return (place["spool"], place["edge"], place["first_segment"], place["last_segment"], found.events)


def test_lost_spool_files_are_named_and_counted_by_those_after_them(whole: Whole) -> None:
    """Two edges lose one each, the second its first; what a spool ends with leaves no trace, so the third loss shows
    only once a later segment comes. Events that wait, and a loader that stands still, change nothing in it."""
    one, two = whole.edge("edge-1"), whole.edge("edge-2")
    for edge in (one, two, one, two, one, two, one):
        edge.write(whole.events())
    one.lose(2)
    two.lose(0)
    two.lose(2)
    whole.forward()
    worker, loader = whole.stream.worker(), whole.sink.loader()
    whole.wait_loaded()
    audit = whole.audit()
    lost = {(one.spool, "edge-1", 2, 2, OF_A_SEGMENT), (two.spool, "edge-2", 0, 0, OF_A_SEGMENT)}
    assert {files(found) for found in audit.differences} == lost
    assert {found.kind for found in audit.differences} == {"lost_file"}
    assert f"{one.spool}-{2:012d}.seg" in audit.problems[0] + audit.problems[1]
    assert (audit.total.difference, audit.total.stored) == (2 * OF_A_SEGMENT, 4 * OF_A_SEGMENT)
    assert loader.terminate() == 0
    two.write(whole.events(4))
    one.write(whole.events(3))
    on_disk = whole.audit()
    assert (on_disk.total.waiting, {files(found) for found in on_disk.differences}) == (7, lost)
    whole.forward()
    assert worker.stop() == 0
    audit = whole.audit()
    assert (audit.total.waiting, {files(found) for found in audit.differences}) == (7, lost)
    whole.stream.worker()
    whole.sink.loader()
    whole.wait_loaded()
    audit = whole.audit()
    assert {files(found) for found in audit.differences} == {*lost, (two.spool, "edge-2", 2, 2, OF_A_SEGMENT)}
    assert audit.total.waiting == 0


def test_records_deleted_before_a_worker_read_them(whole: Whole) -> None:
    edge = whole.edge("edge-1")
    made = [whole.events() for _ in range(4)]
    for events in made:
        edge.write(events)
    whole.forward()
    partition = 1
    gone = 2
    before = whole.audit()
    assert (before.even, before.total.waiting) == (True, 4 * OF_A_SEGMENT)
    whole.delete(whole.stream.topic(EVENTS.name), partition, gone)
    audit = whole.audit()
    lost = sum(partition_of(event, 2) == partition for events in made[:gone] for event in events)
    [found] = audit.differences
    assert (found.kind, found.events) == ("log_gone", lost)
    assert [found.place[name] for name in ("partition", "first_offset", "last_offset")] == [partition, 0, gone - 1]
    assert [(pack["spool"], pack["first_segment"], pack["last_segment"]) for pack in found.place["packs"]] == [
        (edge.spool, 0, 1)
    ]
    assert (audit.total.difference, audit.total.waiting) == (lost, 4 * OF_A_SEGMENT - lost)
    assert "chain accept-gap --partition 1" in found.next
    with whole.sink.client() as client:  # what accept-gap inserts
        said = {"topic": whole.stream.source_id(), "partition": partition, "first": 0, "last": gone - 1}
        client.execute(query("chain_accept"), said | {"accepted": "a broken broker (anna)"})
    audit = whole.audit()
    [note] = audit.findings
    assert (note.kind, note.weight, note.events) == ("accepted", "note", lost)
    assert "a broken broker (anna)" in note.what
    assert (audit.even, audit.total.given_up, audit.total.difference) == (True, lost, 0)


def test_records_deleted_before_a_loader_read_them(whole: Whole) -> None:
    """They can be made again while tracking.events has them, so no event is lost yet: they wait."""
    edge = whole.edge("edge-1")
    for _ in range(3):
        edge.write(whole.events())
    whole.forward()
    whole.stream.worker()
    running.wait_for(lambda: whole.stream.committed() == {0: 0, 1: 0} | whole.ends(), explain=whole.stream.logs)
    whole.delete(whole.stream.topic(ENRICHED.name), 0, 2)
    audit = whole.audit()
    [found] = audit.differences
    assert found.kind == "enriched_gone"
    assert [found.place[name] for name in ("partition", "first_offset", "last_offset")] == [0, 0, 1]
    assert "sendtrail chain repair --partition 0" in found.next
    assert (audit.total.difference, audit.total.waiting) == (0, 3 * OF_A_SEGMENT)


def test_a_segment_file_of_a_broker_is_lost_while_it_is_down(
    make_broker: Callable[[], KafkaBroker], clickhouse: ClickHouse, database: str, tmp_path: Path
) -> None:
    """The log then has an empty range, which workers go over: only what the spools say shows that events were in it."""
    broker, partition = make_broker(), 1 - message_partition(0, 0, 2)
    whole = Whole(broker.bootstrap, "", clickhouse, database, tmp_path)
    try:
        segment_per_record(broker.bootstrap, EVENTS.name)
        edge = whole.edge("edge-1")
        made = [whole.events() for _ in range(4)]
        for events in made:
            edge.write(events)
            whole.forward()
        whole.sink.disconnect()
        whole.stream.producer.close(10)
        broker.stop()
        for path in (broker.data_dir / "log" / f"{EVENTS.name}-{partition}").glob(f"{1:020d}.*"):
            path.unlink()
        broker.start()
        broker.wait_ready()
        whole.sink.reconnect()
        worker = whole.stream.worker()
        whole.sink.loader()
        whole.wait_loaded()
        audit = whole.audit()
        assert worker.said("an empty range in the log")
        there = [sum(partition_of(event, 2) == partition for event in events) for events in made]
        sequence = [number for number, events in enumerate(there) if events][1]  # whose pack is the second record
        lost = there[sequence]
        [found] = audit.differences
        assert (found.kind, found.events, audit.total.difference) == ("empty", lost, lost)
        assert [found.place[name] for name in ("partition", "first_offset", "last_offset")] == [partition, 1, 1]
        [pack] = found.place["packs"]
        assert (pack["spool"], pack["first_segment"], pack["last_segment"]) == (edge.spool, sequence, sequence)
    finally:
        whole.close()


def segment_per_record(bootstrap: str, topic: str) -> None:
    """Have the broker begin a new file for each record."""
    admin = admin_client(bootstrap)
    try:
        admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, {"segment.ms": "1"})])
    finally:
        admin.close()
