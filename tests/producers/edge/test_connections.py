"""How long a connection to the edge lives: what clients say of it, idle ones, slow ones, too many."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from producers.edge.pages import load
from sendtrail.settings import EdgeSettings
from tests.producers.edge.talking import lines, wait_until
from tests.support.edges import Edge, running_edge


@pytest.fixture
def edge(tmp_path: Path) -> Iterator[Edge]:
    with running_edge(tmp_path / "spool", EdgeSettings(port=0)) as running:
        yield running


@pytest.fixture
def hasty(tmp_path: Path) -> Iterator[Edge]:
    """Short times."""
    with running_edge(tmp_path / "spool", EdgeSettings(port=0, header_timeout_s=0.2, idle_timeout_s=0.4)) as running:
        yield running


def test_connection_close_is_honoured(edge: Edge) -> None:
    with edge.client() as client:
        client.send(lines(edge.path(), "Connection: close") + lines(edge.path(message=8)))
        assert client.answer().headers["connection"] == "close"
        assert client.closed()
    assert [event.message for event in edge.events()] == [7]


@pytest.mark.parametrize(("header", "kept"), [("X-None: 1", False), ("Connection: keep-alive", True)])
def test_http_1_0(edge: Edge, header: str, kept: bool) -> None:
    with edge.client() as client:
        client.send(lines(edge.path(), header, version="1.0"))
        assert client.answer().headers["connection"] == ("keep-alive" if kept else "close")
        if kept:
            client.send(lines(edge.path(), header, version="1.0"))
            assert client.answer().status == 200
        else:
            assert client.closed()


def test_a_client_that_stops_sending_still_gets_its_answers(edge: Edge) -> None:
    with edge.client() as client:
        client.send(lines(edge.path()) * 3)
        client.socket.shutdown(1)
        assert [client.answer().status for _ in range(3)] == [200] * 3
        assert client.closed()


@pytest.mark.parametrize("upgrade", ["h2c", "websocket"])
def test_an_upgrade_is_not_accepted_and_nothing_is_lost(edge: Edge, upgrade: str) -> None:
    with edge.client() as client:
        client.send(lines(edge.path(), "Connection: Upgrade", f"Upgrade: {upgrade}") + lines(edge.path(message=8)))
        assert [client.answer().status for _ in range(2)] == [200, 200]
    assert [event.message for event in edge.events()] == [7, 8]


def test_a_tunnel_is_refused(edge: Edge) -> None:
    with edge.client() as client:
        client.send(b"CONNECT example.com:443 HTTP/1.1\r\nHost: example.com\r\n\r\nanything")
        assert client.answer().status == 405
        assert client.closed()


def test_a_client_that_asks_before_sending_its_body(edge: Edge) -> None:
    with edge.client() as client:
        client.send(lines(edge.path("optout"), "Content-Length: 3", "Expect: 100-continue", method="POST"))
        assert client.answer().status == 100
        client.send(b"a=b")
        assert client.answer().body == load().of(None).optout_done.body


def test_a_slow_head_is_cut_off(hasty: Edge) -> None:
    with hasty.client() as client:
        client.send(b"GET /o/x HTTP/1.1\r\nX: ")
        for _ in range(8):
            time.sleep(0.05)
            client.send(b"x")
        assert client.answer().status == 408


@pytest.mark.parametrize("sent", [b"", b"GE", b"\r\n"])
def test_a_silent_connection_is_closed(hasty: Edge, sent: bytes) -> None:
    with hasty.client() as client:
        client.send(sent)
        assert client.closed()


def test_a_connection_that_answered_is_closed_when_idle(hasty: Edge) -> None:
    with hasty.client() as client:
        client.send(lines(hasty.path()))
        assert client.answer().status == 200
        assert client.closed()


def test_too_many_connections_cost_an_idle_one(tmp_path: Path) -> None:
    with running_edge(tmp_path, EdgeSettings(port=0, max_connections=4)) as edge:
        clients = [edge.client() for _ in range(4)]
        wait_until(lambda: edge.server.connections == 4)
        with edge.client() as late:
            late.send(lines(edge.path()))
            assert late.answer().status == 200
            assert clients[0].closed()
        for client in clients:
            client.socket.close()


def test_too_many_busy_connections_refuse_the_next(tmp_path: Path) -> None:
    with running_edge(tmp_path, EdgeSettings(port=0, max_connections=2)) as edge:
        busy = [edge.client() for _ in range(2)]
        for client in busy:
            client.send(b"GET /o/x HT")
        wait_until(lambda: edge.server.connections == 2)
        time.sleep(0.1)
        with edge.client() as late:
            assert late.closed()
        for client in busy:
            client.send(b"TP/1.1\r\n\r\n")
            assert client.answer().status == 200
            client.socket.close()
