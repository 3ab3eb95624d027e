"""Stored hits judged again by other rules on the running line: once, whatever dies, and back again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from sendtrail import process
from sendtrail.cli import reclassifying
from sendtrail.cli.main import app
from sendtrail.settings import ClickHouseSettings, Config
from sinks import lease
from streams.reclassify.run import RunDirectory
from tests.line.running import Line, clean_environment, until
from tests.line.test_machines import CHROME
from tests.line.traffic import Mailing
from tests.support.stack import random_name

ROOT = Path(__file__).parents[2]
NEW_RULES = """
[[agent]]
reason = "own_scanner"
contains = ["tulip watch"]
fires = [{ user_agent = "Chrome Tulip Watch" }]
spares = [{ user_agent = "Chrome" }]

[[agent]]
reason = "own_reader"
contains = ["rose reader"]
class = "human"
fires = [{ user_agent = "rose reader curl/8" }]
spares = [{ user_agent = "curl/8" }]
"""
Run = Callable[..., dict[str, Any]]
SCANNER, READER = f"{CHROME} Tulip Watch", "Rose Reader/1 curl/8"


def hit(*requests: tuple[str, str]) -> None:
    with httpx.Client() as client:
        for agent, url in requests:
            assert client.get(url, headers={"User-Agent": agent}).status_code in (200, 302)


def kill_at(line: Line, moment: str, *args: str) -> None:
    """The command in a process of its own that dies at this moment."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.line.reclassifier", moment, *args],
        cwd=ROOT, env=clean_environment(SENDTRAIL_LOCAL_DATA=str(line.data)), capture_output=True, text=True,
        timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == -signal.SIGKILL, done.stdout + done.stderr


@pytest.fixture
def run(line: Line, monkeypatch: pytest.MonkeyPatch) -> Run:
    """The command in this process, for which every hit is old enough; returns what it says as JSON."""
    monkeypatch.setenv("SENDTRAIL_LOCAL_DATA", str(line.data))
    monkeypatch.setattr(reclassifying, "AGE_MS", 0)
    monkeypatch.setattr(process, "setup_logging", lambda *_: None)  # logs and signals here are pytest's
    monkeypatch.setattr(process.StopSignal, "install", lambda self: self)

    def do(*args: str) -> dict[str, Any]:
        done = CliRunner().invoke(app, ["reclassify", *args, "--format", "json"], catch_exceptions=False)
        assert done.exit_code == 0, done.output
        found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])  # log lines of this process stand before it
        return found

    return do


def stored(mailing: Mailing) -> dict[tuple[str, str], tuple[Any, ...]]:
    """Kind and agent -> class, reasons, revision and the length of its history, as stored now."""
    rows = mailing.line.rows(
        "SELECT kind, user_agent, class, reasons, rev, length(history) FROM events FINAL WHERE delivery_id = %(d)s",
        d=mailing.delivery_key,
    )
    return {(kind, agent): tuple(judged) for kind, agent, *judged in rows}


@pytest.fixture
def ruleset(tmp_path: Path) -> str:
    (tmp_path / "own.toml").write_text(NEW_RULES)
    return str(tmp_path)


def test_a_run_is_exact_whatever_dies(line: Line, ruleset: str, run: Run) -> None:
    mailing = _mailing(line)
    before, of = stored(mailing), ("-d", mailing.name, "--ruleset", ruleset)
    expected = run(*of, "--dry-run")
    changes = {(one["kind"], one["before"], one["after"], one["reason"]): one["hits"] for one in expected["changes"]}
    assert changes == {
        ("open", "human", "machine", "own_scanner"): 1,
        ("click", "human", "machine", "own_scanner"): 1,
        ("click", "machine", "human", "own_reader"): 1,
    }
    assert stored(mailing) == before

    for moment in ("ready", "sent"):
        kill_at(line, moment, *of)
    assert run(*of)["relabels"] == 0
    assert stored(mailing) == {
        ("open", SCANNER): ("machine", "own_scanner", 1, 1),
        ("click", SCANNER): ("machine", "own_scanner", 1, 1),
        ("click", READER): ("human", "own_reader", 1, 1),
        ("open", CHROME): before["open", CHROME],
    }
    _as_told(mailing, expected)


def test_the_old_rules_take_it_back_and_nothing_is_forgotten(line: Line, ruleset: str, run: Run) -> None:
    mailing = _mailing(line)
    before, of = stored(mailing), ("-d", mailing.name, "--ruleset", ruleset)
    assert run(*of)["relabels"] == 3
    after = stored(mailing)
    assert {judged[2] for judged in after.values()} == {0, 1}
    assert run(*of)["relabels"] == 0
    assert stored(mailing) == after

    back = run("-d", mailing.name)
    assert back["relabels"] == 3
    assert {key: judged[:2] for key, judged in stored(mailing).items()} == {
        key: judged[:2] for key, judged in before.items()
    }
    event = line.rows(
        "SELECT lower(hex(event_id)) FROM events FINAL WHERE delivery_id = %(d)s AND user_agent = %(a)s",
        d=mailing.delivery_key, a=READER,
    )[0][0]  # fmt: skip
    traced = line.run("trace", event, "--no-topic").stdout
    assert "was machine (http_library;" in traced
    assert "was human (own_reader;" in traced
    assert f"run {back['run']})" in traced
    line.audit()


def _mailing(line: Line) -> Mailing:
    """Four hits of one message, stored."""
    mailing = Mailing(line, random_name("reclassified"))
    hit((SCANNER, mailing.pixel), (SCANNER, mailing.click), (READER, mailing.click), (CHROME, mailing.pixel))
    mailing.wait_for(4)
    known = "SELECT count() FROM touched WHERE delivery_id = %(d)s"  # a view's table, a moment behind the rows
    until(lambda: line.rows(known, d=mailing.delivery_key)[0][0] > 0, "the delivery is known")
    assert {judged[0] for judged in stored(mailing).values()} == {"human", "machine"}
    return mailing


def _as_told(mailing: Mailing, expected: dict[str, Any]) -> None:
    """The reports say what the dry run said they would, and everything adds up."""
    verified = mailing.line.run("verify", "-d", mailing.name, "--format", "json")
    assert json.loads(verified.stdout)["equal"], verified.stdout
    found = mailing.line.rows(
        "SELECT recipient_open_p, total_open_p, recipient_click_p, total_click_p, recipient_open, total_open, "
        "recipient_click, total_click FROM indicators_live WHERE delivery_id = %(d)s",
        d=mailing.delivery_key,
    )[0]
    names = ("recipient_open", "total_open", "recipient_click", "total_click")
    told = [expected["indicators"][cut][name]["after"] for cut in ("people", "all") for name in names]
    assert list(found) == told


def test_one_run_over_a_delivery_at_a_time(line: Line, ruleset: str) -> None:
    mailing = Mailing(line)
    hit((SCANNER, mailing.pixel))
    mailing.wait_for(1)
    command = ("reclassify", "-d", mailing.name, "--ruleset", ruleset)
    directory = RunDirectory(line.data / "reclassify" / f"{mailing.delivery_key:016x}")
    with directory.locked():
        told = line.refused(*command)
    assert f"already, by process {os.getpid()} on " in told
    clickhouse = Config({}).section(
        ClickHouseSettings, address=line.endpoints["clickhouse_native"], user=line.endpoints["user"],
        password=line.endpoints["password"], database=line.endpoints["database"],
    )  # fmt: skip
    with lease.held(clickhouse, "reclassify", str(mailing.delivery_key), "elsewhere:/x", "process 7 on elsewhere"):
        told = line.refused(*command)
    assert "runs already: process 7 on elsewhere" in told


def test_a_delivery_that_is_not_there_is_told(line: Line) -> None:
    assert "no delivery" in line.refused("reclassify", "-d", random_name("nobody"))
