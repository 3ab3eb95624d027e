"""A full disk, one that can't be written, a clock that steps back: answers go on, what is lost is counted exactly."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import structlog

from producers.edge.counts import SAMPLES_PER_SECOND, BadLinks
from producers.edge.request import Request
from sendtrail.ids import id_time_ms
from sendtrail.settings import EdgeSettings
from sendtrail.spool_files import read_lost, segment_files
from sinks.audit_sources import spool_findings
from sinks.audit_tables import WHOLE
from tests.producers.edge.talking import lines, wait_until
from tests.support.disks import read_only_disk, small_disk
from tests.support.edge_process import Process
from tests.support.edges import Client, running_edge
from tests.support.spools import events, segments


def hits(edge: Process, first: int, number: int, size: int = 0) -> None:
    """So many opens on one connection, each answered with the picture."""
    with Client(edge.port) as client:
        for message in range(first, first + number):
            request = f"GET {edge.path(message=message)} HTTP/1.1\r\nHost: t\r\nUser-Agent: {'x' * size}\r\n\r\n"
            client.send(request.encode())
            assert client.answer().status == 200


def counted_lost(edge: Process) -> float:
    found = re.search(r'^sendtrail_spool_lost_total{spool="edge"} (\S+)$', edge.admin("/metrics")[1], re.MULTILINE)
    assert found is not None
    return float(found[1])


def ready(edge: Process, status: int) -> Callable[[], bool]:
    return lambda: edge.admin("/ready")[0] == status


def test_a_full_disk_costs_what_is_counted_and_nothing_else(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk") as disk:
        edge = Process(tmp_path, edge_spool_dir=disk.path, edge_segment_age_ms=50, edge_processes=2).start()
        try:
            hits(edge, 0, 20)
            disk.fill(edge.all_pids)
            hits(edge, 20, 60, size=2000)
            assert edge.admin("/ready")[0] == 503
            assert edge.admin("/health")[0] == 200
            disk.free(edge.all_pids)
            wait_until(ready(edge, 200))
            hits(edge, 80, 20)
            stored = {event.message for event in events(disk.path)}
            lost = read_lost(disk.path).events
            assert 0 < lost <= 60
            assert len(stored) == 100 - lost
            assert stored >= {*range(20), *range(80, 100)}
            assert counted_lost(edge) == lost
            assert [found.what.startswith(f"{lost} events") for found in spool_findings(disk.path, WHOLE)] == [True]
        finally:
            edge.end()


def test_a_disk_that_can_not_be_written_at_the_start(tmp_path: Path) -> None:
    with read_only_disk(tmp_path / "disk") as disk:
        edge = Process(tmp_path, edge_spool_dir=disk.path).start()
        try:
            disk.fill(edge.all_pids)
            hits(edge, 0, 15)
            assert edge.admin("/ready")[0] == 503
            assert '"lost": 15' in edge.admin("/health")[1]
            disk.free(edge.all_pids)
            wait_until(ready(edge, 200))
            hits(edge, 15, 5)
            assert [event.message for event in events(disk.path)] == list(range(15, 20))
            wait_until(lambda: read_lost(disk.path).events == 15)
            assert counted_lost(edge) == 15
        finally:
            edge.end()


def test_a_clock_that_steps_back(tmp_path: Path) -> None:
    now = [1_800_000_000_000]
    settings = EdgeSettings(port=0, header_timeout_s=0.2)
    with running_edge(tmp_path, settings, clock_ns=lambda: now[0] * 1_000_000) as edge, edge.client() as client:
        for step in (0, 1, -3_600_000, -3_599_999, -3_600_000, 5):
            now[0] = 1_800_000_000_000 + step
            client.send(lines(edge.path(message=4_000_000 + step)))
            assert client.answer().headers["date"].startswith(f"Fri, 15 Jan 2027 0{7 if step < 0 else 8}:00:0")
        with edge.client() as slow:
            slow.send(b"GET /o/x HT")
            now[0] -= 86_400_000
            assert slow.answer().status == 408
        found = edge.events()
    assert [event.message - 4_000_000 for event in found] == [0, 1, -3_600_000, -3_599_999, -3_600_000, 5]
    assert [id_time_ms(event.event_id) - 1_800_000_000_000 for event in found] == [
        event.message - 4_000_000 for event in found
    ]
    assert len({event.event_id for event in found}) == len(found)
    assert [event.index for event in found] == list(range(len(found)))
    assert [header.sequence for header, _ in segments(tmp_path)] == list(range(len(segment_files(tmp_path))))


def test_bad_links_are_told_after_a_step_back_too() -> None:
    links, request = BadLinks(), Request(b"GET", "/c/x", "192.0.2.1", {})
    with structlog.testing.capture_logs() as said:
        for at in [1_800_000_000_000] * (SAMPLES_PER_SECOND + 5) + [1_700_000_000_000]:
            links.count("malformed", request, at)
    assert len(said) == SAMPLES_PER_SECOND + 1
