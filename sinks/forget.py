"""What was deleted or erased leaves Kafka's compacted topics and the directory of contents: nulls in their stead."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import get_args

from kafka import KafkaProducer

from sendtrail import content_files
from sendtrail.contents import Content, Part, content_key
from sendtrail.deliveries import meta_key, url_key
from sendtrail.kafka_admin import physical_name
from sendtrail.settings import KafkaSettings
from sendtrail.topics import CONTENTS, DELIVERIES, Topic
from sinks.purge import Gone

_TIMEOUT_S = 60.0
_PARTS: tuple[Part, ...] = get_args(Part)


def nulls(settings: KafkaSettings, keys: Iterable[tuple[Topic, str]]) -> None:
    """Send a null for every key and wait for the broker's answer. Raises KafkaError."""
    producer = KafkaProducer(bootstrap_servers=settings.bootstrap.split(","), acks="all")
    try:
        sent = [producer.send(physical_name(settings, topic), key=key.encode(), value=None) for topic, key in keys]
        for one in sent:
            one.get(timeout=_TIMEOUT_S)
    finally:
        producer.close(timeout=_TIMEOUT_S)


class Forgetting:
    """Forgets deliveries. `contents_dir`: where the API keeps contents for edges, None where that is elsewhere."""

    def __init__(self, settings: KafkaSettings, contents_dir: Path | None) -> None:
        self._settings, self._contents_dir = settings, contents_dir

    def __call__(self, gone: Sequence[Gone]) -> None:
        """Raises KafkaError, OSError."""
        nulls(self._settings, [key for one in gone for key in _keys(one)])
        if self._contents_dir is not None:
            empty = [Content(delivery=one.deletion.delivery, part=part) for one in gone for part in _PARTS]
            content_files.write(self._contents_dir, empty)


def _keys(gone: Gone) -> Iterable[tuple[Topic, str]]:
    delivery = gone.deletion.delivery
    yield DELIVERIES, meta_key(delivery)
    for url_id in gone.links:
        yield DELIVERIES, url_key(delivery, url_id)
    for part in _PARTS:
        yield CONTENTS, content_key(delivery, part)
