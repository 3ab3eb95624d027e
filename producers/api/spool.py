"""The API's spools: events, and in directories below what goes to topics with keys. What is answered 2xx is in one."""

import threading
from collections.abc import Sequence
from pathlib import Path

import structlog

from producers.spool import SpoolWriter
from producers.spool_watch import watch_spool
from sendtrail import content_files
from sendtrail.consents import Consent, consent_record
from sendtrail.contents import Content, content_record
from sendtrail.deliveries import Delivery, DeliveryUrl, record_of
from sendtrail.events import Event
from sendtrail.process import Health
from sendtrail.segments import Stream
from sendtrail.settings import ApiSettings

#: Directory below the events' one, by stream.
_BELOW = {Stream.EVENTS: "", Stream.REGISTRY: "registry", Stream.CONTENTS: "contents", Stream.CONSENTS: "consents"}
_TICK_S = 0.05


class ApiSpool:
    """Owns the writers, and the thread that finishes aged segments. Safe to share between threads."""

    def __init__(self, settings: ApiSettings, contents_dir: Path | None = None) -> None:
        """`contents_dir`: where contents are kept for edges too. Raises OSError where the directories can't be made."""
        self._contents_dir = contents_dir
        self._ready_backlog_bytes = settings.ready_backlog_bytes
        self._events = _writer(settings, "api", Stream.EVENTS)
        self._registry = _writer(settings, "api-registry", Stream.REGISTRY)
        self._contents = _writer(settings, "api-contents", Stream.CONTENTS)
        self._consents = _writer(settings, "api-consents", Stream.CONSENTS)
        self._writers = (self._events, self._registry, self._contents, self._consents)
        self._log = structlog.stdlib.get_logger("api")
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

    def add_contents(self, contents: Sequence[Content]) -> bool:
        """True once all are in the spool, and kept for edges where these show them."""
        payloads = [content_record(entry) for entry in contents]
        if self._contents.append_payloads(payloads) != len(payloads):
            return False
        if self._contents_dir is None:
            return True
        try:
            content_files.write(self._contents_dir, contents)
        except OSError as error:
            self._log.error("contents_unwritable", directory=str(self._contents_dir), error=str(error))
            return False
        return True

    def add_consents(self, consents: Sequence[Consent]) -> bool:
        """True once all are in the spool. False: some may be; the sender repeats, and they count once."""
        payloads = [consent_record(entry) for entry in consents]
        return self._consents.append_payloads(payloads) == len(payloads)

    def health(self) -> Health:
        """Not ready while a spool can't be written or is longer than its limit."""
        backlog = sum(writer.backlog_bytes() for writer in self._writers)
        failing = any(writer.failing for writer in self._writers)
        return Health(
            not failing and backlog <= self._ready_backlog_bytes, {"backlog_bytes": backlog, "failing": failing}
        )

    def close(self) -> None:
        """Finish the open segments."""
        self._ending.set()
        self._ticking.join()
        for writer in self._writers:
            writer.close()

    def _tick(self) -> None:
        while not self._ending.wait(_TICK_S):
            for writer in self._writers:
                writer.tick()


def _writer(settings: ApiSettings, name: str, stream: Stream) -> SpoolWriter:
    directory = settings.spool_dir / _BELOW[stream]
    watch_spool(name, directory)
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
