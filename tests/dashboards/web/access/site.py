"""A small application behind the real middleware: what a reader gets to see of it, and a browser to see it with."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
from argon2 import PasswordHasher
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from dashboards.web.access import access, routes
from dashboards.web.access.passwords import hash_token
from dashboards.web.access.users import User, Users, load, save
from sendtrail.settings import WebSettings

PASSWORD = "correct horse battery"
OTHER_PASSWORD = "another long enough one"
TOKEN = "strt_of_ana"

FRAME_POLICY = "sandbox; default-src 'none'; img-src data:; style-src 'unsafe-inline'; frame-ancestors 'self'"

_FIELD = re.compile(r'name="csrf" value="([0-9a-f]+)"')
#: Hashing is slow on purpose; the cheapest Argon2id is enough for most tests, and is checked by its own parameters.
_CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
_HASHES = {password: _CHEAP.hash(password) for password in (PASSWORD, OTHER_PASSWORD)}


class Clock:
    """UTC seconds that pass when told to."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


def page(request: Request, name: str, context: dict[str, Any], status_code: int = 200) -> Response:
    """What the frame gives: here a form, whatever the template."""
    error = context.get("error", "")
    return HTMLResponse(
        f'<h1>{name}</h1><p class="error">{error}</p><input name="csrf" value="{request.state.csrf}">', status_code
    )


def facts(request: Request) -> dict[str, Any]:
    reader = request.state.reader
    accounts = None if reader.accounts is None else sorted(reader.accounts)
    return {"name": reader.name, "role": reader.role, "accounts": accounts, "csrf": request.state.csrf}


async def me(request: Request) -> Response:
    return JSONResponse(facts(request))


async def home(request: Request) -> Response:
    return page(request, "home", {})


async def edit(request: Request) -> Response:
    form = await request.form()
    return JSONResponse(dict(form) or {"body": (await request.body()).decode()})


async def frame(request: Request) -> Response:
    return HTMLResponse("<p>message", headers={"Content-Security-Policy": FRAME_POLICY})


async def broken(request: Request) -> Response:
    raise RuntimeError("on purpose")


async def _nothing() -> None:
    """What happens between two events, usually."""


class Site:
    """The application with its settings, clock and users."""

    def __init__(self, place: Path, users: list[User] | None = None, **settings: Any) -> None:
        self.place = place
        self.clock = Clock()
        self.users_file = place / "users.toml"
        if users is not None:
            save(self.users_file, Users(users))
            settings["users_file"] = self.users_file
        settings.setdefault("secret_file", place / "secret")
        self.settings = WebSettings(**settings)
        self.between: Callable[[], Awaitable[object]] = _nothing
        self.app = self.start()

    def start(self) -> Starlette:
        return Starlette(
            routes=[
                *routes(page),
                Route("/", home),
                Route("/me", me),
                Route("/v1/me", me),
                Route("/edit", edit, methods=["POST", "PUT", "DELETE"]),
                Route("/v1/edit", edit, methods=["POST", "PUT"]),
                Route("/frame", frame),
                Route("/broken", broken),
                Route("/static/app.css", lambda request: PlainTextResponse("css", media_type="text/css")),
                Route("/live", self.live),
            ],
            middleware=access(self.settings, self.clock),
        )

    async def live(self, request: Request) -> Response:
        """Three events; `between` happens before the second and the third."""

        async def events() -> AsyncIterator[str]:
            for number in range(3):
                if number:
                    await self.between()
                yield f"data: {number}\n\n"

        return StreamingResponse(events(), media_type="text/event-stream")

    def change(self, user: User) -> None:
        save(self.users_file, load(self.users_file).with_user(user))

    def browser(self, peer: str = "127.0.0.1", base: str = "http://127.0.0.1:8090", **headers: str) -> Browser:
        return Browser(self.app, peer, base, headers)


class Browser(httpx.AsyncClient):
    """Keeps cookies, follows no redirect by itself."""

    def __init__(self, app: Starlette, peer: str, base: str, headers: dict[str, str]) -> None:
        transport = httpx.ASGITransport(app, client=(peer, 50_000), raise_app_exceptions=False)
        super().__init__(transport=transport, base_url=base, headers=headers)

    async def form_token(self, path: str = "/login") -> str:
        found = _FIELD.search((await self.get(path)).text)
        assert found is not None
        return found[1]

    async def log_in(self, name: str, password: str = PASSWORD, back: str = "/me") -> httpx.Response:
        fields = {"name": name, "password": password, "next": back, "csrf": await self.form_token()}
        return await self.post("/login", data=fields)

    async def me(self) -> dict[str, Any]:
        reply = await self.get("/me")
        assert reply.status_code == 200, reply.text
        found: dict[str, Any] = reply.json()
        return found


def user(name: str, role: Any = "analyst", password: str = PASSWORD, **fields: Any) -> User:
    """A user with a password that is hashed already; "" is none."""
    return User(name, role, password=_HASHES.get(password, ""), **fields)


ANA = user("ana", token=hash_token(TOKEN))
VERA = user("vera", "viewer", accounts=frozenset({"", "shop"}))
