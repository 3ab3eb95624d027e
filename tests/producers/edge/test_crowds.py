"""Many from one address, floods of one link, and who is behind a proxy, over real sockets."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from prometheus_client import REGISTRY

from producers.edge import replies
from sendtrail.settings import EdgeSettings
from tests.producers.edge.talking import lines, wait_until
from tests.producers.edge.test_proxy_protocol import BAD, version_2
from tests.support.edges import Edge, running_edge


@pytest.fixture
def behind(tmp_path: Path) -> Iterator[Edge]:
    """An edge behind a proxy that speaks the PROXY protocol, with room for two connections of an address."""
    settings = EdgeSettings(
        port=0, trusted_proxies=["127.0.0.1"], proxy_protocol=True, max_connections_per_address=2, header_timeout_s=0.2
    )
    with running_edge(tmp_path, settings) as running:
        yield running


@contextmanager
def refusing(reason: str) -> Iterator[None]:
    """What is done meanwhile is refused for this reason, and counted."""

    def counted() -> float:
        return REGISTRY.get_sample_value("sendtrail_edge_bad_requests_total", {"reason": reason}) or 0

    before = counted()
    yield
    wait_until(lambda: counted() > before)


def test_a_flood_of_one_link_is_answered_and_stored_with_a_hint(tmp_path: Path) -> None:
    with running_edge(tmp_path, EdgeSettings(port=0, flood_hits_per_minute=5)) as edge, edge.client() as client:
        click = edge.path("click", "https://example.com/")
        client.send(lines(click) * 8 + lines(edge.path(message=8)) + lines(click, "Sec-GPC: 1"))
        answers = [client.answer() for _ in range(10)]
        assert [answer.status for answer in answers] == [302] * 8 + [200, 302]
        assert [event.hints for event in edge.events()] == [[]] * 5 + [["flood"]] * 3 + [[], ["gpc", "flood"]]


def test_a_flood_of_unsubscriptions_is_honoured(tmp_path: Path) -> None:
    with running_edge(tmp_path, EdgeSettings(port=0, flood_hits_per_minute=2)) as edge, edge.client() as client:
        body = b"List-Unsubscribe=One-Click"
        client.send((lines(edge.path("optout"), f"Content-Length: {len(body)}", method="POST") + body) * 6)
        assert [client.answer().status for _ in range(6)] == [200] * 6
        assert [(event.how, event.hints) for event in edge.events()] == [("one_click", [])] * 6


def test_one_address_has_so_many_connections(tmp_path: Path) -> None:
    with running_edge(tmp_path, EdgeSettings(port=0, max_connections_per_address=3)) as edge:
        clients = [edge.client() for _ in range(3)]
        for client in clients:
            client.send(lines(edge.path()))
            assert client.answer().status == 200
        with refusing("too_many_of_address"), edge.client() as fourth:
            assert fourth.closed()
        clients.pop().socket.close()
        wait_until(lambda: edge.server.connections == 2)
        assert edge.get(edge.path()).status == 200
        for client in clients:
            client.send(lines(edge.path()))
            assert client.answer().status == 200
            client.socket.close()


def test_a_trusted_proxy_has_as_many_as_come(tmp_path: Path) -> None:
    settings = EdgeSettings(port=0, max_connections_per_address=1, trusted_proxies=["127.0.0.1"])
    with running_edge(tmp_path, settings) as edge:
        clients = [edge.client() for _ in range(5)]
        for client in clients:
            client.send(lines(edge.path(), "X-Forwarded-For: 192.0.2.1"))
            assert client.answer().status == 200
            client.socket.close()


def test_the_client_behind_a_proxy_protocol_header(behind: Edge) -> None:
    headers = (
        version_2("192.0.2.7"),
        version_2("2001:db8::7", tlvs=b"\x04\x00\x01x"),
        b"PROXY TCP4 192.0.2.8 198.51.100.9 1 2\r\n",
        version_2("192.0.2.9", command=0x20),
    )
    for header in headers:
        with behind.client() as client:
            client.send(header + lines(behind.path()) * 2)
            assert [client.answer().body for _ in range(2)] == [replies.GIF] * 2
    addresses = [event.address for event in behind.events()]
    assert addresses == ["192.0.2.7"] * 2 + ["2001:db8::7"] * 2 + ["192.0.2.8"] * 2 + ["127.0.0.1"] * 2


def test_the_header_may_come_byte_by_byte(behind: Edge) -> None:
    data = version_2("192.0.2.7") + lines(behind.path())
    with behind.client() as client:
        for position in range(len(data)):
            client.send(data[position : position + 1])
        assert client.answer().status == 200
    assert [event.address for event in behind.events()] == ["192.0.2.7"]


def test_a_further_proxy_behind_the_first_is_believed_if_it_is_ours(behind: Edge) -> None:
    for first, client_address in (("127.0.0.1", "192.0.2.1"), ("192.0.2.66", "192.0.2.66")):
        with behind.client() as client:
            client.send(version_2(first) + lines(behind.path(), "X-Forwarded-For: 192.0.2.1"))
            assert client.answer().status == 200
        assert behind.events()[-1].address == client_address


@pytest.mark.parametrize("data", BAD)
def test_a_malformed_header_ends_the_connection(behind: Edge, data: bytes) -> None:
    with refusing("bad_proxy_header"), behind.client() as client:
        client.send(data + lines(behind.path()))
        assert client.closed()
    assert behind.events() == []


def test_a_header_that_never_ends_is_not_waited_for(behind: Edge) -> None:
    with refusing("timeout"), behind.client() as client:
        client.send(version_2("192.0.2.7")[:20])
        assert client.closed()


def test_connections_are_counted_for_the_client_behind_the_proxy(behind: Edge) -> None:
    crowd = [behind.client() for _ in range(3)]
    for client in crowd[:2]:
        client.send(version_2("192.0.2.7") + lines(behind.path()))
        assert client.answer().status == 200
    crowd[2].send(version_2("192.0.2.7") + lines(behind.path()))
    assert crowd[2].closed()
    with behind.client() as other:
        other.send(version_2("192.0.2.8") + lines(behind.path()))
        assert other.answer().status == 200
    for client in crowd:
        client.socket.close()


def test_who_is_no_proxy_of_ours_speaks_http(tmp_path: Path) -> None:
    settings = EdgeSettings(port=0, trusted_proxies=["192.0.2.0/24"], proxy_protocol=True)
    with running_edge(tmp_path, settings) as edge:
        assert edge.get(edge.path()).status == 200
        with edge.client() as forger:
            forger.send(version_2("192.0.2.7") + lines(edge.path()))
            assert forger.answer().status == 400
        assert [event.address for event in edge.events()] == ["127.0.0.1"]
