"""KumoMTA's Kafka log topic -> the feed API, which has a batch before its offsets are committed."""

import msgspec
from kafka import KafkaConsumer

from producers.mta.told import KUMOMTA, tell
from sendtrail.errors import SendtrailError
from sendtrail.feed import Feed
from sendtrail.settings import MtaSettings

_POLL_MS = 1_000
_MAX_RECORDS = 1_000
_MAX_RECORD_BYTES = 1024 * 1024


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
            tell(feed, KUMOMTA, map(_item, records))
            self._consumer.commit()
        return len(records)

    def at_end(self) -> bool:
        """True where every partition this member has is read to its present end, and it has some."""
        assigned = self._consumer.assignment()
        ends = self._consumer.end_offsets(list(assigned)) if assigned else {}
        return bool(assigned) and all(self._consumer.position(at) >= end for at, end in ends.items())

    def close(self) -> None:
        self._consumer.close()


def _item(record: bytes) -> bytes:
    """A record as it is; one that is no JSON, or larger than any log record, as text: the API makes a reject of it."""
    try:
        msgspec.json.decode(record)
        if len(record) <= _MAX_RECORD_BYTES:
            return record
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        pass
    return msgspec.json.encode(record[:_MAX_RECORD_BYTES].decode("utf-8", "replace"))
