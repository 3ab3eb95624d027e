"""One suite for both clients of the feed API, over a real socket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest
from tenacity import Retrying

from sendtrail.errors import ApiError, ApiRefused, ApiUnavailable, BadItem
from sendtrail.feed import BATCH_BYTES, BATCH_ITEMS, AsyncFeed, Feed, Item, Refused, Result, Suppressed, calls
from sendtrail.feed.batches import Packing
from sendtrail.local.process import free_port
from tests.support.feed_listener import Listener, taken


class Client:
    """Either client, asked the same way."""

    def __init__(self, is_async: bool) -> None:
        self._is_async = is_async

    def send(self, address: str, items: Any, **options: Any) -> list[Refused]:
        if not self._is_async:
            with Feed(address, **options) as feed:
                return list(feed.send(items))

        async def run() -> list[Refused]:
            async with AsyncFeed(address, **options) as feed:
                return [refused async for refused in feed.send(items)]

        return asyncio.run(run())

    def ask(self, address: str, method: str, *args: Any, **options: Any) -> Any:
        if not self._is_async:
            with Feed(address, **options) as feed:
                return getattr(feed, method)(*args)

        async def run() -> Any:
            async with AsyncFeed(address, **options) as feed:
                return await getattr(feed, method)(*args)

        return asyncio.run(run())

    def pages(self, address: str, *args: Any) -> list[Suppressed]:
        if not self._is_async:
            with Feed(address) as feed:
                return list(feed.suppressions(*args))

        async def run() -> list[Suppressed]:
            async with AsyncFeed(address) as feed:
                return [page async for page in feed.suppressions(*args)]

        return asyncio.run(run())


@pytest.fixture(params=[False, True], ids=["Feed", "AsyncFeed"])
def client(request: pytest.FixtureRequest) -> Client:
    return Client(request.param)


@pytest.fixture
def listener(monkeypatch: pytest.MonkeyPatch) -> Iterator[Listener]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    made = Listener()
    yield made
    made.close()


def items_of(count: int, **more: Any) -> list[dict[str, Any]]:
    return [{"kind": "sent", "message": number, **more} for number in range(count)]


def test_items_go_in_order_in_batches_and_what_is_refused_comes_back(client: Client, listener: Listener) -> None:
    items = items_of(2 * BATCH_ITEMS + 1)
    bad: dict[str, Any] = {"status": "rejected", "reason": "bad_name", "detail": "why"}
    second: list[Any] = taken(items[:BATCH_ITEMS])["results"]
    second[5] = bad
    listener.answers = [(200, taken(items[:BATCH_ITEMS])), (200, {"results": second})]
    refused = client.send(listener.address, iter(items))
    assert refused == [Refused(BATCH_ITEMS + 5, items[BATCH_ITEMS + 5], "bad_name", "why")]
    assert [item for _, _, body in listener.asked for item in body] == items
    assert [len(body) for _, _, body in listener.asked] == [BATCH_ITEMS, BATCH_ITEMS, 1]
    assert {(method, path) for method, path, _ in listener.asked} == {("POST", "/v1/events")}


def test_batches_are_bounded_in_bytes(client: Client, listener: Listener) -> None:
    items = items_of(9, diagnostic="x" * (BATCH_BYTES // 4))
    assert client.send(listener.address, items) == []
    assert [len(body) for _, _, body in listener.asked] == [3, 3, 3]


def test_only_one_batch_is_read_ahead(client: Client, listener: Listener) -> None:
    read = 0

    def endless() -> Iterator[Item]:
        nonlocal read
        while True:
            read += 1
            yield {"message": read}

    listener.answers = [(200, taken([0] * BATCH_ITEMS)), (400, {"error": "enough"})]
    with pytest.raises(ApiRefused, match="enough"):
        client.send(listener.address, endless())
    assert read == 2 * BATCH_ITEMS + 1


def test_nothing_is_sent_for_nothing(client: Client, listener: Listener) -> None:
    assert client.send(listener.address, []) == []
    assert listener.asked == []


@pytest.mark.parametrize("packing", ["zstd", "gzip", "none"])
def test_bodies_are_packed(client: Client, listener: Listener, packing: Packing) -> None:
    items = items_of(100)
    client.send(listener.address, items, packing=packing)
    assert [body for _, _, body in listener.asked] == [items]
    assert listener.headers[0].get("content-encoding", "none") == packing


def test_lines_go_as_they_are_with_the_key(client: Client, listener: Listener) -> None:
    assert client.ask(listener.address, "post", [b'{"message": 1}', {"message": 2}], key="stak_x") == [Result("")] * 2
    assert listener.asked == [("POST", "/v1/events", [{"message": 1}, {"message": 2}])]
    assert listener.headers[0]["authorization"] == "Bearer stak_x"


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_busy_api_is_asked_again_with_the_same(client: Client, listener: Listener, status: int) -> None:
    listener.answers = [(status, "busy", {"Retry-After": "0"}), (status, "busy", {"Retry-After": "soon"})]
    assert client.send(listener.address, items_of(1)) == []
    assert len(listener.asked) == 3
    assert listener.asked[0] == listener.asked[1] == listener.asked[2]


def test_the_api_says_how_long_to_wait() -> None:
    replies = [httpx.Response(429, headers={"Retry-After": asked}) for asked in ("7", "100000", "soon")]
    replies.append(httpx.Response(200, json=5))
    waited: list[float] = []
    trying = Retrying(**calls.retrying("http://api", 1e9) | {"sleep": waited.append})
    assert trying(lambda: calls.read_answer(replies.pop(0), "POST")) == 5
    assert waited[:2] == [7, 60]
    assert 0 < waited[2] < 10


@pytest.mark.parametrize("status", [301, 400, 401, 403, 404, 413, 415])
def test_a_refusal_is_an_error_at_once(client: Client, listener: Listener, status: int) -> None:
    listener.answers = [(status, {"error": "no", "detail": "why not"})]
    with pytest.raises(ApiRefused, match="why not") as caught:
        client.send(listener.address, items_of(1))
    assert caught.value.status == status
    assert len(listener.asked) == 1


@pytest.mark.parametrize(
    "answer", ["no json", "5", "[]", "{}", '{"results": 5}', '{"results": []}', '{"results": [{}]}', '{"results": [5]}']
)
def test_another_server_s_answer_is_an_error(client: Client, listener: Listener, answer: str) -> None:
    listener.answers = [(200, answer)]
    with pytest.raises(ApiError, match=r"feed API|results came back"):
        client.send(listener.address, items_of(1))


def test_an_api_that_is_away_is_waited_for_and_then_named(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    address = f"http://127.0.0.1:{free_port()}"
    with pytest.raises(ApiUnavailable, match=address):
        client.send(address, items_of(1), retry_s=0.3)


def test_one_that_stays_busy_is_given_up(client: Client, listener: Listener) -> None:
    listener.answers = [(503, "full")] * 100
    with pytest.raises(ApiUnavailable, match="503 full"):
        client.send(listener.address, items_of(1), retry_s=0.3)
    assert len(listener.asked) > 1


@pytest.mark.parametrize(
    "item", [{"x": object()}, {1.5: 2, object(): 1}, {"x": 1 << 70, "y": "\ud800"}, b"", b" ", b'{"a":\n1}']
)
def test_what_is_no_item_is_said(client: Client, listener: Listener, item: Any) -> None:
    with pytest.raises(BadItem):
        client.send(listener.address, [item])
    assert listener.asked == []


@pytest.mark.parametrize(
    "address", ["file:///etc/passwd", "127.0.0.1:8081", "", "http://", "http://[::1", "http://a:b"]
)
def test_only_http_addresses(address: str) -> None:
    for client in (Feed, AsyncFeed):
        with pytest.raises(ApiError):
            client(address)


@pytest.mark.parametrize("key", ["two words", "a\nb", "clé"])
def test_only_what_can_be_sent_is_a_key(key: str) -> None:
    for client in (Feed, AsyncFeed):
        with pytest.raises(ApiError, match="one word"):
            client("http://127.0.0.1:8081", key)


def test_pages_of_suppressions_until_there_is_no_more(client: Client, listener: Listener) -> None:
    one = {"suppressions": [{"recipient": "a"}], "cursor": "c+1", "more": True}
    listener.answers = [(200, one), (200, one | {"cursor": "c2", "more": False})]
    pages = client.pages(listener.address, "c 0", 10)
    assert [page.cursor for page in pages] == ["c+1", "c2"]
    assert pages[0].entries == [{"recipient": "a"}]
    assert [path for _, path, _ in listener.asked] == [
        "/v1/suppressions?cursor=c+0&limit=10", "/v1/suppressions?cursor=c%2B1&limit=10",
    ]  # fmt: skip


def test_consent_goes_to_its_own_call(client: Client, listener: Listener) -> None:
    entry = {"recipient": "anna", "purpose": "tracking", "state": "withdrawn", "time": 1}
    assert client.ask(listener.address, "consent", [entry]) == [Result("")]
    assert listener.asked == [("POST", "/v1/consent", [entry])]


def test_items_may_come_slowly(listener: Listener) -> None:
    async def slowly() -> AsyncIterator[Item]:
        for item in items_of(3):
            await asyncio.sleep(0)
            yield item

    async def run() -> list[Refused]:
        async with AsyncFeed(listener.address) as feed:
            return [refused async for refused in feed.send(slowly())]

    assert asyncio.run(run()) == []
    assert listener.asked == [("POST", "/v1/events", items_of(3))]
