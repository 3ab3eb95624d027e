"""Readers whom a trusted proxy names in a header; nobody else is believed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.dashboards.web.access.site import ANA, PASSWORD, TOKEN, VERA, Site, user

pytestmark = pytest.mark.asyncio

PROXY = "10.1.2.3"
STRANGER = "203.0.113.5"


def proxied(place: Path, users: Any = None, **settings: Any) -> Site:
    given = {"user_header": "X-Remote-User", "trusted_proxy_networks": ["10.0.0.0/8", "fd00::/8"]}
    return Site(place, users, host="0.0.0.0", allowed_hosts=["reports.test"], **(given | settings))


def from_(site: Site, peer: str, **headers: str) -> Any:
    return site.browser(peer, "http://reports.test", **headers)


async def test_the_proxy_s_word_counts_and_the_users_file_says_what_they_may(tmp_path: Path) -> None:
    site = proxied(tmp_path, [VERA, user("token-only", password="")], proxy_default_role="viewer")
    for name, role, accounts in [
        ("vera", "viewer", ["", "shop"]),
        ("token-only", "analyst", None),
        ("x", "viewer", None),
    ]:
        async with from_(site, PROXY, **{"X-Remote-User": name}) as browser:
            found = await browser.me()
            assert (found["name"], found["role"], found["accounts"]) == (name, role, accounts)
            assert (await browser.get("/v1/me")).json()["name"] == name


@pytest.mark.parametrize("peer", [STRANGER, "127.0.0.1", "11.0.0.1", "::1", "2001:db8::1"])
async def test_anybody_else_who_sends_the_header_is_asked_to_log_in(tmp_path: Path, peer: str) -> None:
    headers = {"X-Remote-User": "ana", "X-Forwarded-For": PROXY, "Forwarded": f"for={PROXY}"}
    async with from_(proxied(tmp_path, [ANA], proxy_default_role="analyst"), peer, **headers) as browser:
        assert (await browser.get("/me")).headers["location"] == "/login?next=%2Fme"
        assert (await browser.get("/v1/me")).status_code == 401


async def test_without_a_users_file_anybody_else_is_refused(tmp_path: Path) -> None:
    async with from_(proxied(tmp_path, proxy_default_role="analyst"), STRANGER, **{"X-Remote-User": "ana"}) as browser:
        reply = await browser.get("/me")
        assert reply.status_code == 403
        assert "X-Remote-User" in reply.text
        assert (await browser.get("/v1/me")).json()["status"] == 403


async def test_networks_of_ipv6_and_ipv4_inside_it(tmp_path: Path) -> None:
    site = proxied(tmp_path, proxy_default_role="viewer")
    for peer in ("fd00::7", f"::ffff:{PROXY}"):
        async with from_(site, peer, **{"X-Remote-User": "ana"}) as browser:
            assert (await browser.me())["name"] == "ana"


async def test_without_a_default_role_only_known_readers_get_in(tmp_path: Path) -> None:
    site = proxied(tmp_path, [ANA])
    async with from_(site, PROXY, **{"X-Remote-User": "ana"}) as browser:
        assert (await browser.me())["name"] == "ana"
    async with from_(site, PROXY, **{"X-Remote-User": "bob"}) as browser:
        reply = await browser.get("/me")
        assert (reply.status_code, "bob" in reply.text) == (403, True)
        assert (await browser.get("/v1/me")).json()["status"] == 403


@pytest.mark.parametrize(
    "values",
    [["ana", "vera"], ["ana", "ana"], [""], ["  "], [b"\xff\xfe"], ["x" * 200], ["<script>alert(1)</script>", ""]],
)
async def test_a_name_that_is_not_clear_is_nobody_s(tmp_path: Path, values: list[Any]) -> None:
    site = proxied(tmp_path, [ANA, VERA], proxy_default_role="analyst")
    async with from_(site, PROXY) as browser:
        reply = await browser.get("/me", headers=[("X-Remote-User", value) for value in values])
        assert reply.status_code == 400
        assert "<script" not in reply.text


async def test_a_name_is_escaped_where_it_is_shown(tmp_path: Path) -> None:
    async with from_(proxied(tmp_path, [ANA]), PROXY, **{"X-Remote-User": "<script>alert(1)</script>"}) as browser:
        reply = await browser.get("/me")
        assert reply.status_code == 403
        assert "&lt;script&gt;" in reply.text
        assert "<script" not in reply.text


async def test_names_in_any_script(tmp_path: Path) -> None:
    async with from_(proxied(tmp_path, [user("Ñandú 李")]), PROXY) as browser:
        reply = await browser.get("/me", headers=[(b"X-Remote-User", "Ñandú 李".encode())])
        assert reply.json()["name"] == "Ñandú 李"


async def test_a_proxy_that_names_nobody_leaves_it_to_the_log_in(tmp_path: Path) -> None:
    async with from_(proxied(tmp_path, [ANA]), PROXY, **{"X-Forwarded-For": STRANGER}) as browser:
        assert (await browser.get("/me")).status_code == 303
        assert (await browser.log_in("ana", PASSWORD)).status_code == 303
        assert (await browser.me())["name"] == "ana"


async def test_forms_of_proxied_readers_have_tokens_too(tmp_path: Path) -> None:
    async with from_(proxied(tmp_path, [ANA]), PROXY, **{"X-Remote-User": "ana"}) as browser:
        assert (await browser.post("/edit", data={"label": "x"})).status_code == 403
        token = await browser.form_token("/")
        assert (await browser.post("/edit", data={"csrf": token})).status_code == 200


async def test_tokens_work_through_the_proxy_and_beside_it(tmp_path: Path) -> None:
    for peer in (PROXY, STRANGER):
        async with from_(proxied(tmp_path, [ANA]), peer, Authorization=f"Bearer {TOKEN}") as program:
            assert (await program.get("/v1/me")).json()["name"] == "ana"


async def test_removal_from_the_users_file_counts_at_once(tmp_path: Path) -> None:
    site = proxied(tmp_path, [ANA, VERA])
    async with from_(site, PROXY, **{"X-Remote-User": "vera"}) as browser:
        assert (await browser.get("/me")).status_code == 200
        text = site.users_file.read_text().replace("vera", "vero")
        site.users_file.write_text(text)
        assert (await browser.get("/me")).status_code == 403
