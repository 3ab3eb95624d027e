"""events -> spool segments. The answer to a request leaves only after `append` has returned."""

import os
import threading
import time
import zlib
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import structlog

from producers.spool_lock import SpoolLock, is_orphan
from producers.spool_loss import LossFile
from producers.spool_segment import OpenSegment
from producers.spool_sync import FsyncPolicy, Syncer
from sendtrail.events import Event
from sendtrail.events import encode as encode_event
from sendtrail.metrics import counter
from sendtrail.segments import FRAME, SegmentHeader, Stream
from sendtrail.spool_files import backlog_bytes, new_path, segment_files

ALARM_INTERVAL_S = 10.0
PROBE_INTERVAL_S = 1.0
PROBE_BYTES = 64 * 1024


class SpoolWriter:
    """Writes one spool: a new random id per writer, segments numbered from 0, all in one directory.

    What can't be written (disk full, I/O error) is counted as lost and alarmed; `append` never raises for it, and the
    writer recovers by itself when there is room again. With `count_loss=False` it is only reported to the caller,
    who then must refuse the request. Safe to share between threads.
    """

    def __init__(
        self,
        directory: Path,
        name: str,
        *,
        stream: Stream = Stream.EVENTS,
        fsync: FsyncPolicy = "interval",
        fsync_interval_ms: int = 100,
        segment_bytes: int = 8 * 1024 * 1024,
        segment_age_ms: int = 1000,
        count_loss: bool = True,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`clock` gives seconds that never go back. Raises OSError where the directory can't be made."""
        directory.mkdir(parents=True, exist_ok=True)
        self.directory = directory
        self.name = name
        self.stream = stream
        self.spool_id = os.urandom(16)
        self.failing = False
        self.lost = 0
        self._segment_bytes = segment_bytes
        self._segment_age_s = segment_age_ms / 1000
        self._count_loss = count_loss
        self._clock = clock
        self._sequence = 0
        self._previous_events = 0
        self._segment: OpenSegment | None = None
        self._lock: SpoolLock | None = None
        self._loss = LossFile(directory)
        self._syncer = Syncer(directory, fsync, fsync_interval_ms / 1000)
        self._mutex = threading.Lock()
        self._alarmed_at = self._probed_at = -ALARM_INTERVAL_S
        self._log = structlog.stdlib.get_logger("spool").bind(spool=name)
        self._lost_metric = counter("sendtrail_spool_lost_total").labels(name)
        _remove_unnamed(directory)

    def append(self, events: Sequence[Event]) -> int:
        """Write events, giving each its index. Returns how many are in the spool as the policy promises.

        One `write` for all of them; on the disk when it returns if the policy is `batch` (0 if that sync failed).
        """
        pack, checksum = FRAME.pack, zlib.crc32
        with self._mutex:
            index = self._segment.events if self._segment is not None else 0
            frames = []
            for event in events:
                event.index = index
                index += 1
                payload = encode_event(event)
                frames.append(pack(len(payload), checksum(payload)) + payload)
            return self._write(frames)

    def append_payloads(self, payloads: Sequence[bytes]) -> int:
        """Write payloads as they are, e.g. registry records. Returns how many are in the spool."""
        with self._mutex:
            return self._write([FRAME.pack(len(payload), zlib.crc32(payload)) + payload for payload in payloads])

    def tick(self) -> None:
        """Finish an aged segment, sync when due, look for room after a failure. To be called a few times a second."""
        now = self._clock()
        with self._mutex:
            if self._segment is None:
                self._probe(now)
            elif now - self._segment.opened_at >= self._segment_age_s:
                self._finish()
            else:
                self._syncer.due(self._segment.descriptor, now)
            self._check_sync(now)
            if self._loss.pending:
                self._loss.add(0, time.time_ns() // 1_000_000)

    @property
    def uncounted(self) -> int:
        """Lost events that the file `lost` could not be told of yet."""
        return self._loss.pending

    def backlog_bytes(self) -> int:
        """Bytes that wait in the directory, those of earlier writers included."""
        return backlog_bytes(self.directory)

    def close(self) -> None:
        """Finish the open segment, reach the disk, give the ownership back."""
        with self._mutex:
            if self._segment is not None:
                self._finish()
            self._syncer.close()
            self._check_sync(self._clock())
            self._loss.close()
            if self._lock is not None:
                self._lock.release()
                self._lock = None

    def _write(self, frames: list[bytes]) -> int:
        if not frames:
            return 0
        now = self._clock()
        segment = self._segment
        if segment is None:
            segment = self._begin(now)
            if segment is None:
                return self._lose(len(frames), 0)
        before = segment.events
        error = segment.write(frames)
        written = segment.events - before
        if written:
            self._syncer.wrote(segment.descriptor, now, first=before == 0)
        if error is not None:
            self._fail(error, now)
            self._finish()
            return self._lose(len(frames), written)
        self.failing = False
        if segment.size >= self._segment_bytes:
            self._finish()
        return 0 if self._check_sync(now) else written

    def _begin(self, now: float) -> OpenSegment | None:
        header = SegmentHeader(self.spool_id, self.name, self._sequence, self._previous_events, self.stream)
        try:
            if self._lock is None:
                self._lock = SpoolLock(self.directory, self.spool_id.hex())
            self._segment = OpenSegment(self.directory, header, now)
        except OSError as error:
            self._fail(error, now)
        return self._segment

    def _finish(self) -> None:
        """Close the open segment. One without events leaves no trace: its number is free for the next."""
        segment, self._segment = self._segment, None
        if segment is None:
            return
        try:
            segment.finish()
        except OSError as error:
            # It keeps its name; the forwarder takes it when this process is gone. Its events are there.
            self._fail(error, self._clock())
        self._syncer.finished(segment.descriptor)
        if segment.events:
            self._sequence += 1
            self._previous_events = segment.events

    def _lose(self, wanted: int, written: int) -> int:
        if self._count_loss:
            missing = wanted - written
            self.lost += missing
            self._lost_metric.inc(missing)
            self._loss.add(missing, time.time_ns() // 1_000_000)
        return written

    def _fail(self, error: OSError, now: float) -> None:
        self.failing = True
        if now - self._alarmed_at >= ALARM_INTERVAL_S:
            self._alarmed_at = now
            with suppress(OSError):  # the log may be on the same full disk
                self._log.error("spool_write_failed", error=str(error), directory=str(self.directory), lost=self.lost)

    def _check_sync(self, now: float) -> bool:
        """True where a sync has failed since the last look."""
        error = self._syncer.error
        if error is None:
            return False
        self._syncer.error = None
        self._fail(error, now)
        return True

    def _probe(self, now: float) -> None:
        """After a failure, without traffic: is there room again?"""
        if not self.failing or now - self._probed_at < PROBE_INTERVAL_S:
            return
        self._probed_at = now
        path = new_path(self.directory, self.spool_id.hex())
        try:
            path.write_bytes(bytes(PROBE_BYTES))
            self.failing = False
            self._log.info("spool_room_again", lost=self.lost)
        except OSError as error:
            self._fail(error, now)
        with suppress(OSError):
            path.unlink()


def _remove_unnamed(directory: Path) -> None:
    """Drop what writers that died left before it had a name: nothing in it was ever acknowledged."""
    for path in directory.glob("*.new"):
        if is_orphan(directory, path.stem):
            path.unlink(missing_ok=True)
    named = {file.spool for file in segment_files(directory)}
    for path in directory.glob("*.lock"):
        if path.stem not in named and is_orphan(directory, path.stem):
            path.unlink(missing_ok=True)


__all__ = ["FsyncPolicy", "SpoolWriter"]
