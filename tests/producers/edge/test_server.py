"""The edge over real sockets: answers in order, each after its event is in the spool; trouble is counted."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from producers.edge import replies
from producers.edge.pages import load
from sendtrail.settings import EdgeSettings
from sendtrail.spool_files import read_lost
from tests.producers.edge.talking import lines, wait_until
from tests.support.edges import Edge, running_edge
from tests.support.spools import files_up_to

PAGES = load().of(None)


@pytest.fixture
def edge(tmp_path: Path) -> Iterator[Edge]:
    with running_edge(tmp_path / "spool", EdgeSettings(port=0)) as running:
        yield running


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
