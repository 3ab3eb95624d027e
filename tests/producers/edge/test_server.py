"""The edge over real sockets: order, limits, timeouts, and neighbours that are never lost."""

import random
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from producers.edge import replies
from producers.edge.pages import load
from sendtrail.settings import EdgeSettings
from sendtrail.spool_files import read_lost
from tests.support.edges import Edge, running_edge
from tests.support.spools import files_up_to

PAGES = load().of(None)


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


@pytest.fixture
def hasty(tmp_path: Path) -> Iterator[Edge]:
    """Short times."""
    with running_edge(tmp_path / "spool", EdgeSettings(port=0, header_timeout_s=0.2, idle_timeout_s=0.4)) as running:
        yield running


def wait_until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.01)


def lines(path: str, *headers: str, method: str = "GET", version: str = "1.1") -> bytes:
    return "\r\n".join([f"{method} {path} HTTP/{version}", "Host: t", *headers, "", ""]).encode()


# Answers and spool


def test_the_event_is_in_the_spool_when_the_answer_arrives(edge: Edge) -> None:
    with edge.client() as client:
        for message in range(20):
            client.send(lines(edge.path(message=message), "User-Agent: Agent/1"))
            assert client.answer().body == replies.GIF
            assert [event.message for event in edge.events()] == list(range(message + 1))
    assert {(event.address, event.user_agent) for event in edge.events()} == {("127.0.0.1", "Agent/1")}


def test_pipelined_requests_are_answered_in_their_order(edge: Edge) -> None:
    paths = [edge.path("click", f"https://example.com/{number}", number) for number in range(200)]
    with edge.client() as client:
        client.send(b"".join(lines(path) for path in paths))
        locations = [client.answer().headers["location"] for _ in paths]
    assert locations == [f"https://example.com/{number}" for number in range(200)]
    assert [event.message for event in edge.events()] == list(range(200))


def test_a_request_may_come_byte_by_byte(edge: Edge) -> None:
    data = lines(edge.path(), "User-Agent: slow") + lines(edge.path(message=8))
    with edge.client() as client:
        for position in range(len(data)):
            client.send(data[position : position + 1])
        assert [client.answer().status for _ in range(2)] == [200, 200]
    assert [(event.message, event.user_agent) for event in edge.events()] == [(7, "slow"), (8, "")]


def test_an_optout_from_page_to_confirmation(edge: Edge) -> None:
    path = edge.path("optout")
    assert edge.get(path).body == PAGES.optout.body
    with edge.client() as client:
        body = b"optout=confirm"
        client.send(lines(path, f"Content-Length: {len(body)}", method="POST") + body)
        assert client.answer().body == PAGES.optout_done.body
        chunked = b"4\r\nList\r\n16\r\n-Unsubscribe=One-Click\r\n0\r\n\r\n"
        client.send(lines(path, "Transfer-Encoding: chunked", method="POST") + chunked)
        assert client.answer().body == PAGES.optout_done.body
    assert [event.how for event in edge.events()] == ["view", "form", "one_click"]


def test_pages_forbid_scripts_and_framing(edge: Edge) -> None:
    for path in (edge.path("optout"), "/nowhere"):
        headers = edge.get(path).headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert "no-store" in headers["cache-control"]


def test_head_has_no_body_and_the_next_answer_follows(edge: Edge) -> None:
    with edge.client() as client:
        client.send(lines(edge.path(), method="HEAD") + lines(edge.path()))
        assert client.answer(head=True).headers["content-length"] == "43"
        assert client.answer().body == replies.GIF
    assert [event.hints for event in edge.events()] == [["head"], []]


# Connections


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
        assert client.answer().body == PAGES.optout_done.body


# Bad neighbours


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


# Limits


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


def test_too_many_connections_cost_an_idle_one(strict: Edge) -> None:
    clients = [strict.client() for _ in range(4)]
    wait_until(lambda: strict.server.connections == 4)
    with strict.client() as late:
        late.send(lines(strict.path()))
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


def test_a_client_that_never_reads_is_not_read_either(strict: Edge) -> None:
    with strict.client() as client:
        client.socket.settimeout(0.3)
        flood = lines(strict.path("optout")) * 300_000
        with pytest.raises((TimeoutError, ConnectionError)):
            client.send(flood)
    assert strict.get(strict.path()).status == 200


# Spool trouble, counting, stopping


def test_a_full_disk_is_counted_and_answered(edge: Edge) -> None:
    with edge.client() as client:
        with files_up_to(0):
            client.send(lines(edge.path()))
            assert client.answer().body == replies.GIF
            assert edge.server.spool.failing
        wait_until(lambda: not edge.server.spool.failing)
        client.send(lines(edge.path(message=8)))
        assert client.answer().body == replies.GIF
    assert edge.server.spool.lost == 1
    wait_until(lambda: read_lost(edge.directory).events in (0, 1))
    assert [event.message for event in edge.events()] == [8]


def test_bad_links_are_counted_per_minute_and_reason(edge: Edge) -> None:
    for path in ("/c/abc", "/c/abc", "/o/abc", "/nowhere"):
        edge.get(path)
    counted: dict[str, int] = {}
    for reasons in edge.server.bad_links.per_minute().values():
        for reason, number in reasons.items():
            counted[reason] = counted.get(reason, 0) + number
    assert counted == {"malformed": 3, "not_a_link": 1}
    assert edge.events() == []


def test_a_stopping_edge_finishes_what_it_has_begun(tmp_path: Path) -> None:
    with running_edge(tmp_path, EdgeSettings(port=0)) as edge:
        idle, busy = edge.client(), edge.client()
        busy.send(lines(edge.path())[:30])
        wait_until(lambda: edge.server.connections == 2)
        time.sleep(0.1)
        rest = lines(edge.path())[30:]
        threading.Timer(0.3, lambda: busy.send(rest)).start()
        edge.run(lambda: edge.server.stop(10))
        assert busy.answer().headers["connection"] == "close"
        assert idle.closed()
        assert len(edge.events()) == 1
        idle.socket.close()
        busy.socket.close()
