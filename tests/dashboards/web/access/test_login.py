"""Log-in with name and password, the session it begins, and every way the session ends."""

from __future__ import annotations

import http.cookies
import re
from pathlib import Path

import httpx
import pytest

from dashboards.web.access.users import Users, load, save
from tests.dashboards.web.access.site import ANA, OTHER_PASSWORD, PASSWORD, VERA, Site, user

pytestmark = pytest.mark.asyncio


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path, [ANA, VERA, user("token-only", password="")])


def cookie_of(reply: httpx.Response) -> tuple[str, http.cookies.Morsel[str]]:
    jar = http.cookies.SimpleCookie(reply.headers["set-cookie"])
    [(name, morsel)] = jar.items()
    return name, morsel


async def test_a_page_leads_to_the_log_in_and_back(site: Site) -> None:
    async with site.browser() as browser:
        reply = await browser.get("/me?delivery=a%20b&cut=all")
        assert reply.status_code == 303
        assert reply.headers["location"] == "/login?next=%2Fme%3Fdelivery%3Da%2520b%26cut%3Dall"
        form = await browser.get(reply.headers["location"])
        assert form.status_code == 200
        reply = await browser.log_in("ana", back="/me?delivery=a%20b&cut=all")
        assert (reply.status_code, reply.headers["location"]) == (303, "/me?delivery=a%20b&cut=all")
        found = await browser.me()
        assert (found["name"], found["role"], found["accounts"]) == ("ana", "analyst", None)
        assert (await browser.get("/login")).headers["location"] == "/"


async def test_accounts_and_role_come_from_the_users_file_with_every_request(site: Site) -> None:
    async with site.browser() as browser:
        await browser.log_in("vera")
        found = await browser.me()
        assert (found["role"], found["accounts"]) == ("viewer", ["", "shop"])
        site.change(user("vera", "analyst", accounts=frozenset({"other"})))
        found = await browser.me()
        assert (found["role"], found["accounts"]) == ("analyst", ["other"])


@pytest.mark.parametrize(
    ("name", "password"),
    [
        ("ana", "wrong"), ("ana", ""), ("nobody", PASSWORD), ("", PASSWORD), ("token-only", PASSWORD),
        ("token-only", ""), ("ANA", PASSWORD), ("ana", "x" * 5000), ("x" * 5000, PASSWORD), ("ana\x00", PASSWORD),
    ],
)  # fmt: skip
async def test_whatever_is_wrong_the_answer_is_the_same(site: Site, name: str, password: str) -> None:
    async with site.browser() as browser:
        reply = await browser.log_in(name, password)
        assert reply.status_code == 403
        assert '<p class="error">wrong</p>' in reply.text
        assert (await browser.get("/me")).status_code == 303


async def test_names_and_passwords_in_any_script_however_composed(tmp_path: Path) -> None:
    composed, decomposed = "\u00c5sa \u00d1and\u00fa \u674e", "A\u030asa N\u0303andu\u0301 \u674e"
    async with Site(tmp_path, [user(composed)]).browser() as browser:
        assert (await browser.log_in(decomposed)).status_code == 303
        assert (await browser.me())["name"] == composed


async def test_the_cookie_is_kept_from_scripts_and_other_sites(site: Site) -> None:
    async with site.browser() as browser:
        name, morsel = cookie_of(await browser.log_in("ana"))
        assert re.fullmatch(r"sendtrail-[0-9a-f]{8}", name)
        assert (morsel["httponly"], morsel["samesite"], morsel["path"]) == (True, "Lax", "/")
        assert (morsel["secure"], morsel["domain"], morsel["max-age"]) == ("", "", "")
        assert "ana" not in morsel.value


@pytest.mark.parametrize("how", ["setting", "proxy", "scheme"])
async def test_with_https_the_cookie_is_for_https_only(tmp_path: Path, how: str) -> None:
    site = Site(tmp_path, [ANA], https=how == "setting", trusted_proxy_networks=["127.0.0.1"])
    base = "https://127.0.0.1:8090" if how == "scheme" else "http://127.0.0.1:8090"
    headers = {"X-Forwarded-Proto": "https"} if how == "proxy" else {}
    async with site.browser(base=base, **headers) as browser:
        name, morsel = cookie_of(await browser.get("/login"))
        assert name.startswith("__Host-sendtrail-")
        assert (morsel["secure"], morsel["path"], morsel["domain"]) == (True, "/", "")


async def test_a_stranger_can_t_make_it_look_like_https(tmp_path: Path) -> None:
    site = Site(tmp_path, [ANA], trusted_proxy_networks=["10.0.0.1"])
    async with site.browser(**{"X-Forwarded-Proto": "https"}) as browser:
        assert cookie_of(await browser.get("/login"))[1]["secure"] == ""


async def test_a_session_planted_before_the_log_in_is_worth_nothing_after_it(site: Site) -> None:
    async with site.browser() as attacker, site.browser() as victim:
        token = await attacker.form_token()
        victim.cookies.update(attacker.cookies)
        reply = await victim.post("/login", data={"name": "ana", "password": PASSWORD, "csrf": token})
        assert reply.status_code == 303
        assert (await victim.me())["name"] == "ana"
        assert (await attacker.get("/me")).status_code == 303
        assert (await victim.post("/edit", data={"csrf": token})).status_code == 403
        assert (await victim.post("/edit", data={"csrf": (await victim.me())["csrf"]})).status_code == 200


@pytest.mark.parametrize("damage", ["first", "last", "middle", "empty", "other_secret", "unsigned"])
async def test_a_forged_cookie_is_nobody_s(site: Site, tmp_path: Path, damage: str) -> None:
    async with site.browser() as browser:
        await browser.log_in("ana")
        [(name, value)] = browser.cookies.items()
        if damage == "other_secret":
            other = Site(tmp_path / "other", [ANA], secret_file=tmp_path / "other" / "secret")
            async with other.browser() as elsewhere:
                await elsewhere.log_in("ana")
                [(_, forged)] = elsewhere.cookies.items()
        else:
            at = {"first": 0, "last": len(value) - 1, "middle": len(value) // 2}.get(damage, 0)
            # E, not B: the last sign of a signature has two bits that say nothing, in which A and B differ.
            forged = value[:at] + ("A" if value[at] != "A" else "E") + value[at + 1 :]
            forged = {"empty": "", "unsigned": value.rpartition(".")[0]}.get(damage, forged)
        browser.cookies.clear()
        reply = await browser.get("/me", headers={"Cookie": f"{name}={forged}"})
        assert reply.status_code == 303


async def test_a_session_ends_when_nobody_is_there(site: Site) -> None:
    async with site.browser() as browser:
        await browser.log_in("ana")
        for _ in range(3):
            site.clock.now += site.settings.session_idle_s - 1
            assert (await browser.get("/me")).status_code == 200
        site.clock.now += site.settings.session_idle_s + 1
        assert (await browser.get("/me")).status_code == 303
        assert (await browser.log_in("ana")).status_code == 303
        assert (await browser.me())["name"] == "ana"


async def test_a_session_ends_some_time_after_the_log_in_however_busy(site: Site) -> None:
    async with site.browser() as browser:
        await browser.log_in("ana")
        began = site.clock.now
        while site.clock.now + 1800 <= began + site.settings.session_max_s:
            site.clock.now += 1800
            assert (await browser.get("/me")).status_code == 200
        site.clock.now += 1800
        assert (await browser.get("/me")).status_code == 303


async def test_a_stream_keeps_no_session_alive(site: Site) -> None:
    async with site.browser() as browser:
        await browser.log_in("ana")
        for _ in range(2):
            site.clock.now += site.settings.session_idle_s * 0.6
            reply = await browser.get("/live", headers={"Accept": "text/event-stream"})
        assert reply.status_code == 401


async def test_a_log_out_ends_copies_of_the_session_too_and_over_restarts(site: Site) -> None:
    async with site.browser() as browser, site.browser() as copy:
        await browser.log_in("ana")
        copy.cookies.update(browser.cookies)
        assert (await copy.me())["name"] == "ana"
        token = (await browser.me())["csrf"]
        reply = await browser.post("/logout", data={"csrf": token})
        assert (reply.status_code, reply.headers["location"]) == (303, "/login")
        assert (await browser.get("/me")).status_code == 303
        assert (await copy.get("/me")).status_code == 303
        kept = dict(copy.cookies)
    site.app = site.start()
    async with site.browser() as again:
        again.cookies.update(kept)
        assert (await again.get("/me")).status_code == 303


async def test_sessions_outlive_a_restart_and_ended_ones_are_forgotten_in_time(site: Site) -> None:
    ended = site.place / "ended-sessions"
    async with site.browser() as browser:
        await browser.log_in("ana")
        await browser.post("/logout", data={"csrf": (await browser.me())["csrf"]})
        await browser.log_in("ana")
        kept = dict(browser.cookies)
    assert len(ended.read_text().splitlines()) == 1
    assert ended.stat().st_mode & 0o777 == 0o600
    site.app = site.start()
    async with site.browser() as again:
        again.cookies.update(kept)
        assert (await again.me())["name"] == "ana"
    site.clock.now += site.settings.session_max_s + 1
    site.start()
    assert ended.read_text() == ""


async def test_a_get_logs_nobody_out(site: Site) -> None:
    async with site.browser() as browser:
        await browser.log_in("ana")
        assert (await browser.get("/logout")).status_code == 405
        assert (await browser.me())["name"] == "ana"


async def test_another_password_and_removal_end_sessions(site: Site) -> None:
    async with site.browser() as browser, site.browser() as vera:
        await browser.log_in("ana")
        await vera.log_in("vera")
        site.change(user("ana", password=OTHER_PASSWORD))
        assert (await browser.get("/me")).status_code == 303
        assert (await browser.log_in("ana", PASSWORD)).status_code == 403
        assert (await browser.log_in("ana", OTHER_PASSWORD)).status_code == 303
        assert (await vera.me())["name"] == "vera"
        save(site.users_file, Users(load(site.users_file).without("ana").by_name.values()))
        assert (await browser.get("/me")).status_code == 303
        assert (await browser.log_in("ana", OTHER_PASSWORD)).status_code == 403


@pytest.mark.parametrize(
    "back",
    [
        "https://evil.example", "//evil.example", "/\\evil.example", "\\\\evil.example", "javascript:alert(1)",
        "/\t/evil.example", "", "evil", "/login", "/logout?x=1", "/a\nb",
    ],
)  # fmt: skip
async def test_a_log_in_leads_to_no_other_site(site: Site, back: str) -> None:
    async with site.browser() as browser:
        assert (await browser.log_in("ana", back=back)).headers["location"] == "/"
        assert (await browser.get("/login", params={"next": back})).headers["location"] == "/"
