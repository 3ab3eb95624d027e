"""The API's two spools: events, and registry records in the directory below. What is answered 2xx is in one of them."""

import threading
from collections.abc import Sequence

from producers.spool import SpoolWriter
from sendtrail.deliveries import Delivery, DeliveryUrl, record_of
from sendtrail.events import Event
from sendtrail.process import Health
from sendtrail.segments import Stream
from sendtrail.settings import ApiSettings

REGISTRY_DIRECTORY = "registry"
_TICK_S = 0.05


class ApiSpool:
    """Owns the writers, and the thread that finishes aged segments. Safe to share between threads."""

    def __init__(self, settings: ApiSettings) -> None:
        """Raises OSError where the directories can't be made."""
        self._ready_backlog_bytes = settings.ready_backlog_bytes
        self._events = _writer(settings, "api", Stream.EVENTS)
        self._registry = _writer(settings, "api-registry", Stream.REGISTRY)
        self._ending = threading.Event()
        self._ticking = threading.Thread(target=self._tick, name="spool-tick", daemon=True)
        self._ticking.start()

    def add_events(self, events: Sequence[Event]) -> bool:
        """True once all are in the spool. False: some may be; the sender repeats, and they count once."""
        return self._events.append(events) == len(events)

    def add_entries(self, entries: Sequence[Delivery | DeliveryUrl]) -> bool:
        """True once all are in the spool, in this order."""
        payloads = [record_of(entry) for entry in entries]
        return self._registry.append_payloads(payloads) == len(payloads)

    def health(self) -> Health:
        """Not ready while a spool can't be written or is longer than its limit."""
        backlog = self._events.backlog_bytes() + self._registry.backlog_bytes()
        failing = self._events.failing or self._registry.failing
        return Health(
            not failing and backlog <= self._ready_backlog_bytes, {"backlog_bytes": backlog, "failing": failing}
        )

    def close(self) -> None:
        """Finish the open segments."""
        self._ending.set()
        self._ticking.join()
        self._events.close()
        self._registry.close()

    def _tick(self) -> None:
        while not self._ending.wait(_TICK_S):
            self._events.tick()
            self._registry.tick()


def _writer(settings: ApiSettings, name: str, stream: Stream) -> SpoolWriter:
    directory = settings.spool_dir if stream is Stream.EVENTS else settings.spool_dir / REGISTRY_DIRECTORY
    return SpoolWriter(
        directory,
        name,
        stream=stream,
        fsync=settings.fsync,
        fsync_interval_ms=settings.fsync_interval_ms,
        segment_bytes=settings.segment_bytes,
        segment_age_ms=settings.segment_age_ms,
        count_loss=False,
    )
