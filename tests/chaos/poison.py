"""What no forwarder writes, put straight into tracking.events: each ends as a counted reject, or as nothing twice."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from kafka import KafkaConsumer, KafkaProducer, TopicPartition

from sendtrail.events import Event, encode
from sendtrail.ids import hit_id
from sendtrail.kafka_admin import physical_name
from sendtrail.packs import PackHeader, Totals, headers_of, minute_of
from sendtrail.partitions import partition_of
from sendtrail.settings import KafkaSettings
from sendtrail.topics import EVENTS
from tests.chaos.schedule import DAY_MS
from tests.chaos.sent import Sent

_ANSWER_S = 120
_SEND_S = 100
_TRANSACTION_S = 60.0
_OLD_RECORDS = 5


class Poison:
    """Writes poison records; `sent.poisons` learns the mark of each and why it must be rejected."""

    def __init__(self, kafka: KafkaSettings, sent: Sent) -> None:
        self._kafka, self._sent = kafka, sent
        self._topic = physical_name(kafka, EVENTS)

    def put(self, kind: str) -> str:
        """One dose. Returns what it was. Raises KafkaError if no broker takes it."""
        makers: dict[str, Callable[[Any, str, int], str]] = {
            "garbage": self._garbage, "no_headers": self._no_headers, "wrong_count": self._wrong_count,
            "wrong_partition": self._wrong_partition, "future": self._future, "old_pack": self._old_packs,
        }  # fmt: skip
        mark, now_ms = f"poison-{secrets.token_hex(8)}", time.time_ns() // 1_000_000
        if kind != "transaction":
            with _closing(self._producer()) as producer:
                return makers[kind](producer, mark, now_ms)
        told: list[str] = []
        # kafka-python waits for the end of a transaction without an end of its own, where a coordinator went meanwhile.
        dose = threading.Thread(target=lambda: told.append(self._within_transaction(mark, now_ms)), daemon=True)
        dose.start()
        dose.join(_TRANSACTION_S)
        return told[0] if told else "the transaction did not end, which the broker will do"

    def _within_transaction(self, mark: str, now_ms: int) -> str:
        """The marker at its end takes an offset that nobody is ever given, whether it is committed or timed out."""
        with _closing(self._producer(transactional_id=mark, transaction_timeout_ms=20_000)) as producer:
            producer.init_transactions()
            producer.begin_transaction()
            told = self._no_headers(producer, mark, now_ms)
            producer.commit_transaction()
            return told

    def _garbage(self, producer: Any, mark: str, now_ms: int) -> str:
        """A line that is no event, in a pack like any other."""
        self._pack(producer, 0, b'\xff{"v": ' + mark.encode(), now_ms, now_ms)
        self._sent.poisons[mark] = "undecodable"
        return "a line that can't be decoded"

    def _no_headers(self, producer: Any, mark: str, now_ms: int) -> str:
        self._sent.silent_poisons.add(mark)
        self._send(producer, 1, mark.encode(), [])
        self._sent.poisons[mark] = "bad_pack"
        return "a record without pack headers"

    def _wrong_count(self, producer: Any, mark: str, now_ms: int) -> str:
        """Its header says one event, and there are two lines: one reject, counted as the header says."""
        self._pack(producer, 2, mark.encode() + b"\n{}", now_ms, now_ms)
        self._sent.poisons[mark] = "bad_pack"
        return "a pack whose header counts wrong"

    def _wrong_partition(self, producer: Any, mark: str, now_ms: int) -> str:
        event = _event(now_ms, mark)
        right = partition_of(event, self._kafka.partitions)
        self._pack(producer, (right + 1) % self._kafka.partitions, encode(event), now_ms, now_ms)
        self._sent.poisons[mark] = "wrong_partition"
        return "an event in a partition not its own"

    def _future(self, producer: Any, mark: str, now_ms: int) -> str:
        event = _event(now_ms + 3 * DAY_MS, mark)
        self._pack(producer, partition_of(event, self._kafka.partitions), encode(event), event.event_time_ms, now_ms)
        self._sent.poisons[mark] = "bad_time"
        return "an event of the day after tomorrow's morrow"

    def _old_packs(self, producer: Any, mark: str, now_ms: int) -> str:
        """Records of a while ago once more, as they were: everything in them is known."""
        consumer = KafkaConsumer(bootstrap_servers=self._kafka.bootstrap.split(","), enable_auto_commit=False)
        partition = TopicPartition(self._topic, 3)
        consumer.assign([partition])
        consumer.seek_to_beginning(partition)
        found = consumer.poll(timeout_ms=20_000, max_records=_OLD_RECORDS).get(partition, [])
        consumer.close()
        again = [record for record in found if ("n", b"0") not in record.headers and b"poison" not in record.value]
        for record in again:
            self._send(producer, partition.partition, record.value, record.headers)
        self._sent.repeats["packs"] += len(again)
        return f"{len(again)} old packs again"

    def _pack(self, producer: Any, partition: int, value: bytes, event_ms: int, now_ms: int) -> None:
        """A pack of one event from a spool of its own, and that spool's totals."""
        header = PackHeader(secrets.token_hex(16), 0, 0, 0, 1)
        minute = minute_of(event_ms)
        record = self._send(producer, partition, value, headers_of(header))
        if event_ms == now_ms and not value.startswith(b'{"v"'):  # undecodable: of the minute of the record
            minute = minute_of(record.timestamp)
        totals = Totals("poison", 1, 0, {str(partition): {str(minute): 1}})
        self._send(producer, 0, b"", headers_of(header._replace(events=0), totals))

    def _send(self, producer: Any, partition: int, value: bytes, headers: list[tuple[str, bytes]]) -> Any:
        return producer.send(self._topic, value, partition=partition, headers=headers).get(_ANSWER_S)

    def _producer(self, **options: Any) -> Any:
        return KafkaProducer(
            bootstrap_servers=self._kafka.bootstrap.split(","), acks="all", enable_idempotence=True,
            delivery_timeout_ms=_SEND_S * 1000, max_block_ms=_SEND_S * 1000, bootstrap_timeout_ms=_SEND_S * 1000,
            **options,
        )  # fmt: skip


@contextmanager
def _closing(producer: Any) -> Iterator[Any]:
    """Close a producer, whose own `with` waits without an end."""
    try:
        yield producer
    finally:
        producer.close(5)


def _event(time_ms: int, mark: str) -> Event:
    return Event(
        version=1, event_id=hit_id(time_ms), kind="click", event_time_ms=time_ms, source="edge", url_id=5,
        delivery=77, message=1, user_agent=mark, address="192.0.2.1",
    )  # fmt: skip
