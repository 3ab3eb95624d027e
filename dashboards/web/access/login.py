"""/login and /logout."""

from collections.abc import Callable
from typing import Any

import structlog
from anyio import CapacityLimiter, to_thread
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from dashboards.web.access.answers import LOGIN, local_path
from dashboards.web.access.attempts import RETRY_AFTER_S
from dashboards.web.access.desk import Caller, Desk
from dashboards.web.access.passwords import verify
from dashboards.web.access.users import MAX_NAME, normal_name
from sendtrail.metrics import counter

#: render(request, template_name, context, status_code) -> Response
Render = Callable[[Request, str, dict[str, Any], int], Response]

TEMPLATE = "login.html"

#: Hashing takes 64 MiB each: so many at once, the others wait.
_MOST_AT_ONCE = 2

_log = structlog.stdlib.get_logger("access")


class LogIn:
    """The endpoints.

    The template gets `next` (path to go on to), `typed` (the name) and `error`: "", "wrong" or "often".
    """

    def __init__(self, render: Render) -> None:
        self._render = render
        self._hashing = CapacityLimiter(_MOST_AT_ONCE)

    async def form(self, request: Request) -> Response:
        """GET /login: the form; where it is not needed, straight on."""
        caller, desk = _state(request)
        back = local_path(request.query_params.get("next", "/"))
        if caller.reader is not None or not desk.has_login:
            return RedirectResponse(back, 303)
        return self._show(request, back)

    async def check(self, request: Request) -> Response:
        """POST /login: a new session for the right name and password; else one answer whatever was wrong."""
        _, desk = _state(request)
        fields = await request.form()
        name, password, back = (_text(fields.get(key)) for key in ("name", "password", "next"))
        back, name = local_path(back), normal_name(name)[: MAX_NAME + 1]
        if not desk.has_login:
            return RedirectResponse(back, 303)
        if not desk.attempts.allow(desk.client(request), name):
            _note("often", desk, request, name)
            return self._show(request, back, name, "often", 429)
        user = desk.users.now().by_name.get(name)
        stored = user.password if user is not None else ""
        right = await to_thread.run_sync(verify, stored, password, limiter=self._hashing)
        if user is None or not right:
            _note("wrong", desk, request, name)
            return self._show(request, back, name, "wrong", 403)
        _note("right", desk, request, name)
        request.state.next_session = desk.sessions.of(user)
        return RedirectResponse(back, 303)

    async def leave(self, request: Request) -> Response:
        """POST /logout: end the session, copies of its cookie too."""
        caller, desk = _state(request)
        if caller.session is not None and caller.session.name:
            desk.sessions.end(caller.session)
            request.state.next_session = desk.sessions.anonymous()
        return RedirectResponse(LOGIN, 303)

    def _show(self, request: Request, back: str, name: str = "", error: str = "", status: int = 200) -> Response:
        response = self._render(request, TEMPLATE, {"next": back, "typed": name, "error": error}, status)
        if status == 429:
            response.headers["Retry-After"] = str(RETRY_AFTER_S)
        return response


def _state(request: Request) -> tuple[Caller, Desk]:
    return request.state.caller, request.state.desk


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _note(result: str, desk: Desk, request: Request, name: str) -> None:
    """Log and count. A name that is no user's is not logged: people type passwords into the wrong field."""
    counter("sendtrail_web_logins_total").labels(result).inc()
    known = name if name in desk.users.now().by_name else "unknown"
    _log.info("log-in", result=result, user=known, address=str(desk.client(request)))
