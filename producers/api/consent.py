"""POST /v1/consent: what recipients allow and allow no more -> the spool of consents."""

from typing import Annotated, Any

import msgspec
from msgspec import Meta
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from producers.api.access import account_of
from producers.api.answers import answer, refuse, spool_full
from producers.api.body import JSON, NDJSON, Body, Refusal, read_body
from producers.api.events import Clock, items_of
from producers.api.items import readable
from producers.api.spool import ApiSpool
from producers.api.times import read_time
from sendtrail.consents import PURPOSE_PATTERN, Consent, State
from sendtrail.errors import BadName, Invalid
from sendtrail.ids import EARLIEST_MS, LATEST_AHEAD_MS
from sendtrail.metrics import counter
from sendtrail.naming import key


class ConsentItem(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """One thing a recipient said, as senders name things."""

    recipient: Any = None
    purpose: Annotated[str, Meta(pattern=PURPOSE_PATTERN)]
    state: State
    time: Any = None


class ConsentApi:
    """The endpoint. `clock` gives UTC milliseconds."""

    def __init__(self, spool: ApiSpool, naming_key: bytes, max_body_bytes: int, clock: Clock) -> None:
        self._spool = spool
        self._naming_key = naming_key
        self._max_body_bytes = max_body_bytes
        self._clock = clock

    async def consent(self, request: Request) -> Response:
        """Take entries: a JSON array or JSON lines; one result for each."""
        body = await read_body(request, (JSON, *NDJSON), self._max_body_bytes)
        if isinstance(body, Refusal):
            return refuse(body)
        return await run_in_threadpool(self._keep, body, account_of(request))

    def _keep(self, body: Body, account: str) -> Response:
        items = items_of(body)
        if isinstance(items, Refusal):
            return refuse(items)
        now_ms = self._clock()
        outcomes = [read_consent(item, self._naming_key, account, now_ms) for item in items]
        entries = [outcome for outcome in outcomes if isinstance(outcome, Consent)]
        if not self._spool.add_consents(entries):
            return spool_full()
        for outcome in outcomes:
            if isinstance(outcome, Invalid):
                counter("sendtrail_api_rejects_total").labels(outcome.reason).inc()
        rejected = len(outcomes) - len(entries)
        return answer({"accepted": len(entries), "rejected": rejected, "results": list(map(_result, outcomes))})


def read_consent(raw: bytes, naming_key: bytes, account: str, now_ms: int) -> Consent | Invalid:
    """The entry of one item in JSON, or why it is refused. Never raises."""
    try:
        item = msgspec.json.decode(raw, type=ConsentItem)
    except msgspec.ValidationError as error:
        return Invalid("bad_field", readable(error))
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        return Invalid("undecodable", str(error))
    if item.time is None:
        return Invalid("time_missing", "an entry carries the time at which the recipient said so")
    time_ms = read_time(item.time, EARLIEST_MS, now_ms + LATEST_AHEAD_MS)
    if isinstance(time_ms, Invalid):
        return time_ms
    if item.recipient is None:
        return Invalid("bad_name", "recipient is missing")
    try:
        recipient = key(naming_key, account, "recipient", item.recipient)
    except BadName as error:
        return Invalid("bad_name", f"recipient: {error}")
    return Consent(
        account=account, recipient=recipient, recipient_name=str(item.recipient), purpose=item.purpose,
        state=item.state, time_ms=time_ms, updated_ms=now_ms,
    )  # fmt: skip


def _result(outcome: Consent | Invalid) -> dict[str, str]:
    if isinstance(outcome, Consent):
        return {"status": "accepted"}
    return {"status": "rejected", "reason": outcome.reason, "detail": outcome.detail}
