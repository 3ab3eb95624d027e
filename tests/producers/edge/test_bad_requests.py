"""Requests the edge refuses, by their form or their size, and neighbours that are never lost."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from sendtrail.settings import EdgeSettings
from tests.producers.edge.talking import lines
from tests.support.edges import Edge, running_edge


@pytest.fixture
def edge(tmp_path: Path) -> Iterator[Edge]:
    with running_edge(tmp_path / "spool", EdgeSettings(port=0)) as running:
        yield running


@pytest.fixture
def strict(tmp_path: Path) -> Iterator[Edge]:
    """Small limits."""
    settings = EdgeSettings(port=0, max_head_bytes=8192, max_body_bytes=1000, max_connections=4)
    with running_edge(tmp_path / "spool", settings) as running:
        yield running


@pytest.mark.parametrize(
    "garbage",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",  # TLS on a plain port
        b"NONSENSE\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /o/x HTTP/1.1\r\nHost: t\r\nBad Header: 1\r\n\r\n",
        b"GET /o/x HTTP/1.1\r\nA: b\r\n folded\r\n\r\n",
        b"POST /u/x HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"POST /u/x HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"POST /u/x HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"POST /u/x HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"GET /o/x\x00y HTTP/1.1\r\n\r\n",
    ],
)
def test_a_bad_request_costs_its_neighbours_nothing(edge: Edge, garbage: bytes) -> None:
    with edge.client() as before, edge.client() as bad, edge.client() as after:
        bad.send(lines(edge.path(message=1)) + lines(edge.path(message=2)) + garbage + lines(edge.path(message=9)))
        before.send(lines(edge.path(message=3)))
        after.send(lines(edge.path(message=4)))
        assert [bad.answer().status for _ in range(3)] == [200, 200, 400]
        assert bad.closed()
        assert before.answer().status == after.answer().status == 200
        before.send(lines(edge.path(message=5)))
        assert before.answer().status == 200
    assert sorted(event.message for event in edge.events()) == [1, 2, 3, 4, 5]


def test_a_refusal_has_the_date_of_now(tmp_path: Path) -> None:
    seconds = iter([1_800_000_000, 1_800_000_001, 1_800_003_661])
    clock = {"clock_ns": lambda: next(seconds) * 1_000_000_000}
    with running_edge(tmp_path, EdgeSettings(port=0), **clock) as edge, edge.client() as client:
        assert edge.get(edge.path()).headers["date"] == "Fri, 15 Jan 2027 08:00:01 GMT"
        client.send(b"GARBAGE\r\n\r\n")
        assert client.answer().headers["date"] == "Fri, 15 Jan 2027 09:01:01 GMT"


def test_a_request_that_fails_inside_costs_its_neighbours_nothing(tmp_path: Path) -> None:
    calls = iter(range(100))

    def failing(count: int) -> bytes:
        if next(calls) == 1:
            raise OSError("no randomness")
        return bytes(count)

    with running_edge(tmp_path, EdgeSettings(port=0), random_bytes=failing) as edge, edge.client() as client:
        client.send(b"".join(lines(edge.path(message=message)) for message in range(3)))
        assert [client.answer().status for _ in range(3)] == [200, 404, 200]
        assert [event.message for event in edge.events()] == [0, 2]


def test_random_bytes_never_stop_the_edge(edge: Edge) -> None:
    chance = random.Random(7)
    whole = (
        lines(edge.path(), "User-Agent: x") + lines(edge.path("optout"), "Content-Length: 3", method="POST") + b"a=b"
    )
    for _ in range(150):
        damaged = bytearray(whole)
        for _ in range(chance.randrange(1, 6)):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        with edge.client() as client:
            client.send(bytes(damaged) if chance.random() < 0.8 else chance.randbytes(chance.randrange(1, 2000)))
            client.socket.shutdown(1)
            received = b""
            while data := client.socket.recv(65536):
                received += data
        assert b"HTTP/1.1 5" not in received
        assert b"Traceback" not in received
    assert edge.get(edge.path(message=1234)).status == 200
    assert edge.events()[-1].message == 1234


@pytest.mark.parametrize(("size", "status"), [(7000, 200), (17_000, 431), (400_000, 431)])
def test_headers_have_a_limit(strict: Edge, size: int, status: int) -> None:
    assert strict.get(strict.path(), f"X-Large: {'x' * size}\r\n").status == status


@pytest.mark.parametrize(("size", "status"), [(7000, 404), (17_000, 414), (400_000, 414)])
def test_a_target_has_a_limit(strict: Edge, size: int, status: int) -> None:
    assert strict.get("/c/" + "x" * size).status == status


def test_a_head_within_the_limit_passes_wherever_it_is_cut(strict: Edge) -> None:
    data = lines(strict.path(), "X-Large: " + "x" * 7800)
    with strict.client() as client:
        client.send(data * 12)
        assert [client.answer().status for _ in range(12)] == [200] * 12


@pytest.mark.parametrize("declared", [True, False])
def test_a_body_has_a_limit(strict: Edge, declared: bool) -> None:
    path = strict.path("optout")
    with strict.client() as client:
        if declared:
            client.send(lines(path, "Content-Length: 1001", method="POST"))
        else:
            client.send(lines(path, "Transfer-Encoding: chunked", method="POST") + b"3e9\r\n" + b"x" * 1001)
        assert client.answer().status == 413
        assert client.closed()
    assert strict.events() == []


def test_chunks_that_never_end_are_refused(strict: Edge) -> None:
    with strict.client() as client:
        client.send(lines(strict.path("optout"), "Transfer-Encoding: chunked", method="POST"))
        client.send(b"1;" + b"e" * 30_000)
        assert client.answer().status in (413, 431)


def test_a_trailer_says_nothing_about_the_client(tmp_path: Path) -> None:
    settings = EdgeSettings(port=0, trusted_proxies=["127.0.0.1"])
    with running_edge(tmp_path, settings) as edge, edge.client() as client:
        head = lines(edge.path("optout"), "X-Forwarded-For: 192.0.2.1", "Transfer-Encoding: chunked", method="POST")
        client.send(head + b"0\r\nX-Forwarded-For: 192.0.2.66\r\n\r\n")
        assert client.answer().status == 200
        assert [event.address for event in edge.events()] == ["192.0.2.1"]


def test_a_refused_client_can_read_why_although_it_sends_on(strict: Edge) -> None:
    with strict.client() as client:
        client.send(lines(strict.path("optout"), "Content-Length: 500000", method="POST") + b"x" * 500_000)
        assert client.answer().status == 413


def test_a_client_that_never_reads_is_not_read_either(strict: Edge) -> None:
    with strict.client() as client:
        client.socket.settimeout(0.3)
        flood = lines(strict.path("optout")) * 300_000
        with pytest.raises((TimeoutError, ConnectionError)):
            client.send(flood)
    assert strict.get(strict.path()).status == 200
