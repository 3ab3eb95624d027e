"""The web tag over a socket: answers without a body end where they should, and refusals are counted."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client import REGISTRY

from producers.edge import tag
from sendtrail.settings import EdgeSettings
from tests.support.edges import Edge, running_edge


@pytest.fixture
def edge(tmp_path: Path) -> Iterator[Edge]:
    settings = EdgeSettings(port=0, sites=["shop=https://www.shop.example"])
    with running_edge(tmp_path / "spool", settings) as running:
        yield running


def _post(body: str, origin: str = "https://www.shop.example") -> bytes:
    head = f"POST /w HTTP/1.1\r\nHost: t\r\nOrigin: {origin}\r\nContent-Type: text/plain\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode()


def test_beacons_and_the_script_on_one_connection(edge: Edge) -> None:
    signed = edge.path("web", recipient=99)[len("/w/") :]
    with edge.client() as client:
        client.send(b"GET /st.js HTTP/1.1\r\nHost: t\r\n\r\n")
        script = client.answer()
        assert (script.status, script.body) == (200, tag.SCRIPT)
        assert script.headers["cache-control"] == "public, max-age=86400"
        assert "expires" not in script.headers
        etag = script.headers["etag"]
        client.send(f"GET /st.js HTTP/1.1\r\nHost: t\r\nIf-None-Match: {etag}\r\n\r\n".encode())
        unchanged = client.answer()
        assert (unchanged.status, unchanged.headers["etag"]) == (304, etag)
        assert "content-length" not in unchanged.headers
        client.send(_post(json.dumps({"site": "shop", "st": signed, "page": "/a"})))
        stored = client.answer()
        assert stored.status == 204
        assert "content-length" not in stored.headers
        assert "no-store" in stored.headers["cache-control"]
        assert stored.headers["access-control-allow-origin"] == "https://www.shop.example"
        client.send(b"OPTIONS /w HTTP/1.1\r\nHost: t\r\nOrigin: https://www.shop.example\r\n\r\n")
        assert client.answer().status == 204
        client.send(b"GET /w?site=shop&page=/b HTTP/1.1\r\nHost: t\r\nReferer: https://www.shop.example/\r\n\r\n")
        assert client.answer().headers["content-type"] == "image/gif"
    assert [(one.kind, one.message, one.page) for one in edge.events()] == [("web", 7, "/a"), ("web", 0, "/b")]


def test_refused_hits_are_counted_by_reason_apart_from_links(edge: Edge) -> None:
    name, labels = "sendtrail_edge_bad_web_hits_total", {"reason": "foreign_origin"}
    before = REGISTRY.get_sample_value(name, labels) or 0
    with edge.client() as client:
        client.send(_post('{"site": "shop"}', origin="https://evil.example"))
        assert client.answer().status == 204
    edge.server.counts.publish()
    assert REGISTRY.get_sample_value(name, labels) == before + 1
    assert list(edge.server.bad_links.per_minute().values()) == [{"foreign_origin": 1}]
    assert edge.events() == []


def test_visitors_behind_one_address_are_no_flood_below_the_limit_of_the_web_tag(tmp_path: Path) -> None:
    sites = ["shop=https://www.shop.example"]
    settings = EdgeSettings(port=0, sites=sites, unsigned_per_minute=5, flood_hits_per_minute=2)
    with running_edge(tmp_path / "spool", settings, clock_ns=lambda: 1_700_000_000 * 10**9) as edge:
        with edge.client() as client:
            for _ in range(6):
                client.send(_post('{"site": "shop"}'))
                assert client.answer().status == 204
        assert [event.hints for event in edge.events()] == [[]] * 5
