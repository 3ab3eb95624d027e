"""What both clients do alike: read answers, decide what is tried again and when. Pure but for the log."""

import logging
from collections.abc import Sequence
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import httpx
import msgspec
from tenacity import RetryCallState, retry_if_exception_type, stop_after_delay, wait_exponential_jitter

from sendtrail.errors import ApiError, ApiRefused, ApiUnavailable
from sendtrail.feed.batches import Batch, Item

_log = logging.getLogger("sendtrail.feed")

TIMEOUT = httpx.Timeout(60.0, connect=10.0)
RETRY_S = 120.0
_AGAIN = frozenset((408, 425, 429, 500, 502, 503, 504))
_MOST_WAIT_S = 60.0
_backoff = wait_exponential_jitter(multiplier=0.2, max=10, jitter=0.2)


class Result(NamedTuple):
    """What became of one item: its event id, or the reason and text of its refusal (docs/api.md)."""

    event_id: str
    reason: str = ""
    detail: str = ""


class Refused(NamedTuple):
    """An item the API refused. `number`: from 0, in the order they were sent."""

    number: int
    item: Item
    reason: str
    detail: str


class Suppressed(NamedTuple):
    """A page of suppressions. Keep `cursor` once the page is dealt with; `more`: another page is there already."""

    entries: list[dict[str, Any]]
    cursor: str
    more: bool


class Passing(Exception):
    """An answer that a later try may not meet. `wait_s`: as the API asked, 0 where it did not."""

    def __init__(self, text: str, wait_s: float) -> None:
        super().__init__(text)
        self.wait_s = wait_s


def checked_address(address: str) -> str:
    """The address without a slash at its end. Raises ApiError where it is no http or https URL."""
    try:
        parts = urlsplit(address)
        httpx.URL(address)
    except (ValueError, httpx.InvalidURL) as error:
        raise ApiError(f"the API's address is an http or https URL, not {address!r}: {error}") from error
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ApiError(f"the API's address is an http or https URL, not {address!r}")
    return address.rstrip("/")


def checked_headers(key: str) -> dict[str, str]:
    """The headers of every request. Raises ApiError for a key that can't be sent."""
    if not key:
        return {}
    if not key.isascii() or not key.isprintable() or " " in key:
        raise ApiError("an API key is one word of ASCII: was a file with more in it given?")
    return {"Authorization": f"Bearer {key}"}


def retrying(address: str, retry_s: float) -> dict[str, Any]:
    """How tenacity is to try: what passes, for so long, with the API's own pauses or growing ones."""

    def wait(state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        asked = error.wait_s if isinstance(error, Passing) else 0.0
        return asked or float(_backoff(state))

    def say(state: RetryCallState) -> None:
        """Through logging, so that a sender's program decides where it goes; without one, on standard error."""
        if state.attempt_number == 1 or state.attempt_number % 10 == 0:
            error = state.outcome.exception() if state.outcome else None
            _log.warning("the feed API at %s can't take it now, trying on: %s", address, error)

    return {
        "retry": retry_if_exception_type((Passing, httpx.TransportError)),
        "wait": wait,
        "stop": stop_after_delay(retry_s),
        "before_sleep": say,
        "reraise": True,
    }


def read_answer(answer: httpx.Response, what: str) -> Any:
    """An answer's JSON. Raises Passing for what is to be tried again, ApiRefused, or ApiError for no JSON."""
    if answer.is_success:
        try:
            return msgspec.json.decode(answer.content)
        except (msgspec.DecodeError, UnicodeError) as error:
            raise ApiError(f"{what}: the answer is not JSON ({error}): is this the feed API?") from error
    text = f"{what}: {answer.status_code} {answer.text[:2000]}"
    if answer.status_code in _AGAIN:
        raise Passing(text, _retry_after(answer.headers.get("retry-after", "")))
    raise ApiRefused(text, answer.status_code)


def gave_up(error: Passing | httpx.HTTPError, address: str, what: str) -> ApiError:
    """The error after the last try."""
    if isinstance(error, Passing):
        return ApiUnavailable(str(error))
    return ApiUnavailable(f"{what}: {address} does not answer: {str(error) or type(error).__name__}")


def results_of(answer: Any, batch: Batch, what: str) -> list[Result]:
    """The results of a batch. Raises ApiError where the answer has not one for each item."""
    try:
        results = [_result(entry) for entry in answer["results"]]
    except (TypeError, KeyError, AttributeError) as error:
        raise ApiError(f"{what}: the answer has no results: is this the feed API?") from error
    if len(results) != len(batch.items):
        raise ApiError(f"{what}: {len(batch.items)} items were sent, {len(results)} results came back")
    return results


def refused_of(batch: Batch, results: Sequence[Result]) -> list[Refused]:
    """The items of a batch that were refused."""
    return [
        Refused(batch.first + number, item, result.reason, result.detail)
        for number, (item, result) in enumerate(zip(batch.items, results, strict=True))
        if result.reason
    ]


def suppressed_of(answer: Any, what: str) -> Suppressed:
    """A page of suppressions. Raises ApiError for another answer."""
    try:
        return Suppressed(list(answer["suppressions"]), str(answer["cursor"]), bool(answer["more"]))
    except (TypeError, KeyError) as error:
        raise ApiError(f"{what}: the answer is no page of suppressions: is this the feed API?") from error


def _result(entry: Any) -> Result:
    if entry["status"] == "accepted":
        return Result(entry.get("event_id", ""))
    return Result("", entry["reason"], entry.get("detail", ""))


def _retry_after(value: str) -> float:
    """Seconds the API asked to wait; a date, or nonsense, is 0."""
    return min(float(value), _MOST_WAIT_S) if value.isascii() and value.isdigit() else 0.0
