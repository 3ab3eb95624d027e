"""Kafka away under load: the spool grows, readiness ends, and when it is back everything arrives, each hit once."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from sendtrail.local.kafka import KafkaBroker
from sendtrail.settings import KafkaSettings
from sendtrail.topics import EVENTS
from tests.producers.edge.test_workers import Visitors, leave, until
from tests.producers.forward.running import (
    PARTITIONS,
    ForwarderProcess,
    Ledger,
    kafka_settings,
    read_topic,
    wait_for_empty,
)
from tests.support.edge_process import Process

pytestmark = pytest.mark.stack
HITS = 1500


def test_everything_arrives_once_however_many_forwarders_there_are(tmp_path: Path) -> None:
    broker = KafkaBroker(tmp_path / "kafka")
    settings = KafkaSettings(bootstrap=broker.bootstrap, partitions=PARTITIONS)
    edge = Process(tmp_path, edge_processes=2, edge_ready_backlog_bytes=200_000, edge_segment_age_ms=100).start()
    crowd = [Visitors(edge, number * 1_000_000, keeps=True) for number in range(4)]
    one, two = (ForwarderProcess(settings, edge.spool) for _ in range(2))
    try:
        with one, two:
            for visitor in crowd:
                visitor.start()
            until(lambda: sum(len(visitor.answered) for visitor in crowd) > HITS, "hits without Kafka")
            assert edge.admin("/ready")[0] == 503
            os.kill(edge.pids()[0], signal.SIGKILL)  # its spool is an orphan: exactly one forwarder takes it over
            answered_so_far = [len(visitor.answered) for visitor in crowd]
            until(lambda: [len(visitor.answered) for visitor in crowd] > answered_so_far, "hits after the kill")
            leave(crowd)
            broker.start()
            broker.wait_ready()
            kafka_settings(broker.bootstrap, "")
            until(lambda: edge.admin("/ready")[0] == 200, "the backlog to go")
            assert edge.signal(signal.SIGTERM) == 0
            wait_for_empty(edge.spool)
            assert [one.stop(), two.stop()] == [0, 0]
        ledger = Ledger(read_topic(settings.bootstrap, EVENTS.name))
    finally:
        leave(crowd)
        edge.end()
        broker.kill()
    answered = {message for visitor in crowd for message in visitor.answered}
    arrived = [event.message for event in ledger.events().values()]
    assert answered <= set(arrived)
    assert len(arrived) == len(set(arrived)) <= len(answered) + len(crowd)
    assert ledger.copies == 0
    ledger.check_totals()
    assert "another_forwarder_has_the_directory" in one.log.read_text()
