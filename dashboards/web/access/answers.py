"""Refusals: a plain page for browsers, `application/problem+json` (RFC 9457) for programs."""

from collections.abc import Mapping
from html import escape
from http import HTTPStatus
from typing import NamedTuple
from urllib.parse import quote, urlsplit

import msgspec
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

LOGIN = "/login"
LOGOUT = "/logout"
STATIC = "/static/"

_PAGE = (
    '<!doctype html><html lang="en"><meta charset="utf-8">'
    '<meta name="viewport" content="width=device-width,initial-scale=1"><title>{title}</title>'
    '<main><h1>{title}</h1><p>{text}</p><p><a href="/">Sendtrail</a></p></main></html>'
)


class Refusal(NamedTuple):
    """Why a request is not answered: HTTP status, a text for people, further headers."""

    status: int
    detail: str
    headers: Mapping[str, str] = {}


def path_of(request: Request) -> str:
    """The path that is routed. Not `request.url.path`: a `Host` with a slash in it would change that one."""
    path: str = request.scope["path"]
    return path


def is_api(request: Request) -> bool:
    """True where programs ask: they get problems, not pages, and are never sent to the log-in."""
    return path_of(request).startswith("/v1/") or path_of(request) == "/openapi.json"


def is_public(request: Request) -> bool:
    """True for what is answered to those who are not logged in: the log-in itself and what it looks like."""
    return path_of(request) in (LOGIN, LOGOUT) or path_of(request).startswith(STATIC)


def problem(refusal: Refusal) -> Response:
    """The refusal for a program."""
    status = HTTPStatus(refusal.status)
    content = {"type": "about:blank", "title": status.phrase, "status": int(status), "detail": refusal.detail}
    return Response(msgspec.json.encode(content), status, refusal.headers, "application/problem+json")


def refuse(request: Request, refusal: Refusal) -> Response:
    """The refusal for whoever asks."""
    if is_api(request) or not _navigates(request):
        return problem(refusal)
    title = HTTPStatus(refusal.status).phrase
    return HTMLResponse(_PAGE.format(title=escape(title), text=escape(refusal.detail)), refusal.status, refusal.headers)


def ask_to_log_in(request: Request) -> Response:
    """To the log-in and back; a 401 where a redirect would bring its page into the wrong place."""
    if is_api(request):
        return problem(
            Refusal(401, "log in, or send a token of `sendtrail users token`", {"WWW-Authenticate": "Bearer"})
        )
    if request.headers.get("hx-request") == "true":
        here = urlsplit(request.headers.get("hx-current-url", ""))
        back = local_path(f"{here.path}?{here.query}" if here.query else here.path)
        return problem(Refusal(401, "log in again", {"HX-Redirect": _login(back)}))
    if not _navigates(request):
        return problem(Refusal(401, "log in again"))
    back = "/"
    if request.method in ("GET", "HEAD"):
        query = request.scope["query_string"].decode("latin-1")
        back = quote(path_of(request)) + (f"?{query}" if query else "")
    return RedirectResponse(_login(local_path(back)), 303)


def local_path(text: str) -> str:
    """A path of these pages to go on to; "/" for everything that could lead elsewhere."""
    if not text.startswith("/") or text.startswith("//") or "\\" in text or any(ord(sign) < 33 for sign in text):
        return "/"
    return "/" if urlsplit(text).path in (LOGIN, LOGOUT) else text


def _login(back: str) -> str:
    return LOGIN if back == "/" else f"{LOGIN}?next={quote(back, safe='')}"


def _navigates(request: Request) -> bool:
    """True where the answer becomes a page of its own; true too where the browser does not say."""
    if "text/event-stream" in request.headers.get("accept", ""):
        return False
    return request.headers.get("sec-fetch-mode", "navigate") == "navigate"
