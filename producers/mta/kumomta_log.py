"""KumoMTA's Kafka log topic -> the feed API, which has a batch before its offsets are committed."""

from collections.abc import Iterator
from typing import Any

import msgspec
from kafka import KafkaConsumer

from producers.mta.told import KUMOMTA, PATH
from sendtrail.errors import SendtrailError
from sendtrail.feed import Feed
from sendtrail.settings import MtaSettings

_POLL_MS = 1_000
_MAX_RECORDS = 1_000


class KumoMtaLog:
    """A member of the consumer group of `mta.kumomta_group`. Methods raise kafka-python's KafkaError."""

    def __init__(self, settings: MtaSettings) -> None:
        """Raises SendtrailError where there is no such topic."""
        self._topic = settings.kumomta_topic
        self._consumer = KafkaConsumer(
            bootstrap_servers=settings.kumomta_kafka.split(","),
            group_id=settings.kumomta_group,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            allow_auto_create_topics=False,
            max_poll_interval_ms=900_000,  # the API may be away for minutes
        )
        if not self._consumer.partitions_for_topic(self._topic):
            self._consumer.close()
            raise SendtrailError(f"there is no topic {self._topic} at {settings.kumomta_kafka} (mta.kumomta_topic)")
        self._consumer.subscribe([self._topic])

    def tell(self, feed: Feed) -> int:
        """Tell what a poll gives, then commit; how many records that were. Raises as Feed: nothing is committed."""
        polled = self._consumer.poll(timeout_ms=_POLL_MS, max_records=_MAX_RECORDS)
        records = [record.value or b"" for several in polled.values() for record in several]
        if records:
            feed.call("POST", PATH + KUMOMTA, list(_items(records)))
            self._consumer.commit()
        return len(records)

    def at_end(self) -> bool:
        """True where every partition this member has is read to its present end, and it has some."""
        assigned = self._consumer.assignment()
        ends = self._consumer.end_offsets(list(assigned)) if assigned else {}
        return bool(assigned) and all(self._consumer.position(at) >= end for at, end in ends.items())

    def close(self) -> None:
        self._consumer.close()


def _items(records: list[bytes]) -> Iterator[Any]:
    """Records as they are; one that is no JSON as text, so that the API makes a reject of it alone."""
    for record in records:
        try:
            msgspec.json.decode(record)
            yield msgspec.Raw(record)
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            yield record.decode("utf-8", "replace")
