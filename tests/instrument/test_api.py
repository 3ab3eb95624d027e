"""The sender's side of the feed API, over a real socket: what is sent, what is repeated, what is an error."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import pytest

from sendtrail.errors import ApiError
from sendtrail.feed import Feed
from sendtrail.instrument import compile
from sendtrail.instrument.api import BATCH, Api
from sendtrail.local.process import free_port
from tests.support.feed_listener import Listener, taken
from tests.support.golden import golden_keyring

TEMPLATE = compile(
    html='<a href="https://a.example/" data-st-label="Shop">x</a>', delivery="spring / 1", keyring=golden_keyring(),
    base_url="https://t.example",
)  # fmt: skip


@pytest.fixture
def listener(monkeypatch: pytest.MonkeyPatch) -> Iterator[Listener]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    made = Listener()
    yield made
    made.close()


def test_a_delivery_is_put_with_its_urls_and_content(listener: Listener) -> None:
    assert Api(listener.address + "/").register(TEMPLATE, label="Spring", tags=["a"]) == {"delivery": 1}
    (method, path, body), content = listener.asked
    assert content == ("PUT", "/v1/deliveries/spring%20%2F%201/content", TEMPLATE.contents())
    assert (method, path) == ("PUT", "/v1/deliveries/spring%20%2F%201")
    assert (body["label"], body["tags"]) == ("Spring", ["a"])
    assert body["urls"] == TEMPLATE.url_fields()
    assert body["urls"][0]["label"] == "Shop"


def test_urls_and_content_alone_leave_the_delivery_as_it_is(listener: Listener) -> None:
    Api(listener.address).register_urls(TEMPLATE)
    assert [(method, path) for method, path, _ in listener.asked] == [
        ("PUT", "/v1/deliveries/spring%20%2F%201/urls"), ("PUT", "/v1/deliveries/spring%20%2F%201/content"),
    ]  # fmt: skip
    assert listener.asked[0][2] == TEMPLATE.url_fields()


def test_a_part_that_is_too_large_is_left_out_and_said(
    listener: Listener, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("sendtrail.instrument.api.MAX_BYTES", 10)
    Api(listener.address).register(TEMPLATE)
    assert [path for _, path, _ in listener.asked] == ["/v1/deliveries/spring%20%2F%201"]
    assert "html part has more than 10 bytes" in caplog.text


def test_items_go_in_batches_and_refused_ones_come_back(listener: Listener) -> None:
    items = [TEMPLATE.prepared(number, 5) for number in range(BATCH + 2)]
    results = [{"status": "accepted"}, {"status": "rejected", "reason": "bad_name"}]
    listener.answers = [(200, taken(items[:BATCH])), (200, {"results": results})]
    refused = {"item": items[-1], "status": "rejected", "reason": "bad_name", "detail": ""}
    assert Api(listener.address).feed(iter(items)) == [refused]
    assert [len(body) for _, _, body in listener.asked] == [BATCH, 2]


@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_api_is_asked_again_with_the_same_bytes(listener: Listener, status: int) -> None:
    listener.answers = [(status, "busy"), (status, "busy")]
    assert Api(listener.address).feed([TEMPLATE.prepared(1, 5)]) == []
    assert len(listener.asked) == 3
    assert listener.asked[0] == listener.asked[1] == listener.asked[2]


@pytest.mark.parametrize(
    ("status", "answer", "named"), [(400, '{"error": "bad label"}', "bad label"), (200, "no json", "not JSON")]
)
def test_other_answers_are_an_error_at_once(listener: Listener, status: int, answer: str, named: str) -> None:
    listener.answers = [(status, answer)]
    with pytest.raises(ApiError, match=named):
        Api(listener.address).register(TEMPLATE)
    assert len(listener.asked) == 1


def test_an_api_that_is_away_is_waited_for_and_then_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sendtrail.instrument.api.Feed", partial(Feed, retry_s=0.3))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    address = f"http://127.0.0.1:{free_port()}"
    with pytest.raises(ApiError, match=address):
        Api(address).register(TEMPLATE)


def test_only_http_addresses() -> None:
    with pytest.raises(ApiError, match="file"):
        Api("file:///etc/passwd")
