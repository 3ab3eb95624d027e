"""POST /v1/instrument: a message in, tracked links out, registered with the delivery."""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from typing import Any

import pytest
from msgspec.structs import fields

from producers.api.instrument import Ask
from sendtrail.deliveries import DeliveryUrl
from sendtrail.instrument.providers import PROVIDERS
from sendtrail.links import ReadLink, read_token
from tests.producers.api.running import ApiProcess
from tests.support.spools import segments

PAGE = '<p>Hello {{name}} <a href="https://shop.example.org/?c={{code}}">Shop</a>'
MAIL = b"From: a@e.example\r\nContent-Type: text/plain\r\n\r\nsee https://shop.example.org/mail\r\n"


def ask(api: ApiProcess, **body: Any) -> dict[str, Any]:
    reply = api.client.post("/v1/instrument", json={"delivery": "spring", "message": "1", **body})
    assert reply.status_code == 200, reply.text
    answer: dict[str, Any] = reply.json()
    return answer


def urls_of(api: ApiProcess, host: str) -> list[DeliveryUrl]:
    return [entry for entry in api.entries() if isinstance(entry, DeliveryUrl) and host in entry.url]


def test_html_and_text_with_values_and_headers(api: ApiProcess) -> None:
    policy = {"placeholders": "{{x}}", "parameters": {"utm_source": "letter"}}
    answer = ask(
        api, recipient="anna", html=PAGE, text="https://shop.example.org/t", policy=policy,
        values={"code": "A&B"}, headers_for="postmark", seed=True,
    )  # fmt: skip
    found = re.search(r'href="[^"]+/c/([\w-]+)"', answer["html"])
    assert found
    read = read_token(api.keys, found[1])
    assert isinstance(read, ReadLink)
    assert read.link.destination == "https://shop.example.org/?c=A%26B&utm_source=letter"
    assert read.link.flags & 1
    assert answer["html"].startswith("<p>Hello {{name}} <a ")
    assert "/c/" in answer["text"]
    names = [header["name"] for header in answer["headers"]]
    assert names[:2] == ["List-Unsubscribe", "List-Unsubscribe-Post"]
    assert "X-PM-Metadata-sendtrail_message" in names
    assert answer["urls"][0]["label"] == "Shop"


def test_urls_are_registered_once_and_content_with_them(api: ApiProcess) -> None:
    page = '<a href="https://once.example.org/">x</a>'
    for message in ("1", "2"):
        ask(api, delivery="once", message=message, html=page)
    assert len(urls_of(api, "once.example.org")) == 1
    contents = [payload for _, held in segments(api.spool / "contents") for payload in held]
    assert len([payload for payload in contents if b"once" in payload or b'/html"' in payload]) >= 1
    ask(api, delivery="quiet", message="1", html='<a href="https://quiet.example.org/">x</a>', register=False)
    assert urls_of(api, "quiet.example.org") == []


def test_a_whole_message(api: ApiProcess) -> None:
    answer = ask(api, mime=b64encode(MAIL).decode())
    data = b64decode(answer["mime"])
    assert data.startswith(b"From: a@e.example\r\nContent-Type: text/plain\r\nList-Unsubscribe: <")
    assert b"see http://127.0.0.1:8080/c/" in data
    signed = ask(api, mime=b64encode(b"DKIM-Signature: v=1\r\n" + MAIL).decode())
    assert b64decode(signed["mime"]) == b"DKIM-Signature: v=1\r\n" + MAIL
    assert (signed["warnings"][0]["code"], signed["urls"]) == ("sealed", [])


def test_without_consent_only_the_way_out_is_ours(api: ApiProcess) -> None:
    page = '<a href="https://shop.example.org/">x</a><a href="#" data-st-mode="optout">Leave</a>'
    html = ask(api, html=page, consent=False)["html"]
    assert "https://shop.example.org/" in html
    assert html.count("http://127.0.0.1:8080/") == html.count("/u/") == 1


def test_a_request_with_its_time_is_fed_as_prepared_once(api: ApiProcess) -> None:
    body = {
        "delivery": "prepared",
        "recipient": "anna",
        "html": PAGE,
        "attributes": {"city": "Lyon"},
        "domain": "e.example",
    }
    for _ in range(2):
        ask(api, time="2026-11-20T10:00:00Z", **body)
    ask(api, **body)
    fed = [event for event in api.events() if event.delivery_name == "prepared"]
    assert len(fed) == 2
    assert len({event.event_id for event in fed}) == 1
    assert (fed[0].kind, fed[0].attributes, fed[0].domain) == ("prepared", {"city": "Lyon"}, "e.example")


@pytest.mark.parametrize(
    ("body", "error", "field"),
    [
        ({"message": None}, "bad_name", "message"),
        ({"message": "x" * 129}, "bad_name", None),
        ({"delivery": 1.5}, "bad_name", None),
        ({"html": None}, "bad_field", "html"),
        ({"mime": "aGk="}, "bad_field", "html"),
        ({"html": None, "mime": "not base64!"}, "bad_field", "mime"),
        ({"html": 5}, "bad_field", None),
        ({"htm": "x"}, "bad_field", None),
        ({"policy": {"pixl": True}}, "bad_field", "policy"),
        ({"policy": {"urls": None}}, "bad_field", "policy"),
        ({"headers_for": "nobody"}, "bad_field", None),
        ({"time": "soon"}, "bad_field", "time"),
        ({"time": 1_790_000_000_000, "attributes": {str(n): "x" for n in range(9)}}, "bad_field", "attributes"),
        ({"attributes": {"city": "x" * 257}}, "bad_field", "attributes"),
    ],
)
def test_what_can_not_be_is_refused_with_its_field(
    api: ApiProcess, body: dict[str, Any], error: str, field: str | None
) -> None:
    reply = api.client.post("/v1/instrument", json={"delivery": "spring", "message": "1", "html": "x", **body})
    assert reply.status_code == 400, reply.text
    assert reply.json()["error"] == error
    assert reply.json().get("field") == field


@pytest.mark.parametrize("data", [b"{", b"[]", b'{"delivery": "a", "message": "b", "html": "\\ud800"}', b"\xff"])
def test_what_is_no_request_is_refused(api: ApiProcess, data: bytes) -> None:
    reply = api.client.post("/v1/instrument", content=data, headers={"Content-Type": "application/json"})
    assert reply.status_code == 400


def test_the_description_says_what_the_code_takes(api: ApiProcess) -> None:
    schema = api.client.get("/openapi.json").json()["components"]["schemas"]["Instrument"]
    assert set(schema["properties"]) == {field.encode_name for field in fields(Ask)}
    assert schema["properties"]["headers_for"]["enum"] == list(PROVIDERS)
