"""Plans from cut to commit, one at a time: step 2 to 4 of DESIGN §7, and redoing what was left open."""

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from typing import NamedTuple

import structlog
from msgspec.structs import replace

from sendtrail import metrics
from sendtrail.settings import KafkaSettings, LoaderSettings
from sinks.addresses import IN_FULL, Keep
from sinks.blocks import MAPPING_VERSION, Blocks, LoadedRecord, Place, StoredLookup, StoredRow, Target
from sinks.chain import NOTHING
from sinks.consume import Source, read_ranges
from sinks.owned import Owned
from sinks.partition import Share
from sinks.plan import CommitMetadata, Entry, Limits, Plan, cut, digest, is_due, plan_of
from sinks.redo import Redo, gather
from sinks.resume import START_TOLERANCE_MS, Facts, Stop, is_doubtful
from sinks.rows import UnknownMapping, build
from sinks.server import Server
from sinks.worker import START_WITHIN_S, Age, Course, Observe, Order, Outcome, State, Step, Worker

Bounds = dict[int, tuple[int, int]]  # partition -> one end of its range, chain position there


class Job(NamedTuple):
    """An order with the worker, how it is counted, and what is committed when it is done, or (`begins`) forgotten.

    `intent`: as committed, but for what it remembers of the server: that is as the order began, also of a redo.
    """

    order: Order
    outcome: Future[Outcome]
    begins: Bounds
    ends: Bounds
    how: str
    assignment: int
    intent: CommitMetadata


class Ready(NamedTuple):
    """A plan that is cut; `blocks` are built where that needs no look at the tables, which change until it is begun."""

    plan: Plan
    shares: dict[int, Share[LoadedRecord]]
    blocks: Blocks | None


class NotYet(Exception):
    """A re-label or a late event is to be looked up, and the insert before is not done."""


class LookLater:
    """A StoredLookup for a plan that is built ahead."""

    def rows(self, targets: Collection[Target]) -> Mapping[Target, StoredRow]:
        raise NotYet

    def first_places(self, targets: Collection[Target]) -> Mapping[Target, Place]:
        raise NotYet


class Planner:
    """Makes orders of what waits, and commits when they are done. Methods raise KafkaError and the driver's errors."""

    def __init__(
        self,
        kafka: KafkaSettings,
        settings: LoaderSettings,
        source: Source,
        server: Server,
        owned: Owned,
        worker: Worker,
        observe: Observe,
        *,
        replicated: bool,
        clock: Callable[[], float] = time.monotonic,
        keep_addresses: Keep = IN_FULL,
    ) -> None:
        self._kafka, self._settings, self._replicated = kafka, settings, replicated
        self._source, self._server, self._owned, self._worker = source, server, owned, worker
        self._observe, self._clock, self._keep_addresses = observe, clock, keep_addresses
        self._limits = Limits(rows=min(settings.batch_rows, Limits().most_rows))
        self._wait_s = settings.batch_wait_ms / 1000
        self._doubts: set[str] = set()
        self._inserted: CommitMetadata | None = None  # of the plan that was inserted whole last
        self._stepped = float("-inf")
        self._engine = 0  # when the server was started, epoch milliseconds
        self._log = structlog.get_logger("loader")
        self._ready: Ready | None = None
        self.job: Job | None = None

    def begin(self) -> None:
        """With no job at hand: redo an open plan, or make a plan of what waits, or commit past what was dropped."""
        if self._owned.opens:
            self._redo(next(iter(self._owned.opens.values())).plan)
        elif self._server.held_by:
            self._server.answer_tools()
        elif self._ready is not None or self._is_due():
            self._plan()
        else:
            self._server.answer_tools()
            self._step()

    def ahead(self) -> None:
        """With a job at hand: cut and build the plan that follows, once there are rows for a whole block."""
        if self._ready is None and self._owned.rows_waiting() >= self._limits.rows:
            ready = self._cut()
            with suppress(NotYet):
                ready = ready._replace(blocks=self._build(_records(ready), LookLater()))
            self._ready = ready

    def _build(self, records: Sequence[LoadedRecord], stored: StoredLookup, version: int = MAPPING_VERSION) -> Blocks:
        return build(records, stored, version, self._keep_addresses)

    def _step(self) -> None:
        if self._clock() - self._stepped >= self._wait_s and (steps := self._owned.steps()):
            self._source.commit(steps, self._owned.assignment)
            self._owned.stepped(steps)
            self._stepped = self._clock()

    def end(self) -> None:
        """Commit a job whose order has ended, where it has."""
        if self.job is None or not self.job.outcome.done():
            return
        job, self.job = self.job, None
        outcome = job.outcome.result()
        if outcome.doubtful and outcome.state is not State.DONE:
            self._doubts.add(digest(job.order.plan))
        if outcome.state is State.DONE:
            self._inserted = job.intent
        if job.assignment != self._owned.assignment:
            self._log.info("a plan ended after a rebalance; its owner goes on with it", state=outcome.state)
        elif outcome.state is State.DONE:
            self._commit_ends(job.order.plan, job.ends)
            metrics.counter("sendtrail_loader_plans_total").labels("repaired" if outcome.repaired else job.how).inc()
        elif outcome.state is State.LATE:
            self._forget_intent(job)
        elif outcome.state is State.FAILED:
            metrics.counter("sendtrail_loader_plans_total").labels("failed").inc()
            self._owned.stop_all(job.ends, f"a plan can't be inserted: {outcome.error}")
            self._start_again()

    def cancel(self) -> None:
        """Have the present order end as soon as it can; its plan stays open. What is cut ahead is forgotten."""
        self._ready = None
        if self.job is not None:
            self.job.order.course.cancel.set()

    def _is_due(self) -> bool:
        oldest, rows = self._owned.oldest(), self._owned.rows_waiting()
        return is_due(oldest, rows, self._clock(), self._limits, self._wait_s)

    def _waiting(self) -> dict[int, Sequence[Entry]]:
        """What waits, of the source topic whose record waits longest: a plan has one."""
        partitions = {number: each for number, each in self._owned.partitions.items() if each.entries}
        if not partitions:
            return {}
        topic_id = min(partitions.values(), key=lambda each: each.entries[0].arrived).topic_id
        return {number: each.entries for number, each in partitions.items() if each.topic_id == topic_id}

    def _cut(self) -> Ready:
        partitions = self._owned.partitions
        shares = {
            number: partitions[number].take(count) for number, count in cut(self._waiting(), self._limits).items()
        }
        topic_id = str(partitions[next(iter(shares))].topic_id)
        ranges = {number: share.range for number, share in sorted(shares.items())}
        return Ready(Plan(topic_id, self._owned.log_id, ranges), shares, None)

    def _plan(self) -> None:
        """Cut, commit the intent, insert. After an error all is forgotten and the records are read again."""
        start_by = self._clock() + START_WITHIN_S
        if not self._server.may_insert():
            return
        facts = self._server.facts()
        if self._was_started_anew(facts):
            return
        ready, self._ready = self._ready or self._cut(), None
        self._observe(Step.CUT)
        blocks = ready.blocks or self._build(_records(ready), self._server.lookup)
        intent = self._intent(ready.plan, facts)
        begins = {number: (share.range[0], share.since) for number, share in ready.shares.items()}
        self._source.commit({n: (first, intent(last)) for n, (first, last) in begins.items()}, self._owned.assignment)
        self._observe(Step.INTENT)
        ends = {number: (share.range[1], share.last) for number, share in ready.shares.items()}
        order = Order(ready.plan, blocks, start_by=start_by, age=Age(facts.blocks, self._settings.dedup_window))
        self._submit(order, begins, ends, "loaded", intent(NOTHING))

    def _was_started_anew(self, facts: Facts) -> bool:
        """After a start of the server, tables may be older than before, out of a back-up: ask where they stand."""
        before, self._engine = self._engine, facts.started
        if self._replicated or before == 0 or abs(facts.started - before) <= START_TOLERANCE_MS:
            return False
        self._log.info("ClickHouse was started anew; going on from what is committed")
        self._start_again()
        return True

    def _intent(self, plan: Plan, facts: Facts) -> Callable[[int], CommitMetadata]:
        started, blocks, schema = facts
        at = time.time_ns() // 1_000_000
        return lambda last: CommitMetadata(
            plan.topic_id, last, plan.ranges, at, blocks, MAPPING_VERSION, plan.log_id, started, schema
        )

    def _submit(self, order: Order, begins: Bounds, ends: Bounds, how: str, intent: CommitMetadata) -> None:
        self.job = Job(order, self._worker.submit(order), begins, ends, how, self._owned.assignment, intent)

    def _commit(self, plan: Plan, bounds: Bounds) -> None:
        """Commit without a plan."""
        commits = {n: (at, CommitMetadata(plan.topic_id, last, log=plan.log_id)) for n, (at, last) in bounds.items()}
        self._source.commit(commits, self._owned.assignment)

    def _commit_ends(self, plan: Plan, ends: Bounds) -> None:
        self._commit(plan, ends)
        self._observe(Step.COMMITTED)
        metrics.gauge("sendtrail_loader_commit_timestamp_seconds").set_to_current_time()
        self._doubts.discard(digest(plan))
        for number, (end, last) in ends.items():
            self._owned.loaded(number, end, last)

    def _forget_intent(self, job: Job) -> None:
        """The insert did not begin in time: commit the beginning again, without the plan, and start from there.

        Of stopped partitions too: a plan left open in one of them would look inserted once the others are past it.
        """
        metrics.counter("sendtrail_loader_plans_total").labels("forgotten").inc()
        self._commit(job.order.plan, job.begins)
        self._start_again()

    def _start_again(self) -> None:
        self._ready = None
        self._owned.forget()

    def _redo(self, plan: Plan) -> None:
        """Redo an open plan as a whole, whoever owns its partitions; only the own ones are committed."""
        own = {number: each for number, each in self._owned.opens.items() if each.plan == plan}
        others = {number: self._source.committed(number) for number in plan.ranges.keys() - own.keys()}
        redo = gather(plan, own, others, lambda ranges: read_ranges(self._kafka, ranges))
        if isinstance(redo, Stop):
            self._owned.stop_all(own, redo.reason)
            return
        intent, facts = next(iter(own.values())).metadata, self._server.facts()
        order = self._order_again(plan, redo, intent, facts)
        if isinstance(order, Stop):
            self._owned.stop_all(own, order.reason)
        elif order is None:
            by_another = redo.records is None
            whom = "another loader" if by_another else "this loader before a rebalance"
            self._log.info(f"an open plan was inserted by {whom}", partitions=sorted(own))
            self._commit_ends(plan, redo.ends)
            if not by_another:
                metrics.counter("sendtrail_loader_plans_total").labels("redone").inc()
        else:
            self._log.info("redoing an open plan", partitions=sorted(plan.ranges), doubtful=order.course.doubtful)
            now = replace(intent, engine=facts.started, blocks=facts.blocks, schema=facts.schema)
            self._submit(order, {}, redo.ends, "redone", now)

    def _order_again(self, plan: Plan, redo: Redo, intent: CommitMetadata, facts: Facts) -> Order | Stop | None:
        """The order that repeats a plan; None where it is known to be inserted whole, by whomever."""
        if redo.records is None or self._was_inserted(intent, facts):
            return None
        try:
            blocks = self._build(redo.records, self._server.lookup, intent.map)
        except UnknownMapping as error:
            return Stop(str(error))
        doubtful = digest(plan) in self._doubts or self._is_doubtful(intent, facts)
        age = Age(intent.blocks, self._settings.dedup_window)
        return Order(plan, blocks, redo=True, age=age, course=Course(doubtful=doubtful))

    def _was_inserted(self, intent: CommitMetadata, facts: Facts) -> bool:
        """Whether this loader inserted the plan whole, was kept from committing it, and the tables are as they were.

        Else each rebalance while a plan is redone would have it redone once more.
        """
        done = self._inserted
        same = done is not None and (plan_of(done), done.at) == (plan_of(intent), intent.at)
        return done is not None and same and not self._is_doubtful(done, facts)

    def _is_doubtful(self, intent: CommitMetadata, facts: Facts) -> bool:
        return is_doubtful(intent, facts, window=self._settings.dedup_window, replicated=self._replicated)


def _records(ready: Ready) -> list[LoadedRecord]:
    return [record for share in ready.shares.values() for record in share.records]
