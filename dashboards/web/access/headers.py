"""Security headers on every response, those of faults too."""

import inspect
import secrets
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_POLICY = (
    "default-src 'none'; script-src 'self' 'nonce-{nonce}'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; font-src 'self'; form-action 'self'; frame-src 'self'; frame-ancestors 'none'; "
    "base-uri 'none'"
)

#: Set where the endpoint has not. `same-origin` and not `no-referrer`: with the latter browsers send forms with
#: `Origin: null`, which could not be told from a foreign one. `no-store`: nothing to go back to after a log-out.
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": (
        "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), publickey-credentials-get=(), usb=()"
    ),
    "Cache-Control": "no-store",
}


class SecurityHeaders:
    """Outermost middleware. An endpoint's own header stays: the frame of a message has a policy of its own."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        nonce = secrets.token_urlsafe(16)
        scope["state"] = {**scope.get("state", {}), "csp_nonce": nonce}
        started = False

        async def with_headers(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                _complete(MutableHeaders(scope=message), nonce)
            await send(message)

        try:
            await self._app(scope, receive, with_headers)
        except Exception as error:
            if started:
                raise
            # Starlette answers faults outside of all middleware, so without headers: the answer is given here.
            handler = _fault_handler(scope)
            request = Request(scope, receive)
            response = await handler(request, error) if handler else PlainTextResponse("Internal Server Error", 500)
            await response(scope, receive, with_headers)
            if handler is None:
                raise  # for the server to log


def _complete(headers: MutableHeaders, nonce: str) -> None:
    headers.setdefault("Content-Security-Policy", _POLICY.format(nonce=nonce))
    for name, value in HEADERS.items():
        headers.setdefault(name, value)


def _fault_handler(scope: Scope) -> Callable[[Request, Exception], Awaitable[Response]] | None:
    """What the application set for faults, which also logs them; None where it set nothing."""
    handlers: dict[Any, Any] = getattr(scope.get("app"), "exception_handlers", {})
    handler = handlers.get(500) or handlers.get(Exception)
    if handler is None or inspect.iscoroutinefunction(handler):
        found: Callable[[Request, Exception], Awaitable[Response]] | None = handler
        return found
    return partial(run_in_threadpool, handler)
