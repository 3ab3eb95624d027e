"""The loader's second thread: orders that are not wanted any more end, and say so."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from threading import Thread

import pytest

from sendtrail.local.process import free_port
from sendtrail.settings import ClickHouseSettings, Config
from sinks.blocks import Block, Blocks
from sinks.control import Control, Pause, PauseError
from sinks.plan import Plan
from sinks.worker import Cancelled, Course, Order, State, Step, Worker
from tests.support.line import clickhouse_settings, migrated
from tests.support.stack import ClickHouse

PLAN = Plan("4f1c2a3e-0000-4000-8000-000000000001", "log", {0: (0, 1)})
NOTHING = Block("events", (), [], 0)
NO_ROWS = Blocks(NOTHING, NOTHING, NOTHING, 0, 0, 0, 0, 0)
A_ROW = NO_ROWS._replace(events=Block("events", ("delivery_id",), [[1]], 1))


def unobserved(step: Step) -> None:
    """Nobody looks."""


def wait(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


class Restless(Worker):
    """Another loader never comes to rest."""

    def _alone(self, order: Order) -> AbstractContextManager[Pause]:
        raise PauseError("a loader does not hold")


def test_an_order_that_is_cancelled_while_others_do_not_hold_has_not_failed(
    clickhouse: ClickHouse, database: str
) -> None:
    migrated(clickhouse, database).disconnect()
    worker = Restless(clickhouse_settings(clickhouse, database), "loader-1", unobserved)
    order = Order(PLAN, NO_ROWS, redo=True, course=Course(doubtful=True))
    outcome = worker.submit(order)
    wait(lambda: worker.trouble)
    order.course.cancel.set()
    assert outcome.result(timeout=30)[:2] == (State.CANCELLED, True)
    worker.close()


def test_an_order_that_is_cancelled_does_not_wait_for_others_any_longer(clickhouse: ClickHouse, database: str) -> None:
    settings = clickhouse_settings(clickhouse, database)
    with migrated(clickhouse, database) as client:
        deaf = Control(client, "loader-deaf")
        deaf.say("loader", "running", 3600)
        worker = Worker(settings, "loader-1", unobserved)
        order = Order(PLAN, NO_ROWS, redo=True, course=Course(doubtful=True))
        outcome = worker.submit(order)
        wait(lambda: deaf.read().pauses)
        order.course.cancel.set()
        assert outcome.result(timeout=60)[:2] == (State.CANCELLED, True)
        assert deaf.read().pauses == ()
        worker.close()


def test_to_close_is_to_cancel_what_can_not_be_done() -> None:
    settings = Config({}).section(ClickHouseSettings, address=f"127.0.0.1:{free_port()}")
    worker = Worker(settings, "loader-1", unobserved)
    order = Order(PLAN, A_ROW)
    outcome = worker.submit(order)
    wait(lambda: worker.trouble)
    closing = Thread(target=worker.close)
    closing.start()
    closing.join(30)
    still_closing = closing.is_alive()
    order.course.cancel.set()
    assert not still_closing
    assert outcome.result(timeout=30).state is State.CANCELLED


def test_an_unknown_outcome_is_settled_only_when_a_former_owner_holds(clickhouse: ClickHouse, database: str) -> None:
    """Its session is over and another owns the partitions, but it may still be at the same plan: both would repair."""
    settings = clickhouse_settings(clickhouse, database)
    with migrated(clickhouse, database) as client:
        former = Control(client, "loader-former")
        former.present()
        worker = Worker(settings, "loader-new", unobserved)
        outcome = worker.submit(Order(PLAN, NO_ROWS, redo=True, course=Course(doubtful=True)))
        wait(lambda: former.read().pauses)
        assert not outcome.done()
        former.hold(former.read().pauses)
        assert outcome.result(timeout=60).state is State.DONE
        worker.close()


def test_a_settlement_ends_when_the_order_is_another_loaders_or_the_others_go_on(
    clickhouse: ClickHouse, database: str
) -> None:
    settings = clickhouse_settings(clickhouse, database)
    migrated(clickhouse, database).disconnect()
    worker = Worker(settings, "loader-1", unobserved)
    order, pause = Order(PLAN, NO_ROWS), Pause("loader-1", 60.0)
    worker._may_go_on(order, pause)
    pause.renewed -= 60.0  # frozen meanwhile
    with pytest.raises(PauseError):
        worker._may_go_on(order, pause)
    order.course.cancel.set()
    with pytest.raises(Cancelled):
        worker._may_go_on(order, None)
    worker.close()


def test_the_pause_of_a_life_before_holds_nobody(clickhouse: ClickHouse, database: str) -> None:
    settings = clickhouse_settings(clickhouse, database)
    with migrated(clickhouse, database) as client:
        Control(client, "loader-1-0badcafe").say("pause", "on", 3600)
        worker = Worker(settings, "loader-1", unobserved)
        outcome = worker.submit(Order(PLAN, NO_ROWS, redo=True, course=Course(doubtful=True)))
        assert outcome.result(timeout=120).state is State.DONE
        assert Control(client, "reader").read().pauses == ()
        worker.close()
