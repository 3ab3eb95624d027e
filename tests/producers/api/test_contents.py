"""Bodies of `PUT /v1/deliveries/{name}/content` to contents, and the way from there into the topic."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given

from producers.api.contents import read_contents
from producers.api.registry import BadField
from sendtrail.contents import MAX_BYTES, Content, decode_content
from sendtrail.spool_files import segment_files
from sendtrail.topics import CONTENTS
from tests.producers.api.running import ApiProcess
from tests.producers.api.test_items import anything
from tests.producers.forward.running import ForwarderProcess, kafka_settings, read_topic, wait_until

NOW_MS = 1_795_512_600_000


def test_given_parts_only() -> None:
    both = read_contents({"html": "<p>ä</p>", "text": "ä"}, 7, NOW_MS)
    assert both == [
        Content(delivery=7, part="html", content="<p>ä</p>", updated_ms=NOW_MS),
        Content(delivery=7, part="text", content="ä", updated_ms=NOW_MS),
    ]
    assert read_contents({"text": "a", "html": None}, 7, 5) == [
        Content(delivery=7, part="text", content="a", updated_ms=5)
    ]
    assert read_contents({"html": ""}, 7, 5) == [Content(delivery=7, part="html", updated_ms=5)]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ([], ""), ("<p>", ""), (None, ""), ({}, "html"), ({"html": None}, "html"), ({"amp": "x"}, "amp"),
        ({"html": 5}, "html"), ({"html": "x", "text": ["y"]}, "text"),
        ({"html": "x" * (MAX_BYTES + 1)}, "html"), ({"text": "ä" * (MAX_BYTES // 2 + 1)}, "text"),
    ],
)  # fmt: skip
def test_a_bad_field_is_named(body: Any, field: str) -> None:
    refused = read_contents(body, 7, NOW_MS)
    assert isinstance(refused, BadField)
    assert refused.field == field
    assert refused.detail


@given(anything)
def test_no_body_raises(body: Any) -> None:
    assert isinstance(read_contents(body, 7, NOW_MS), list | BadField)


def test_a_content_is_answered_with_its_sizes(api: ApiProcess) -> None:
    reply = api.client.put("/v1/deliveries/spring%2F1/content", json={"html": "<p>ä</p>", "text": "ä"})
    assert reply.status_code == 200, reply.text
    said = reply.json()
    assert (said["name"], said["bytes"]) == ("spring/1", {"html": 9, "text": 2})
    assert said["delivery"] == str(said["delivery_key"])


def test_what_is_refused_names_its_field(api: ApiProcess) -> None:
    for body, status, field in (({"html": 5}, 400, "html"), ({"html": "x" * (MAX_BYTES + 1)}, 400, "html")):
        reply = api.client.put("/v1/deliveries/spring/content", json=body)
        assert (reply.status_code, reply.json()["field"]) == (status, field)
    assert api.client.put("/v1/deliveries/spring/contents", json={"html": "x"}).status_code == 404
    assert api.client.put("/v1/deliveries/%FF/content", json={"html": "x"}).status_code == 400
    assert api.client.put("/v1/deliveries/spring/content", content=b"{", headers=JSON).json()["error"] == "bad_json"


JSON = {"Content-Type": "application/json"}


@pytest.mark.stack
def test_contents_of_any_size_are_in_the_topic_in_order(kafka: str, topic_prefix: str, tmp_path: Path) -> None:
    settings = kafka_settings(kafka, topic_prefix)
    worst = "\x01" * MAX_BYTES  # six bytes of JSON for one
    texts = ["<p>first</p>", worst, "x" * MAX_BYTES, "<p>last</p>"]
    with ApiProcess(tmp_path, segment_age_ms=100) as api, ForwarderProcess(settings, api.spool):
        for text in texts:
            assert api.client.put("/v1/deliveries/7/content", json={"html": text}).status_code == 200
        assert api.client.put("/v1/deliveries/7", json={"label": "Seven"}).status_code == 200
        places = (api.spool / "registry", api.spool / "contents")
        wait_until(lambda: not any(segment_files(place) for place in places), "empty spools")
    records = read_topic(kafka, topic_prefix + CONTENTS.name)
    assert {record.key for record in records} == {b"7/html"}
    read = [decode_content(record.key, record.value) for record in records]
    assert [one.content for one in read if isinstance(one, Content)] == texts
