"""Security headers: on pages, refusals, redirects, faults and static files; an endpoint's own policy stays."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from tests.dashboards.web.access.site import ANA, FRAME_POLICY, Site

pytestmark = pytest.mark.asyncio

POLICY = (
    r"default-src 'none'; script-src 'self' 'nonce-([\w-]{22})'; style-src 'self'; img-src 'self' data:; "
    r"connect-src 'self'; font-src 'self'; form-action 'self'; frame-src 'self'; frame-ancestors 'none'; "
    r"base-uri 'none'"
)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/me", 303), ("/login", 200), ("/v1/me", 401), ("/static/app.css", 200), ("/static/none", 404),
        ("/logout", 405), ("/broken", 303),
    ],
)  # fmt: skip
async def test_every_answer_has_them(tmp_path: Path, path: str, status: int) -> None:
    async with Site(tmp_path, [ANA]).browser() as browser:
        check(await browser.get(path), status)


async def test_refusals_and_faults_have_them(tmp_path: Path) -> None:
    async with Site(tmp_path).browser() as browser:
        check(await browser.get("/me", headers={"Host": "evil.example"}), 421)
        check(await browser.post("/edit"), 403)
        check(await browser.get("/no-such-page"), 404)
        reply = await browser.get("/broken")
        check(reply, 500)
        assert "on purpose" not in reply.text


@pytest.mark.parametrize("kind", ["coroutine", "function"])
async def test_the_application_s_own_page_of_faults_is_shown_with_them(tmp_path: Path, kind: str) -> None:
    async def waiting(request: Request, error: Exception) -> Response:
        return PlainTextResponse(f"sorry, {request.url.path}", 500)

    def direct(request: Request, error: Exception) -> Response:
        return PlainTextResponse(f"sorry, {request.url.path}", 500)

    site = Site(tmp_path)
    site.app.add_exception_handler(Exception, waiting if kind == "coroutine" else direct)
    async with site.browser() as browser:
        reply = await browser.get("/broken")
        assert reply.text == "sorry, /broken"
        check(reply, 500)


def check(reply: object, status: int) -> None:
    headers = reply.headers  # type: ignore[attr-defined]
    assert reply.status_code == status  # type: ignore[attr-defined]
    assert re.fullmatch(POLICY, headers["content-security-policy"])
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert "camera=()" in headers["permissions-policy"]
    assert headers["cache-control"] == "no-store"


async def test_a_frame_keeps_its_own_policy(tmp_path: Path) -> None:
    async with Site(tmp_path).browser() as browser:
        reply = await browser.get("/frame")
        assert reply.headers.get_list("content-security-policy") == [FRAME_POLICY]
        assert reply.headers["x-content-type-options"] == "nosniff"


async def test_the_nonce_is_another_each_time_and_known_to_the_page(tmp_path: Path) -> None:
    nonces = []
    site = Site(tmp_path)

    async def tell(request: Request) -> Response:
        return PlainTextResponse(request.state.csp_nonce)

    assert isinstance(site.app, Starlette)
    site.app.add_route("/nonce", tell)
    async with site.browser() as browser:
        for _ in range(3):
            reply = await browser.get("/nonce")
            nonces.append(reply.text)
            assert f"'nonce-{reply.text}'" in reply.headers["content-security-policy"]
    assert len(set(nonces)) == 3
