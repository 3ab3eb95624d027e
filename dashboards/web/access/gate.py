"""The gate: every request passes it, or is answered here. host -> origin -> who -> form token -> the pages."""

from starlette.datastructures import MutableHeaders
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dashboards.web.access.answers import STATIC, Refusal, ask_to_log_in, is_api, is_public, path_of, refuse
from dashboards.web.access.desk import Caller, Desk
from dashboards.web.access.origin import form_token, from_elsewhere, is_unsafe, matches
from dashboards.web.access.reader import NOBODY
from dashboards.web.access.sessions import Session

_STALE = Refusal(403, "the page this came from is too old, or cookies are off: open it again and repeat")


class _NoLongerWelcome(OSError):
    """The reader of a stream lost their access; an OSError, as for a reader who went away."""


class Gate:
    """Middleware that sets `request.state.reader` and `.csrf`, or answers in the application's place."""

    def __init__(self, app: ASGIApp, desk: Desk) -> None:
        self._app = app
        self._desk = desk

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            await self._pass(Request(scope, receive), send)
        else:
            await send({"type": "websocket.close", "code": 1008, "reason": "there are no websockets here"})

    async def _pass(self, request: Request, send: Send) -> None:
        desk = self._desk
        refusal = desk.misdirected(request) or from_elsewhere(request, desk.hosts, desk.is_https(request))
        if refusal is not None:
            await refuse(request, refusal)(request.scope, request.receive, send)
            return
        caller = desk.identify(request)
        if caller.reader is None and not is_public(request):
            response = refuse(request, caller.refusal) if caller.refusal else ask_to_log_in(request)
            await response(request.scope, request.receive, send)
            return
        given = caller.session or desk.sessions.anonymous()
        receive = request.receive
        if is_unsafe(request) and not caller.by_token:
            token = await form_token(request)
            if isinstance(token, Refusal) or not matches(token[0], desk.sessions.form_token(given)):
                refusal = token if isinstance(token, Refusal) else _STALE
                await refuse(request, refusal)(request.scope, request.receive, send)
                return
            receive = token[1]
        request.scope["state"] |= {
            "reader": caller.reader or NOBODY,
            "csrf": desk.sessions.form_token(given),
            "desk": desk,
            "caller": caller,
            "can_log_out": bool(caller.session and caller.session.name),
            "next_session": None,
        }
        await self._answer(request, caller, given, receive, send)

    async def _answer(self, request: Request, caller: Caller, given: Session, receive: Receive, send: Send) -> None:
        """Let the application answer; add the cookie to its headers; end a stream whose reader loses their access."""
        streams = ended = False

        async def watched(message: Message) -> None:
            nonlocal streams, ended
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                streams = headers.get("content-type", "").startswith("text/event-stream")
                session = self._session_to_set(request, caller, given, streams)
                if session is not None:
                    headers.append("Set-Cookie", self._desk.sessions.cookie(session, self._desk.is_https(request)))
            elif streams and self._desk.identify(request).reader != caller.reader:
                ended = True
                raise _NoLongerWelcome("access ended")
            await send(message)

        try:
            await self._app(request.scope, receive, watched)
        except (_NoLongerWelcome, ClientDisconnect):
            if not ended:
                raise
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    def _session_to_set(self, request: Request, caller: Caller, given: Session, streams: bool) -> Session | None:
        """What the browser is to keep from now on; None where it has it already or should have nothing.

        A stream is opened again by the browser itself, so it is no sign that somebody is there.
        """
        chosen: Session | None = request.scope["state"]["next_session"]
        if chosen is not None:
            return chosen
        if caller.by_token or streams or path_of(request).startswith(STATIC):
            return None
        if caller.session is not None:
            return self._desk.sessions.seen(caller.session)
        return None if is_api(request) else given
