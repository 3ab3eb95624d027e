"""The embedded broker."""

from __future__ import annotations

from kafka import KafkaProducer
from kafka.admin import KafkaAdminClient, NewTopic


def test_a_record_is_acknowledged(kafka: str, topic_prefix: str) -> None:
    topic = topic_prefix + "events"
    admin = KafkaAdminClient(bootstrap_servers=kafka)
    admin.create_topics([NewTopic(topic, 2, 1)])
    producer = KafkaProducer(bootstrap_servers=kafka, acks="all")
    assert producer.send(topic, b"one", partition=1).get(30).offset == 0
    producer.close()
    admin.close()
