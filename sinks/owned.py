"""The partitions this loader owns: where each goes on, what waits in it, and which are stopped."""

import time
from collections.abc import Callable, Iterable
from typing import Any

import structlog

from sendtrail import metrics
from sendtrail.errors import Invalid
from sendtrail.settings import LoaderSettings
from sinks.blocks import LoadedRecord
from sinks.chain import NOTHING, Verdict
from sinks.consume import Source
from sinks.decode import offer
from sinks.gaps import Held, remedy
from sinks.outage import worth_saying
from sinks.partition import Gap, Partition, Turn
from sinks.plan import MAX_BLOCK_BYTES, CommitMetadata
from sinks.resume import Open, Stop, resume
from sinks.server import Server

_POLL_RECORDS = 100
#: Fetching stops while this many blocks' worth of rows wait.
_BLOCKS_AHEAD = 2
#: How often a stopped partition is looked at again: what stopped it may have been put right by a tool.
_LOOK_AGAIN_S = 2.0

_COUNTED = {
    Verdict.REPLAY: "sendtrail_loader_replayed_total",
    Verdict.AHEAD: "sendtrail_loader_gap_dropped_total",
    Verdict.OVERLAP: "sendtrail_loader_overlaps_total",
}


class Owned:
    """State by partition; everything but `stopped` is forgotten whenever it may be another loader's."""

    def __init__(
        self, source: Source, server: Server, settings: LoaderSettings, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._source, self._server, self._settings, self._clock = source, server, settings, clock
        self._log = structlog.get_logger("loader")
        self.partitions: dict[int, Partition[LoadedRecord]] = {}
        self.opens: dict[int, Open] = {}
        self.stopped: dict[int, str] = {}
        self._gapped: set[int] = set()  # of the stopped: read on, until what is missing comes or is accepted
        self._refused: set[int] = set()  # of the stopped: where commit and tables don't fit together
        self._looked = float("-inf")
        self._foreign = 0
        self._said = -1
        self.log_id = ""
        self.assignment = -1

    def poll(self, timeout_ms: int) -> bool:
        """Read what Kafka has for the partitions whose position is known; True if a rebalance made it forget all."""
        polled = self._source.poll(timeout_ms, _POLL_RECORDS)
        rebalanced = self._source.assignment != self.assignment
        if rebalanced:
            self.forget()
            self.stopped.clear()
            self._refused.clear()
            self._count_stopped()
            self.assignment = self._source.assignment
        for number, records in polled.items():
            if number in self.partitions:
                self._offer(number, records)
        return rebalanced

    def _offer(self, number: int, records: Iterable[Any]) -> None:
        partition, now = self.partitions[number], self._clock()
        for record in records:
            verdict = offer(partition, number, record, now)
            if isinstance(verdict, Invalid):
                self._pass_foreign(number, record.offset, verdict)
            elif verdict in _COUNTED:
                metrics.counter(_COUNTED[verdict]).inc()

    def _pass_foreign(self, number: int, offset: int, why: Invalid) -> None:
        """A record that streams did not write, or not so that it can be read: the chain shows if it is missed."""
        metrics.counter("sendtrail_loader_foreign_dropped_total").inc()
        self._foreign += 1
        if worth_saying(self._foreign):
            self._log.warning("not an enriched record; passed", partition=number, offset=offset, why=why.detail)

    def unknown(self) -> set[int]:
        """Assigned partitions whose position is not known yet."""
        return self._source.assigned() - self.partitions.keys() - self.opens.keys() - self.stopped.keys()

    def resume_unknown(self) -> bool:
        """Find out where unknown partitions go on, and read from there; True if there were any.

        Raises KafkaError, TopicsError and the driver's errors.
        """
        unknown = self.unknown() | self._to_look_at_again()
        if not unknown:
            return False
        self.log_id = self._source.log_id()
        audits = self._server.positions(unknown)
        for number in sorted(unknown):
            commit = self._source.committed(number)
            beginning = 0 if commit else self._source.beginning(number)
            found = resume(number, commit, audits.get(number, []), self.log_id, beginning)
            if isinstance(found, Stop):
                if self.stopped.get(number) != found.reason:
                    self.stop(number, found.reason)
                self._refused.add(number)
                continue
            self._go_on(number)
            if isinstance(found, Open):
                self.opens[number] = found
            else:
                self._source.seek(number, found.committed)
                self.partitions[number] = found
                self._log.info("partition resumed", partition=number, offset=found.committed, last=found.last)
        return True

    def _to_look_at_again(self) -> set[int]:
        """Now and then: stopped partitions that a tool may have put right (sendtrail replay, chain accept-gap).

        Of those with a gap, the ones whose position in table `audit` has moved. Lets the driver's errors through.
        """
        if not (self._gapped or self._refused) or self._clock() - self._looked < _LOOK_AGAIN_S:
            return set()
        self._looked = self._clock()
        stored = self._server.positions(self._gapped) if self._gapped else {}
        moved = {
            number
            for number, positions in stored.items()
            if (own := self.partitions.get(number)) is not None
            and any(each.topic_id == own.topic_id and each.last > own.last for each in positions)
        }
        for number in moved:
            del self.partitions[number]
        return moved | self._refused

    def _go_on(self, number: int) -> None:
        """A stopped partition is none any more."""
        self._gapped.discard(number)
        self._refused.discard(number)
        if self.stopped.pop(number, None) is not None:
            self._count_stopped()
            self._log.info("partition goes on", partition=number)

    def forget(self) -> None:
        """Know nothing of any partition; the next turn starts from what is committed, and finds a gap again."""
        for number in list(self._gapped):
            self._go_on(number)
        self.partitions.clear()
        self.opens.clear()

    def stop(self, number: int, reason: str) -> None:
        """Stop a partition until the loader is started again or the group is rebalanced; the others go on."""
        self.partitions.pop(number, None)
        self.opens.pop(number, None)
        self._gapped.discard(number)
        self._say_stopped(number, reason)

    def _stop_at_gap(self, number: int, gap: Gap) -> None:
        """Load nothing behind a gap, and read on: what is missing may still come."""
        self._gapped.add(number)
        held = self._source.held(number)
        self._say_stopped(number, _gap_text(number, gap, self._settings.gap_timeout_s, held))

    def _say_stopped(self, number: int, reason: str) -> None:
        self.stopped[number] = reason
        self._count_stopped()
        self._log.error("partition stopped", partition=number, reason=reason)

    def _count_stopped(self) -> None:
        metrics.gauge("sendtrail_loader_stopped_partitions").set(len(self.stopped))

    def stop_all(self, numbers: Iterable[int], reason: str) -> None:
        """Stop some partitions for one reason."""
        for number in list(numbers):
            self.stop(number, reason)

    def loaded(self, number: int, end: int, last: int) -> None:
        """Note that a plan's end is committed; a partition that was redone is read from there."""
        if number in self.partitions:
            self.partitions[number].commit(end, last)
        self.opens.pop(number, None)

    def watch(self) -> None:
        """Stop partitions whose gap lasts, or whose source topic is another one."""
        now = self._clock()
        for number, partition in list(self.partitions.items()):
            gap, turn = partition.gap, partition.turn
            if number in self._gapped:
                if gap is None:
                    self._go_on(number)
                continue
            if partition.entries:
                continue  # what came before is loaded first
            if gap is not None and now - gap.since >= self._settings.gap_timeout_s:
                self._stop_at_gap(number, gap)
            elif (
                turn is not None and turn.topic_id != self._settings.accept_topic and partition.committed == turn.offset
            ):
                self.stop(number, _turn_text(partition, turn))

    def steps(self) -> dict[int, tuple[int, CommitMetadata]]:
        """Commits to make without a plan: past dropped records, or over to another source topic that is accepted."""
        found: dict[int, tuple[int, CommitMetadata]] = {}
        for number, partition in self.partitions.items():
            end, turn = partition.advance, partition.turn
            if turn is not None and not partition.entries and turn.topic_id == self._settings.accept_topic:
                found[number] = (turn.offset, CommitMetadata(turn.topic_id, NOTHING, log=self.log_id))
            elif end is not None and partition.topic_id is not None:
                found[number] = (end, CommitMetadata(partition.topic_id, partition.committed_last, log=self.log_id))
        return found

    def stepped(self, commits: dict[int, tuple[int, CommitMetadata]]) -> None:
        """Note that `steps` were committed."""
        for number, (end, metadata) in commits.items():
            partition = self.partitions[number]
            if metadata.topic != partition.topic_id:
                self._log.warning("source topic changed, as accepted", partition=number, topic_id=metadata.topic)
                del self.partitions[number]
            else:
                partition.commit(end, metadata.src)

    def rows_waiting(self) -> int:
        """Rows read and not yet in a plan."""
        return sum(partition.rows for partition in self.partitions.values())

    def oldest(self) -> float | None:
        """When the record that waits longest arrived, in monotonic seconds."""
        return min((each.entries[0].arrived for each in self.partitions.values() if each.entries), default=None)

    def flow(self, closed: bool) -> None:
        """Fetch only where records can be taken; heartbeats go on."""
        size = sum(partition.size for partition in self.partitions.values())
        full = (
            self.rows_waiting() >= _BLOCKS_AHEAD * self._settings.batch_rows or size >= _BLOCKS_AHEAD * MAX_BLOCK_BYTES
        )
        if closed or full:
            for partition in self.partitions.values():
                partition.read_nothing(self._clock())
        assigned = self._source.assigned()
        turned = {number for number, partition in self.partitions.items() if partition.turn is not None}
        self._source.flow(assigned if closed or full else (assigned - self.partitions.keys()) | turned)

    def say_if_idle(self) -> None:
        """Say once after each rebalance that other loaders own everything."""
        if self._said != self.assignment and self.assignment > 0 and not self._source.assigned():
            self._log.info("other loaders own every partition; this one waits to take over")
        self._said = self.assignment

    def measure_lag(self) -> None:
        """Export how far each partition is behind."""
        lags = {number: self._source.lag(number, each.committed) for number, each in self.partitions.items()}
        metrics.show("sendtrail_loader_lag_records", {n: lag for n, lag in lags.items() if lag is not None})
        gaps = {n: each.gap for n, each in self.partitions.items() if each.gap is not None}
        metrics.show("sendtrail_loader_missing_records", {n: gap.last - gap.first + 1 for n, gap in gaps.items()})


def _gap_text(number: int, gap: Gap, seconds: float, held: Held) -> str:
    return (
        f"source offsets {gap.first} to {gap.last} of partition {number} are missing before offset {gap.offset} of "
        f"tracking.enriched, and did not come within {seconds:g} s. {remedy(number, gap.first, gap.last, held)}"
    )


def _turn_text(partition: Partition[LoadedRecord], turn: Turn) -> str:
    return (
        f"tracking.events was deleted and made anew: records of topic id {turn.topic_id} follow those of "
        f"{partition.topic_id} (up to source offset {partition.last}). If that was meant, set "
        f'loader.accept_topic = "{turn.topic_id}" and start the loader again'
    )
