"""The feed API: PUT /v1/deliveries/{name}, its content, and POST /v1/events -> spool. Wiring only."""

import json
import time
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import msgspec
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from producers.api.answers import CountRequests, answer, on_error, on_http_exception, refuse, spool_full
from producers.api.body import JSON, NDJSON, Body, Refusal, read_body
from producers.api.contents import read_contents
from producers.api.items import ItemReader
from producers.api.registry import BadField, read_delivery, read_urls
from producers.api.spool import ApiSpool
from sendtrail.deliveries import Delivery, DeliveryUrl
from sendtrail.errors import BadName, Invalid
from sendtrail.events import Event
from sendtrail.metrics import counter
from sendtrail.naming import key

_DELIVERIES = "/v1/deliveries/"
_HERE = Path(__file__).parent

Clock = Callable[[], int]


class FeedApi:
    """The endpoints. `clock` gives UTC milliseconds."""

    def __init__(self, spool: ApiSpool, naming_key: bytes, max_body_bytes: int, clock: Clock) -> None:
        self._spool = spool
        self._naming_key = naming_key
        self._max_body_bytes = max_body_bytes
        self._clock = clock
        self._reader = ItemReader(naming_key)

    async def events(self, request: Request) -> Response:
        """Take fed events: a JSON array or JSON lines; one result for each."""
        body = await read_body(request, (JSON, *NDJSON), self._max_body_bytes)
        if isinstance(body, Refusal):
            return refuse(body)
        return await run_in_threadpool(self._feed, body)

    async def deliveries(self, request: Request) -> Response:
        """Register a delivery, or only its URLs, or its message."""
        name, part = _named(request)
        if part not in ("", "urls", "content"):
            raise HTTPException(404)
        if name is None:
            return refuse(Refusal(400, "bad_name", "a name in the path is percent-encoded UTF-8", "name"))
        body = await read_body(request, (JSON,), self._max_body_bytes)
        if isinstance(body, Refusal):
            return refuse(body)
        take = self._keep_content if part == "content" else partial(self._register, part=part)
        return await run_in_threadpool(take, name, body=body)

    def _feed(self, body: Body) -> Response:
        items = _items(body)
        if isinstance(items, Refusal):
            return refuse(items)
        now_ms = self._clock()
        outcomes = [self._reader.read(item, now_ms) for item in items]
        events = [outcome for outcome in outcomes if isinstance(outcome, Event)]
        if not self._spool.add_events(events):
            return spool_full()
        rejected = len(outcomes) - len(events)
        _count(outcomes)
        results = [_result(outcome) for outcome in outcomes]
        return answer({"accepted": len(events), "rejected": rejected, "results": results})

    def _register(self, name: str, *, part: str, body: Body) -> Response:
        try:
            delivery = key(self._naming_key, "", "delivery", name)
        except BadName as error:
            return refuse(Refusal(400, "bad_name", str(error), "name"))
        content = _json(body.data)
        if isinstance(content, Refusal):
            return refuse(content)
        entries = _entries(content, part, delivery, name, self._clock())
        if isinstance(entries, BadField):
            return refuse(Refusal(400, "bad_field", entries.detail, entries.field))
        if not self._spool.add_entries(entries):
            return spool_full()
        urls = [{"url_id": entry.url_id, "url": entry.url} for entry in entries if isinstance(entry, DeliveryUrl)]
        return answer({"name": name, "delivery": str(delivery), "delivery_key": delivery, "urls": urls})

    def _keep_content(self, name: str, *, body: Body) -> Response:
        try:
            delivery = key(self._naming_key, "", "delivery", name)
        except BadName as error:
            return refuse(Refusal(400, "bad_name", str(error), "name"))
        content = _json(body.data)
        if isinstance(content, Refusal):
            return refuse(content)
        contents = read_contents(content, delivery, self._clock())
        if isinstance(contents, BadField):
            return refuse(Refusal(400, "bad_field", contents.detail, contents.field))
        if not self._spool.add_contents(contents):
            return spool_full()
        sizes = {entry.part: len(entry.content.encode()) for entry in contents}
        return answer({"name": name, "delivery": str(delivery), "delivery_key": delivery, "bytes": sizes})


def _count(outcomes: Sequence[Event | Invalid]) -> None:
    """Count items by result, and the refused ones by reason."""
    rejects = Counter(outcome.reason for outcome in outcomes if isinstance(outcome, Invalid))
    counter("sendtrail_api_events_total").labels("accepted").inc(len(outcomes) - rejects.total())
    counter("sendtrail_api_events_total").labels("rejected").inc(rejects.total())
    for reason, count in rejects.items():
        counter("sendtrail_api_rejects_total").labels(reason).inc(count)


def make_app(
    spool: ApiSpool,
    naming_key: bytes,
    max_body_bytes: int,
    clock: Clock = lambda: time.time_ns() // 1_000_000,
) -> Starlette:
    """The ASGI application."""
    api = FeedApi(spool, naming_key, max_body_bytes, clock)
    return Starlette(
        routes=[
            Route("/v1/events", api.events, methods=["POST"]),
            Route(_DELIVERIES + "{rest:path}", api.deliveries, methods=["PUT"]),
            Route("/openapi.json", openapi),
            Route("/docs", docs),
        ],
        middleware=[Middleware(CountRequests)],
        exception_handlers={HTTPException: on_http_exception, Exception: on_error},
    )


async def openapi(request: Request) -> Response:
    """The machine-readable description."""
    return Response((_HERE / "openapi.json").read_bytes(), media_type=JSON)


async def docs(request: Request) -> Response:
    """A page for people."""
    return HTMLResponse((_HERE / "docs.html").read_text())


def _named(request: Request) -> tuple[str | None, str]:
    """The delivery's name and what follows it, from the path as sent: a name may hold an encoded slash."""
    raw = request.scope.get("raw_path", request.url.path.encode()).partition(b"?")[0].decode("latin-1")
    name, _, part = raw[len(_DELIVERIES) :].partition("/")
    try:
        return unquote(name, errors="strict"), part
    except UnicodeDecodeError:
        return None, part


def _items(body: Body) -> list[bytes] | Refusal:
    """The items of a request, each as its own JSON."""
    if body.content_type in NDJSON:
        return [line for line in body.data.split(b"\n") if line.strip()]
    try:
        return [bytes(item) for item in msgspec.json.decode(body.data, type=list[msgspec.Raw])]
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        return _tolerant_items(body.data) or Refusal(400, "bad_json", f"the body is a JSON array of items: {error}")


def _tolerant_items(data: bytes) -> list[bytes]:
    """The items of an array that a tolerant reader can part, so that one with a broken string or a NaN is refused
    alone; none where it can't."""
    try:
        items = json.loads(data)
    except (ValueError, RecursionError):
        return []
    return [json.dumps(item).encode() for item in items] if isinstance(items, list) else []


def _json(data: bytes) -> Any:
    try:
        return msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        return Refusal(400, "bad_json", str(error))


def _entries(
    content: Any, part: str, delivery: int, name: str, now_ms: int
) -> list[Delivery | DeliveryUrl] | BadField:  # fmt: skip
    """The registry entries of a body: the delivery and its URLs, or its URLs alone."""
    if part == "urls":
        urls = read_urls(content, delivery, now_ms)
        return urls if isinstance(urls, BadField) else [*urls]
    if not isinstance(content, dict):
        return BadField("", "the body is a JSON object")
    urls = read_urls(content.pop("urls", None) or [], delivery, now_ms)
    if isinstance(urls, BadField):
        return urls
    entry = read_delivery(content, delivery, name, now_ms)
    return entry if isinstance(entry, BadField) else [entry, *urls]


def _result(outcome: Event | Invalid) -> dict[str, str]:
    if isinstance(outcome, Event):
        return {"status": "accepted", "event_id": outcome.event_id}
    return {"status": "rejected", "reason": outcome.reason, "detail": outcome.detail}
