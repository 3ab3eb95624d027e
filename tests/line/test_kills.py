"""Every process of the stack dies under traffic: it comes back, and each answered hit is stored once."""

from __future__ import annotations

import os
import signal

from tests.line.running import SERVICES, Line, until
from tests.line.traffic import Mailing, Traffic

_KILLED = ("edge", "forward", "worker", "loader", "engine", "kafka")
_WHILE_DOWN = 200


def test_whatever_is_killed_starts_again_and_no_hit_is_lost_or_doubled(line: Line) -> None:
    traffic = Traffic(Mailing(line))
    with traffic.going_on():
        for service in _KILLED:
            traffic.wait_for_more(30)
            line.kill(service)
            traffic.wait_for_more(30)
    assert f"{_KILLED[-1]} ended with code -9" in line.output.read_text()
    until(lambda: set(line.services()) == set(SERVICES), "every service runs")
    traffic.check()
    line.audit()


def test_hits_are_answered_while_kafka_stands_still(line: Line) -> None:
    traffic = Traffic(Mailing(line))
    with traffic.going_on():
        traffic.wait_for_more(20)
        kafka = line.services()["kafka"]
        os.kill(kafka.pid, signal.SIGSTOP)
        try:
            traffic.wait_for_more(_WHILE_DOWN)
        finally:
            os.kill(kafka.pid, signal.SIGCONT)
        traffic.wait_for_more(20)
    assert traffic.unknown == set()
    traffic.check()
    line.audit()
