"""Reads topics without a group: from given offsets to the end that is there at the beginning."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from typing import Any

from kafka import KafkaConsumer, TopicPartition

_POLL_MS = 2_000

#: Consumer, partitions -> where to start in each; what is missing starts at the beginning.
Starts = Callable[[Any, list[TopicPartition]], Mapping[TopicPartition, int]]


def group_less(bootstrap: str, **options: Any) -> KafkaConsumer:
    """A consumer of no group that commits nothing; close it. Raises KafkaError when no broker answers."""
    return KafkaConsumer(bootstrap_servers=bootstrap.split(","), group_id=None, enable_auto_commit=False, **options)


def read_to_end(bootstrap: str, topic: str, starts: Starts) -> Iterator[Any]:
    """The records of a topic from `starts` to its present ends, partition by partition in order. Raises KafkaError."""
    with closing(group_less(bootstrap)) as consumer:
        partitions = partitions_of(consumer, topic)
        consumer.assign(partitions)
        ends, begins = consumer.end_offsets(partitions), consumer.beginning_offsets(partitions)
        wanted = starts(consumer, partitions)
        for partition in partitions:
            consumer.seek(partition, max(wanted.get(partition, 0), begins[partition]))
        open_ones = {partition for partition in partitions if consumer.position(partition) < ends[partition]}
        while open_ones:
            for partition, records in consumer.poll(_POLL_MS).items():
                yield from (record for record in records if record.offset < ends[partition])
            open_ones = {partition for partition in open_ones if consumer.position(partition) < ends[partition]}


def partitions_of(consumer: KafkaConsumer, topic: str) -> list[TopicPartition]:
    """The partitions of a topic, none where it does not exist."""
    return [TopicPartition(topic, number) for number in sorted(consumer.partitions_for_topic(topic) or ())]
