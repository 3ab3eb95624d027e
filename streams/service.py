"""Puts the worker together and runs it until it is asked to stop, or can't go on."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from contextlib import AsyncExitStack, suppress
from typing import Any, NamedTuple, cast

import structlog
from faust.types import TP

from sendtrail.kafka_admin import topic_id
from sendtrail.metrics import show
from sendtrail.process import Health
from sendtrail.settings import KafkaSettings, StreamSettings, TrackingSettings
from sendtrail.topics import CONSENTS, DELIVERIES, EVENTS
from streams.app import STEPS, add_agent, build_app
from streams.consents import ConsentBook
from streams.consumer import TrackingConsumer
from streams.deliveries import DeliveryBook
from streams.errors import EXIT_RESTART, EXIT_STOPPED, Restart, Stopped, StreamsError
from streams.geo import GeoDatabase
from streams.hold import Hold
from streams.items import RejectLimit
from streams.partitions import OwnedPartitions
from streams.progress import Part, Progress
from streams.registry import RegistryFollower
from streams.rules import Rules
from streams.source import SourceLog
from streams.state.checkpoints import Checkpoints
from streams.state.directory import StateDirectory, recreated
from streams.state.keys import DAY_MS
from streams.state.recover import take
from streams.state.store import SharedMemory
from streams.topicwatch import TopicWatch
from streams.worker import Constants, Delivered, Observe, Worker

WATCH_S = 1.0
HOLD_LOOK_S = 0.5

_log = structlog.stdlib.get_logger(__name__)


class Knowledge(NamedTuple):
    """What an operator gives the steps to judge by."""

    rules: Rules
    geo: GeoDatabase | None


class Service:
    """One worker process; make it inside the running loop. `on_end` is told the exit code when the end begins."""

    def __init__(
        self,
        kafka: KafkaSettings,
        tracking: TrackingSettings,
        streams: StreamSettings,
        directory: StateDirectory,
        source_id: str,
        knowledge: Knowledge,
        on_end: Callable[[int], None],
        observe: Observe,
    ) -> None:
        self._source_id, self._on_end = source_id, on_end
        limit = _reject_limit(streams)
        self._hold = Hold(directory.path, limit)
        self._topic = kafka.topic_prefix + EVENTS.name
        self._progress = Progress()
        self._busy = asyncio.Lock()
        self._asked = asyncio.Event()
        self._ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._tasks: list[asyncio.Task[None]] = []
        deliveries, self._consents = DeliveryBook(), ConsentBook(streams.max_consents)
        constants = _constants(kafka, tracking, source_id, knowledge, deliveries, self._consents, limit)
        self._knowledge = knowledge
        self._registries = [
            RegistryFollower(kafka.bootstrap, kafka.topic_prefix + DELIVERIES.name, deliveries),
            RegistryFollower(kafka.bootstrap, kafka.topic_prefix + CONSENTS.name, self._consents),
        ]
        self._source = SourceLog(kafka.bootstrap, self._topic)
        self._checkpoints = _checkpoints(streams)
        self._checkpoint_every_s = streams.checkpoint_every_s
        self._watch = _watch(kafka.bootstrap, self._topic, source_id, directory)
        self._app, topics = build_app(kafka, streams, directory.member_id(), self._progress)
        self._partitions = OwnedPartitions(
            constants, STEPS, self._source, self._watch, directory, SharedMemory(streams.state_cache_bytes),
            self._commit_of, self._checkpoints,
        )  # fmt: skip
        self._worker = Worker(constants, STEPS, self._progress, self._partitions, topics.send, self._present, observe)
        add_agent(self._app, topics, streams, self._handle)

    def ask_to_stop(self) -> None:
        """Finish the batch at hand, commit, end."""
        self._asked.set()

    async def run(self) -> None:
        """Until asked to stop. Raises what made it impossible to go on, a StreamsError where it is known."""
        async with AsyncExitStack() as stack:
            stack.callback(self._partitions.close)
            consumers: list[RegistryFollower | SourceLog] = [*self._registries, self._source]
            for consumer in consumers:
                await consumer.start()
                stack.push_async_callback(consumer.stop)
            stack.push_async_callback(self._app.stop)
            await self._app.start()
            stack.push_async_callback(self._cancel_tasks)
            self._beside(*(registry.follow() for registry in self._registries), self._watch_log())
            if self._checkpoints is not None:
                self._beside(self._take_checkpoints(self._checkpoints))
            self._beside(self._app.wait_until_stopped())
            await self._asked_or_ended()
            if self._ended.done():
                error = self._why_ended()
                self._on_end(EXIT_STOPPED if isinstance(error, Stopped) else EXIT_RESTART)
                raise error
            self._on_end(0)
            await self._drain()

    def health(self) -> Health:
        """Ready when partitions are assigned and nothing has ended. Any thread may ask."""
        lags = self.lags()
        facts = {
            "partitions": {
                str(number): {"done": part.done, "committed": part.committed, "lag": lags.get(number)}
                for number, part in sorted(self._progress.parts.items())
            },
            "rules": self._knowledge.rules.version,
            "held": self._hold.facts(),
            "assignment": self._present(),
            "rebalancing": self._app.rebalancing,
            "last_log_time_ms": self._worker.last_log_time_ms,
            "topic_id": self._source_id,
            "consents": {"recipients": len(self._consents), "full": self._consents.full},
        }
        ready = not self._hold.held and self._present() > 0 and not self._app.rebalancing and not self._ended.done()
        return Health(ready, facts)

    def lags(self) -> dict[int, int]:
        """Records behind the end of the log, for the partitions opened under the present assignment."""
        present, lags = self._present(), {}
        for number, part in list(self._progress.parts.items()):
            if part.assignment == present and not self._app.rebalancing:
                lags[number] = max(0, (self._app.consumer.highwater(TP(self._topic, number)) or 0) - part.done)
        return lags

    def _beside(self, *works: Coroutine[Any, Any, None]) -> None:
        """Run beside the agent; the end of one is the end of the worker."""
        for work in works:
            task = asyncio.ensure_future(work)
            task.add_done_callback(self._end)
            self._tasks.append(task)

    def _end(self, task: asyncio.Task[None]) -> None:
        if self._ended.done() or task.cancelled():
            return
        error = task.exception()
        if error is not None:
            self._ended.set_exception(error)
        else:
            self._ended.set_result(None)

    async def _cancel_tasks(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.wait(self._tasks)

    async def _asked_or_ended(self) -> None:
        asked = asyncio.ensure_future(self._asked.wait())
        either: set[asyncio.Future[Any]] = {asked, self._ended}
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        asked.cancel()

    def _why_ended(self) -> BaseException:
        error = self._ended.exception() or self._app.crash_reason or Restart("Faust stopped by itself")
        return error if isinstance(error, StreamsError) else Restart(f"the worker crashed: {error!r}")

    async def _handle(self, batch: Sequence[Delivered]) -> None:
        await self._while_held(batch)
        async with self._busy:
            if not self._asked.is_set():
                await self._worker.handle(batch)

    async def _while_held(self, batch: Sequence[Delivered]) -> None:
        """Return when the worker may go on, or is asked to stop. What comes of rebalances is looked after meanwhile."""
        async with self._busy:
            present = self._present()
            if not self._asked.is_set() and not self._app.rebalancing:
                await self._worker.open_all({one.partition for one in batch if one.assignment == present})
        while not self._asked.is_set() and self._hold.look(self._at_work()):
            with suppress(TimeoutError):
                await asyncio.wait_for(self._asked.wait(), HOLD_LOOK_S)

    def _at_work(self) -> list[Part]:
        present = self._present()
        return [part for part in self._progress.parts.values() if part.assignment == present]

    async def _drain(self) -> None:
        async with self._busy:  # the batch at hand is finished; no further one begins
            await self._app.consumer.commit()
        _log.info("drained", done={number: part.done for number, part in self._progress.parts.items()})

    async def _commit_of(self, partition: int) -> int | None:
        consumer = cast(TrackingConsumer, self._app.consumer)
        return await consumer.committed_offset(TP(self._topic, partition))

    def _present(self) -> int:
        return int(self._app.consumer_generation_id)

    async def _watch_log(self) -> None:
        """Beside the batches: is the topic the same, does the log hold what comes next, how far is its end?"""
        while True:
            await asyncio.sleep(WATCH_S)
            if self._knowledge.geo is not None:
                await asyncio.to_thread(self._knowledge.geo.reload)
            await self._watch.check()
            await self._open_assigned()
            self._hold.look(self._at_work())
            present = self._present()
            reached = {n: part.done for n, part in self._progress.parts.items() if part.assignment == present}
            await self._partitions.check_logs(reached)
            show("sendtrail_streams_lag_records", self.lags())
            show(
                "sendtrail_streams_committed_offset",
                {number: self._progress.parts[number].committed for number in reached},
            )

    async def _take_checkpoints(self, checkpoints: Checkpoints) -> None:
        """Beside the batches, of one partition after the other."""
        while True:
            await asyncio.sleep(self._checkpoint_every_s)
            present = self._present()
            for number, part in list(self._progress.parts.items()):
                if part.assignment == present:
                    await asyncio.to_thread(take, checkpoints, self._source_id, number, part.store)

    async def _open_assigned(self) -> None:
        async with self._busy:
            if not self._app.rebalancing and self._present() > 0:
                await self._worker.open_all(sorted(tp.partition for tp in self._app.consumer.assignment()))


def _constants(
    kafka: KafkaSettings,
    tracking: TrackingSettings,
    source_id: str,
    knowledge: Knowledge,
    deliveries: DeliveryBook,
    consents: ConsentBook,
    reject_limit: RejectLimit | None,
) -> Constants:
    return Constants(
        source_id, kafka.partitions, tracking.id_window_days * DAY_MS, tracking.open_repeat_s * 1000,
        tracking.visitor_cookies != "off", knowledge.rules, deliveries, consents, knowledge.geo, reject_limit,
    )  # fmt: skip


def _reject_limit(streams: StreamSettings) -> RejectLimit | None:
    if not streams.reject_limit_ratio:
        return None
    return RejectLimit(streams.reject_limit_ratio, streams.reject_limit_events, streams.reject_limit_minutes)


def _checkpoints(streams: StreamSettings) -> Checkpoints | None:
    """Raises Stopped where the directory can't be used."""
    if streams.checkpoint_dir is None:
        return None
    try:
        return Checkpoints(streams.checkpoint_dir, streams.checkpoints_kept)
    except OSError as error:
        raise Stopped(f"setting streams.checkpoint_dir: {error}") from error


def _watch(bootstrap: str, topic: str, source_id: str, directory: StateDirectory) -> TopicWatch:
    return TopicWatch(
        source_id,
        lambda: topic_id(bootstrap, topic),
        lambda found: recreated(topic, source_id, found, directory.path / f"{topic}.id"),
    )
