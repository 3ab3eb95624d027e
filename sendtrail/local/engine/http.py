"""The HTTP front: ClickHouse's HTTP interface on the loopback interface.

Browsers are kept out: a foreign Host or any Origin is refused before anything else.
"""

from __future__ import annotations

import asyncio
import signal
import socket
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import anyio.to_thread
import structlog
import uvicorn
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from sendtrail.local.engine.core import Core
from sendtrail.local.engine.errors import EngineError
from sendtrail.local.engine.http_result import Outcome, run_statement
from sendtrail.local.engine.request import HttpQuery, decode_body, read_request, read_statement
from sendtrail.local.engine.secret import Credentials
from sendtrail.local.engine.session import Session

_log = structlog.get_logger("http")
_SHUTDOWN_TIMEOUT_S = 15
_BACKLOG = 128

T = TypeVar("T")


class Guard:
    """Answers 403 to a request that names another host or comes from a web page."""

    def __init__(self, app: ASGIApp, port: int) -> None:
        self._app = app
        self._hosts = {f"{name}:{port}" for name in ("127.0.0.1", "localhost", "[::1]")}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI entry."""
        if scope["type"] == "http":
            headers = Headers(scope=scope)
            if headers.get("host", "").lower() not in self._hosts or "origin" in headers:
                await PlainTextResponse("Forbidden: not from here.\n", 403)(scope, receive, send)
                return
        await self._app(scope, receive, send)


class QueryResponse(Response):
    """Sends an outcome piece by piece; the query is cancelled if the client leaves."""

    def __init__(self, outcome: Outcome, session: Session, headers: dict[str, str]) -> None:
        super().__init__(status_code=200, headers=headers | outcome.headers)
        # Its length is not known when it starts.
        del self.headers["content-length"]
        self._outcome = outcome
        self._session = session

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI entry."""
        request = Request(scope, receive)
        start = {"type": "http.response.start", "status": 200, "headers": self.raw_headers}
        pieces = self._outcome.pieces
        try:
            await send(start)
            while piece := await _watched(request, self._session, lambda: next(pieces, b"")):
                await send({"type": "http.response.body", "body": piece, "more_body": True})
            await send({"type": "http.response.body", "body": b""})
        except EngineError as error:
            # Part of the result is out: say why it ends, and end it so that no client takes it for whole.
            await send({"type": "http.response.body", "body": f"\n{error}\n".encode(), "more_body": True})
            raise ClientDisconnect from error
        finally:
            await anyio.to_thread.run_sync(self._close)

    def _close(self) -> None:
        self._outcome.pieces.close()
        self._session.close()


async def _watched(request: Request, session: Session, work: Callable[[], T]) -> T:
    """Run `work` in a thread; cancel the session's query if the client leaves meanwhile."""
    running = asyncio.ensure_future(anyio.to_thread.run_sync(work))
    gone = asyncio.ensure_future(_disconnected(request))
    try:
        await asyncio.wait({running, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not running.done():
            await anyio.to_thread.run_sync(session.cancel)
        return await running
    finally:
        gone.cancel()


async def _disconnected(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


class HttpFront:
    """The interface's routes."""

    def __init__(self, core: Core, credentials: Credentials) -> None:
        self._core = core
        self._credentials = credentials

    def app(self) -> Starlette:
        """The ASGI application."""
        return Starlette(
            routes=[
                Route("/", self.query, methods=["GET", "POST"]),
                Route("/ping", self.ping, methods=["GET"]),
            ]
        )

    async def ping(self, _: Request) -> Response:
        """Says that the server lives; needs no log-in, as in ClickHouse."""
        return PlainTextResponse("Ok.\n")

    async def query(self, request: Request) -> Response:
        """Runs one statement."""
        query = read_request(request)
        headers = {
            "X-ClickHouse-Query-Id": query.query_id or str(uuid.uuid4()),
            "X-ClickHouse-Server-Display-Name": "sendtrail",
            "X-ClickHouse-Timezone": self._core.timezone,
        }
        refused = self._credentials.check(query.user, query.password)
        if refused is not None:
            return self._failed(refused, headers)
        if request.method == "GET" and "query" not in request.query_params:
            return PlainTextResponse("Ok.\n")
        session = await anyio.to_thread.run_sync(self._core.session)
        try:
            outcome = await self._run(request, query, session)
        except EngineError as error:
            await anyio.to_thread.run_sync(session.close)
            return self._failed(error, headers)
        return QueryResponse(outcome, session, headers)

    async def _run(self, request: Request, query: HttpQuery, session: Session) -> Outcome:
        body = decode_body(await request.body(), request.headers.get("content-encoding", ""))
        statement = read_statement(request.query_params.get("query", ""), body)

        def work() -> Outcome:
            return run_statement(session, query, statement)

        return await _watched(request, session, work)

    def _failed(self, error: EngineError, headers: dict[str, str]) -> Response:
        text = f"{error} (version {self._core.version})\n"
        extra = {"X-ClickHouse-Exception-Code": str(error.code)}
        return PlainTextResponse(text, error.http_status, headers=headers | extra)


class _Server(uvicorn.Server):
    """uvicorn whose signals are ours: a SIGTERM ends with exit code 0."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signal handlers alone."""
        yield


def serve_until_signal(core: Core, credentials: Credentials, port: int, stopping: Callable[[], None]) -> None:
    """Serve until SIGTERM or SIGINT, then call `stopping` and finish what runs (bounded). Raises OSError."""
    asyncio.run(_serve(core, credentials, port, stopping))


async def _serve(core: Core, credentials: Credentials, port: int, stopping: Callable[[], None]) -> None:
    """The signals come first: whoever can connect may also end it in order."""
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    listener = socket.create_server(("127.0.0.1", port), backlog=_BACKLOG)
    server = _Server(
        uvicorn.Config(
            Guard(HttpFront(core, credentials).app(), listener.getsockname()[1]),
            log_config=None,
            access_log=False,
            lifespan="off",
            server_header=False,
            timeout_graceful_shutdown=_SHUTDOWN_TIMEOUT_S,
        )
    )
    serving, waiting = asyncio.create_task(server.serve(sockets=[listener])), asyncio.create_task(stopped.wait())
    await asyncio.wait({serving, waiting}, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    stopping()
    server.should_exit = True
    await serving
