"""What a sender tells the feed API of a message: its delivery, URLs and content once, a `prepared` item for each
recipient."""

import json
import logging
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlsplit
from urllib.request import Request, urlopen

import msgspec
from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_delay, wait_exponential_jitter

from sendtrail.contents import MAX_BYTES
from sendtrail.errors import ApiError
from sendtrail.instrument.template import Template

_log = logging.getLogger(__name__)

BATCH = 1_000
_TIMEOUT_S = 30
_RETRY_S = 120
_TRY_AGAIN = (429, 502, 503, 504)


class Api:
    """The feed API. Every call waits out an API that is away or busy, up to two minutes, then raises ApiError.

    Repeating is safe: a delivery is replaced by itself, an item keeps its id.
    """

    def __init__(self, address: str) -> None:
        if urlsplit(address).scheme not in ("http", "https"):
            raise ApiError(f"the API's address is an http or https URL, not {address!r}")
        self._address = address.rstrip("/")

    def register(self, template: Template, **fields: Any) -> dict[str, Any]:
        """Register a template's delivery, URLs and content. `fields`: label, code, campaign, tags, subject and so on.

        A part that is larger than the API keeps is left out, with a warning: only hot clicks need it.
        """
        path = f"/v1/deliveries/{quote(str(template.delivery), safe='')}"
        answer: dict[str, Any] = self._call("PUT", path, {**fields, "urls": template.url_fields()})
        contents = {name: part for name, part in template.contents().items() if _fits(name, part)}
        if any(contents.values()):
            self._call("PUT", f"{path}/content", contents)
        return answer

    def feed(self, items: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
        """Post items in batches. Returns the refused ones with the API's reason beside each; [] when all were taken."""
        refused: list[dict[str, Any]] = []
        for batch in _batches(items):
            results = self._call("POST", "/v1/events", batch)["results"]
            refused += [
                {"item": item, **result}
                for item, result in zip(batch, results, strict=True)
                if result["status"] != "accepted"
            ]
        return refused

    def _call(self, method: str, path: str, body: Any) -> Any:
        waiting = Retrying(
            retry=retry_if_exception(_is_passing),
            wait=wait_exponential_jitter(multiplier=0.2, max=10, jitter=0.2),
            stop=stop_after_delay(_RETRY_S),
            before_sleep=self._say,
            reraise=True,
        )
        try:
            return waiting(self._once, method, path, msgspec.json.encode(body))
        except _Refused as error:
            raise ApiError(f"{method} {path}: {error.status} {error.text}") from error
        except (URLError, TimeoutError, ConnectionError, ValueError) as error:
            raise ApiError(f"{method} {self._address}{path}: {error}") from error

    def _say(self, state: RetryCallState) -> None:
        """Through logging, so that a sender's program decides where it goes; without one, on standard error."""
        if state.attempt_number == 1 or state.attempt_number % 10 == 0:
            error = state.outcome.exception() if state.outcome else None
            _log.warning("the feed API at %s can't take it now, trying on: %s", self._address, error)

    def _once(self, method: str, path: str, body: bytes) -> Any:
        request = Request(self._address + path, body, {"Content-Type": "application/json"}, method=method)
        try:
            with urlopen(request, timeout=_TIMEOUT_S) as answer:
                return json.load(answer)
        except HTTPError as error:
            with error:
                raise _Refused(error.code, error.read(2000).decode("utf-8", "replace")) from None


class _Refused(Exception):
    """An answer that is not 2xx."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(status, text)
        self.status = status
        self.text = text


def _fits(name: str, part: str) -> bool:
    fits = len(part.encode()) <= MAX_BYTES
    if not fits:
        _log.warning("the %s part has more than %d bytes: hot clicks won't show it", name, MAX_BYTES)
    return fits


def _is_passing(error: BaseException) -> bool:
    """Errors that a later try may not meet: the API is away, restarting or busy."""
    if isinstance(error, _Refused):
        return error.status in _TRY_AGAIN
    return isinstance(error, URLError | TimeoutError | ConnectionError)


def _batches(items: Iterable[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    waiting = iter(items)
    while batch := list(islice(waiting, BATCH)):
        yield batch
