"""One segment on its way: read, cut into batches, sent, acknowledged, closed with its totals, deleted."""

import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import structlog

from producers.forward.pack import EventPacker, KeyedPacker, Packer
from producers.forward.parcel import Parcel
from producers.forward.progress import ProgressFile, progress_path, read_progress
from producers.forward.read import SegmentReader
from producers.forward.route import Route
from sendtrail.metrics import counter
from sendtrail.packs import MAX_WAIT_MS, minute_of
from sendtrail.segments import SegmentHeader, Stream
from sendtrail.spool_files import SegmentFile, damaged_path, segment_path

_CLOSING = -1  # the "batch" of a segment's totals


@dataclass(frozen=True)
class Target:
    """Where payloads go: the topics' names on the broker, the partition count of events, and the router for it."""

    events: str
    deliveries: str
    contents: str
    consents: str
    partitions: int
    route: Route

    def packer(self, header: SegmentHeader, owner: "Transit") -> Packer:
        """What makes parcels of a segment's payloads."""
        if header.stream is Stream.REGISTRY:
            return KeyedPacker(self.deliveries, owner)
        if header.stream is Stream.CONTENTS:
            return KeyedPacker(self.contents, owner)
        if header.stream is Stream.CONSENTS:
            return KeyedPacker(self.consents, owner)
        return EventPacker(self.events, self.partitions, self.route, header, owner)


class Transit:
    """A segment being forwarded. `advance` gives the next parcels to send, `acked` is told of each that arrived.

    `read_out`: every payload is in a batch; `done`: all of it is in Kafka and the file is gone.
    """

    def __init__(self, file: SegmentFile, label: str, target: Target, clock: Callable[[], float]) -> None:
        """`clock` in seconds, monotonic. Raises OSError."""
        self.file = file
        self.label = label
        self.read_out = False
        self.done = False
        self._target = target
        self._clock = clock
        self._path = file.path
        self._reader = SegmentReader(file.path)
        self._finished_path = segment_path(file.path.parent, file.spool, file.sequence, "seg")
        self._finished = file.path == self._finished_path
        self._packer: Packer | None = None
        self._acked_index, self._cuts, self._undated = read_progress(progress_path(file.path))
        self._progress = ProgressFile(progress_path(file.path))
        self._payloads: list[bytes] = []
        self._at = 0
        self._opened_s = 0.0
        self._batch = 0
        self._ends: dict[int, int] = {}  # batch -> index behind its last payload, in order
        self._missing: dict[int, int] = {}  # batch -> parcels not yet acknowledged
        self._dated: dict[int, list[tuple[int, int]]] = {}  # batch -> minute and number of its undecodable events
        self._damaged = False
        self._log = structlog.stdlib.get_logger("forward").bind(spool=label, segment=file.path.name)

    def advance(self) -> list[Parcel]:
        """The parcels of the next batch; none where there is nothing to cut yet."""
        while not self.read_out:
            if self._at == len(self._payloads) and not self._load():
                return self._idle()
            packer = self._packer
            if packer is None:
                return []
            if packer.empty:
                self._opened_s = self._clock()
            self._at += packer.take(self._payloads, self._at, self._at + self._allowed(packer))
            if packer.full or (self._cuts and packer.index >= self._cuts[0]):
                return self._cut(packer)
        return []

    def acked(self, parcel: Parcel, log_time_ms: int) -> None:
        """A parcel is in Kafka. `log_time_ms`: the record's time there."""
        if parcel.undated:
            self._dated.setdefault(parcel.batch, []).append((minute_of(log_time_ms), parcel.undated))
        self._missing[parcel.batch] -= 1
        self._settle()

    def replaced(self, parcel: Parcel, by: int) -> None:
        """A parcel was too large: `by` others stand for it, none where it was given up."""
        self._missing[parcel.batch] += by - 1
        self._settle()

    def closing(self) -> list[Parcel]:
        """The parcels that end the segment, once, when everything else is acknowledged."""
        if not self.read_out or self.done or self._ends or _CLOSING in self._missing:
            return []
        parcels = self._packer.closing(_CLOSING) if self._packer is not None else []
        self._missing[_CLOSING] = len(parcels)
        self._settle()
        return parcels

    def abandon(self) -> None:
        """Let go of the files; what is not acknowledged is sent after the next start."""
        if not self.read_out:
            self._reader.close()
        self._progress.close()

    def _allowed(self, packer: Packer) -> int:
        """How many payloads may be taken at once: up to the next planned cut."""
        while self._cuts and self._cuts[0] <= packer.index:
            del self._cuts[0]
        return self._cuts[0] - packer.index if self._cuts else len(self._payloads)

    def _load(self) -> bool:
        """Read on. A segment that was renamed since is read once more: its last events came before its new name."""
        self._payloads, self._at = self._reader.read(), 0
        if not self._payloads and not self._finished and self._is_finished():
            self._finished = True
            self._payloads = self._reader.read()
        self._start()
        return bool(self._payloads)

    def _start(self) -> None:
        """At the first payloads: choose the packer; after a restart, pass over what is in Kafka."""
        if self._packer is None and self._reader.header is not None:
            self._packer = self._target.packer(self._reader.header, self)
            self._packer.date(self._undated)
        packer = self._packer
        if packer is not None and packer.index < self._acked_index and self._payloads:
            known = self._payloads[: self._acked_index - packer.index]
            packer.skip(known)
            self._at = len(known)

    def _is_finished(self) -> bool:
        """True once the writer has given the file its last name, or it was taken away."""
        gone = not self._path.exists()
        if self._finished_path.exists():
            self._path = self._finished_path
            return True
        return gone

    def _idle(self) -> list[Parcel]:
        packer = self._packer
        if self._finished:
            return self._end()
        waited_ms = (self._clock() - self._opened_s) * 1000
        if packer is not None and not packer.empty and waited_ms >= MAX_WAIT_MS and not self._cuts:
            return self._cut(packer)
        return []

    def _end(self) -> list[Parcel]:
        self._note_tail()
        parcels = self._cut(self._packer) if self._packer is not None and not self._packer.empty else []
        self.read_out = True
        self._reader.close()
        return parcels

    def _cut(self, packer: Packer) -> list[Parcel]:
        self._batch += 1
        self._progress.cut(packer.index)
        parcels = packer.cut(self._batch)
        self._ends[self._batch] = packer.index
        self._missing[self._batch] = len(parcels)
        if not parcels:
            self._settle()
        return parcels

    def _settle(self) -> None:
        """Move the mark over the batches that are complete, and end the segment after its totals."""
        before = self._acked_index
        while self._ends:
            batch = next(iter(self._ends))
            if self._missing[batch]:
                break
            self._acked_index = self._ends.pop(batch)
            del self._missing[batch]
            self._date(self._dated.pop(batch, []))
        if self._acked_index > before:
            self._progress.acked(self._acked_index, self._undated)
        if self._missing.get(_CLOSING) == 0:
            self._remove()

    def _date(self, counted: list[tuple[int, int]]) -> None:
        for minute, count in counted:
            self._undated[minute] = self._undated.get(minute, 0) + count
            if self._packer is not None:
                self._packer.date({minute: count})

    def _note_tail(self) -> None:
        """Bytes behind the last sound frame: cut away where a write was torn, kept aside where they are damage."""
        tail = self._reader.tail()
        if tail == "clean":
            return
        counter("sendtrail_forward_torn_total").labels(self.label).inc()
        self._log.error("segment_tail", tail=tail, sound_bytes=self._reader.position, size=self.file.size)
        if tail == "torn":
            with suppress(OSError):
                os.truncate(self._path, self._reader.position)
        else:
            self._damaged = True
            counter("sendtrail_forward_damaged_total").labels(self.label).inc()

    def _remove(self) -> None:
        self.done = True
        if self._damaged:
            with suppress(FileNotFoundError):
                os.replace(self._path, damaged_path(self._path))
        else:
            self._path.unlink(missing_ok=True)
        self._progress.remove()
