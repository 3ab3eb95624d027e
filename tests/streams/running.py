"""A line with real workers: topics, a sender of packs, worker processes, and the ledger over tracking.enriched."""

from __future__ import annotations

import json
import os
import re
import secrets
import signal
import subprocess
import sys
import time
import urllib.request
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
from kafka import KafkaConsumer, KafkaProducer, TopicPartition

from sendtrail.enriched import EnrichedHeader, EventRow, RejectRow, Row, decode_row, read_enriched_headers
from sendtrail.errors import Invalid
from sendtrail.events import Event, encode
from sendtrail.kafka_admin import ensure_topics, topic_id
from sendtrail.packs import PackHeader, headers_of, join, split
from sendtrail.partitions import partition_of
from sendtrail.settings import Config, KafkaSettings, TrackingSettings
from sendtrail.topics import ENRICHED, EVENTS, STREAMS_GROUP
from sinks.chain import NOTHING, Verdict, judge
from tests.streams.making import CHROME

PARTITIONS = 2
WAIT_S = 60.0

#: What a worker started by `Line.worker` does at a moment of a batch: end as kill -9 ends it, or freeze as a paused
#: virtual machine does.
KILL, FREEZE = "KILL", "STOP"


class WorkerProcess:
    """A worker on a state directory of its own."""

    def __init__(self, environment: dict[str, str], log: Path, arguments: list[str]) -> None:
        self.log = log
        command = [sys.executable, "-m", "tests.streams.child", *arguments]
        with log.open("ab") as out:
            self.process = subprocess.Popen(command, env=os.environ | environment, stdout=out, stderr=out)

    def wait(self, timeout_s: float = WAIT_S) -> int:
        """Its exit code; negative = signal."""
        return self.process.wait(timeout_s)

    def stop(self) -> int:
        """SIGTERM, and its exit code."""
        self.process.terminate()
        return self.wait()

    def kill(self) -> None:
        """SIGKILL, and wait until it is gone."""
        self.process.kill()
        self.process.wait()

    def frozen(self) -> bool:
        """True while it is stopped by SIGSTOP."""
        return psutil.Process(self.process.pid).status() == psutil.STATUS_STOPPED

    def thaw(self) -> None:
        """SIGCONT."""
        self.process.send_signal(signal.SIGCONT)

    def owned(self) -> int:
        """How many partitions it works on; 0 where it does not answer."""
        try:
            health = self.health()
        except (IndexError, OSError):
            return 0
        return sum(part["lag"] is not None for part in health["partitions"].values())

    def said(self, text: str) -> bool:
        """True if its log holds this text."""
        return text in self.log.read_text()

    def health(self) -> dict[str, Any]:
        """What its admin listener says."""
        address = re.findall(r'"admin": "(http://[^"]+)"', self.log.read_text())[-1]
        with urllib.request.urlopen(f"{address}/health", timeout=10) as answer:
            found: dict[str, Any] = json.load(answer)
        return found


@dataclass
class Read:
    """A record of tracking.enriched."""

    partition: int
    header: EnrichedHeader
    rows: list[Row]


@dataclass
class Line:
    """Topics of one test, what was sent to them, and the workers on them."""

    kafka: KafkaSettings
    directory: Path
    producer: Any
    spool: str = field(default_factory=lambda: secrets.token_hex(16))
    segment: int = 0
    sent: dict[str, int] = field(default_factory=dict)  # id -> partition
    workers: list[WorkerProcess] = field(default_factory=list)

    @classmethod
    def make(cls, bootstrap: str, prefix: str, directory: Path, partitions: int = PARTITIONS) -> Line:
        """Create the topics."""
        config = Config({})
        kafka = config.section(KafkaSettings, bootstrap=bootstrap, topic_prefix=prefix, partitions=partitions)
        ensure_topics(kafka, config.section(TrackingSettings))
        return cls(kafka, directory, KafkaProducer(bootstrap_servers=bootstrap, linger_ms=0))

    def topic(self, name: str) -> str:
        return self.kafka.topic_prefix + name

    @property
    def partitions(self) -> int:
        return self.kafka.partitions

    def worker(
        self, die_at: str = "", times: int = 1, name: str = "worker", how: str = KILL, **settings: Any
    ) -> WorkerProcess:
        """Start a worker; `name` is its state directory's, `settings` are of StreamSettings.

        At the given moment, when it is there for the given time, it ends or freezes, as `how` says.
        """
        environment = {
            "SENDTRAIL_KAFKA_BOOTSTRAP": self.kafka.bootstrap,
            "SENDTRAIL_KAFKA_TOPIC_PREFIX": self.kafka.topic_prefix,
            "SENDTRAIL_KAFKA_PARTITIONS": str(self.partitions),
            "SENDTRAIL_STREAMS_STATE_DIR": str(self.directory / name),
            "SENDTRAIL_STREAMS_ADMIN_PORT": "0",
        }
        environment |= {f"SENDTRAIL_STREAMS_{key}".upper(): str(value) for key, value in settings.items()}
        process = WorkerProcess(environment, self.directory / f"{name}.log", [die_at, str(times), how])
        self.workers.append(process)
        return process

    def send(self, events: Iterable[Event], remember: bool = True) -> None:
        """One pack per partition."""
        by_partition: dict[int, list[Event]] = defaultdict(list)
        for event in events:
            by_partition[partition_of(event, self.partitions)].append(event)
        for partition, pack in by_partition.items():
            self.send_pack(partition, pack)
            if remember:
                self.sent.update({event.event_id: partition for event in pack})

    def send_pack(self, partition: int, events: list[Event], spool: str = "") -> None:
        indexes = [event.index for event in events]
        header = PackHeader(spool or self.spool, self.segment, min(indexes), max(indexes), len(events))
        self.send_raw(partition, join(map(encode, events)), headers_of(header))

    def send_raw(self, partition: int, value: bytes | None, headers: Any = (), key: bytes | None = None) -> None:
        self.producer.send(self.topic(EVENTS.name), value, key=key, partition=partition, headers=list(headers))

    def send_some(self, number: int, packs: int = 1) -> list[Event]:
        """New opens, evenly over a few messages; returns them."""
        made = []
        for _ in range(packs):
            some = [self.open(len(self.sent) + index) for index in range(number)]
            self.send(some)
            made += some
        self.producer.flush()
        return made

    def open(self, index: int) -> Event:
        """An open of a message of its own, now."""
        now = time.time_ns() // 1_000_000
        return Event(
            version=1, event_id=f"{now:012x}{secrets.token_hex(10)}", kind="open", event_time_ms=now, index=index,
            source="edge", delivery=7, message=index, user_agent=CHROME, address="192.0.2.1",
        )  # fmt: skip

    def source_id(self) -> str:
        """The id of tracking.events."""
        return topic_id(self.kafka.bootstrap, self.topic(EVENTS.name))

    def ends(self) -> dict[int, int]:
        """End of the log of tracking.events by partition."""
        return self._ends(EVENTS.name)

    def committed(self) -> dict[int, int]:
        """The group's offsets."""
        consumer = KafkaConsumer(bootstrap_servers=self.kafka.bootstrap, group_id=self.topic(STREAMS_GROUP))
        try:
            found = {number: consumer.committed(self._at(EVENTS.name, number)) for number in range(self.partitions)}
        finally:
            consumer.close()
        return {number: offset or 0 for number, offset in found.items()}

    def enriched(self) -> list[Read]:
        """All records of tracking.enriched, in their order within each partition."""
        ends = self._ends(ENRICHED.name)
        consumer = KafkaConsumer(bootstrap_servers=self.kafka.bootstrap, auto_offset_reset="earliest")
        reads = []
        try:
            consumer.assign([self._at(ENRICHED.name, number) for number in ends])
            while any(consumer.position(self._at(ENRICHED.name, number)) < end for number, end in ends.items()):
                for records in consumer.poll(500).values():
                    reads += [_read(record) for record in records]
        finally:
            consumer.close()
        return reads

    def chain(self) -> list[Read]:
        """What the loader accepts, by its own rule: replays and what runs ahead are dropped."""
        topic_id = self.source_id()
        last: dict[int, int] = defaultdict(lambda: NOTHING)
        accepted = []
        for read in self.enriched():
            verdict = judge(topic_id, last[read.partition], read.header)
            assert verdict is not Verdict.OVERLAP, "no worker emits intervals that overlap"
            if verdict is Verdict.NEXT:
                accepted.append(read)
                last[read.partition] = read.header.source_offset
        return accepted

    def wait_enriched(self, limit_s: float = WAIT_S) -> list[Read]:
        """Wait until the chain covers all of tracking.events; returns it."""
        wanted = {number: end for number, end in self.ends().items() if end}
        wait_for(lambda: self._covered(wanted), limit_s, self.logs)
        return self.chain()

    def _covered(self, wanted: dict[int, int]) -> bool:
        reached = {read.partition: read.header.source_offset + 1 for read in self.chain()}
        return all(reached.get(number, 0) >= end for number, end in wanted.items())

    def assert_ledger(self) -> None:
        """Each event sent came through once, to the partition of its source; 0 lost, 0 twice."""
        chain = self.wait_enriched()
        seen = [(row.event_id, read.partition) for read in chain for row in read.rows if isinstance(row, EventRow)]
        assert [place for place, number in Counter(seen).items() if number > 1] == []
        assert dict(seen) == self.sent

    def rejects(self, reads: list[Read]) -> list[RejectRow]:
        return [row for read in reads for row in read.rows if isinstance(row, RejectRow)]

    def logs(self) -> str:
        """The end of every worker's log."""
        return "\n".join(worker.log.read_text()[-3000:] for worker in {w.log: w for w in self.workers}.values())

    def close(self) -> None:
        """Kill what still runs."""
        for worker in self.workers:
            worker.kill()
        self.producer.close(10)

    def _at(self, name: str, partition: int) -> Any:
        return TopicPartition(self.topic(name), partition)

    def _ends(self, name: str) -> dict[int, int]:
        consumer = KafkaConsumer(bootstrap_servers=self.kafka.bootstrap)
        try:
            ends = consumer.end_offsets([self._at(name, number) for number in range(self.partitions)])
        finally:
            consumer.close()
        return {at.partition: end for at, end in ends.items()}


def wait_for(condition: Callable[[], bool], limit_s: float = WAIT_S, explain: Callable[[], str] = str) -> None:
    """Poll until it is true; fails with the explanation when the time is over."""
    deadline = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < deadline, f"not so after {limit_s:g} s:\n{explain()}"
        time.sleep(0.1)


def _read(record: Any) -> Read:
    header = read_enriched_headers(record.headers)
    assert not isinstance(header, Invalid), header
    rows = [decode_row(line) for line in split(record.value or b"")]
    assert not any(isinstance(row, Invalid) for row in rows), rows
    return Read(record.partition, header, [row for row in rows if not isinstance(row, Invalid)])
