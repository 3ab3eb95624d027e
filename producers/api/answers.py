"""What the API answers, always JSON, and how requests are counted."""

from typing import Any

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from producers.api.body import Refusal
from sendtrail.metrics import counter

RETRY_AFTER_S = "2"


def answer(content: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """A JSON answer."""
    return Response(msgspec.json.encode(content), status, headers, "application/json")


def refuse(refusal: Refusal, headers: dict[str, str] | None = None) -> Response:
    """The answer to a request that is not taken, which is counted."""
    counter("sendtrail_api_bad_requests_total").labels(refusal.error).inc()
    content = {"error": refusal.error, "detail": refusal.detail}
    if refusal.field:
        content["field"] = refusal.field
    return answer(content, refusal.status, headers)


def spool_full() -> Response:
    """The answer while nothing can be kept: the sender keeps it and repeats."""
    refusal = Refusal(503, "spool_unavailable", "the spool can't be written; nothing was accepted, send it again")
    return refuse(refusal, {"Retry-After": RETRY_AFTER_S})


async def on_http_exception(request: Request, error: Exception) -> Response:
    """404 and 405 of the router."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    words = {404: "not_found", 405: "method_not_allowed"}
    detail = {404: "there is no such call; /docs and /openapi.json say which there are"}
    headers = dict(error.headers) if isinstance(error, HTTPException) and error.headers else None
    text = detail.get(status, f"{request.method} is not taken here")
    return refuse(Refusal(status, words.get(status, "error"), text), headers)


async def on_error(request: Request, error: Exception) -> Response:
    """A fault of ours: logged by the server, never shown."""
    return refuse(Refusal(500, "internal", "the request failed; it is logged, and safe to repeat"))


class CountRequests:
    """Counts requests by route and status."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def counting(message: Message) -> None:
            if message["type"] == "http.response.start":
                route = getattr(scope.get("endpoint"), "__name__", "other")
                counter("sendtrail_api_requests_total").labels(route, str(message["status"])).inc()
            await send(message)

        await self._app(scope, receive, counting)
