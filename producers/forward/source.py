"""Spool directories -> segments to forward, each spool in order of sequence."""

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import structlog

from producers.forward.parcel import Parcel
from producers.forward.transit import Target, Transit
from producers.spool_lock import is_orphan, remove_lock
from sendtrail.spool_files import SegmentFile, lock_owners, segment_files, segment_path

#: Held by the forwarder of a directory, so that two never send the same segments.
LOCK_NAME = "forwarder-lock"


class Spool:
    """The segments of one spool id in a directory. One is read at a time; several may wait for Kafka.

    `began_ns`: when its first segment was last written, as far as known: an earlier writer's spool is before a later's.
    """

    def __init__(self, label: str, target: Target, clock: Callable[[], float], began_ns: int) -> None:
        self.began_ns = began_ns
        self._label = label
        self._target = target
        self._clock = clock
        self._known: dict[int, SegmentFile] = {}
        self._current: Transit | None = None
        self.transits: dict[int, Transit] = {}

    def offer(self, files: list[SegmentFile]) -> None:
        """The segments the directory holds now, in order."""
        self._known = {file.sequence: file for file in files if file.sequence not in self.transits}

    @property
    def idle(self) -> bool:
        """True where nothing is known to be left."""
        return not self._known and not self.transits

    def read(self) -> list[Parcel]:
        """The next parcels to send; none where there is nothing new."""
        while (transit := self._current or self._begin()) is not None:
            parcels = transit.advance()
            if not transit.read_out:
                return parcels
            self._current = None
            parcels += transit.closing()
            self._forget_done()
            if parcels:
                return parcels
        return []

    def close_acked(self) -> list[Parcel]:
        """The totals of segments whose batches are all acknowledged."""
        parcels = [parcel for transit in list(self.transits.values()) for parcel in transit.closing()]
        self._forget_done()
        return parcels

    def abandon(self) -> None:
        for transit in self.transits.values():
            transit.abandon()

    def _begin(self) -> Transit | None:
        while self._known:
            file = self._known.pop(min(self._known))
            try:
                self._current = Transit(file, self._label, self._target, self._clock)
            except FileNotFoundError:
                continue
            self.transits[file.sequence] = self._current
            return self._current
        return None

    def _forget_done(self) -> None:
        for sequence in [sequence for sequence, transit in self.transits.items() if transit.done]:
            del self.transits[sequence]


class SpoolDirectory:
    """One directory with the spools of one writer and of its dead predecessors.

    `ordered`: a later writer's spool is read only when there is nothing more of an earlier one. Registry records need
    it, where the last of a key wins; events don't, and a dead writer's backlog must not hold up the living.
    """

    def __init__(
        self, path: Path, label: str, target: Target, clock: Callable[[], float], *, ordered: bool = False
    ) -> None:
        self.path = path
        self.label = label
        self.spools: dict[str, Spool] = {}
        self.backlog_segments = 0
        self.backlog_bytes = 0
        self._ordered = ordered
        self._target = target
        self._clock = clock
        self._lock: int | None = None
        self._told = False
        self._log = structlog.stdlib.get_logger("forward").bind(spool=label, directory=str(path))

    def scan(self) -> None:
        """Look at what is there; take over what dead writers left. Raises OSError other than a missing directory."""
        if not self._own():
            return
        files = segment_files(self.path)
        self.backlog_segments, self.backlog_bytes = len(files), sum(file.size for file in files)
        by_spool: dict[str, list[SegmentFile]] = {}
        for file in files:
            by_spool.setdefault(file.spool, []).append(file)
        for spool, segments in by_spool.items():
            finished = self._finish_left(spool, segments)
            if spool not in self.spools:
                self.spools[spool] = Spool(self.label, self._target, self._clock, _written_ns(finished[0].path))
            self.spools[spool].offer(finished)
        self._forget(set(by_spool))

    def read(self, room: Callable[[], bool]) -> Iterator[Parcel]:
        """The next parcels while there is `room`: a batch of each spool, or all of each in order."""
        for spool in sorted(self.spools.values(), key=lambda spool: spool.began_ns):
            while room() and (parcels := spool.read()):
                yield from parcels
                if not self._ordered:
                    break
            if not room():
                return

    def abandon(self) -> None:
        """Let go of files and lock."""
        for spool in self.spools.values():
            spool.abandon()
        if self._lock is not None:
            os.close(self._lock)

    def _own(self) -> bool:
        if self._lock is not None:
            return True
        try:
            descriptor = os.open(self.path / LOCK_NAME, os.O_RDWR | os.O_CREAT, 0o600)
        except FileNotFoundError:
            return False
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            if not self._told:
                self._log.warning("another_forwarder_has_the_directory")
            self._told = True
            return False
        self._lock = descriptor
        self._remove_strays()
        return True

    def _finish_left(self, spool: str, segments: list[SegmentFile]) -> list[SegmentFile]:
        """Give segments that nobody writes to any more their last name: those of a dead writer, and those before the
        one being written, where the writer could not rename them."""
        last = segments[-1].sequence
        dead: bool | None = None
        found = []
        for file in segments:
            if file.finished:
                found.append(file)
                continue
            if file.sequence == last and dead is None:
                dead = is_orphan(self.path, spool)
            found.append(self._finish(file) if file.sequence < last or dead else file)
        return found

    def _finish(self, file: SegmentFile) -> SegmentFile:
        path = segment_path(self.path, file.spool, file.sequence, "seg")
        with suppress(FileNotFoundError):
            os.rename(file.path, path)
            self._log.info("segment_taken_over", segment=path.name)
        return file._replace(path=path, finished=True)

    def _forget(self, there: set[str]) -> None:
        for spool in [spool for spool, known in self.spools.items() if spool not in there and known.idle]:
            del self.spools[spool]
        for spool in lock_owners(self.path):
            if spool not in there and spool not in self.spools and is_orphan(self.path, spool):
                remove_lock(self.path, spool)

    def _remove_strays(self) -> None:
        """Progress files whose segments are gone: the last thing before a crash was the deletion of the segment."""
        segments = {file.path.stem for file in segment_files(self.path)}
        for path in self.path.glob("*.ack"):
            if path.stem not in segments:
                path.unlink(missing_ok=True)


def _written_ns(path: Path) -> int:
    """When a file was last written; now, as far as order goes, where it was renamed meanwhile."""
    try:
        return path.stat().st_mtime_ns
    except FileNotFoundError:
        return time.time_ns()
