"""POST /v1/webhooks/{name}, what providers tell, and POST /v1/mta/{source}, what is told beside a mail server
-> events in the spool."""

from collections import Counter
from collections.abc import Mapping

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from producers.api.access import account_of
from producers.api.answers import RETRY_AFTER_S, answer, refuse, spool_full
from producers.api.body import JSON, NDJSON, Refusal, read_body
from producers.api.events import Clock
from producers.api.providers.events import EventMaker, is_reject
from producers.api.providers.found import Call
from producers.api.providers.mta import sources
from producers.api.providers.webhook import Webhook
from producers.api.spool import ApiSpool
from sendtrail.events import Event
from sendtrail.metrics import counter

PATH = "/v1/webhooks/"


class WebhooksApi:
    """The endpoint of all of them. `clock` gives UTC milliseconds."""

    def __init__(
        self, spool: ApiSpool, naming_key: bytes, max_body_bytes: int, clock: Clock, hooks: Mapping[str, Webhook]
    ) -> None:
        self._spool = spool
        self._naming_key = naming_key
        self._max_body_bytes = max_body_bytes
        self._clock = clock
        self._hooks = hooks
        self._mta = sources()

    async def webhooks(self, request: Request) -> Response:
        """Take a provider's request. 2xx once all of it is in the spool, items that are no events included."""
        hook = self._hooks.get(request.path_params["name"])
        if hook is None:
            return refuse(Refusal(404, "not_found", f"there are webhooks {', '.join(sorted(self._hooks))}"))
        body = await read_body(request, (), self._max_body_bytes)
        if isinstance(body, Refusal):
            return refuse(body)
        headers = {name.lower(): value for name, value in request.headers.items()}
        call = Call(headers, body.data, request.path_params.get("secret", ""), self._clock())
        return await run_in_threadpool(self._take, hook, hook.account, call)

    async def mta(self, request: Request) -> Response:
        """Take what a command beside a mail server tells, for the account of its API key."""
        source = self._mta.get(request.path_params["source"])
        if source is None:
            return refuse(Refusal(404, "not_found", f"there are sources {', '.join(sorted(self._mta))}"))
        body = await read_body(request, (JSON, *NDJSON), self._max_body_bytes)
        if isinstance(body, Refusal):
            return refuse(body)
        call = Call({}, body.data, "", self._clock())
        return await run_in_threadpool(self._take, source, account_of(request), call)

    def _take(self, hook: Webhook, account: str, call: Call) -> Response:
        found = hook.read(call)
        if isinstance(found, Refusal):
            return refuse(found, {"Retry-After": RETRY_AFTER_S} if found.status == 503 else _challenge(found))
        maker = EventMaker(self._naming_key, hook.name, account)
        events = [maker.event(one, call.now_ms) for one in found]
        if not self._spool.add_events(events):
            return spool_full()
        hook.kept(call)
        rejected = _count(events)
        return answer({"accepted": len(events) - rejected, "rejected": rejected})


def _count(events: list[Event]) -> int:
    """Count events and rejects; how many are rejects."""
    rejects = Counter(event.reason for event in events if is_reject(event))
    counter("sendtrail_api_events_total").labels("accepted").inc(len(events) - rejects.total())
    counter("sendtrail_api_events_total").labels("rejected").inc(rejects.total())
    for reason, count in rejects.items():
        counter("sendtrail_api_rejects_total").labels(reason).inc(count)
    return rejects.total()


def _challenge(refusal: Refusal) -> dict[str, str] | None:
    return {"WWW-Authenticate": 'Basic realm="webhooks"'} if refusal.status == 401 else None
