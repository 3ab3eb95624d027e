"""Enriched records as the stream worker emits them, and a ledger of what they say is to be stored."""

import random
import secrets
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from kafka import KafkaProducer

from sendtrail.enriched import (
    EnrichedHeader,
    EventRow,
    MinuteCounts,
    RejectRow,
    RelabelRow,
    Row,
    encode_row,
    enriched_headers,
)
from sendtrail.events import VERSION, Class
from sendtrail.ids import feed_id, hit_id, relabel_id
from sendtrail.packs import PackHeader, join, minute_of

HITS = ("open", "click", "optout", "mirror")
CLASSES: tuple[Class, ...] = ("human", "machine", "unknown")
FEEDS = ("sent", "delivered", "bounced")
SPOOL = "ab" * 16


@dataclass
class Emitter:
    """Emits what a stream worker would for one source topic; remembers every event for the ledger.

    Deliveries are numbered `first_delivery` on, so that tests that share tables do not meet.
    """

    bootstrap: str
    topic: str
    topic_id: str
    seed: int = 1
    deliveries: int = 3
    next_offset: Counter[int] = field(default_factory=Counter)
    events: dict[str, tuple[int, Class]] = field(default_factory=dict)  # id -> delivery, class now
    partition_of: dict[str, int] = field(default_factory=dict)  # of hits: what may be re-labelled
    sent: dict[tuple[int, int], list[Row]] = field(default_factory=dict)
    rejects: int = 0

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        self.producer = self.make_producer()

    def make_producer(self) -> Any:
        """What sends."""
        return KafkaProducer(bootstrap_servers=self.bootstrap, compression_type="lz4", linger_ms=5)

    def emit(self, partition: int, events: int = 20, *, relabels: int = 0, rejects: int = 0) -> None:
        """One record of the next source offset, with so many new events, re-labels of earlier ones and rejects."""
        offset = self.next_offset[partition]
        rows: list[Row] = [self._event(partition, offset, index) for index in range(events)]
        rows += self._relabels(partition, offset, events, relabels)
        rows += [self._reject(offset, events + relabels + n) for n in range(rejects)]
        self.sent[partition, offset] = rows
        self.send(partition, offset, offset, rows)
        self.next_offset[partition] += 1

    def repeat(self, partition: int, offset: int) -> None:
        """A record once more, as a worker that started again emits it."""
        self.send(partition, offset, offset, self.sent[partition, offset])

    def overlap(self, partition: int, events: int) -> None:
        """One record that covers the last one and the next source offset."""
        offset = self.next_offset[partition]
        new: list[Row] = [self._event(partition, offset, index) for index in range(events)]
        self.send(partition, offset - 1, offset, [*self.sent[partition, offset - 1], *new])
        self.next_offset[partition] += 1

    def ahead(self, partition: int, offset: int) -> None:
        """A record of a later source offset, by a worker that is not the owner any more: not to be stored."""
        events, homes = dict(self.events), dict(self.partition_of)
        self.send(partition, offset, offset, [self._event(partition, offset, 0)])
        self.events, self.partition_of = events, homes

    def send(self, partition: int, first: int, last: int, rows: Sequence[Row]) -> None:
        """A record that covers the source interval, whatever was sent before."""
        kinds = Counter(type(row) for row in rows)
        events, rejects, relabels = kinds[EventRow], kinds[RejectRow], kinds[RelabelRow]
        counts = {str(minute_of(_now_ms())): MinuteCounts(events + rejects, events, 0, 0, rejects, relabels)}
        pack = PackHeader(SPOOL, 0, 0, max(0, len(rows) - 1), events + rejects)
        header = EnrichedHeader(self.topic_id, first, last, counts, pack)
        self.send_raw(partition, join(map(encode_row, rows)), enriched_headers(header))

    def send_raw(self, partition: int, value: bytes, headers: list[tuple[str, bytes]]) -> None:
        """Any record at all."""
        self.producer.send(self.topic, value, headers=headers, partition=partition)

    def flush(self) -> None:
        """Wait until everything is acknowledged."""
        self.producer.flush(30)

    def close(self) -> None:
        self.producer.close(timeout=10)

    def _event(self, partition: int, offset: int, index: int) -> EventRow:
        kind: Any = self.random.choice(HITS + FEEDS)
        now = _now_ms() - self.random.randrange(3_600_000)
        event_id = hit_id(now) if kind in HITS else feed_id(b"k" * 32, now, "", "api", secrets.token_hex(8), {})
        delivery = 1 + self.random.randrange(self.deliveries)
        class_: Class = self.random.choice(CLASSES)
        self.events[event_id] = (delivery, class_)
        if kind in HITS:
            self.partition_of[event_id] = partition
        message = self.random.randrange(50)
        return EventRow(
            version=VERSION, event_id=event_id, kind=kind, event_time_ms=now, index=index, delivery=delivery,
            message=message, recipient=message * 7, url_id=3 if kind == "click" else None, source="edge",
            how="view" if kind == "optout" else None, user_agent="Mozilla/5.0", address="192.0.2.7",
            reason="mailbox_full" if kind == "bounced" else "", source_offset=offset, source_index=index, class_=class_,
            class_reasons=["agent"], class_ruleset="1", client="Firefox", os="Linux", device="desktop",
            person=f"{delivery:016x}{message:016x}",
        )  # fmt: skip

    def _relabels(self, partition: int, offset: int, first_index: int, count: int) -> Iterable[RelabelRow]:
        own = [event_id for event_id, home in self.partition_of.items() if home == partition]
        for number, target in enumerate(self.random.sample(own, min(count, len(own)))):
            delivery, _ = self.events[target]
            self.events[target] = (delivery, "machine")
            yield RelabelRow(
                version=VERSION, event_id=relabel_id(_now_ms(), f"run{offset}", target), kind="relabel",
                event_time_ms=_now_ms(), delivery=delivery, target_id=target, new_class="machine", new_repeat=False,
                reasons=["burst"], ruleset="2", run=f"run{offset}", source_offset=offset,
                source_index=first_index + number,
            )  # fmt: skip

    def _reject(self, offset: int, index: int) -> RejectRow:
        self.rejects += 1
        return RejectRow(
            source_offset=offset, source_index=index, key=secrets.token_hex(16), reason="undecodable",
            original=b"\xff{", time_ms=_now_ms(),
        )  # fmt: skip


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
