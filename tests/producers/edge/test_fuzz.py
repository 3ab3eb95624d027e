"""Random and mutated HTTP on a real socket: never a 5xx, never a broken answer, never another answer for other cuts."""

from __future__ import annotations

import random
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from prometheus_client import REGISTRY

from producers.edge import replies
from sendtrail.settings import EdgeSettings
from tests.producers.edge.talking import lines
from tests.support.edges import Client, Edge, running_edge

#: What parsers stumble over.
TOKENS = (
    b"\r\n", b"\n", b"\r", b"\r\n\r\n", b"\x00", b" ", b"\t", b":", b"\xff\xfe", b"%00", b"%", b"?", b"#", b"//",
    b"/../", b"HTTP/1.1", b"HTTP/1.0", b"HTTP/2.0", b"GET ", b"POST ", b"HEAD ", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"Transfer-Encoding: chunked\r\n", b"Transfer-Encoding: gzip, chunked\r\n", b"Content-Length: 5\r\n",
    b"Content-Length: 99999999999999999999\r\n", b"Content-Length: " + b"9" * 5000 + b"\r\n", b"Content-Length: +1\r\n",
    b"Connection: close\r\n", b"Connection: upgrade\r\nUpgrade: h2c\r\n", b"Expect: 100-continue\r\n", b"0\r\n\r\n",
    b"ffffffffffffffff\r\n", b"5;x=y\r\nhello\r\n", b"X-Forwarded-For: ,,,:::[[\r\n", b"Sec-Purpose: \xff\r\n",
    b"Cookie: " + b"a=b; " * 300 + b"\r\n", b"User-Agent: " + b"\xc3\x28" * 50 + b"\r\n", b"A" * 3000,
)  # fmt: skip


@pytest.fixture(scope="module")
def edge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Edge]:
    settings_ = EdgeSettings(port=0, trusted_proxies=["127.0.0.1"], max_head_bytes=16_384, max_body_bytes=4096)
    cookies = {"tracking": {"visitor_cookies": "session"}}
    with running_edge(tmp_path_factory.mktemp("spool"), settings_, cookies) as running:
        yield running


def corpus(edge: Edge) -> list[bytes]:
    """Sound requests of every kind."""
    body = b"List-Unsubscribe=One-Click"
    agent = "User-Agent: Mozilla/5.0 (iPhone)"
    return [
        lines(edge.path(), agent),
        lines(edge.path("click", "https://example.com/?a=b&c=d#e"), "X-Forwarded-For: 192.0.2.1", "Sec-GPC: 1"),
        lines(edge.path("click", "https://exämple.com/ü"), method="HEAD"),
        lines(edge.path("optout"), f"Content-Length: {len(body)}", method="POST") + body,
        lines(edge.path("optout"), "Transfer-Encoding: chunked", method="POST") + b"4\r\nList\r\n0\r\nA: b\r\n\r\n",
        lines(edge.path("mirror", "https://example.com/m"), "Purpose: prefetch"),
        lines("/privacy", "Accept-Language: de"), lines("/robots.txt"), lines("/st.js"),
        lines("/w", "Content-Length: 2", "Origin: https://shop.example", method="POST") + b"{}",
        lines("/c/AQECAA", "Cookie: st_visitor=" + "0" * 32), lines("*", method="OPTIONS"),
    ]  # fmt: skip


def talk(edge: Edge, pieces: Sequence[bytes]) -> list[tuple[int, bytes]]:
    """Send the pieces and no more; the answers, which are whole HTTP, up to the end of the connection."""
    with edge.client() as client:
        client.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with suppress(OSError):  # it may have been refused before the last piece
            for piece in pieces:
                client.send(piece)
            client.socket.shutdown(socket.SHUT_WR)
        received = b""
        with suppress(ConnectionError):
            while data := client.socket.recv(65_536):
                received += data
    return parsed(received)


def parsed(data: bytes) -> list[tuple[int, bytes]]:
    """Status and body of each answer; bodies of HEAD's answers are missing, which the next status line tells."""
    answers = []
    while data:
        head, found, data = data.partition(b"\r\n\r\n")
        assert found, head
        first, *headers = head.split(b"\r\n")
        assert first.startswith(b"HTTP/1.1 "), first
        assert all(b": " in header and b"\0" not in header for header in headers), headers
        sizes = [int(header[16:]) for header in headers if header.lower().startswith(b"content-length: ")]
        assert len(sizes) == (first[9:12] not in (b"100", b"204"))
        size = 0 if not sizes or data.startswith(b"HTTP/1.1 ") or not data else sizes[0]
        assert len(data) >= size
        body, data = data[:size], data[size:]
        answers.append((int(first[9:12]), body))
    return answers


def sound(answers: list[tuple[int, bytes]]) -> bool:
    return all(status < 500 for status, _ in answers) and not any(b"Traceback" in body for _, body in answers)


def failed_inside() -> float:
    return REGISTRY.get_sample_value("sendtrail_edge_bad_links_total", {"reason": "internal"}) or 0


_quick = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


@_quick
@given(st.lists(st.one_of(st.binary(max_size=60), st.sampled_from(TOKENS)), max_size=25))
def test_bytes_that_nobody_means(edge: Edge, pieces: list[bytes]) -> None:
    assert sound(talk(edge, [b"".join(pieces)]))


@_quick
@given(st.data())
def test_mutated_requests_get_the_same_answers_however_they_are_cut(edge: Edge, data: st.DataObject) -> None:
    sent = bytearray()
    for _ in range(data.draw(st.integers(1, 4))):
        sent += data.draw(st.sampled_from(corpus(edge)))
    for _ in range(data.draw(st.integers(0, 4))):
        _mutate(sent, data)
    whole = talk(edge, [bytes(sent)])
    assert sound(whole)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(sent)), max_size=6)))
    cut = [bytes(sent[start:end]) for start, end in zip([0, *cuts], [*cuts, len(sent)], strict=True)]
    assert _comparable(talk(edge, cut)) == _comparable(whole)


def _mutate(sent: bytearray, data: st.DataObject) -> None:
    """Flip, drop, repeat or add something somewhere."""
    place = data.draw(st.integers(0, max(0, len(sent) - 1)))
    match data.draw(st.sampled_from(("flip", "drop", "repeat", "add"))):
        case "flip" if sent:
            sent[place] ^= data.draw(st.integers(1, 255))
        case "drop":
            del sent[place : place + data.draw(st.integers(1, 40))]
        case "repeat":
            sent[place:place] = sent[place : place + data.draw(st.integers(1, 200))]
        case _:
            sent[place:place] = data.draw(st.sampled_from(TOKENS))


def _comparable(answers: list[tuple[int, bytes]]) -> list[tuple[int, bytes]]:
    """Without what depends on when the body comes, not on what it is; where a large head was noticed does too."""
    return [(413 if status in (414, 431) else status, b"") for status, _ in answers if status != 100]


def test_after_all_that_the_edge_is_well(edge: Edge) -> None:
    before = failed_inside()
    chance = random.Random(11)
    requests = corpus(edge)
    for _ in range(400):
        sent = bytearray(b"".join(chance.choices(requests, k=2)))
        for _ in range(chance.randrange(1, 12)):
            place = chance.randrange(len(sent))
            if chance.random() < 0.5:
                sent[place] = chance.randrange(256)
            else:
                sent[place : place + chance.randrange(8)] = chance.choice(TOKENS)
        assert sound(talk(edge, [bytes(sent)]))
    assert edge.get(edge.path(message=4321)).body == replies.GIF
    assert edge.events()[-1].message == 4321
    assert edge.server.spool.lost == 0
    edge.server.counts.publish()
    assert failed_inside() == before


def test_slow_clients_are_cut_off_and_others_served_meanwhile(tmp_path_factory: pytest.TempPathFactory) -> None:
    hasty = EdgeSettings(port=0, header_timeout_s=0.5, idle_timeout_s=5)
    with running_edge(tmp_path_factory.mktemp("slow"), hasty) as edge:
        crowd = [edge.client() for _ in range(80)]
        start = lines(edge.path(), "X-Slow: " + "x" * 500)[:-4]
        answered, cut = 0, set[Client]()
        for position in range(len(start)):
            for client in crowd:
                if client not in cut:
                    try:
                        client.send(start[position : position + 1])
                    except OSError:
                        cut.add(client)
            assert edge.get(edge.path(message=position)).status == 200
            answered += 1
            if len(cut) == len(crowd):
                break
            time.sleep(0.02)
        for client in crowd:
            with suppress(OSError, EOFError):
                assert client.answer().status == 408
            assert client.closed()
            client.socket.close()
        assert len(edge.events()) == answered


def test_thousands_of_requests_at_once_are_answered_in_order(edge: Edge) -> None:
    number = 5000
    paths = [edge.path("click", f"https://example.com/{each}", each) for each in range(number)]
    with edge.client() as client:
        sender = threading.Thread(target=client.send, args=(b"".join(lines(path) for path in paths),))
        sender.start()
        for each in range(number):
            assert client.answer().headers["location"] == f"https://example.com/{each}"
        sender.join()
