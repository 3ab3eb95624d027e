"""The edge as a process: settings, keys, admin listener, SIGTERM, and kill -9 with a ledger."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from producers.edge import replies
from producers.spool_lock import is_orphan
from sendtrail import keyring
from sendtrail.keyring import Keyring
from sendtrail.links import Link, mint, url_of
from sendtrail.spool_files import segment_files
from tests.support.edge_process import Process
from tests.support.edges import Client
from tests.support.spools import events


@pytest.fixture
def edge(tmp_path: Path) -> Iterator[Process]:
    process = Process(tmp_path).start()
    yield process
    process.end()


def facts(edge: Process) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(edge.admin("/health")[1])
    return loaded


def wait_for_status(edge: Process, path: str, status: int) -> None:
    end = time.monotonic() + 20
    while edge.get(path) != status:
        assert time.monotonic() < end
        time.sleep(0.05)


def test_the_public_port_serves_hits_only(edge: Process) -> None:
    assert edge.get(edge.path()) == 200
    for path in ("/health", "/ready", "/metrics", "/"):
        assert edge.get(path) == 404


def test_the_admin_listener_tells_how_it_goes(edge: Process) -> None:
    edge.get(edge.path())
    edge.get("/c/forged")
    assert edge.admin("/ready")[0] == 200
    state = facts(edge)
    assert (state["ready"], state["lost"], state["spool_failing"]) == (True, 0, False)
    assert state["backlog_bytes"] > 0
    assert list(state["bad_links_per_minute"].values()) == [{"malformed": 1}]
    end = time.monotonic() + 20
    while 'sendtrail_edge_hits_total{kind="open"} 1.0' not in (metrics := edge.admin("/metrics")[1]):
        assert time.monotonic() < end
        time.sleep(0.05)
    assert 'sendtrail_edge_bad_links_total{reason="malformed"} 1.0' in metrics
    assert 'sendtrail_edge_requests_total{kind="page",status="404"} 1.0' in metrics


def test_a_backlog_ends_readiness_and_nothing_else(tmp_path: Path) -> None:
    edge = Process(tmp_path, edge_ready_backlog_bytes=100).start()
    try:
        assert edge.admin("/ready")[0] == 200
        assert edge.get(edge.path()) == 200
        assert edge.admin("/ready")[0] == 503
        assert edge.get(edge.path()) == 200
        assert edge.admin("/health")[0] == 200
    finally:
        edge.end()


def test_sigterm_finishes_the_segment_and_ends_well(edge: Process) -> None:
    with Client(edge.port) as client:
        for _ in range(5):
            client.send(f"GET {edge.path()} HTTP/1.1\r\nHost: t\r\n\r\n".encode())
            client.answer()
        assert edge.signal(signal.SIGTERM) == 0
        assert client.closed()
    assert [file.finished for file in segment_files(edge.spool)] == [True]
    assert len(events(edge.spool)) == 5
    assert not list(edge.spool.glob("*.lock"))


def test_a_key_revoked_while_it_runs_is_not_followed_any_more(edge: Process) -> None:
    path = edge.path("click", destination="https://example.com/")
    assert edge.get(path) == 302
    keyring.save(edge.key_file, edge.keys.with_state(edge.keys.active.key_id, "revoked"))
    wait_for_status(edge, path, 200)
    edge.key_file.write_text("not a key file")
    time.sleep(1.2)
    assert edge.get(path) == 200
    keyring.save(edge.key_file, edge.keys)
    wait_for_status(edge, path, 302)


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"edge_port": "eighty"}, "edge.port"),
        ({"edge_prot": 80}, "SENDTRAIL_EDGE_PROT"),
        ({"edge_trusted_proxies": "10.0.0.0/8,proxy"}, "edge.trusted_proxies"),
        ({"keys_file": "/nowhere/keys.toml"}, "/nowhere/keys.toml"),
    ],
)
def test_settings_that_do_not_fit_are_named(tmp_path: Path, settings: dict[str, object], named: str) -> None:
    edge = Process(tmp_path, **settings)
    ended = subprocess.run(
        [sys.executable, "-m", "producers.edge.main"],
        env=os.environ | edge.environment, capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    assert ended.returncode == 3
    assert named in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_port_in_use_is_said(edge: Process, tmp_path: Path) -> None:
    other = Process(tmp_path / "other", edge_port=edge.port)
    ended = subprocess.run(
        [sys.executable, "-m", "producers.edge.main"],
        env=os.environ | other.environment, capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    assert ended.returncode == 1
    assert "address_unusable" in ended.stderr
    assert "Traceback" not in ended.stderr


class Ledger(threading.Thread):
    """A client that sends one hit after another and writes down which were answered."""

    def __init__(self, port: int, keys: Keyring, first: int) -> None:
        super().__init__()
        self._port = port
        self._keys = keys
        self._first = first
        self.answered: list[int] = []

    def run(self) -> None:
        with Client(self._port) as client:
            for message in range(self._first, self._first + 100_000):
                path = url_of("", "open", mint(self._keys.active, Link("open", 17, message, 99)))
                try:
                    client.send(f"GET {path} HTTP/1.1\r\nHost: t\r\n\r\n".encode())
                    answer = client.answer()
                except (OSError, EOFError):
                    return
                assert answer.body == replies.GIF
                self.answered.append(message)


@pytest.mark.parametrize("kills", [[signal.SIGKILL, signal.SIGKILL, signal.SIGTERM]])
def test_every_answered_hit_is_in_the_spool(tmp_path: Path, kills: list[signal.Signals]) -> None:
    edge = Process(tmp_path, edge_segment_age_ms=50)
    answered: list[int] = []
    for turn, number in enumerate(kills):
        edge.start()
        ledgers = [Ledger(edge.port, edge.keys, (10 * turn + client) * 100_000) for client in range(6)]
        for ledger in ledgers:
            ledger.start()
        time.sleep(0.5)
        edge.signal(number)
        for ledger in ledgers:
            ledger.join()
            answered += ledger.answered
        edge.end()
    stored = [event.message for event in events(edge.spool)]
    assert len(answered) > 100
    assert set(answered) <= set(stored)
    assert len(stored) == len(set(stored))
    assert len(stored) - len(answered) <= 6 * len(kills)
    assert all(is_orphan(edge.spool, file.spool) for file in segment_files(edge.spool))
