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
from sinks.outage import worth_saying
from sinks.partition import Gap, Partition, Turn
from sinks.plan import MAX_BLOCK_BYTES, CommitMetadata
from sinks.resume import Open, Stop, resume
from sinks.server import Server

_POLL_RECORDS = 100
#: Fetching stops while this many blocks' worth of rows wait.
_BLOCKS_AHEAD = 2

_DROPPED = {
    Verdict.REPLAY: "sendtrail_loader_replayed_total",
    Verdict.AHEAD: "sendtrail_loader_gap_dropped_total",
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
            elif verdict in _DROPPED:
                metrics.counter(_DROPPED[verdict]).inc()

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
        unknown = self.unknown()
        if not unknown:
            return False
        self.log_id = self._source.log_id()
        audits = self._server.positions(unknown)
        for number in sorted(unknown):
            commit = self._source.committed(number)
            beginning = 0 if commit else self._source.beginning(number)
            found = resume(number, commit, audits.get(number, []), self.log_id, beginning)
            if isinstance(found, Stop):
                self.stop(number, found.reason)
            elif isinstance(found, Open):
                self.opens[number] = found
            else:
                self._source.seek(number, found.committed)
                self.partitions[number] = found
                self._log.info("partition resumed", partition=number, offset=found.committed, last=found.last)
        return True

    def forget(self) -> None:
        """Know nothing of any partition; the next turn starts from what is committed."""
        self.partitions.clear()
        self.opens.clear()

    def stop(self, number: int, reason: str) -> None:
        """Stop a partition until the loader is started again or the group is rebalanced; the others go on."""
        self.partitions.pop(number, None)
        self.opens.pop(number, None)
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
            if partition.entries:
                continue  # what came before is loaded first
            if gap is not None and now - gap.since >= self._settings.gap_timeout_s:
                self.stop(number, _gap_text(number, gap, self._settings.gap_timeout_s))
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


def _gap_text(number: int, gap: Gap, seconds: float) -> str:
    return (
        f"source offsets {gap.first} to {gap.last} of partition {number} are missing before offset {gap.offset} of "
        f"tracking.enriched, and did not come within {seconds:g} s. Publish them again: sendtrail replay "
        f"--partition {number} --from {gap.first} --to {gap.last}"
    )


def _turn_text(partition: Partition[LoadedRecord], turn: Turn) -> str:
    return (
        f"tracking.events was deleted and made anew: records of topic id {turn.topic_id} follow those of "
        f"{partition.topic_id} (up to source offset {partition.last}). If that was meant, set "
        f'loader.accept_topic = "{turn.topic_id}" and start the loader again'
    )
