"""Faust's driver with our own offsets: assignments are numbered, and only what is done is committed."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, cast

import faust
from faust.transport.consumer import ensure_TPset
from faust.transport.drivers import aiokafka as driver
from faust.types import TP

from streams.progress import Progress


class TrackingApp(faust.App):
    """A Faust app that knows the progress of its partitions. Call `own_offsets` before it starts."""

    progress: Progress
    source_topic: str
    assignments = 0

    def own_offsets(self, source_topic: str, progress: Progress) -> None:
        """Commit for `source_topic` what `progress` says, and nothing else."""
        self.source_topic, self.progress = source_topic, progress

    def _new_transport(self) -> Any:
        return TrackingTransport(self.conf.broker_consumer, self)


class AssignmentListener(driver.ConsumerRebalanceListener):
    """Gives every assignment a number of its own in place of the group's generation.

    A generation does not identify an assignment: a commit that failed between JoinGroup and SyncGroup makes aiokafka
    join again, and a second round follows under the same generation. Faust drops messages of another number.
    """

    async def on_partitions_assigned(self, assigned: Iterable[Any]) -> None:
        """Called by aiokafka in the consumer's thread."""
        app = cast(TrackingApp, self._thread.app)
        app.assignments += 1
        app.consumer_generation_id = app.assignments
        await self._thread.on_partitions_assigned(ensure_TPset(assigned), app.assignments)


class TrackingConsumer(driver.Consumer):
    """Commits what is done. Faust acks messages it skips, so its acks decide nothing here."""

    RebalanceListener = AssignmentListener

    def _filter_tps_with_pending_acks(self, topics: Any = None) -> Iterator[TP]:
        return (tp for tp in self.assignment() if topics is None or tp in topics or tp.topic in topics)

    def _filter_committable_offsets(self, tps: Iterable[TP]) -> dict[TP, int]:
        app = cast(TrackingApp, self.app)
        offsets = app.progress.committable(app.consumer_generation_id, app.rebalancing)
        return {tp: offsets[tp.partition] for tp in tps if tp.topic == app.source_topic and tp.partition in offsets}

    async def _commit(self, offsets: Mapping[TP, int]) -> bool:
        committed = bool(await super()._commit(offsets))
        if committed:
            cast(TrackingApp, self.app).progress.committed({tp.partition: offset for tp, offset in offsets.items()})
        return committed

    async def committed_offset(self, tp: TP) -> int | None:
        """The group's committed offset as the broker has it."""
        thread = self._thread
        offset: int | None = await thread.call_thread(
            thread._ensure_consumer().committed, driver.ensure_aiokafka_TP(tp)
        )
        return offset


class TrackingTransport(driver.Transport):
    """The aiokafka driver with `TrackingConsumer`."""

    Consumer = TrackingConsumer
