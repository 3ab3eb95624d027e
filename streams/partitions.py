"""Opening a partition under an assignment: commit, log and state must fit together before anything is emitted."""

import shutil
from collections.abc import Awaitable, Callable, Mapping
from contextlib import aclosing
from time import monotonic

import structlog

from sendtrail.metrics import counter, gauge
from streams.errors import Restart, Stopped
from streams.items import Covering
from streams.pipeline import Steps, Timing, apply
from streams.progress import Part
from streams.source import SourceLog
from streams.state.checkpoints import Checkpoints
from streams.state.directory import StateDirectory, size_bytes
from streams.state.expiry import TRAIL_MS, Expiry
from streams.state.overlay import Overlay
from streams.state.recover import open_state
from streams.state.store import SharedMemory, Store
from streams.topicwatch import TopicWatch
from streams.worker import Constants

ReadCommit = Callable[[int], Awaitable[int | None]]

_log = structlog.stdlib.get_logger(__name__)


class OwnedPartitions:
    """Keeps one store per partition for the life of the process."""

    def __init__(
        self,
        constants: Constants,
        steps: Steps,
        source: SourceLog,
        watch: TopicWatch,
        directory: StateDirectory,
        memory: SharedMemory,
        read_commit: ReadCommit,
        checkpoints: Checkpoints | None,
    ) -> None:
        self._constants, self._steps = constants, steps
        self._source, self._watch = source, watch
        self._directory, self._memory = directory, memory
        self._read_commit = read_commit
        self._checkpoints = checkpoints
        self._stores: dict[int, Store] = {}

    async def open(self, partition: int, assignment: int) -> Part:
        """Begin at the group's commit. Raises Stopped if the log does not reach from there on."""
        await self.look_at_topic()
        committed = await self._read_commit(partition) or 0
        await self.check_logs({partition: committed})
        store = self._store(partition, committed)
        if store.applied > committed and await self._has_forgotten(partition, committed, store.applied):
            store = self._anew(partition)
        _log.info("partition opened", partition=partition, committed=committed, applied=store.applied)
        if store.applied < committed:
            await self._rebuild(partition, store, committed)
        expiry = Expiry(store, self._constants.id_window_ms)
        return Part(partition, assignment, store, expiry, next=committed, done=committed, committed=committed)

    async def look_into_hole(self, part: Part, end: int) -> None:
        """A hole Faust left heals with a restart; an empty range in the log is no hole."""
        await self.look_at_topic()
        await self.check_logs({part.partition: part.next})
        if await self._source.holds_records(part.partition, part.next, end):
            counter("sendtrail_streams_gaps_total").labels(kind="hole").inc()
            raise Restart(f"partition {part.partition}: records of [{part.next}, {end}) were not delivered")
        _log.warning("an empty range in the log", partition=part.partition, start=part.next, end=end)

    async def look_at_topic(self) -> None:
        await self._watch.check()

    def close(self) -> None:
        """Flush and close all stores."""
        for store in self._stores.values():
            store.close()
        self._stores.clear()

    async def check_logs(self, reached: Mapping[int, int]) -> None:
        """Raises Stopped where a log begins after what a partition has reached, or ends before it."""
        for partition, (begin, end) in (await self._source.bounds(list(reached))).items():
            offset, where = reached[partition], f"{self._source.topic} partition {partition}"
            if offset < begin:
                raise Stopped(
                    f"{where}: records {offset} to {begin - 1} are no longer in the log and were never processed. "
                    f"To go on without them, set the group's offset of this partition to {begin}"
                )
            if offset > end:
                raise Stopped(
                    f"{where}: the log ends at {end}, but all below {offset} was processed: the broker lost records. "
                    f"To go on, set the group's offset of this partition to {end}"
                )

    def _store(self, partition: int, committed: int) -> Store:
        if partition not in self._stores:
            topic_id = self._constants.topic_id
            path = self._directory.partition(topic_id, partition)
            self._stores[partition] = open_state(path, self._memory, self._checkpoints, topic_id, partition, committed)
            gauge("sendtrail_streams_state_bytes").labels(str(partition)).set_function(lambda: size_bytes(path))
        return self._stores[partition]

    async def _has_forgotten(self, partition: int, committed: int, applied: int) -> bool:
        """True if what records from the commit on are judged by is expired: the group was set back by more than a day
        of log time (sendtrail chain repair)."""
        times = [await self._log_time(partition, start, applied) for start in (committed, applied - 1)]
        return None not in times and max(filter(None, times)) - min(filter(None, times)) > TRAIL_MS

    async def _log_time(self, partition: int, start: int, end: int) -> int | None:
        """Of the first record of [start, end), UTC milliseconds."""
        async with aclosing(self._source.read(partition, start, end)) as found:
            async for sources in found:
                return sources[0].time_ms
        return None

    def _anew(self, partition: int) -> Store:
        """State that knows nothing, in place of one that forgot what is needed: it is rebuilt from the log."""
        path = self._stores[partition].path
        self._stores[partition].close(flush=False)
        shutil.rmtree(path)
        _log.warning("set back further than the state remembers; building it anew", partition=partition)
        self._stores[partition] = Store(path, self._memory)
        return self._stores[partition]

    async def _rebuild(self, partition: int, store: Store, committed: int) -> None:
        """Apply what the state missed, as when it was processed first, without emitting it again."""
        start = max(store.applied, (await self._source.bounds([partition]))[partition].begin)
        _log.info("rebuilding state", partition=partition, start=start, end=committed)
        began, timing = monotonic(), Timing()
        async for sources in self._source.read(partition, start, committed):
            overlay = Overlay(store.read)
            known = self._constants.known(partition, overlay)
            apply([Covering(source, source.offset) for source in sources], known, self._steps, timing)
            store.write(overlay.written, sources[-1].offset + 1)
        store.write({}, committed)
        counter("sendtrail_streams_rebuilt_total").inc()
        _log.info("state rebuilt", partition=partition, records=committed - start, seconds=monotonic() - began)
