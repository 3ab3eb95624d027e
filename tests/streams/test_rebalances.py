"""Two to four workers with static membership: they come, go, freeze and come back; the chain holds every event once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from streams.worker import Moment
from tests.streams.running import FREEZE, Line, WorkerProcess, wait_for

PARTITIONS = 4
LONG_S = 60  # a session nobody waits out


@pytest.fixture
def wide(kafka: str, topic_prefix: str, tmp_path: Path) -> Iterator[Line]:
    """A line with a partition for each of four workers."""
    made = Line.make(kafka, topic_prefix, tmp_path, PARTITIONS)
    yield made
    made.close()


def _shared(line: Line, *workers: WorkerProcess) -> None:
    """Send until all partitions are worked on, an equal share by each of these."""

    def equal() -> bool:
        line.send_some(12)
        return [worker.owned() for worker in workers] == [PARTITIONS // len(workers)] * len(workers)

    wait_for(equal, explain=line.logs)


def test_out_to_four_workers_and_in_again_under_load(wide: Line) -> None:
    wide.send_some(20, packs=2)
    workers = [wide.worker(name=name) for name in ("one", "two")]
    _shared(wide, *workers)
    workers += [wide.worker(name=name) for name in ("three", "four")]
    _shared(wide, *workers)
    assert workers.pop().stop() == 0
    workers.pop().kill()
    _shared(wide, *workers)  # once the sessions of the two are over
    wide.assert_ledger()


def test_workers_that_froze_in_a_batch_come_back_when_others_have_their_partitions(wide: Line) -> None:
    """One had handed outputs to the producer, one had written its state: neither had moved its offset."""
    wide.send_some(20, packs=3)
    sent = wide.worker(Moment.SENT, 3, "sent", FREEZE, batch_records=4)
    written = wide.worker(Moment.WRITTEN, 3, "written", FREEZE, batch_records=4)

    def frozen() -> bool:
        wide.send_some(8)
        return sent.frozen() and written.frozen()

    wait_for(frozen, explain=wide.logs)
    owner = wide.worker(name="owner")
    _shared(wide, owner)
    wide.assert_ledger()
    sent.thaw()
    written.thaw()
    _all_work_again(wide, sent, written, owner)
    wide.assert_ledger()


def _all_work_again(line: Line, *workers: WorkerProcess) -> None:
    """Send until each has a partition. A worker that had to end is started again, as a supervisor does."""
    living = list(workers)

    def all_own() -> bool:
        line.send_some(12)
        for number, worker in enumerate(living):
            if worker.process.poll() is not None:
                assert worker.wait() == 1
                living[number] = line.worker(name=worker.log.stem)
        return all(worker.owned() for worker in living)

    wait_for(all_own, explain=line.logs)


def test_a_static_member_that_starts_again_has_its_partitions_and_disturbs_nobody(wide: Line) -> None:
    """Long before its session is over, and without a rebalance: the other keeps its assignment."""
    stays, dies = (wide.worker(name=name, session_timeout_s=LONG_S) for name in ("stays", "dies"))
    _shared(wide, stays, dies)
    assignment = stays.health()["assignment"]
    dies.kill()
    again = wide.worker(name="dies", session_timeout_s=LONG_S)
    _shared(wide, stays, again)
    wide.assert_ledger()
    assert stays.health()["assignment"] == assignment
