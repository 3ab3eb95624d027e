"""POST /view: language, time zone and colours, kept in cookies of this browser."""

from collections.abc import Callable
from typing import get_args
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from dashboards.web.access.answers import local_path
from dashboards.web.languages import LANGUAGES
from dashboards.web.view import KEPT_S, LANGUAGE, THEME, VIEW_PARAMETERS, ZONE, Theme, zone_of


async def choose(request: Request) -> Response:
    """Keep what is known of the choices sent, and go back to where they were made."""
    form = await request.form()
    response = RedirectResponse(_plain(local_path(str(form.get("next", "/")))), 303)
    known: dict[str, Callable[[str], bool]] = {
        LANGUAGE: lambda value: value in LANGUAGES,
        ZONE: lambda value: zone_of(value) is not None,
        THEME: lambda value: value in get_args(Theme),
    }
    for name, is_known in known.items():
        value = form.get(name)
        if isinstance(value, str) and is_known(value):
            response.set_cookie(name, value, max_age=KEPT_S, httponly=True, samesite="lax")
    return response


def _plain(path: str) -> str:
    """The address without a view of its own, which would hide the one just chosen."""
    parts = urlsplit(path)
    asked = parse_qsl(parts.query, keep_blank_values=True)
    kept = [(name, value) for name, value in asked if name not in VIEW_PARAMETERS]
    return path if kept == asked else urlunsplit(parts._replace(query=urlencode(kept)))
