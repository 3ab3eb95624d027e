"""Roles on pages and in the API, tokens of programs, and streams whose reader changes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from dashboards.web.access.passwords import hash_token
from dashboards.web.access.reader import LOCAL, NOBODY, Reader
from dashboards.web.access.users import Users, load, save
from tests.dashboards.web.access.site import ANA, OTHER_PASSWORD, TOKEN, VERA, Site, user

pytestmark = pytest.mark.asyncio

VERAS_TOKEN = "strt_of_vera"


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path, [ANA, replace(VERA, token=hash_token(VERAS_TOKEN))])


async def test_an_analyst_may_what_a_viewer_may_but_not_the_other_way_round() -> None:
    viewer, analyst = Reader("v", "viewer", None), Reader("a", "analyst", None)
    assert [viewer.may("viewer"), viewer.may("analyst")] == [True, False]
    assert [analyst.may("viewer"), analyst.may("analyst")] == [True, True]
    assert (NOBODY.accounts, NOBODY.may("analyst")) == (frozenset(), False)
    assert (LOCAL.accounts, LOCAL.may("analyst")) == (None, True)


async def test_a_token_is_its_user_with_their_accounts(site: Site) -> None:
    async with site.browser() as program:
        reply = await program.get("/v1/me", headers={"Authorization": f"bearer  {VERAS_TOKEN} "})
        found = reply.json()
        assert (found["name"], found["role"], found["accounts"]) == ("vera", "viewer", ["", "shop"])
        assert "set-cookie" not in reply.headers


@pytest.mark.parametrize(
    "header",
    [
        "Bearer wrong",
        "Bearer",
        "Bearer ",
        f"Bearer {TOKEN}x",
        f"Bearer {hash_token(TOKEN)}",
        f"Basic {TOKEN}",
        TOKEN,
        "Bearer ñ",
    ],
)
async def test_a_wrong_token_is_a_problem_never_a_redirect(site: Site, header: str) -> None:
    async with site.browser() as program:
        reply = await program.get("/v1/me", headers=[(b"Authorization", header.encode())])
        assert reply.status_code == 401
        assert reply.headers["www-authenticate"].startswith("Bearer")
        assert reply.headers["content-type"] == "application/problem+json"
        assert reply.json()["status"] == 401


async def test_without_anything_the_api_asks_for_a_token(site: Site) -> None:
    async with site.browser() as program:
        for path in ("/v1/me", "/v1/no-such-thing", "/openapi.json"):
            reply = await program.get(path)
            assert (reply.status_code, reply.headers["www-authenticate"]) == (401, "Bearer")
            assert "set-cookie" not in reply.headers


async def test_a_wrong_token_is_not_made_good_by_a_session(site: Site) -> None:
    async with site.browser() as browser:
        await browser.log_in("ana")
        assert (await browser.get("/v1/me")).json()["name"] == "ana"
        assert (await browser.get("/v1/me", headers={"Authorization": "Bearer wrong"})).status_code == 401


async def test_a_token_opens_the_api_and_no_page(site: Site) -> None:
    async with site.browser(Authorization=f"Bearer {TOKEN}") as program:
        assert (await program.get("/v1/me")).status_code == 200
        assert (await program.get("/me")).status_code == 303


async def test_a_revoked_token_and_a_removed_user_s_work_no_more(site: Site) -> None:
    async with site.browser(Authorization=f"Bearer {TOKEN}") as program:
        assert (await program.get("/v1/me")).status_code == 200
        site.change(replace(ANA, token=""))
        assert (await program.get("/v1/me")).status_code == 401
        site.change(ANA)
        assert (await program.get("/v1/me")).status_code == 200
        save(site.users_file, load(site.users_file).without("ana"))
        assert (await program.get("/v1/me")).status_code == 401


async def test_a_script_and_a_stream_are_told_not_redirected(site: Site) -> None:
    async with site.browser() as browser:
        reply = await browser.get("/me", headers={"Sec-Fetch-Mode": "cors", "Sec-Fetch-Site": "same-origin"})
        assert (reply.status_code, reply.headers["content-type"]) == (401, "application/problem+json")
        assert (await browser.get("/live", headers={"Accept": "text/event-stream"})).status_code == 401


async def test_a_part_of_a_page_sends_the_whole_page_to_the_log_in(site: Site) -> None:
    headers = {"HX-Request": "true", "HX-Current-URL": "http://127.0.0.1:8090/reports/urls?delivery=a%20b"}
    async with site.browser(**headers) as browser:
        reply = await browser.get("/me")
        assert reply.status_code == 401
        assert reply.headers["hx-redirect"] == "/login?next=%2Freports%2Furls%3Fdelivery%3Da%2520b"
        browser.headers["HX-Current-URL"] = "http://evil.example//evil.example/x"
        assert (await browser.get("/me")).headers["hx-redirect"] == "/login"


async def test_a_stream_goes_on_while_its_reader_may_read(site: Site) -> None:
    async def change() -> None:
        site.change(user("somebody-else"))

    async with site.browser() as browser:
        await browser.log_in("ana")
        site.between = change
        assert (await browser.get("/live")).text == "data: 0\n\ndata: 1\n\ndata: 2\n\n"


@pytest.mark.parametrize("what", ["removed", "password", "role", "accounts", "expired", "logged out"])
async def test_a_stream_ends_when_its_reader_is_no_longer_the_same(site: Site, what: str) -> None:
    async def change() -> None:
        if what == "removed":
            save(site.users_file, Users([VERA]))
        elif what == "password":
            site.change(user("ana", password=OTHER_PASSWORD))
        elif what == "role":
            site.change(user("ana", "viewer"))
        elif what == "accounts":
            site.change(user("ana", accounts=frozenset({"shop"})))
        elif what == "expired":
            site.clock.now += site.settings.session_max_s + 1
        else:
            async with site.browser() as other_tab:
                other_tab.cookies.update(browser.cookies)
                await other_tab.post("/logout", data={"csrf": token})

    async with site.browser() as browser:
        await browser.log_in("ana")
        token = (await browser.me())["csrf"]
        site.between = change
        assert (await browser.get("/live")).text == "data: 0\n\n"
        assert (await browser.get("/static/app.css")).text == "css"


async def test_whoever_is_not_logged_in_sees_the_log_in_and_what_it_looks_like(site: Site) -> None:
    async with site.browser() as browser:
        assert (await browser.get("/static/app.css")).text == "css"
        assert (await browser.get("/login")).status_code == 200
        for path in ("/", "/me", "/static", "/statics/app.css", "/login/x", "/LOGIN", "//static/app.css"):
            assert (await browser.get(path)).status_code in (303, 401), path


@pytest.mark.parametrize("host", ["a/static/", "a/static/?", "127.0.0.1/login?", "a#/static/"])
async def test_no_host_makes_a_page_a_public_one(site: Site, host: str) -> None:
    async with site.browser() as browser:
        assert (await browser.get("/me", headers={"Host": host})).status_code == 400
