"""The log and the commit do not fit: loss is said, a true gap is gone over, a topic made anew stops the worker."""

from __future__ import annotations

from typing import Any

import pytest
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.structs import OffsetAndMetadata

from sendtrail.kafka_admin import admin_client, ensure_topics
from sendtrail.settings import Config, TrackingSettings
from sendtrail.topics import EVENTS, STREAMS_GROUP
from streams.errors import EXIT_STOPPED
from tests.streams.running import Line, wait_for


@pytest.fixture
def admin(kafka: str) -> Any:
    client = admin_client(kafka)
    yield client
    client.close()


def test_records_gone_before_they_were_processed_stop_the_worker(line: Line, admin: Any) -> None:
    line.send_some(20, packs=3)
    at = TopicPartition(line.topic(EVENTS.name), 0)
    admin.delete_records({at: 2})
    worker = line.worker()
    assert worker.wait() == EXIT_STOPPED
    assert worker.said("records 0 to 1 are no longer in the log")
    assert worker.said("set the group's offset of this partition to 2")
    assert line.committed()[0] == 0


def test_a_topic_made_anew_stops_the_worker_until_an_operator_agrees(line: Line, admin: Any) -> None:
    line.send_some(20)
    worker = line.worker()
    line.assert_ledger()
    old_id = line.source_id()
    admin.delete_topics([line.topic(EVENTS.name)])
    wait_for(lambda: line.topic(EVENTS.name) not in admin.list_topics())
    ensure_topics(line.kafka, Config({}).section(TrackingSettings))
    assert worker.wait() == EXIT_STOPPED
    line.sent.clear()
    line.send_some(20)
    again = line.worker()
    assert again.wait() == EXIT_STOPPED
    assert again.said("was made anew")
    (line.directory / "worker" / f"{line.topic(EVENTS.name)}.id").unlink()
    line.worker()
    new_id = line.source_id()
    assert new_id != old_id
    wait_for(lambda: _ids_of(line, new_id) == set(line.sent), explain=line.logs)


def _ids_of(line: Line, topic_id: str) -> set[str]:
    reads = [read for read in line.enriched() if read.header.topic_id == topic_id]
    return {getattr(row, "event_id", "") for read in reads for row in read.rows}


def test_an_empty_range_inside_the_log_is_gone_over(line: Line) -> None:
    """The markers that end a transaction take offsets and hold no record."""
    line.send_some(10)
    producer = KafkaProducer(bootstrap_servers=line.kafka.bootstrap, transactional_id=line.kafka.topic_prefix + "tx")
    plain, line.producer = line.producer, producer
    producer.init_transactions()
    for _ in range(3):
        producer.begin_transaction()
        line.send_some(10)
        producer.commit_transaction()
    line.producer = plain
    producer.close(10)
    wait_for(lambda: set(line.ends().values()) == {1 + 2 * 3})  # the broker writes markers when it gets to it
    line.send_some(10)
    worker = line.worker()
    line.assert_ledger()
    assert worker.said("an empty range in the log")
    assert any(read.header.source_from < read.header.source_offset for read in line.chain())


def test_a_log_that_ends_before_the_commit_stops_the_worker(line: Line, kafka: str) -> None:
    line.send_some(10)
    consumer = KafkaConsumer(bootstrap_servers=kafka, group_id=line.topic(STREAMS_GROUP), enable_auto_commit=False)
    at = TopicPartition(line.topic(EVENTS.name), 0)
    consumer.commit({at: OffsetAndMetadata(1000, "", -1)})
    consumer.close()
    worker = line.worker()
    assert worker.wait() == EXIT_STOPPED
    assert worker.said("the broker lost records")
