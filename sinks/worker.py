"""The loader's second thread: carries out one order at a time against ClickHouse, for as long as it takes.

The first thread goes on reading Kafka meanwhile; orders and outcomes are all that passes between the two.
"""

import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from typing import NamedTuple

import structlog
from tenacity import (
    AttemptManager,
    RetryCallState,
    Retrying,
    retry_if_exception,
    sleep_using_event,
    stop_when_event_set,
    wait_exponential,
)

from sendtrail import metrics
from sendtrail.clickhouse import connect
from sendtrail.errors import SendtrailError
from sendtrail.settings import ClickHouseSettings
from sinks.blocks import Block, Blocks
from sinks.control import PAUSE_LEASE_S, POLL_S, PRESENCE_LEASE_S, Control, Pause, PauseError, paused
from sinks.erased import NOBODY_ERASED, Erased
from sinks.native import BlockClient
from sinks.outage import one_line, worth_saying
from sinks.plan import Plan, digest, token
from sinks.queries import query
from sinks.unknown import settle, settle_rows
from sinks.write import code_of, insert, is_answered, is_retryable

#: An order whose first insert has not begun this long after table `control` was read is not begun at all.
START_WITHIN_S = 5.0


class Step(StrEnum):
    """Where a loader is, as told to `observe`; a process that is killed right there must lose and double nothing."""

    CUT = "cut"  # before the intent
    INTENT = "intent"  # the intent is committed
    EVENTS = "events"  # answered, like the next two
    REJECTS = "rejects"
    AUDIT = "audit"
    COMMITTED = "committed"  # the end is committed


Observe = Callable[[Step], None]


class State(StrEnum):
    """How an order ended."""

    DONE = "done"
    LATE = "late"  # not begun in time: nothing was inserted
    CANCELLED = "cancelled"
    FAILED = "failed"  # by an error that trying again does not help


class Outcome(NamedTuple):
    """How an order ended. `doubtful`: an insert was sent whose answer is not known. `repaired`: rows and keys."""

    state: State
    doubtful: bool = False
    error: str = ""
    repaired: int = 0


class Age(NamedTuple):
    """How many blocks `events` had been given at an order's intent, and how many ClickHouse remembers."""

    blocks: int
    window: int


@dataclass
class Course:
    """What an order met on its way: an answer that it failed, or no answer; and whether it is wanted still.

    `aged`: its tokens may be forgotten by now, so an insert could be there and be taken again.

    Apart from the order, since tenacity keeps what its callbacks know until the next search for cycles.
    """

    doubtful: bool = False
    refused: bool = False
    aged: bool = False
    cancel: threading.Event = field(default_factory=threading.Event)


@dataclass
class Order:
    """What to insert. `start_by`: monotonic seconds by which the first insert must begin. `redo`: it may be there."""

    plan: Plan
    blocks: Blocks
    start_by: float = float("inf")
    redo: bool = False
    age: Age | None = None
    course: Course = field(default_factory=Course)


class Cancelled(Exception):
    """The order is not wanted any more."""


class Worker:
    """One thread with a client of its own. `trouble`: why the present order waits, for health."""

    def __init__(
        self, settings: ClickHouseSettings, member: str, observe: Observe, erased: Erased = NOBODY_ERASED
    ) -> None:
        self._settings, self._erased = settings, erased
        self._client = connect(settings, kind=BlockClient)
        self._control = Control(self._client, member)
        self._observe = observe
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="insert")
        self._log = structlog.get_logger("loader")
        self._last: Order | None = None
        self.trouble = ""

    def submit(self, order: Order) -> Future[Outcome]:
        """Begin an order when the one before has ended."""
        self._last = order
        return self._pool.submit(self._carry_out, order)

    def close(self) -> None:
        """Cancel what is under way and end the thread; an insert that runs is cut off from its answer."""
        if self._last is not None:
            self._last.course.cancel.set()
        self._client.disconnect()
        self._pool.shutdown(wait=True)

    def _carry_out(self, order: Order) -> Outcome:
        try:
            return self._insert_all(order)
        except (Cancelled, PauseError):  # for a pause it tries again until it is cancelled
            return Outcome(State.CANCELLED, order.course.doubtful)
        except SendtrailError as error:
            return Outcome(State.FAILED, order.course.doubtful, str(error))
        except Exception as error:
            # The thread's outermost place: what can be retried was, so the order was cancelled or can't be done.
            state = State.CANCELLED if is_retryable(error) else State.FAILED
            return Outcome(state, order.course.doubtful or not is_answered(error), one_line(error))
        finally:
            self.trouble = ""
            metrics.gauge("sendtrail_loader_insert_window_use_ratio").set(0)

    def _insert_all(self, order: Order) -> Outcome:
        blocks = order.blocks
        begun, listed = order.redo, False
        for step, block in ((Step.EVENTS, blocks.events), (Step.REJECTS, blocks.rejects), (Step.AUDIT, blocks.audit)):
            if block.rows:
                for attempt in self._attempts(order.course):
                    with attempt:
                        if order.redo or attempt.retry_state.attempt_number > 1:
                            self._wait_for_quiet(order)
                            listed = False
                        elif not begun and time.monotonic() > order.start_by:
                            return Outcome(State.LATE)
                        begun = True
                        if order.course.aged:  # what is missing is inserted when it is settled
                            continue
                        if not listed:  # who was erased since the loaders held last
                            self._erased.refresh(self._client)
                            listed = True
                        self._insert(self._erased.of(block), order.plan)
            self._observe(step)
        metrics.counter("sendtrail_loader_late_duplicates_total").inc(blocks.late_duplicates)
        return Outcome(State.DONE, repaired=self._settle(order))

    def _insert(self, block: Block, plan: Plan) -> None:
        with metrics.histogram("sendtrail_loader_insert_seconds").labels(block.table).time():
            insert(self._client, block, token(block.table, plan))
        metrics.counter("sendtrail_loader_inserts_total").labels(block.table).inc()
        metrics.counter("sendtrail_loader_rows_total").labels(block.table).inc(block.rows)

    def _settle(self, order: Order) -> int:
        """Count and repair what a token can't vouch for (sinks/unknown.py)."""
        repaired = 0
        for attempt in self._attempts(order.course):
            with attempt:
                if order.course.doubtful:
                    self._wait_for_quiet(order)
                    with self._alone(order) as pause:
                        check = partial(self._may_go_on, order, pause)
                        repaired = sum(settle(self._client, order.plan, self._pseudonymous(order.blocks), check))
                elif order.redo or order.course.refused:
                    check = partial(self._may_go_on, order, None)
                    repaired = settle_rows(self._client, order.plan, self._pseudonymous(order.blocks), check)
        return repaired

    def _pseudonymous(self, blocks: Blocks) -> Blocks:
        self._erased.refresh(self._client)
        return self._erased.blocks(blocks)

    def _may_go_on(self, order: Order, pause: Pause | None) -> None:
        """Raises Cancelled where the order is another's by now, PauseError where others may insert again."""
        if order.course.cancel.is_set():
            raise Cancelled
        if pause is not None:
            pause.check()

    def _alone(self, order: Order) -> AbstractContextManager[Pause]:
        """Hold the other loaders, without replication too: one that was the owner until now may be at the same plan."""
        member, meanwhile = self._control.member, partial(self._wait_in_line, order)
        return paused(self._settings, member, lease_s=PRESENCE_LEASE_S, own_loader=member, meanwhile=meanwhile)

    def _wait_in_line(self, order: Order, pauses: tuple[str, ...]) -> None:
        """Answer others' pauses until it is alone. Raises Cancelled where the order is another's by now."""
        self._may_go_on(order, None)
        self._control.hold(pauses)

    def _others_pauses(self) -> tuple[str, ...]:
        """Pauses that are on. One of this loader's own is of a life before, or of a settlement that was cut off."""
        pauses = self._control.read().pauses
        own = [pause for pause in pauses if pause.startswith(f"{self._control.member}-")]
        for pause in own:
            Control(self._client, pause).say("pause", "off", PAUSE_LEASE_S)
        return tuple(pause for pause in pauses if pause not in own)

    def _wait_for_quiet(self, order: Order) -> None:
        """Wait until no tool works on the tables and no earlier insert of the plan runs.

        A tool that worked while the plan was open may have changed or read what it had inserted: that is doubtful.
        """
        while pauses := self._others_pauses():
            order.course.doubtful = True
            self._control.hold(pauses)
            self._sleep(order)
        while self._control.inserts_running(self._settings.database, digest(order.plan)):
            self._sleep(order)
        self._look_at_age(order)

    def _look_at_age(self, order: Order) -> None:
        """Whether ClickHouse may have forgotten what was inserted of the plan, other loaders having inserted since."""
        if order.age is None:
            return
        facts = self._client.execute(query("engine_facts"), {"replicated": self._settings.replicated})[0]
        given = max(0, facts[1] - order.age.blocks)
        metrics.gauge("sendtrail_loader_insert_window_use_ratio").set(given / order.age.window)
        if given > order.age.window // 4:
            order.course.aged = order.course.doubtful = True

    def _sleep(self, order: Order) -> None:
        if order.course.cancel.wait(POLL_S):
            raise Cancelled

    def _attempts(self, course: Course) -> Iterable[AttemptManager]:
        """Try for ever, unless the order is cancelled or the error is none that time heals."""
        return Retrying(
            retry=retry_if_exception(lambda error: is_retryable(error) or isinstance(error, PauseError)),
            wait=wait_exponential(0.2, max=10),
            stop=stop_when_event_set(course.cancel),
            sleep=sleep_using_event(course.cancel),
            after=lambda state: self._note(course, state),
            reraise=True,
        )

    def _note(self, course: Course, state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome is not None else None
        if error is None or isinstance(error, Cancelled):
            return
        course.refused = True
        course.doubtful = course.doubtful or not is_answered(error)
        self.trouble = one_line(error)
        metrics.counter("sendtrail_loader_errors_total").labels(code_of(error)).inc()
        if worth_saying(state.attempt_number):
            self._log.warning("ClickHouse can't take a plan now; trying again", error=self.trouble)
