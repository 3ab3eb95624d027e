"""A worker that is killed between any two moments of a batch: the chain holds every event once."""

from __future__ import annotations

import random
import shutil

import pytest

from streams.worker import Moment
from tests.streams.running import Line, WorkerProcess, wait_for

KILLED = -9


@pytest.mark.parametrize("moment", list(Moment))
def test_killed_at_a_moment_of_its_second_batch(line: Line, moment: Moment) -> None:
    line.send_some(30, packs=4)
    first = line.worker(die_at=moment, times=2, batch_records=4)
    assert first.wait() == KILLED
    line.send_some(30)
    line.worker()
    line.assert_ledger()


def test_what_came_before_a_crash_is_known_after_it(line: Line) -> None:
    """Events that are sent again then are no new ones."""
    some = line.send_some(30, packs=4)
    first = line.worker()
    line.assert_ledger()
    wait_for(lambda: line.committed() == line.ends(), explain=line.logs)
    first.kill()
    line.send(some, remember=False)
    line.send_some(10)
    line.worker()
    line.assert_ledger()


def test_killed_again_and_again(line: Line) -> None:
    """Every life dies at another moment, some leave no state at all behind."""
    rnd = random.Random(7)
    for life in range(6):
        line.send_some(20, packs=3)
        worker = line.worker(die_at=rnd.choice(list(Moment)), times=rnd.randrange(1, 4), batch_records=3)
        _send_until_dead(line, worker)
        if life % 3 == 2:
            shutil.rmtree(line.directory / "worker" / line.source_id())
    line.worker()
    line.assert_ledger()


def _send_until_dead(line: Line, worker: WorkerProcess) -> None:
    def dead() -> bool:
        line.send_some(3)
        return worker.process.poll() is not None

    wait_for(dead, explain=line.logs)
    assert worker.wait() == KILLED
