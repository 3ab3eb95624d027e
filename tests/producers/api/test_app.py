"""The API over real HTTP, its spools read back."""

from __future__ import annotations

import gzip
import json
import re
import resource
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
import zstandard

from producers.api.items import KINDS, REASONS
from producers.api.registry import DELIVERY_FIELDS, URL_FIELDS
from sendtrail.deliveries import Delivery, DeliveryUrl
from sendtrail.links import url_id_of
from sendtrail.naming import key
from tests.producers.api.running import ApiProcess

JSON = {"Content-Type": "application/json"}
TEN_MIB = 10 * 1024 * 1024


def sent(delivery: str, message: object, **more: object) -> dict[str, object]:
    now_ms = int(time.time() * 1000)
    return {"kind": "sent", "time": now_ms, "delivery": delivery, "message": message} | more


def messages(api: ApiProcess, delivery: str) -> list[str]:
    return [event.message_name for event in api.events() if event.delivery_name == delivery]


def test_items_are_in_the_spool_when_the_answer_comes(api: ApiProcess) -> None:
    results = api.feed(sent("one", "a"), sent("one", "b", recipient="r", domain="example.com"))
    assert [result["status"] for result in results] == ["accepted", "accepted"]
    found = [event for event in api.events() if event.delivery_name == "one"]
    assert [event.event_id for event in found] == [result["event_id"] for result in results]
    assert found[1].recipient == key(api.keys.naming_key, "", "recipient", "r")


def test_one_bad_item_keeps_the_others(api: ApiProcess) -> None:
    bad = sent("two", "b")
    del bad["time"]
    reply = api.client.post("/v1/events", json=[sent("two", "a"), bad, 5, sent("two", "c")])
    body = reply.json()
    assert (reply.status_code, body["accepted"], body["rejected"]) == (200, 2, 2)
    assert [result.get("reason") for result in body["results"]] == [None, "time_missing", "undecodable", None]
    assert messages(api, "two") == ["a", "c"]


def test_a_bad_string_in_an_array_refuses_only_its_item(api: ApiProcess) -> None:
    good = json.dumps(sent("surrogate", "a"))
    content = f'[{good}, {{"kind": "\\ud800"}}, {{"kind": NaN}}]'
    reply = api.client.post("/v1/events", content=content, headers=JSON)
    assert [result["status"] for result in reply.json()["results"]] == ["accepted", "rejected", "rejected"]


def test_a_repeated_request_gives_the_same_ids(api: ApiProcess) -> None:
    item = sent("three", "a")
    assert api.feed(item) == api.feed(item)
    assert len({event.event_id for event in api.events() if event.delivery_name == "three"}) == 1


@pytest.mark.parametrize(
    "content_type", ["application/x-ndjson", "application/ndjson", "application/x-ndjson; charset=utf-8"]
)
def test_lines_of_json(api: ApiProcess, content_type: str) -> None:
    lines = [json.dumps(sent(content_type, "a")), "", "{broken", json.dumps(sent(content_type, "b"))]
    reply = api.client.post("/v1/events", content="\n".join(lines) + "\r\n", headers={"Content-Type": content_type})
    assert [result["status"] for result in reply.json()["results"]] == ["accepted", "rejected", "accepted"]
    assert messages(api, content_type) == ["a", "b"]


def test_nothing_to_feed_is_fine(api: ApiProcess) -> None:
    assert api.feed() == []


@pytest.mark.parametrize("packing", ["gzip", "zstd"])
def test_packed_requests(api: ApiProcess, packing: str) -> None:
    pack = gzip.compress if packing == "gzip" else zstandard.compress
    lines = [json.dumps(sent(packing, name)).encode() + b"\n" for name in "ab"]
    headers = {"Content-Type": "application/x-ndjson", "Content-Encoding": packing}
    for body in (pack(b"".join(lines)), b"".join(map(pack, lines))):  # one member or frame, and one after the other
        assert api.client.post("/v1/events", content=body, headers=headers).json()["accepted"] == 2
    assert messages(api, packing) == ["a", "b"] * 2


#: Packed bodies; without a time in them, which would make other test ids every second.
_CUT = gzip.compress(b"[]", mtime=0)[:-9]
_BOMB = gzip.compress(b" " * 10**8, mtime=0)
_ZSTD = JSON | {"Content-Encoding": "zstd"}
_ZSTD_BOMB = zstandard.compress(b" " * 10**8)
_WIDE = zstandard.ZstdCompressor(
    compression_params=zstandard.ZstdCompressionParameters(window_log=27, strategy=1)
).compressobj()
_ZSTD_WIDE = _WIDE.compress(b"[]") + _WIDE.flush()


@pytest.mark.parametrize(
    ("method", "path", "content", "headers", "status", "error"),
    [
        ("POST", "/v1/events", b"[", JSON, 400, "bad_json"),
        ("POST", "/v1/events", b"{}", JSON, 400, "bad_json"),
        ("POST", "/v1/events", b"\xff\xfe", JSON, 400, "bad_json"),
        ("POST", "/v1/events", b"[" * 200_000, JSON, 400, "bad_json"),
        ("POST", "/v1/events", b"", JSON, 400, "bad_json"),
        ("POST", "/v1/events", b"[]", {"Content-Type": "text/plain"}, 415, "unsupported_media_type"),
        ("POST", "/v1/events", b"[]", {}, 415, "unsupported_media_type"),
        ("POST", "/v1/events", b"[]", JSON | {"Content-Encoding": "br"}, 415, "unsupported_media_type"),
        ("POST", "/v1/events", b"[]", JSON | {"Content-Encoding": "gzip"}, 400, "bad_gzip"),
        ("POST", "/v1/events", _CUT, JSON | {"Content-Encoding": "gzip"}, 400, "bad_gzip"),
        ("POST", "/v1/events", b" " * (TEN_MIB + 1), JSON, 413, "too_large"),
        ("POST", "/v1/events", _BOMB, JSON | {"Content-Encoding": "gzip"}, 413, "too_large"),
        ("POST", "/v1/events", b"[]", _ZSTD, 400, "bad_zstd"),
        ("POST", "/v1/events", zstandard.compress(b"[]")[:-1], _ZSTD, 400, "bad_zstd"),
        ("POST", "/v1/events", zstandard.compress(b"[]") + b"x", _ZSTD, 400, "bad_zstd"),
        (
            "POST",
            "/v1/events",
            gzip.compress(b"[]", mtime=0) + b"x",
            JSON | {"Content-Encoding": "gzip"},
            400,
            "bad_gzip",
        ),
        ("POST", "/v1/events", _ZSTD_BOMB, _ZSTD, 413, "too_large"),
        ("POST", "/v1/events", _ZSTD_WIDE, _ZSTD, 400, "bad_zstd"),
        ("GET", "/v1/events", b"", {}, 405, "method_not_allowed"),
        ("POST", "/v1/deliveries/x", b"{}", JSON, 405, "method_not_allowed"),
        ("PUT", "/v1/deliveries/x", b"{", JSON, 400, "bad_json"),
        ("PUT", "/v1/deliveries/x", b"[]", JSON, 400, "bad_field"),
        ("PUT", "/v1/deliveries/x", b'{"urls": 5}', JSON, 400, "bad_field"),
        ("PUT", "/v1/deliveries/x/urls", b"{}", JSON, 400, "bad_field"),
        ("PUT", "/v1/deliveries/x/other", b"{}", JSON, 404, "not_found"),
        ("PUT", "/v1/deliveries/%ff", b"{}", JSON, 400, "bad_name"),
        ("PUT", "/v1/deliveries/", b"{}", JSON, 400, "bad_name"),
        ("PUT", "/v1/deliveries/" + "x" * 129, b"{}", JSON, 400, "bad_name"),
        ("GET", "/", b"", {}, 404, "not_found"),
    ],
)
def test_what_is_not_taken(
    api: ApiProcess, method: str, path: str, content: bytes, headers: dict[str, str], status: int, error: str
) -> None:
    before = len(api.events()), len(api.entries())
    reply = api.client.request(method, path, content=content, headers=headers)
    assert (reply.status_code, reply.json()["error"]) == (status, error)
    assert reply.headers["content-type"] == "application/json"
    assert "Traceback" not in reply.text
    assert (len(api.events()), len(api.entries())) == before


def test_a_wrong_method_says_the_right_one(api: ApiProcess) -> None:
    assert "POST" in api.client.get("/v1/events").headers["allow"]


def test_a_body_without_a_length_is_bounded_too(api: ApiProcess) -> None:
    chunks = (b" " * 65536 for _ in range(200))
    assert api.client.post("/v1/events", content=chunks, headers=JSON).status_code == 413


def test_a_large_request_in_parts(api: ApiProcess) -> None:
    items = [sent("large", number, diagnostic="x" * 100) for number in range(20_000)]
    reply = api.client.post("/v1/events", json=items)
    assert reply.json()["accepted"] == len(items)
    assert len(messages(api, "large")) == len(items)


def test_a_delivery_is_registered(api: ApiProcess) -> None:
    body: dict[str, Any] = {
        "label": "Spring", "contact_date": "2026-11-24T09:30:00Z", "tags": ["shop"],
        "urls": [{"url": "https://a.example/", "label": "A"}],
    }  # fmt: skip
    reply = api.client.put("/v1/deliveries/spring%2Fsale%20%C3%A9", json=body)
    delivery = key(api.keys.naming_key, "", "delivery", "spring/sale é")
    url_id = url_id_of("https://a.example/")
    assert reply.status_code == 200
    assert reply.json() == {
        "name": "spring/sale é", "delivery": str(delivery), "delivery_key": delivery,
        "urls": [{"url_id": url_id, "url": "https://a.example/"}],
    }  # fmt: skip
    meta, url = api.entries()[-2:]
    assert isinstance(meta, Delivery)
    assert isinstance(url, DeliveryUrl)
    assert (meta.delivery, meta.name, meta.label, meta.contact_date_ms) == (
        delivery, "spring/sale é", "Spring", 1_795_512_600_000,
    )  # fmt: skip
    assert (url.delivery, url.url_id, url.label) == (delivery, url_id, "A")


def test_decimal_names_are_their_own_key(api: ApiProcess) -> None:
    assert api.client.put("/v1/deliveries/42", json={}).json()["delivery_key"] == 42


def test_urls_alone_leave_the_delivery_be(api: ApiProcess) -> None:
    before = len(api.entries())
    reply = api.client.put("/v1/deliveries/42/urls", json=[{"url": "https://b.example/"}])
    assert reply.status_code == 200
    (entry,) = api.entries()[before:]
    assert isinstance(entry, DeliveryUrl)


def test_a_bad_field_of_a_delivery_is_named(api: ApiProcess) -> None:
    reply = api.client.put("/v1/deliveries/42", json={"urls": [{"url": "x"}, {"url": "y", "mode": "z"}]})
    assert (reply.status_code, reply.json()["field"]) == (400, "urls[1].mode")


def test_many_senders_at_once(api: ApiProcess) -> None:
    def feed(sender: int) -> None:
        with httpx.Client(base_url=api.client.base_url, timeout=30) as client:
            for number in range(20):
                reply = client.post("/v1/events", json=[sent("many", f"{sender}-{number}")])
                assert reply.status_code == 200

    threads = [threading.Thread(target=feed, args=(sender,)) for sender in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(messages(api, "many")) == sorted(f"{sender}-{number}" for sender in range(8) for number in range(20))


def test_the_description_says_what_the_code_takes(api: ApiProcess) -> None:
    schemas = api.client.get("/openapi.json").json()["components"]["schemas"]
    assert schemas["Item"]["properties"]["kind"]["enum"] == list(KINDS)
    assert schemas["Item"]["properties"]["reason"]["enum"] == list(REASONS)
    assert set(schemas["Delivery"]["properties"]) == DELIVERY_FIELDS | {"urls"}
    assert set(schemas["Url"]["properties"]) == URL_FIELDS
    page = api.client.get("/docs")
    assert page.headers["content-type"].startswith("text/html")
    assert "POST /v1/events" in page.text


def test_health_and_metrics(api: ApiProcess) -> None:
    api.feed(sent("metrics", "a"), {})
    ready = api.admin.get("/ready")
    metrics = api.admin.get("/metrics").text
    assert ready.status_code == 200
    assert ready.json()["backlog_bytes"] > 0
    assert 'sendtrail_api_requests_total{route="events",status="200"}' in metrics
    assert 'sendtrail_api_events_total{result="rejected"}' in metrics


def test_refusals_are_counted_by_their_reason(api: ApiProcess) -> None:
    def counted(metric: str) -> dict[str, float]:
        lines = re.findall(rf'^{metric}\{{reason="(\w+)"\}} (\S+)$', api.admin.get("/metrics").text, re.MULTILINE)
        return {reason: float(count) for reason, count in lines}

    items, requests = "sendtrail_api_rejects_total", "sendtrail_api_bad_requests_total"
    items_before, requests_before = counted(items), counted(requests)
    timeless = {"kind": "sent", "delivery": "counted", "message": "a"}
    api.feed(timeless, sent("counted", "b"), timeless, sent("counted", ""), sent("counted", "c", kind="nonsense"), 5)
    api.client.post("/v1/events", content="{", headers=JSON)
    api.client.post("/v1/events", content="[]", headers={"Content-Type": "text/plain"})
    api.client.get("/v1/events")
    api.client.get("/nowhere")
    api.client.put("/v1/deliveries/counted", json={"nonsense": 1})
    more = {reason: count - items_before[reason] for reason, count in counted(items).items()}
    more = {reason: count for reason, count in more.items() if count}
    assert more == {"time_missing": 2, "bad_name": 1, "bad_field": 1, "undecodable": 1}
    refused = {reason: count - requests_before[reason] for reason, count in counted(requests).items()}
    assert {reason for reason, count in refused.items() if count == 1} == {
        "bad_json", "unsupported_media_type", "method_not_allowed", "not_found", "bad_field",
    }  # fmt: skip
    assert sum(refused.values()) == 5


def test_what_was_answered_survives_a_kill(tmp_path: Path) -> None:
    with ApiProcess(tmp_path, fsync="batch") as api:
        api.feed(*[sent("kill", number) for number in range(100)])
        api.client.put("/v1/deliveries/kill", json={"label": "x"})
        api.kill()
        assert len(api.events()) == 100
        assert len(api.entries()) == 1


def test_it_ends_with_its_segments_finished(tmp_path: Path) -> None:
    with ApiProcess(tmp_path) as api:
        api.feed(sent("end", "a"))
        assert api.stop() == 0
        assert [path.suffix for path in api.spool.glob("*-*.*")] == [".seg"]


def test_a_full_disk_is_said_and_recovered_from(tmp_path: Path) -> None:
    with ApiProcess(tmp_path) as api:
        limit = 64 * 1024
        resource.prlimit(api.pid, resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
        items = [sent("full", number, diagnostic="x" * 1000) for number in range(200)]
        reply = api.client.post("/v1/events", json=items)
        assert (reply.status_code, reply.json()["error"]) == (503, "spool_unavailable")
        assert int(reply.headers["retry-after"]) > 0
        resource.prlimit(api.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        assert api.feed(*items)[0]["status"] == "accepted"
        assert {event.message_name for event in api.events()} == {str(number) for number in range(200)}


@pytest.mark.parametrize("missing", ["keys", "port"])
def test_it_says_what_it_lacks(tmp_path: Path, missing: str) -> None:
    running = ApiProcess(tmp_path)
    environment = dict(running.environment)
    if missing == "keys":
        (tmp_path / "keys.toml").unlink()
    else:
        environment["SENDTRAIL_API_PORT"] = "70000"
    run = subprocess.run(
        [sys.executable, "-m", "producers.api.main"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert run.returncode == 3
    assert "Traceback" not in run.stderr
    assert missing.rstrip("s") in run.stderr
