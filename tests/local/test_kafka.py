"""The embedded broker: real clients, crashes, orderly ends."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import KafkaAdminClient, NewTopic
from kafka.structs import OffsetAndMetadata

from sendtrail.local.kafka import KafkaBroker
from sendtrail.local.kafka_config import OFFSETS_RETENTION_MINUTES, Node, server_properties
from sendtrail.local.process import StartError

MakeBroker = Callable[[], KafkaBroker]


def make_topic(bootstrap: str, topic: str, **settings: str) -> None:
    admin = KafkaAdminClient(bootstrap_servers=bootstrap)
    admin.create_topics([NewTopic(topic, 2, 1, topic_configs=settings)])
    admin.close()


@pytest.fixture
def topic(kafka: str, topic_prefix: str) -> str:
    name = topic_prefix + "events"
    make_topic(kafka, name)
    return name


def test_a_record_comes_back(kafka: str, topic: str) -> None:
    producer = KafkaProducer(bootstrap_servers=kafka, acks="all")
    assert producer.send(topic, b"one", headers=[("h", b"v")], partition=1).get(30).offset == 0
    producer.close()
    consumer = KafkaConsumer(topic, bootstrap_servers=kafka, group_id=topic, auto_offset_reset="earliest")
    record = next(iter(consumer))
    assert (record.partition, record.value, record.headers) == (1, b"one", [("h", b"v")])
    consumer.close()


def test_offsets_carry_metadata(kafka: str, topic: str) -> None:
    partition = TopicPartition(topic, 0)
    consumer = KafkaConsumer(bootstrap_servers=kafka, group_id=topic, enable_auto_commit=False)
    consumer.assign([partition])
    consumer.commit({partition: OffsetAndMetadata(3, "m" * 4000, -1)})
    committed = consumer.committed(partition, metadata=True)
    assert (committed.offset, committed.metadata) == (3, "m" * 4000)
    consumer.close()


def test_a_record_may_have_eight_mebibytes(kafka: str, topic_prefix: str) -> None:
    size = 8 * 1024 * 1024 - 1024
    make_topic(kafka, topic_prefix + "big", **{"max.message.bytes": str(8 * 1024 * 1024)})
    producer = KafkaProducer(bootstrap_servers=kafka, acks="all", max_request_size=2 * size)
    assert producer.send(topic_prefix + "big", b"x" * size).get(60).offset == 0
    producer.close()


def test_topics_are_not_made_by_use(kafka: str, topic_prefix: str) -> None:
    consumer = KafkaConsumer(bootstrap_servers=kafka)
    assert consumer.partitions_for_topic(topic_prefix + "never") in (None, set())
    consumer.close()


def test_records_and_address_outlive_a_kill_and_a_stop(make_broker: MakeBroker) -> None:
    broker = make_broker()
    bootstrap = broker.bootstrap
    refuses_a_second_broker(broker)
    make_topic(bootstrap, "t")
    for number, end in enumerate((broker.kill, broker.stop)):
        producer = KafkaProducer(bootstrap_servers=bootstrap, acks="all")
        assert producer.send("t", b"x", partition=0).get(60).offset == number
        producer.close()
        end()
        assert not broker.running
        # Another program may have got the port of the controller meanwhile, which no client knows.
        with socket.create_server(("127.0.0.1", broker.node.controller_port)):
            broker.start()
            broker.wait_ready()
        assert broker.bootstrap == bootstrap
    assert KafkaBroker(broker.data_dir).bootstrap == bootstrap


def refuses_a_second_broker(broker: KafkaBroker) -> None:
    with pytest.raises(StartError, match="is taken"):
        KafkaBroker(broker.data_dir).start()
    command = [sys.executable, "-m", "sendtrail.local.kafka", "--data", str(broker.data_dir)]
    second = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert second.returncode == 1
    assert f"a broker already runs on {broker.data_dir}" in second.stderr


def test_the_configuration_is_local_and_remembers_offsets() -> None:
    node = Node(1, 9092, 9093)
    text = server_properties(node, (node,), Path("/data"))
    settings = dict(line.split("=", 1) for line in text.splitlines())
    assert settings["listeners"] == "PLAINTEXT://127.0.0.1:9092,CONTROLLER://127.0.0.1:9093"
    assert settings["advertised.listeners"] == "PLAINTEXT://127.0.0.1:9092"
    assert int(settings["offsets.retention.minutes"]) == OFFSETS_RETENTION_MINUTES > 5 * 365 * 24 * 60
    assert settings["offsets.topic.replication.factor"] == "1"


def test_three_nodes_replicate() -> None:
    nodes = tuple(Node(number, 9000 + number, 9100 + number) for number in (1, 2, 3))
    text = server_properties(nodes[0], nodes, Path("/data"))
    assert "controller.quorum.voters=1@127.0.0.1:9101,2@127.0.0.1:9102,3@127.0.0.1:9103" in text
    assert "offsets.topic.replication.factor=3" in text
    assert "min.insync.replicas=2" in text
