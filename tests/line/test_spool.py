"""A running line gets the spool of an edge that is gone, again and again; a flood is stored and not counted."""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from sendtrail.links import Link, mint, url_of
from sendtrail.spool_files import segment_files
from tests.line.running import SENDTRAIL, Line, clean_environment
from tests.line.traffic import ADDRESS, DESTINATION, Mailing
from tests.support.edge_process import Process

HITS = 40
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def left(line: Line, tmp_path: Path) -> tuple[Mailing, Path]:
    """What an edge on another machine has written, of one delivery, when it was killed."""
    mailing, edge = Mailing(line), Process(tmp_path, keys_file=line.data / "keys.toml").start()
    try:
        for number in range(HITS):
            link = Link("click", mailing.delivery_key, number, number, 0, 1, DESTINATION)
            assert edge.get(urlsplit(url_of("", "click", mint(line.keys().active, link))).path) == 302
        for pid in edge.pids():
            edge.kill_worker(pid)
        edge.signal(signal.SIGKILL)
    finally:
        edge.end()
    return mailing, edge.spool


def forward(line: Line, directory: Path) -> dict[str, object]:
    [told] = line.lines("spool", "forward", str(directory), "--json")
    assert isinstance(told, dict)
    return told


def documented() -> list[str]:
    """The commands of docs/edge.md about files of a dead edge."""
    blocks = re.findall(r"```sh\n(.*?)```", (ROOT / "docs" / "edge.md").read_text(), re.DOTALL)
    [block] = [block for block in blocks if "spool forward" in block]
    return str(block).splitlines()


def test_files_of_a_dead_edge_count_once_however_often_they_are_forwarded(
    line: Line, left: tuple[Mailing, Path], tmp_path: Path
) -> None:
    mailing, spool = left
    copy = shutil.copytree(spool, tmp_path / "copy" / "edge")
    before = {path.name: path.read_bytes() for path in copy.iterdir()}
    assert [file.finished for file in segment_files(copy)].count(False) == 1
    environment = clean_environment(SENDTRAIL_LOCAL_DATA=str(line.data))
    environment["PATH"] = f"{Path(SENDTRAIL).parent}:{environment['PATH']}"
    for command in documented():
        done = subprocess.run(
            command, shell=True, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, command + done.stderr
    assert f"forwarded {HITS} events of" in done.stdout
    mailing.wait_for(HITS)
    told = forward(line, copy)
    assert (told["events"], told["salvaged"], told["whole"]) == (HITS, 0, True)
    line.audit()
    mailing.wait_for(HITS)
    assert {path.name: path.read_bytes() for path in copy.iterdir()} == before
    done = line.run("report", "indicators", "-d", str(mailing.delivery_key), "--live", "--format", "json")
    assert json.loads(done.stdout)["parts"]["indicators"]["total_click"] == HITS


def test_a_flood_is_stored_and_no_report_counts_it(line: Line) -> None:
    mailing, limit, sent = Mailing(line), 60, 75
    headers = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64) Firefox/130.0", "X-Forwarded-For": ADDRESS}
    with httpx.Client(trust_env=False) as client:
        for _ in range(sent):
            assert client.get(mailing.click, headers=headers).status_code == 302
    mailing.wait_for(sent)
    query = "SELECT flood, hit, position(reasons, 'flood') > 0, count() FROM {} GROUP BY ALL ORDER BY ALL"
    found = line.rows(query.format("v_events WHERE delivery_id = %(d)s"), d=mailing.delivery_key)
    assert found == [(0, 1, 0, limit), (1, 0, 1, sent - limit)]
