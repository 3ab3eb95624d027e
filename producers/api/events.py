"""POST /v1/events: fed items -> events in the spool."""

import json
import time
from collections import Counter
from collections.abc import Callable, Sequence

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from producers.api.access import account_of
from producers.api.answers import answer, refuse, spool_full
from producers.api.body import JSON, NDJSON, Body, Refusal, read_body
from producers.api.items import ItemReader
from producers.api.spool import ApiSpool
from sendtrail.errors import Invalid
from sendtrail.events import Event
from sendtrail.metrics import counter

Clock = Callable[[], int]


def now_ms() -> int:
    """UTC milliseconds."""
    return time.time_ns() // 1_000_000


class EventsApi:
    """The endpoint. `clock` gives UTC milliseconds."""

    def __init__(self, spool: ApiSpool, naming_key: bytes, max_body_bytes: int, clock: Clock) -> None:
        self._spool = spool
        self._naming_key = naming_key
        self._max_body_bytes = max_body_bytes
        self._clock = clock

    async def events(self, request: Request) -> Response:
        """Take fed events: a JSON array or JSON lines; one result for each."""
        body = await read_body(request, (JSON, *NDJSON), self._max_body_bytes)
        if isinstance(body, Refusal):
            return refuse(body)
        return await run_in_threadpool(self._feed, body, account_of(request))

    def _feed(self, body: Body, account: str) -> Response:
        items = items_of(body)
        if isinstance(items, Refusal):
            return refuse(items)
        now, reader = self._clock(), ItemReader(self._naming_key, account)
        outcomes = [reader.read(item, now) for item in items]
        events = [outcome for outcome in outcomes if isinstance(outcome, Event)]
        if not self._spool.add_events(events):
            return spool_full()
        _count(outcomes)
        results = [_result(outcome) for outcome in outcomes]
        return answer({"accepted": len(events), "rejected": len(outcomes) - len(events), "results": results})


def items_of(body: Body) -> list[bytes] | Refusal:
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


def _count(outcomes: Sequence[Event | Invalid]) -> None:
    """Count items by result, and the refused ones by reason."""
    rejects = Counter(outcome.reason for outcome in outcomes if isinstance(outcome, Invalid))
    counter("sendtrail_api_events_total").labels("accepted").inc(len(outcomes) - rejects.total())
    counter("sendtrail_api_events_total").labels("rejected").inc(rejects.total())
    for reason, count in rejects.items():
        counter("sendtrail_api_rejects_total").labels(reason).inc(count)


def _result(outcome: Event | Invalid) -> dict[str, str]:
    if isinstance(outcome, Event):
        return {"status": "accepted", "event_id": outcome.event_id}
    return {"status": "rejected", "reason": outcome.reason, "detail": outcome.detail}
