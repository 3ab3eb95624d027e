"""The feed API as a program calls it, one request after the other."""

from collections.abc import Iterable, Iterator
from typing import Any, Self
from urllib.parse import urlencode

import httpx
import msgspec
from tenacity import Retrying

from sendtrail.feed import calls
from sendtrail.feed.batches import Batch, Batcher, Item, Packing, batch_of, body_of, packed
from sendtrail.feed.calls import Passing, Refused, Result, Suppressed

EVENTS, CONSENT, SUPPRESSIONS = "/v1/events", "/v1/consent", "/v1/suppressions"


class Feed:
    """The feed API at an address. Every call waits out an API that is away or busy, `retry_s` seconds at most.

    Repeating is safe: an item keeps its id. Order is kept, and no more than one batch is in memory. May be shared by
    threads. All methods raise ApiRefused, ApiUnavailable or BadItem, nothing else of their own.
    """

    def __init__(
        self, address: str, key: str = "", *, packing: Packing = "zstd", retry_s: float = calls.RETRY_S
    ) -> None:  # fmt: skip
        """`key`: an API key, where the API asks for one. Raises ApiError for an address or a key that can't be one."""
        self._address = calls.checked_address(address)
        self._packing = packing
        self._retry_s = retry_s
        self._http = httpx.Client(timeout=calls.TIMEOUT, headers=calls.checked_headers(key))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the connections."""
        self._http.close()

    def send(self, items: Iterable[Item]) -> Iterator[Refused]:
        """Feed items in batches, as they come; gives those the API refused. Nothing is sent unless it is gone through.

        When the last one has come out, everything else is in the API's spool.
        """
        batcher = Batcher()
        for item in items:
            if (batch := batcher.add(item)) is not None:
                yield from self._refused(batch)
        if (batch := batcher.rest()) is not None:
            yield from self._refused(batch)

    def post(self, items: Iterable[Item]) -> list[Result]:
        """Feed items with one request; a result for each. BATCH_ITEMS and BATCH_BYTES are good sizes."""
        return self._post(EVENTS, batch_of(items))

    def consent(self, entries: Iterable[Item]) -> list[Result]:
        """Tell what recipients allow or allow no more (docs/api.md, Consent), with one request."""
        return self._post(CONSENT, batch_of(entries))

    def suppressions(self, cursor: str = "", limit: int = 1_000) -> Iterator[Suppressed]:
        """The pages behind a cursor, "" from the beginning, until there is nothing more for now."""
        more = True
        while more:
            query = urlencode({"cursor": cursor, "limit": limit})
            page = calls.suppressed_of(self.call("GET", f"{SUPPRESSIONS}?{query}"), SUPPRESSIONS)
            cursor, more = page.cursor, page.more
            yield page

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """Any call of the API, with `body` as JSON; the answer's JSON."""
        if body is None:
            return self._request(method, path, b"", {})
        return self._request(method, path, *packed(msgspec.json.encode(body), "application/json", self._packing))

    def _refused(self, batch: Batch) -> list[Refused]:
        return calls.refused_of(batch, self._post(EVENTS, batch))

    def _post(self, path: str, batch: Batch) -> list[Result]:
        answer = self._request("POST", path, *body_of(batch.lines, self._packing))
        return calls.results_of(answer, batch, f"POST {path}")

    def _request(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> Any:
        what = f"{method} {path.partition('?')[0]}"
        try:
            trying = Retrying(**calls.retrying(self._address, self._retry_s))
            return trying(self._once, what, method, path, body, headers)
        except (Passing, httpx.HTTPError) as error:
            raise calls.gave_up(error, self._address, what) from error

    def _once(self, what: str, method: str, path: str, body: bytes, headers: dict[str, str]) -> Any:
        answer = self._http.request(method, self._address + path, content=body, headers=headers)
        return calls.read_answer(answer, what)
