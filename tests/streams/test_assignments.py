"""A worker that finds its state wiped; a broker that restarts under one. Several workers: test_rebalances.py."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from sendtrail.enriched import EventRow
from sendtrail.local.kafka import KafkaBroker
from tests.streams.running import Line, wait_for


def test_a_worker_with_wiped_state_rebuilds_it_and_emits_nothing_again(line: Line) -> None:
    old = line.send_some(25, packs=4)
    first = line.worker()
    line.wait_enriched()
    assert first.stop() == 0
    assert line.committed() == line.ends()
    before = line.ends()
    shutil.rmtree(line.directory / "worker" / line.source_id())
    line.send(old, remember=False)
    line.send_some(5)
    second = line.worker()
    line.assert_ledger()
    assert len(line.enriched()) == sum(line.ends().values())
    new = [read for read in line.enriched() if read.header.source_offset >= before[read.partition]]
    assert sum(isinstance(row, EventRow) for read in new for row in read.rows) == 5
    assert second.said("state rebuilt")
    resent = sum(minute.resent for read in new for minute in read.header.counts.values())
    assert resent == len(old)


def test_a_broker_that_restarts_loses_nothing(make_broker: Callable[[], KafkaBroker], tmp_path: Path) -> None:
    broker = make_broker()
    line = Line.make(broker.bootstrap, "", tmp_path)
    try:
        line.send_some(20, packs=3)
        line.worker()
        line.wait_enriched()
        broker.kill()
        broker.start()
        broker.wait_ready()
        line.send_some(20, packs=3)
        wait_for(lambda: line.workers[-1].process.poll() is not None or _enriched(line), explain=line.logs)
        if line.workers[-1].process.poll() is not None:
            assert line.workers[-1].wait() == 1
            line.worker()
        line.assert_ledger()
    finally:
        line.close()


def _enriched(line: Line) -> bool:
    return len(line.chain()) == sum(line.ends().values())
