"""tracking.deliveries -> `deliveries` and `delivery_urls`.

The topic is compacted and small, so every start reads it from its beginning: no offset to keep, and tables that were
lost fill again. Rows repeat then; the tables keep the newest `updated` of each key.
"""

import threading
from collections.abc import Sequence
from typing import Any

import structlog
from clickhouse_driver import Client
from clickhouse_driver.errors import Error
from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError

from sendtrail import metrics
from sendtrail.clickhouse import connect
from sendtrail.deliveries import Delivery, decode_record
from sendtrail.errors import Invalid
from sendtrail.kafka_admin import physical_name
from sendtrail.settings import ClickHouseSettings, KafkaSettings
from sendtrail.topics import DELIVERIES
from sinks.outage import Outage
from sinks.registry_rows import Columns, block, delivery_row, url_row
from sinks.write import CONNECTION_ERRORS

_POLL_MS = 300
_MAX_RECORDS = 2_000
_WAIT_S = 0.3
_INSERT_SETTINGS = {"async_insert": 0}


class Registry:
    """Follows the topic in a thread of its own until it is stopped. Kafka and ClickHouse may come and go."""

    def __init__(self, kafka: KafkaSettings, clickhouse: ClickHouseSettings) -> None:
        self._kafka, self._clickhouse = kafka, clickhouse
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="registry", daemon=True)
        self._outage = Outage("the registry")
        self._log = structlog.get_logger("loader")
        self._counter = metrics.counter("sendtrail_registry_records_total")
        self.records = 0

    def start(self) -> "Registry":
        """Begin; returns at once."""
        self._thread.start()
        return self

    def stop(self) -> None:
        """End after the insert under way."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def facts(self) -> dict[str, Any]:
        """For the admin listener: records read since the start, and what is in the way."""
        return {"records": self.records, "problem": self._outage.text}

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                with connect(self._clickhouse) as client:
                    self._follow(client)
            except (KafkaError, Error, *CONNECTION_ERRORS) as error:
                self._outage.failed(error)
            while self._outage.waiting and not self._stop.is_set():
                self._stop.wait(_WAIT_S)

    def _follow(self, client: Client) -> None:
        consumer = KafkaConsumer(
            bootstrap_servers=self._kafka.bootstrap.split(","),
            group_id=None,
            enable_auto_commit=False,
            allow_auto_create_topics=False,
            auto_offset_reset="earliest",
            reconnect_backoff_max_ms=1_000,
        )
        try:
            if self._assign(consumer):
                while not self._stop.is_set():
                    polled = consumer.poll(timeout_ms=_POLL_MS, max_records=_MAX_RECORDS)
                    self._store(client, [record for records in polled.values() for record in records])
                    self._outage.over()
        finally:
            consumer.close()

    def _assign(self, consumer: Any) -> bool:
        """Take the whole topic; False if the stop came before the topic."""
        topic = physical_name(self._kafka, DELIVERIES)
        while not self._stop.is_set():
            partitions = consumer.partitions_for_topic(topic)
            if partitions:
                consumer.assign([TopicPartition(topic, partition) for partition in sorted(partitions)])
                consumer.seek_to_beginning()
                return True
            self._stop.wait(_WAIT_S)
        return False

    def _store(self, client: Client, records: Sequence[Any]) -> None:
        deliveries: list[Columns] = []
        urls: list[Columns] = []
        for record in records:
            entry = decode_record(record.key, record.value)
            if isinstance(entry, Invalid):
                self._ignore(record, entry)
                continue
            row = delivery_row(entry) if isinstance(entry, Delivery) else url_row(entry)
            if isinstance(row, Invalid):
                self._ignore(record, row)
                continue
            (deliveries if isinstance(entry, Delivery) else urls).append(row)
        for insert in (block("deliveries", deliveries), block("delivery_urls", urls)):
            if insert.rows:
                client.execute(insert.statement, insert.data, columnar=True, settings=_INSERT_SETTINGS)
                self._counter.labels("stored").inc(insert.rows)
        self.records += len(records)

    def _ignore(self, record: Any, why: Invalid) -> None:
        self._counter.labels("ignored").inc()
        self._log.warning("a record of tracking.deliveries is ignored", offset=record.offset, why=why.detail)
