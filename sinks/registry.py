"""tracking.deliveries -> `deliveries` and `delivery_urls`; tracking.contents -> `delivery_contents`;
tracking.consents -> `consents`.

The topics are compacted and small, so every start reads them from their beginning: no offset to keep, and tables that
were lost fill again. Rows repeat then, contents apart, which are large; the tables keep the newest `updated` of a key.
"""

import threading
from collections.abc import Callable, Sequence
from typing import Any

import structlog
from clickhouse_driver import Client
from clickhouse_driver.errors import Error
from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError

from sendtrail import metrics
from sendtrail.clickhouse import connect
from sendtrail.consents import Consent, decode_consent
from sendtrail.contents import Content, decode_content
from sendtrail.deliveries import Delivery, DeliveryUrl, decode_record
from sendtrail.errors import Invalid, SendtrailError
from sendtrail.kafka_admin import physical_name
from sendtrail.kafka_read import read_to_end
from sendtrail.settings import ClickHouseSettings, KafkaSettings
from sendtrail.topics import CONSENTS, CONTENTS, DELIVERIES
from sinks.erased import NOBODY_ERASED, Erased
from sinks.outage import Outage
from sinks.queries import query
from sinks.registry_rows import Columns, block, consent_row, content_row, delivery_row, url_row
from sinks.write import CONNECTION_ERRORS

Decode = Callable[[bytes | None, bytes | None], Delivery | DeliveryUrl | Content | Consent | Invalid]

_POLL_MS = 300
_MAX_RECORDS = 2_000
_WAIT_S = 0.3
_INSERT_SETTINGS = {"async_insert": 0}


class Registry:
    """Follows the topics in a thread of its own until it is stopped. Kafka and ClickHouse may come and go."""

    def __init__(self, kafka: KafkaSettings, clickhouse: ClickHouseSettings, erased: Erased = NOBODY_ERASED) -> None:
        self._kafka, self._clickhouse, self._erased = kafka, clickhouse, erased
        self._decode: dict[str, Decode] = {
            physical_name(kafka, DELIVERIES): decode_record,
            physical_name(kafka, CONTENTS): decode_content,
            physical_name(kafka, CONSENTS): decode_consent,
        }
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

    def fill(self, client: Client, progress: Callable[[int], None] = lambda records: None) -> int:
        """Store once what the topics hold now, without following them; returns the records read.

        Raises KafkaError, and lets the driver's errors through.
        """
        for topic in self._decode:
            records: list[Any] = []
            for record in read_to_end(self._kafka.bootstrap, topic, lambda consumer, partitions: {}):
                records.append(record)
                if len(records) == _MAX_RECORDS:
                    self._store(client, records)
                    progress(self.records)
                    records = []
            self._store(client, records)
            progress(self.records)
        return self.records

    def facts(self) -> dict[str, Any]:
        """For the admin listener: records read since the start, and what is in the way."""
        return {"records": self.records, "problem": self._outage.text}

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                with connect(self._clickhouse) as client:
                    self._follow(client)
            except (KafkaError, SendtrailError, Error, *CONNECTION_ERRORS) as error:
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
            max_partition_fetch_bytes=CONTENTS.max_bytes,
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
        """Take the topics whole; False if the stop came before the topics."""
        while not self._stop.is_set():
            found = {topic: consumer.partitions_for_topic(topic) for topic in self._decode}
            if all(found.values()):
                consumer.assign([TopicPartition(topic, partition) for topic in found for partition in found[topic]])
                consumer.seek_to_beginning()
                return True
            self._stop.wait(_WAIT_S)
        return False

    def _store(self, client: Client, records: Sequence[Any]) -> None:
        rows: dict[str, list[Columns]] = {
            "deliveries": [],
            "delivery_urls": [],
            "delivery_contents": [],
            "consents": [],
        }
        for record in records:
            if record.value is None:  # purged or erased: its row is gone
                continue
            found = self._row(record)
            if isinstance(found, Invalid):
                self._ignore(record, found)
            else:
                rows[found[0]].append(found[1])
        rows = self._allowed(client, rows) if records else rows
        rows["delivery_contents"] = _unknown(client, rows["delivery_contents"])
        for table, several in rows.items():
            insert = block(table, several)
            if insert.rows:
                client.execute(insert.statement, insert.data, columnar=True, settings=_INSERT_SETTINGS)
                self._counter.labels("stored").inc(insert.rows)
        self.records += len(records)

    def _allowed(self, client: Client, rows: dict[str, list[Columns]]) -> dict[str, list[Columns]]:
        """Without purged deliveries, and with pseudonyms: topics keep what was taken away until they are compacted."""
        purged = {delivery for (delivery,) in client.execute(query("purged"))}
        self._erased.refresh(client)
        for row in rows["consents"]:
            if (pseudonym := self._erased.pseudonym(row["recipient_key"])) is not None:
                row |= {"recipient_key": pseudonym, "recipient_name": ""}
        return {
            table: [row for row in several if row.get("delivery_id") not in purged] for table, several in rows.items()
        }

    def _row(self, record: Any) -> tuple[str, Columns] | Invalid:
        """The table a record belongs to, and its row there."""
        entry = self._decode[record.topic](record.key, record.value)
        if isinstance(entry, Invalid):
            return entry
        if isinstance(entry, Content):
            table, row = "delivery_contents", content_row(entry)
        elif isinstance(entry, Consent):
            table, row = "consents", consent_row(entry)
        elif isinstance(entry, Delivery):
            table, row = "deliveries", delivery_row(entry)
        else:
            table, row = "delivery_urls", url_row(entry)
        return row if isinstance(row, Invalid) else (table, row)

    def _ignore(self, record: Any, why: Invalid) -> None:
        self._counter.labels("ignored").inc()
        self._log.warning("a registry record is ignored", topic=record.topic, offset=record.offset, why=why.detail)


def _unknown(client: Client, rows: list[Columns]) -> list[Columns]:
    """Contents the table has not, or has older: a start that inserted all of them again would write megabytes."""
    if not rows:
        return rows
    deliveries = sorted({row["delivery_id"] for row in rows})
    known = {(d, p): ms for d, p, ms in client.execute(query("contents_known"), {"deliveries": deliveries})}
    return [row for row in rows if known.get((row["delivery_id"], row["part"]), -1) < row["updated"]]
