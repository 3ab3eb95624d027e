"""The feed API as an asyncio program calls it; the twin of client.py."""

from collections.abc import AsyncIterable, AsyncIterator, Iterable
from typing import Any, Self
from urllib.parse import urlencode

import httpx
import msgspec
from tenacity import AsyncRetrying

from sendtrail.feed import calls
from sendtrail.feed.batches import Batch, Batcher, Item, Packing, batch_of, body_of, packed
from sendtrail.feed.calls import Passing, Refused, Result, Suppressed
from sendtrail.feed.client import CONSENT, EVENTS, SUPPRESSIONS


class AsyncFeed:
    """What `Feed` is, for asyncio. One request at a time is under way in `send`, so that order is kept."""

    def __init__(
        self, address: str, key: str = "", *, packing: Packing = "zstd", retry_s: float = calls.RETRY_S
    ) -> None:  # fmt: skip
        """As of `Feed`."""
        self._address = calls.checked_address(address)
        self._packing = packing
        self._retry_s = retry_s
        self._http = httpx.AsyncClient(timeout=calls.TIMEOUT, headers=calls.checked_headers(key))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """End the connections."""
        await self._http.aclose()

    async def send(self, items: Iterable[Item] | AsyncIterable[Item]) -> AsyncIterator[Refused]:
        """Feed items in batches, as they come; gives those the API refused. Nothing is sent unless it is gone through.

        When the last one has come out, everything else is in the API's spool.
        """
        batcher = Batcher()
        async for item in _each(items):
            if (batch := batcher.add(item)) is not None:
                for refused in await self._refused(batch):
                    yield refused
        if (batch := batcher.rest()) is not None:
            for refused in await self._refused(batch):
                yield refused

    async def post(self, items: Iterable[Item]) -> list[Result]:
        """Feed items with one request; a result for each. BATCH_ITEMS and BATCH_BYTES are good sizes."""
        return await self._post(EVENTS, batch_of(items))

    async def consent(self, entries: Iterable[Item]) -> list[Result]:
        """Tell what recipients allow or allow no more (docs/api.md, Consent), with one request."""
        return await self._post(CONSENT, batch_of(entries))

    async def suppressions(self, cursor: str = "", limit: int = 1_000) -> AsyncIterator[Suppressed]:
        """The pages behind a cursor, "" from the beginning, until there is nothing more for now."""
        more = True
        while more:
            query = urlencode({"cursor": cursor, "limit": limit})
            page = calls.suppressed_of(await self.call("GET", f"{SUPPRESSIONS}?{query}"), SUPPRESSIONS)
            cursor, more = page.cursor, page.more
            yield page

    async def call(self, method: str, path: str, body: Any = None) -> Any:
        """Any call of the API, with `body` as JSON; the answer's JSON."""
        if body is None:
            return await self._request(method, path, b"", {})
        return await self._request(method, path, *packed(msgspec.json.encode(body), "application/json", self._packing))

    async def _refused(self, batch: Batch) -> list[Refused]:
        return calls.refused_of(batch, await self._post(EVENTS, batch))

    async def _post(self, path: str, batch: Batch) -> list[Result]:
        answer = await self._request("POST", path, *body_of(batch.lines, self._packing))
        return calls.results_of(answer, batch, f"POST {path}")

    async def _request(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> Any:
        what = f"{method} {path.partition('?')[0]}"
        try:
            trying = AsyncRetrying(**calls.retrying(self._address, self._retry_s))
            return await trying(self._once, what, method, path, body, headers)
        except (Passing, httpx.HTTPError) as error:
            raise calls.gave_up(error, self._address, what) from error

    async def _once(self, what: str, method: str, path: str, body: bytes, headers: dict[str, str]) -> Any:
        answer = await self._http.request(method, self._address + path, content=body, headers=headers)
        return calls.read_answer(answer, what)


async def _each(items: Iterable[Item] | AsyncIterable[Item]) -> AsyncIterator[Item]:
    if isinstance(items, AsyncIterable):
        async for item in items:
            yield item
    else:
        for item in items:
            yield item
