"""The relay's spool: `sent` events, and below it the URLs for the registry. The forwarder carries both."""

from collections.abc import Sequence

from producers.spool import SpoolWriter
from sendtrail.deliveries import DeliveryUrl, record_of
from sendtrail.events import Event
from sendtrail.segments import Stream
from sendtrail.settings import RelaySettings


class RelaySpool:
    """Owns the two writers. Safe to share between threads."""

    def __init__(self, settings: RelaySettings) -> None:
        """Raises OSError where the directories can't be made."""
        self._ready_backlog_bytes = settings.ready_backlog_bytes
        self._events = _writer(settings, "", Stream.EVENTS)
        self._registry = _writer(settings, "registry", Stream.REGISTRY)

    def add(self, event: Event) -> bool:
        """True once it is in the spool."""
        return self._events.append([event]) == 1

    def add_urls(self, urls: Sequence[DeliveryUrl]) -> bool:
        """True once all are in the spool."""
        payloads = [record_of(entry) for entry in urls]
        return self._registry.append_payloads(payloads) == len(payloads)

    @property
    def failing(self) -> bool:
        """Whether the last write did not reach the disk."""
        return self._events.failing or self._registry.failing

    def backlog_bytes(self) -> int:
        """Bytes that wait for the forwarder."""
        return self._events.backlog_bytes() + self._registry.backlog_bytes()

    def has_room(self) -> bool:
        """Whether another event may come."""
        return not self.failing and self.backlog_bytes() <= self._ready_backlog_bytes

    def tick(self) -> None:
        """To be called a few times a second: finishes aged segments, and looks for room after a failure."""
        self._events.tick()
        self._registry.tick()

    def close(self) -> None:
        """Finish the open segments."""
        self._events.close()
        self._registry.close()


def _writer(settings: RelaySettings, below: str, stream: Stream) -> SpoolWriter:
    return SpoolWriter(
        settings.spool_dir / below,
        f"relay-{below}" if below else "relay",
        stream=stream,
        fsync=settings.fsync,
        fsync_interval_ms=settings.fsync_interval_ms,
        segment_bytes=settings.segment_bytes,
        segment_age_ms=settings.segment_age_ms,
        count_loss=False,
    )
