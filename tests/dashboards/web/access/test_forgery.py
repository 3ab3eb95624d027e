"""Requests another site makes a browser send are refused; those of the pages themselves are not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.dashboards.web.access.site import ANA, PASSWORD, TOKEN, Site

pytestmark = pytest.mark.asyncio

OWN = "http://127.0.0.1:8090"


@pytest.fixture(params=["open", "users"])
def site(tmp_path: Path, request: pytest.FixtureRequest) -> Site:
    return Site(tmp_path, None if request.param == "open" else [ANA])


async def token_of(browser: Any, site: Site) -> str:
    if site.settings.users_file is not None:
        await browser.log_in("ana")
    await browser.get("/")
    return str((await browser.me())["csrf"])


async def test_a_form_and_a_script_of_the_pages_get_through(site: Site) -> None:
    async with site.browser() as browser:
        token = await token_of(browser, site)
        own = {"Origin": OWN, "Sec-Fetch-Site": "same-origin"}
        reply = await browser.post("/edit", data={"csrf": token, "label": "ñ & ="}, headers=own)
        assert reply.json() == {"csrf": token, "label": "ñ & ="}
        reply = await browser.post("/edit", files={"label": (None, "two"), "csrf": (None, token)}, headers=own)
        assert reply.json() == {"csrf": token, "label": "two"}
        for method in ("PUT", "DELETE"):
            reply = await browser.request(method, "/edit", headers=own | {"X-CSRF-Token": token})
            assert reply.status_code == 200
        reply = await browser.put("/v1/edit", json={"label": "three"}, headers=own | {"X-CSRF-Token": token})
        assert reply.json() == {"body": '{"label":"three"}'}


@pytest.mark.parametrize("path", ["/edit", "/v1/edit"])
@pytest.mark.parametrize(
    "sent",
    [
        {"data": {"label": "x"}},
        {"data": {"csrf": "", "label": "x"}},
        {"data": {"csrf": "0" * 32}},
        {"data": {"csrf": "ñ\udcff".encode("utf-8", "surrogatepass")}},
        {"files": {"csrf": ("name.txt", b"0")}},
        {"json": {"csrf": "TOKEN"}},
        {"content": b""},
        {"content": b"csrf=TOKEN", "headers": {"Content-Type": "text/plain"}},
        {"headers": {"X-CSRF-Token": ""}},
        {"headers": {"X-CSRF-Token": "wrong"}, "data": {"csrf": "TOKEN"}},
        {"params": {"csrf": "TOKEN"}},
    ],
)
async def test_without_the_right_token_nothing_changes(site: Site, path: str, sent: dict[str, Any]) -> None:
    async with site.browser() as browser:
        token = await token_of(browser, site)
        text = {key: _with(value, token) for key, value in sent.items()}
        reply = await browser.post(path, **text)
        assert reply.status_code in (400, 403)
        if path.startswith("/v1/"):
            assert reply.headers["content-type"] == "application/problem+json"


def _with(value: Any, token: str) -> Any:
    if isinstance(value, dict):
        return {key: _with(one, token) for key, one in value.items()}
    if isinstance(value, bytes):
        return value.replace(b"TOKEN", token.encode())
    return token if value == "TOKEN" else value


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "http://127.0.0.1:3000"},
        {"Origin": "http://localhost:8090"},
        {"Origin": "null"},
        {"Origin": "http://["},
        {"Origin": "file://"},
        {"Origin": "http://127.0.0.1:8090.evil.example"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site", "Origin": OWN},
        {"Sec-Fetch-Site": "odd"},
    ],
)
async def test_a_foreign_origin_is_refused_even_with_the_token(site: Site, headers: dict[str, str]) -> None:
    async with site.browser() as browser:
        token = await token_of(browser, site)
        reply = await browser.post("/edit", data={"csrf": token}, headers=headers)
        assert reply.status_code == 403
        assert "another site" in reply.text
        reply = await browser.put("/v1/edit", json={}, headers=headers | {"X-CSRF-Token": token})
        assert reply.json()["status"] == 403


async def test_two_origins_are_refused(site: Site) -> None:
    async with site.browser() as browser:
        token = await token_of(browser, site)
        headers = [("Origin", OWN), ("Origin", "https://evil.example"), ("X-CSRF-Token", token)]
        assert (await browser.post("/edit", headers=headers)).status_code == 403


@pytest.mark.parametrize(
    ("origin", "https", "status"),
    [
        ("http://reports.test", False, 303),
        ("https://reports.test", False, 303),
        ("https://reports.test", True, 303),
        ("http://reports.test", True, 403),
        ("https://other.test", True, 403),
    ],
)
async def test_behind_a_proxy_that_renames_the_host_the_set_names_are_the_own_ones(
    tmp_path: Path, origin: str, https: bool, status: int
) -> None:
    site = Site(tmp_path, [ANA], allowed_hosts=["reports.test"], https=https)
    base = f"http{'s' if https else ''}://127.0.0.1:8090"
    async with site.browser(base=base) as browser:
        fields = {"name": "ana", "password": PASSWORD, "csrf": await browser.form_token()}
        reply = await browser.post("/login", data=fields, headers={"Origin": origin})
        assert reply.status_code == status


async def test_the_usual_port_may_be_left_out(tmp_path: Path) -> None:
    async with Site(tmp_path, [ANA], host="0.0.0.0").browser(base="http://reports.test") as browser:
        fields = {"name": "ana", "password": PASSWORD, "csrf": await browser.form_token()}
        reply = await browser.post("/login", data=fields, headers={"Origin": "http://reports.test:80"})
        assert reply.status_code == 303


async def test_a_log_in_can_t_be_forged_either(tmp_path: Path) -> None:
    """Else a reader could be logged in as somebody else without knowing."""
    async with Site(tmp_path, [ANA]).browser() as browser:
        reply = await browser.post("/login", data={"name": "ana", "password": PASSWORD})
        assert reply.status_code == 403
        assert (await browser.get("/me")).status_code == 303


async def test_the_token_of_one_session_is_not_that_of_another(tmp_path: Path) -> None:
    site = Site(tmp_path, [ANA])
    async with site.browser() as one, site.browser() as two:
        await one.log_in("ana")
        await two.log_in("ana")
        token = (await one.me())["csrf"]
        assert token != (await two.me())["csrf"]
        assert (await two.post("/edit", data={"csrf": token})).status_code == 403


async def test_a_large_form_is_not_read(site: Site) -> None:
    async with site.browser() as browser:
        token = await token_of(browser, site)
        reply = await browser.post("/edit", data={"csrf": token, "label": "x" * 2_000_000})
        assert reply.status_code == 413


async def test_a_form_that_is_none_is_a_bad_request(site: Site) -> None:
    async with site.browser() as browser:
        await token_of(browser, site)
        headers = {"Content-Type": "multipart/form-data; boundary=b"}
        assert (await browser.post("/edit", content=b"not a form", headers=headers)).status_code in (400, 403)
        headers = {"Content-Type": "multipart/form-data"}
        assert (await browser.post("/edit", content=b"not a form", headers=headers)).status_code == 400


async def test_a_program_with_a_token_needs_no_form_token(tmp_path: Path) -> None:
    async with Site(tmp_path, [ANA]).browser(Authorization=f"Bearer {TOKEN}") as program:
        assert (await program.put("/v1/edit", json={"a": 1})).json() == {"body": '{"a":1}'}


@pytest.mark.parametrize(
    ("site_of", "mode", "dest", "status"),
    [
        ("cross-site", "navigate", "document", 200),
        ("same-site", "navigate", "document", 200),
        ("none", "navigate", "document", 200),
        ("same-origin", "cors", "empty", 200),
        ("same-origin", "navigate", "iframe", 200),
        ("cross-site", "navigate", "iframe", 403),
        ("cross-site", "no-cors", "image", 403),
        ("cross-site", "cors", "empty", 403),
        ("same-site", "cors", "empty", 403),
    ],
)
async def test_other_sites_may_link_but_not_embed_or_fetch(
    tmp_path: Path, site_of: str, mode: str, dest: str, status: int
) -> None:
    headers = {"Sec-Fetch-Site": site_of, "Sec-Fetch-Mode": mode, "Sec-Fetch-Dest": dest}
    async with Site(tmp_path).browser(**headers) as browser:
        assert (await browser.get("/me")).status_code == status
