"""A producer gone bad: the worker holds and says so, an operator lets it go on, and everything is accounted for."""

from __future__ import annotations

import json
import os
import subprocess
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from typer.testing import CliRunner

from sendtrail.cli.line_status import _held
from sendtrail.cli.main import app
from sendtrail.enriched import EventRow
from sendtrail.events import encode
from sendtrail.packs import PackHeader, headers_of
from streams.hold import Hold, ask_to_pass, read_held
from streams.items import RejectLimit
from streams.progress import Part
from streams.state.keys import REJECT_RATE
from streams.state.reject_rate import MINUTE_MS, RejectRate, rate_value, read_rate
from tests.line.running import run
from tests.streams.making import NOW, SPOOL, Line, constants, hit, raw_source, source
from tests.streams.running import Line as RunningLine
from tests.streams.running import WorkerProcess, wait_for

LIMIT = RejectLimit(0.5, 10, 5)


def line(limit: RejectLimit | None = LIMIT) -> Line:
    return Line(constants=constants(reject_limit=limit))


def rate(of: Line) -> RejectRate:
    return read_rate(of.stored.get(REJECT_RATE))


def bad(offset: int, lines: int, minute: int = 0) -> Any:
    return raw_source(offset, [b"{%d" % (offset * 1000 + n) for n in range(lines)], NOW + minute * MINUTE_MS)


def good(offset: int, events: int, minute: int = 0) -> Any:
    some = [hit(offset * 1000 + n, at=NOW, message=n) for n in range(events)]
    return source(offset, some, spool=f"{offset:032x}", time_ms=NOW + minute * MINUTE_MS)


def test_a_rate_is_above_with_enough_rejects_among_few_events() -> None:
    fed = line()
    fed.feed(bad(0, 9))
    assert not rate(fed).is_above(LIMIT)
    fed.feed(bad(1, 1))
    assert rate(fed).within(LIMIT) == (10, {"undecodable": 10})
    assert rate(fed).is_above(LIMIT)
    fed.feed(good(2, 10))
    assert rate(fed).within(LIMIT)[0] == 20
    assert not rate(fed).is_above(LIMIT)


def test_a_window_of_log_time_is_looked_at() -> None:
    fed = line()
    fed.feed(bad(0, 20), good(1, 1, minute=4))
    assert rate(fed).is_above(LIMIT)
    fed.feed(good(2, 1, minute=5))
    assert not rate(fed).is_above(LIMIT)
    fed.feed(good(3, 1, minute=500))
    assert len(rate(fed).minutes) == 1


def test_a_record_that_is_read_again_is_not_counted_twice() -> None:
    fed = line()
    records = [bad(0, 3), good(1, 2), bad(2, 3)]
    fed.feed(*records)
    once = rate(fed)
    fed.feed(*records)
    assert rate(fed) == once
    dead = line()
    dead.feed(*records, keep=False)
    assert rate(dead).minutes == []


def test_refused_records_count_as_their_events_and_what_webhooks_set_aside_does_not() -> None:
    fed = line()
    aside = hit(1, original="{}", reason="unattributed")
    fed.feed(raw_source(0, [encode(aside)] * 3), good(1, 1))
    assert rate(fed).within(LIMIT) == (4, {})
    broken = raw_source(2, [b"x"] * 3)
    header = headers_of(PackHeader(SPOOL, 0, 0, 6, 7))
    fed.feed(broken._replace(headers=header))
    assert rate(fed).within(LIMIT) == (11, {"bad_pack": 7})


def test_what_is_let_pass_is_so_until_the_rate_was_below_the_limit() -> None:
    fed = line()
    fed.feed(bad(0, 20))
    passing = rate(fed)
    passing.let_pass = True
    fed.stored[REJECT_RATE] = rate_value(passing)
    fed.feed(bad(1, 20))
    assert rate(fed).let_pass
    fed.feed(good(2, 100))
    assert not rate(fed).let_pass


def test_without_a_limit_nothing_is_counted() -> None:
    fed = line(None)
    fed.feed(bad(0, 20))
    assert REJECT_RATE not in fed.stored


def test_where_nobody_holds_or_answers_it_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SENDTRAIL_STREAMS_STATE_DIR", str(tmp_path))
    none = CliRunner().invoke(app, ["rejects", "pass"])
    assert (none.exit_code, "no worker on" in none.output) == (1, True)
    (tmp_path / "held.json").write_text('[{"partition": 3, "events": 9, "rejected": {"bad_field": 8}}]')
    dead = CliRunner().invoke(app, ["rejects", "pass", "--wait", "1"])
    assert (dead.exit_code, "does not answer" in dead.output) == (1, True)
    assert not (tmp_path / "pass").exists()
    (row,) = _held(tmp_path)
    assert (row.well, "of 9 events were rejected 8 bad_field" in row.state) == (False, True)


def test_a_wish_of_long_ago_lets_nobody_pass(tmp_path: Path) -> None:
    fed, wish = line(), tmp_path / "pass"
    fed.feed(bad(0, 20))
    part = cast(Part, SimpleNamespace(partition=0, store=_Stored(fed)))
    hold = Hold(tmp_path, LIMIT)
    assert hold.look([part])
    ask_to_pass(tmp_path)
    os.utime(wish, (0, 0))
    assert hold.look([part])
    assert not wish.exists()
    ask_to_pass(tmp_path)
    assert not hold.look([part])
    assert rate(fed).let_pass
    assert read_held(tmp_path) == []


@dataclass
class _Stored:
    """The part of a store that holding asks for, over a line in memory."""

    line: Line
    applied = 1

    def read(self, keys: list[bytes]) -> list[bytes | None]:
        return [self.line.stored.get(key) for key in keys]

    def write(self, written: dict[bytes, bytes], applied: int) -> None:
        self.line.stored.update(written)

    def flush(self, wait: bool) -> None:
        """It is in memory."""


def _spoil(running: RunningLine, packs: int) -> int:
    """Packs of lines that are no events, to every partition; returns how many lines."""
    for partition in range(running.partitions):
        for number in range(packs):
            lines = b"\n".join(b"{%d-%d" % (number, n) for n in range(50))
            header = headers_of(PackHeader(running.spool, 7, number * 50, number * 50 + 49, 50))
            running.send_raw(partition, lines, header)
    running.producer.flush()
    return running.partitions * packs * 50


def _rejects(running: RunningLine, *args: str) -> subprocess.CompletedProcess[str]:
    where = {"SENDTRAIL_STREAMS_STATE_DIR": str(running.directory / "worker")}
    return run("rejects", *args, cwd=running.directory, variables=where)


def _holds(worker: WorkerProcess) -> bool:
    try:
        return bool(worker.health()["held"])
    except (IndexError, OSError):  # it has not begun to listen
        return False


def _all_passed(running: RunningLine) -> bool:
    """Let pass what holds by now; True once the source is processed to its end."""
    if read_held(running.directory / "worker"):
        ask_to_pass(running.directory / "worker")
    return running.committed() == running.ends()


def _metric(worker: WorkerProcess, name: str) -> float:
    address = json.loads(next(text for text in worker.log.read_text().splitlines()[::-1] if '"admin"' in text))["admin"]
    with urllib.request.urlopen(f"{address}/metrics", timeout=10) as answer:
        page = answer.read().decode()
    return float(next(text for text in page.splitlines() if text.startswith(name + " ")).split()[1])


def test_a_broken_producer_makes_the_worker_hold_until_it_is_let_pass(line: RunningLine) -> None:
    worker = line.worker(reject_limit_events=100, batch_records=4)
    line.send_some(20)
    line.wait_enriched()
    spoilt = _spoil(line, 40)
    line.send_some(20)
    wait_for(lambda: _holds(worker), explain=line.logs)
    health, held = worker.health(), read_held(line.directory / "worker")
    assert not health["ready"]
    assert health["held"] == [one._asdict() for one in held]
    assert {reason for one in held for reason in one.rejected} == {"undecodable"}
    assert _metric(worker, "sendtrail_streams_held_partitions") == len(held) > 0
    assert worker.said("too much is rejected: the worker holds")
    assert sum(health["partitions"][number]["done"] for number in health["partitions"]) < sum(line.ends().values())

    assert worker.stop() == 0
    again = line.worker(reject_limit_events=100, batch_records=4)
    wait_for(lambda: _holds(again), explain=line.logs)
    assert sum(line.committed().values()) < sum(line.ends().values())

    done = _rejects(line, "pass")
    assert (done.returncode, "the worker goes on" in done.stdout) == (0, True), done.stderr
    wait_for(lambda: _all_passed(line), explain=line.logs)  # the other partition may come to hold only now
    chain = line.wait_enriched()
    rows = [row for read in chain for row in read.rows if isinstance(row, EventRow)]
    assert len(rows) == len(line.sent) == 40
    assert {row.event_id for row in rows} == set(line.sent)
    assert len(line.rejects(chain)) == spoilt
    assert again.health()["ready"]
    assert not read_held(line.directory / "worker")
