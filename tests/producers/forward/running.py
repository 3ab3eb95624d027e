"""A forwarder in a process of its own, and the ledger of what it brought into a real topic."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

from kafka import KafkaConsumer, TopicPartition

from sendtrail.errors import Invalid
from sendtrail.events import Event, decode
from sendtrail.kafka_admin import ensure_topics
from sendtrail.packs import PackHeader, Totals, read_headers, read_totals, split
from sendtrail.partitions import partition_of
from sendtrail.settings import KafkaSettings, TrackingSettings
from sendtrail.spool_files import segment_files

PARTITIONS = 4
WAIT_S = 60.0


class Record(NamedTuple):
    """A record as a consumer sees it."""

    partition: int
    offset: int
    timestamp_ms: int
    key: bytes | None
    value: bytes
    headers: list[tuple[str, bytes]]


class Place(NamedTuple):
    """Where an event stood in a spool."""

    spool: str
    segment: int
    number: int


def kafka_settings(bootstrap: str, prefix: str) -> KafkaSettings:
    """Settings of a test's own topics, which are created."""
    settings = KafkaSettings(bootstrap=bootstrap, topic_prefix=prefix, partitions=PARTITIONS)
    ensure_topics(settings, TrackingSettings())
    return settings


class ForwarderProcess:
    """`python -m producers.forward.main`, to be killed."""

    def __init__(self, kafka: KafkaSettings, *directories: Path, **settings: object) -> None:
        self._environment = os.environ | {
            "SENDTRAIL_KAFKA_BOOTSTRAP": kafka.bootstrap,
            "SENDTRAIL_KAFKA_TOPIC_PREFIX": kafka.topic_prefix,
            "SENDTRAIL_KAFKA_PARTITIONS": str(kafka.partitions),
            "SENDTRAIL_FORWARD_SPOOL_DIRS": ",".join(map(str, directories)),
            "SENDTRAIL_FORWARD_ADMIN_PORT": "0",
            "SENDTRAIL_FORWARD_POLL_MS": "10",
        }
        self._environment |= {f"SENDTRAIL_FORWARD_{name.upper()}": str(value) for name, value in settings.items()}
        self._directories = directories
        self.log = directories[0].parent / "forwarder.log"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> ForwarderProcess:
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "producers.forward.main"], env=self._environment, stderr=log, stdout=log
            )
        return self

    def kill(self) -> None:
        """SIGKILL, as in a crash."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(10)

    def stop(self) -> int:
        """SIGTERM; the exit code."""
        assert self._process is not None
        self._process.terminate()
        return self._process.wait(30)

    def backlog(self) -> int:
        """Segments that wait in its directories."""
        return sum(len(segment_files(directory)) for directory in self._directories)

    def wait(self) -> int:
        assert self._process is not None
        return self._process.wait(30)

    def __enter__(self) -> ForwarderProcess:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.kill()


def wait_until(true: Callable[[], bool], what: str, timeout_s: float = WAIT_S) -> None:
    """Wait until something holds; fails the test after a while."""
    end = time.monotonic() + timeout_s
    while not true():
        assert time.monotonic() < end, f"still waiting for: {what}"
        time.sleep(0.02)


def wait_for_empty(directory: Path, timeout_s: float = WAIT_S) -> None:
    """Wait until the spool is forwarded and deleted."""
    wait_until(lambda: not segment_files(directory), f"an empty spool {directory}", timeout_s)


def read_topic(bootstrap: str, topic: str) -> list[Record]:
    """Every record of a topic, per partition in order."""
    consumer: Any = KafkaConsumer(
        bootstrap_servers=bootstrap, enable_auto_commit=False, auto_offset_reset="earliest", metrics_enabled=False
    )
    try:
        partitions = [TopicPartition(topic, number) for number in sorted(consumer.partitions_for_topic(topic))]
        consumer.assign(partitions)
        ends = consumer.end_offsets(partitions)
        consumer.seek_to_beginning(*partitions)
        records: list[Record] = []
        deadline = time.monotonic() + WAIT_S
        while any(consumer.position(partition) < ends[partition] for partition in partitions):
            assert time.monotonic() < deadline
            for batch in consumer.poll(200).values():
                records += [
                    Record(one.partition, one.offset, one.timestamp, one.key, one.value, list(one.headers))
                    for one in batch
                ]
        return sorted(records, key=lambda record: (record.partition, record.offset))
    finally:
        consumer.close()


class Ledger:
    """What is in tracking.events: every copy of every event by its place in the spool, packs and totals checked."""

    def __init__(self, records: Iterable[Record]) -> None:
        self.lines: dict[Place, list[bytes]] = {}
        self.partitions: dict[Place, int] = {}
        self.totals: dict[tuple[str, int], Totals] = {}
        self.packs: dict[tuple[str, int, int, int, int], list[bytes]] = {}
        for record in records:
            header = read_headers(record.headers)
            assert not isinstance(header, Invalid), header
            totals = read_totals(record.headers)
            if totals is not None:
                assert (record.value, header.events, totals.parts) == (b"", 0, 1)
                self.totals[header.spool, header.segment] = totals
                continue
            self._add(record, header)

    def events(self) -> dict[Place, Event]:
        """Each place's event; every copy is the same bytes, in the right partition."""
        found = {}
        for place, copies in self.lines.items():
            assert len(set(copies)) == 1, place
            event = decode(copies[0])
            assert not isinstance(event, Invalid), event
            assert self.partitions[place] == partition_of(event, PARTITIONS)
            assert event.index == place.number
            found[place] = event
        return found

    @property
    def ids(self) -> list[str]:
        """The ids of all events, one for each place."""
        return sorted(event.event_id for event in self.events().values())

    @property
    def copies(self) -> int:
        """Events that were sent again."""
        return sum(len(copies) - 1 for copies in self.lines.values())

    def check_totals(self) -> None:
        """The totals of every segment say what is there."""
        there: dict[tuple[str, int], Counter[str]] = {}
        for place, partition in self.partitions.items():
            there.setdefault((place.spool, place.segment), Counter())[str(partition)] += 1
        assert self.totals.keys() == there.keys()
        for segment, totals in self.totals.items():
            assert totals.events == there[segment].total()
            assert {number: sum(minutes.values()) for number, minutes in totals.counts.items()} == there[segment]

    def _add(self, record: Record, header: PackHeader) -> None:
        lines = split(record.value)
        assert len(lines) == header.events
        self.packs.setdefault((header.spool, header.segment, record.partition, header.first, header.last), []).append(
            record.value
        )
        for line in lines:
            event = decode(line)
            index = header.first if isinstance(event, Invalid) else event.index
            assert header.first <= index <= header.last
            place = Place(header.spool, header.segment, index)
            self.lines.setdefault(place, []).append(line)
            assert self.partitions.setdefault(place, record.partition) == record.partition
