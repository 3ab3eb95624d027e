"""What happens to a batch, in order: outputs acknowledged -> state written -> `done` moves -> Faust commits it."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Sequence
from enum import StrEnum
from time import monotonic
from typing import NamedTuple, Protocol

from sendtrail.metrics import counter, gauge, histogram
from streams.consents import ConsentBook
from streams.deliveries import DeliveryBook
from streams.errors import Restart
from streams.geo import GeoDatabase
from streams.items import Covering, Known, RejectLimit, SourceRecord
from streams.pipeline import Steps, Timing, enrich
from streams.progress import Part, Progress
from streams.render import Enriched
from streams.rules import Rules
from streams.state.overlay import Overlay

MINUTE_MS = 60_000
FLUSH_EVERY_S = 30.0  # what a crash may make the next start read again


class Moment(StrEnum):
    """The moments of a batch between which a crash must not matter."""

    SENT = "sent"  # outputs handed to the producer
    ACKNOWLEDGED = "acknowledged"  # outputs are in the broker
    WRITTEN = "written"  # state written; `done` not moved
    DONE = "done"  # may be committed from now on


Observe = Callable[[Moment], None]


class Delivered(NamedTuple):
    """A record as Faust delivered it, with the assignment it was fetched under."""

    partition: int
    assignment: int
    record: SourceRecord


class Constants(NamedTuple):
    """What every batch knows alike."""

    topic_id: str
    partitions: int
    id_window_ms: int
    open_repeat_ms: int
    visitor_cookies: bool
    rules: Rules
    deliveries: DeliveryBook
    consents: ConsentBook
    geo: GeoDatabase | None = None
    reject_limit: RejectLimit | None = None

    def known(self, partition: int, state: Overlay) -> Known:
        """What the steps may look at for one partition."""
        return Known(
            self.topic_id, partition, self.partitions, self.id_window_ms, self.open_repeat_ms, self.visitor_cookies,
            self.rules, self.deliveries, self.consents, state, self.geo, self.reject_limit,
        )  # fmt: skip


class Partitions(Protocol):
    """Knows the log and the state behind a partition."""

    async def open(self, partition: int, assignment: int) -> Part:
        """Read the commit, check the log against it, bring the state up to it."""
        ...

    async def look_into_hole(self, part: Part, end: int) -> None:
        """Why are [part.next, end) missing? Raises Restart if records are there, Stopped if they are lost."""
        ...

    async def look_at_topic(self) -> None:
        """Raises Stopped if the topic was made anew."""
        ...


#: Hands a record to the producer; what it returns is done when the broker has acknowledged all of it.
Send = Callable[[int, Enriched], Awaitable[Sequence[Awaitable[object]]]]


class Share(NamedTuple):
    """A partition's part of a batch: sent, and to be written once it is acknowledged."""

    part: Part
    last: SourceRecord
    enriched: list[Enriched]
    overlay: Overlay
    acknowledgements: list[Awaitable[object]]


class Worker:
    """Takes one batch at a time. All outside parts come in by parameter."""

    def __init__(
        self,
        constants: Constants,
        steps: Steps,
        progress: Progress,
        partitions: Partitions,
        send: Send,
        present_assignment: Callable[[], int],
        observe: Observe,
    ) -> None:
        self._constants, self._steps, self._progress = constants, steps, progress
        self._partitions, self._send = partitions, send
        self._present_assignment, self._observe = present_assignment, observe
        self._flushed = monotonic()
        self.timing = Timing()
        self.last_log_time_ms = 0

    async def handle(self, batch: Sequence[Delivered]) -> None:
        """All of a batch. Raises Restart or Stopped; then neither state nor `done` of it moved."""
        with histogram("sendtrail_streams_batch_seconds").time():
            shares = [await self._process(*group) for group in self._of_present_assignment(batch)]
            self._observe(Moment.SENT)
            await self._acknowledged([share for share in shares if share is not None])
            self._observe(Moment.ACKNOWLEDGED)
            for share in shares:
                if share is not None:
                    self._finish(share)
            self._flush_now_and_then()

    def _of_present_assignment(self, batch: Sequence[Delivered]) -> list[tuple[int, int, list[SourceRecord]]]:
        """By partition, without what a past assignment left in Faust's buffers."""
        present = self._present_assignment()
        by_partition: dict[int, list[SourceRecord]] = defaultdict(list)
        for delivered in batch:
            if delivered.assignment == present:
                by_partition[delivered.partition].append(delivered.record)
            else:
                counter("sendtrail_streams_stale_dropped_total").inc()
        return [(partition, present, records) for partition, records in by_partition.items()]

    async def open_all(self, partitions: Iterable[int]) -> None:
        """Open what is assigned before its first record comes: a commit that does not fit the log shows at once."""
        present = self._present_assignment()
        for partition in partitions:
            await self._opened(partition, present)

    async def _opened(self, partition: int, assignment: int) -> Part:
        part = self._progress.part(partition, assignment)
        if part is None:
            part = self._progress.parts[partition] = await self._partitions.open(partition, assignment)
            gauge("sendtrail_streams_done_offset").labels(partition=partition).set(part.done)
        return part

    async def _process(self, partition: int, assignment: int, delivered: list[SourceRecord]) -> Share | None:
        part = await self._opened(partition, assignment)
        sources = await self._contiguous(part, delivered)
        if not sources:
            return None
        share = Share(part, sources[-1].record, [], Overlay(part.store.read), [])
        known = self._constants.known(partition, share.overlay)
        for enriched in enrich(sources, known, self._steps, self.timing):
            share.enriched.append(enriched)
            share.acknowledgements.extend(await self._send(partition, enriched))
        return share

    async def _contiguous(self, part: Part, delivered: list[SourceRecord]) -> list[Covering]:
        """Every offset once, in order: what comes twice is dropped, what is missing is looked into."""
        sources: list[Covering] = []
        for source in delivered:
            if source.offset < part.next:
                await self._partitions.look_at_topic()
                counter("sendtrail_streams_twice_dropped_total").inc()
                continue
            if source.offset > part.next:
                await self._partitions.look_into_hole(part, source.offset)
                counter("sendtrail_streams_gaps_total").labels(kind="true").inc()
            sources.append(Covering(source, part.next))
            part.next = source.offset + 1
        return sources

    async def _acknowledged(self, shares: Sequence[Share]) -> None:
        now = self.timing.clock()
        try:
            await asyncio.gather(*(ack for share in shares for ack in share.acknowledgements))
        except Exception as error:  # whatever the driver raises: unknown whether the broker has it
            raise Restart(f"an output was not acknowledged: {error!r}") from error
        self.timing.add("acknowledge", now)

    def _finish(self, share: Share) -> None:
        part, last = share.part, share.last
        now = self.timing.clock()
        part.store.write(share.overlay.written, last.offset + 1, *part.expiry.due(last.time_ms))
        self._observe(Moment.WRITTEN)
        part.done = last.offset + 1
        self._observe(Moment.DONE)
        self.timing.add("write state", now)
        self.last_log_time_ms = max(self.last_log_time_ms, last.time_ms)
        _count(part, share.enriched)
        observe_window(share.enriched, last.time_ms, self._constants.id_window_ms)

    def _flush_now_and_then(self) -> None:
        if monotonic() - self._flushed >= FLUSH_EVERY_S:
            self._flushed = monotonic()
            for part in self._progress.parts.values():
                part.store.flush()


def _count(part: Part, enriched: Sequence[Enriched]) -> None:
    outcomes: dict[str, int] = defaultdict(int)
    for record in enriched:
        for minute in record.counts.values():
            for outcome in ("out", "duplicate", "resent", "rejected", "relabels"):
                outcomes[outcome] += getattr(minute, outcome)
        for reject in record.rejects:
            counter("sendtrail_streams_rejects_total").labels(reason=reject.reason).inc(reject.events)
    for outcome, number in outcomes.items():
        counter("sendtrail_streams_events_total").labels(outcome=outcome).inc(number)
    counter("sendtrail_streams_records_total").inc(len(enriched))
    gauge("sendtrail_streams_done_offset").labels(partition=part.partition).set(part.done)


def observe_window(enriched: Sequence[Enriched], log_time_ms: int, window_ms: int) -> None:
    """How old the oldest id of each record is, as a part of the window. Minute 0 is that of ids without a time.

    Rejects are left out: their ids may be anything.
    """
    used = histogram("sendtrail_streams_window_use_ratio")
    for record in enriched:
        dated = (int(minute) for minute, count in record.counts.items() if count.events_in > count.rejected)
        oldest = min(filter(None, dated), default=None)
        if oldest is not None:
            used.observe(max(0, log_time_ms - oldest * MINUTE_MS) / window_ms)
