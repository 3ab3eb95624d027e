"""Who may see the report pages: one middleware in front of every page and API route, and the log-in."""

import time
from typing import Any

from starlette.middleware import Middleware
from starlette.routing import Route

from dashboards.web.access.answers import LOGIN, LOGOUT
from dashboards.web.access.desk import Clock, open_desk
from dashboards.web.access.gate import Gate
from dashboards.web.access.headers import SecurityHeaders
from dashboards.web.access.login import LogIn, Render
from sendtrail.settings import WebSettings

#: For uvicorn.Config. Its own belief in X-Forwarded-For would put a forged address where the peer's is looked at.
SERVER_OPTIONS: dict[str, Any] = {"proxy_headers": False, "server_header": False, "ws": "none"}


def access(settings: WebSettings, clock: Clock = time.time) -> list[Middleware]:
    """The middleware, to stand first. Raises SettingsError where the settings would let strangers in.

    Sets `request.state.reader` (Reader), `.csrf` (form token), `.csp_nonce` and `.can_log_out` for every endpoint.
    `clock` gives UTC seconds.
    """
    return [Middleware(SecurityHeaders), Middleware(Gate, open_desk(settings, clock))]


def routes(render: Render) -> list[Route]:
    """/login and /logout, shown by `render(request, template_name, context, status_code)`."""
    log_in = LogIn(render)
    return [
        Route(LOGIN, log_in.form, methods=["GET"], name="login"),
        Route(LOGIN, log_in.check, methods=["POST"], name="check_login"),
        Route(LOGOUT, log_in.leave, methods=["POST"], name="logout"),
    ]


__all__ = ["SERVER_OPTIONS", "access", "routes"]
