"""PUT /v1/deliveries/{name}, its `urls` and its `content`: what a sender says of a delivery -> the registry's spool."""

from collections.abc import Collection
from functools import partial
from typing import Any
from urllib.parse import unquote

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from producers.api.access import account_of
from producers.api.answers import answer, refuse, spool_full
from producers.api.body import JSON, Body, Refusal, read_body
from producers.api.contents import read_contents
from producers.api.events import Clock
from producers.api.registry import BadField, read_delivery, read_urls
from producers.api.spool import ApiSpool
from sendtrail.deliveries import Delivery, DeliveryUrl
from sendtrail.errors import BadName
from sendtrail.naming import key

PATH = "/v1/deliveries/"


class DeliveriesApi:
    """The endpoints. `clock` gives UTC milliseconds; `sources`: whose hits a delivery may count (`hits_from`)."""

    def __init__(
        self, spool: ApiSpool, naming_key: bytes, max_body_bytes: int, clock: Clock, sources: Collection[str]
    ) -> None:
        self._sources = sources
        self._spool = spool
        self._naming_key = naming_key
        self._max_body_bytes = max_body_bytes
        self._clock = clock

    async def deliveries(self, request: Request) -> Response:
        """Register a delivery, or only its URLs, or its message."""
        name, part = named(request)
        if part not in ("", "urls", "content"):
            raise HTTPException(404)
        if name is None:
            return refuse(Refusal(400, "bad_name", "a name in the path is percent-encoded UTF-8", "name"))
        body = await read_body(request, (JSON,), self._max_body_bytes)
        if isinstance(body, Refusal):
            return refuse(body)
        take = self._keep_content if part == "content" else partial(self._register, part=part)
        return await run_in_threadpool(take, account_of(request), name, body=body)

    def _register(self, account: str, name: str, *, part: str, body: Body) -> Response:
        try:
            delivery = key(self._naming_key, account, "delivery", name)
        except BadName as error:
            return refuse(Refusal(400, "bad_name", str(error), "name"))
        content = json_of(body.data)
        if isinstance(content, Refusal):
            return refuse(content)
        entries = _entries(content, part, Delivery(account=account, delivery=delivery, name=name), self._clock())
        if not isinstance(entries, BadField):
            entries = self._unknown_source(entries) or entries
        if isinstance(entries, BadField):
            return refuse(Refusal(400, "bad_field", entries.detail, entries.field))
        if not self._spool.add_entries(entries):
            return spool_full()
        urls = [{"url_id": entry.url_id, "url": entry.url} for entry in entries if isinstance(entry, DeliveryUrl)]
        return answer({"name": name, "delivery": str(delivery), "delivery_key": delivery, "urls": urls})

    def _unknown_source(self, entries: list[Delivery | DeliveryUrl]) -> BadField | None:
        """A misspelt source would make every hit of the delivery foreign."""
        for entry in entries:
            if isinstance(entry, Delivery) and entry.hits_from not in self._sources:
                return BadField("hits_from", f"there are {', '.join(sorted(self._sources))}")
        return None

    def _keep_content(self, account: str, name: str, *, body: Body) -> Response:
        try:
            delivery = key(self._naming_key, account, "delivery", name)
        except BadName as error:
            return refuse(Refusal(400, "bad_name", str(error), "name"))
        content = json_of(body.data)
        if isinstance(content, Refusal):
            return refuse(content)
        contents = read_contents(content, delivery, self._clock())
        if isinstance(contents, BadField):
            return refuse(Refusal(400, "bad_field", contents.detail, contents.field))
        if not self._spool.add_contents(contents):
            return spool_full()
        sizes = {entry.part: len(entry.content.encode()) for entry in contents}
        return answer({"name": name, "delivery": str(delivery), "delivery_key": delivery, "bytes": sizes})


def json_of(data: bytes) -> Any:
    """A body's JSON, or the refusal of what is none."""
    try:
        return msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        return Refusal(400, "bad_json", str(error))


def named(request: Request) -> tuple[str | None, str]:
    """The delivery's name and what follows it, from the path as sent: a name may hold an encoded slash."""
    raw = request.scope.get("raw_path", request.url.path.encode()).partition(b"?")[0].decode("latin-1")
    name, _, part = raw[len(PATH) :].partition("/")
    try:
        return unquote(name, errors="strict"), part
    except UnicodeDecodeError:
        return None, part


def _entries(
    content: Any, part: str, named: Delivery, now_ms: int
) -> list[Delivery | DeliveryUrl] | BadField:  # fmt: skip
    """The registry entries of a body: the delivery and its URLs, or its URLs alone."""
    if part == "urls":
        urls = read_urls(content, named.delivery, now_ms)
        return urls if isinstance(urls, BadField) else [*urls]
    if not isinstance(content, dict):
        return BadField("", "the body is a JSON object")
    urls = read_urls(content.pop("urls", None) or [], named.delivery, now_ms)
    if isinstance(urls, BadField):
        return urls
    entry = read_delivery(content, named, now_ms)
    return entry if isinstance(entry, BadField) else [entry, *urls]
