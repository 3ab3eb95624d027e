"""Without log-in: only on loopback, only by its names, never behind a proxy. And what refuses to start."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dashboards.web.access import access
from sendtrail.errors import SettingsError
from sendtrail.settings import WebSettings
from tests.dashboards.web.access.site import ANA, Site

pytestmark = pytest.mark.asyncio


@pytest.mark.parametrize(
    "host", ["127.0.0.1:8090", "127.0.0.1", "localhost:8090", "LOCALHOST", "[::1]:8090", "127.8.9.1"]
)
async def test_on_loopback_everybody_is_an_analyst_of_all_accounts(tmp_path: Path, host: str) -> None:
    async with Site(tmp_path).browser() as browser:
        reply = await browser.get("/me", headers={"Host": host})
        assert reply.status_code == 200
        assert reply.json() | {"csrf": ""} == {"name": "", "role": "analyst", "accounts": None, "csrf": ""}


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:8090", "127.0.0.1.evil.example", "localhost.evil.example", "10.0.0.1", "[::2]"],
)
@pytest.mark.parametrize("path", ["/me", "/v1/me", "/static/app.css", "/login"])
async def test_a_foreign_name_is_refused(tmp_path: Path, host: str, path: str) -> None:
    async with Site(tmp_path).browser() as browser:
        reply = await browser.get(path, headers={"Host": host})
        assert reply.status_code == 421
        assert host in reply.text
        assert "web.allowed_hosts" in reply.text
        assert "set-cookie" not in reply.headers


async def test_a_name_that_is_set_is_taken_with_its_port_or_with_any(tmp_path: Path) -> None:
    async with Site(tmp_path, allowed_hosts=["reports.test", "narrow.test:9000"]).browser() as browser:
        for host, status in [
            ("reports.test", 200), ("Reports.Test:1234", 200), ("narrow.test:9000", 200), ("narrow.test:9001", 421),
            ("narrow.test", 421), ("localhost", 200), ("other.test", 421),
        ]:  # fmt: skip
            assert (await browser.get("/me", headers={"Host": host})).status_code == status, host


@pytest.mark.parametrize("host", ["", "a/static/?", "a b", "a@b", "a#b", "x" * 300])
async def test_a_host_that_is_no_name_is_a_bad_request(tmp_path: Path, host: str) -> None:
    async with Site(tmp_path).browser() as browser:
        assert (await browser.get("/me", headers={"Host": host})).status_code == 400


async def test_two_hosts_are_a_bad_request(tmp_path: Path) -> None:
    async with Site(tmp_path).browser() as browser:
        reply = await browser.get("/me", headers=[("Host", "localhost"), ("Host", "evil.example")])
        assert reply.status_code == 400


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "X-Real-IP", "Via", "X-Forwarded-Host"])
async def test_a_proxy_in_front_of_an_open_server_is_refused(tmp_path: Path, header: str) -> None:
    async with Site(tmp_path).browser() as browser:
        reply = await browser.get("/me", headers={header: "203.0.113.9"})
        assert reply.status_code == 403
        assert "web.users_file" in reply.text


async def test_the_log_in_page_leads_on_where_nobody_has_to_log_in(tmp_path: Path) -> None:
    async with Site(tmp_path).browser() as browser:
        reply = await browser.get("/login?next=/me%3Fa=1")
        assert (reply.status_code, reply.headers["location"]) == (303, "/me?a=1")
        token = await browser.form_token("/")
        reply = await browser.post("/login", data={"name": "ana", "password": "x", "csrf": token})
        assert (reply.status_code, reply.headers["location"]) == (303, "/")


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"host": "0.0.0.0"}, "web.users_file"),
        ({"host": "::"}, "web.users_file"),
        ({"host": ""}, "web.users_file"),
        ({"host": "192.0.2.7"}, "web.trusted_proxy_networks"),
        ({"host": "reports.test", "allowed_hosts": ["reports.test"]}, "web.users_file"),
        ({"host": "0.0.0.0", "trusted_proxy_networks": ["10.0.0.0/8"]}, "web.user_header"),
        ({"user_header": "X-User", "proxy_default_role": "viewer", "allowed_hosts": ["r"]}, "trusted_proxy_networks"),
        ({"user_header": "X-User", "proxy_default_role": "viewer", "trusted_proxy_networks": ["::1"]}, "allowed_hosts"),
        ({"user_header": "X-User", "trusted_proxy_networks": ["::1"], "allowed_hosts": ["r"]}, "proxy_default_role"),
        ({"trusted_proxy_networks": ["10.0.0.0/33"]}, "10.0.0.0/33"),
        ({"allowed_hosts": ["https://reports.test"]}, "web.allowed_hosts"),
        ({"allowed_hosts": ["*"]}, "web.allowed_hosts"),
        ({"allowed_hosts": [""]}, "web.allowed_hosts"),
        ({"users_file": Path("/nowhere/users.toml")}, "sendtrail users add"),
    ],
)
async def test_what_would_let_strangers_in_does_not_start(tmp_path: Path, settings: Any, named: str) -> None:
    with pytest.raises(SettingsError, match=named):
        access(WebSettings(secret_file=tmp_path / "secret", **settings))


async def test_elsewhere_than_on_loopback_it_starts_with_users_and_asks_for_a_log_in(tmp_path: Path) -> None:
    async with Site(tmp_path, [ANA], host="0.0.0.0").browser("203.0.113.9", "http://reports.test") as browser:
        assert (await browser.get("/me")).headers["location"] == "/login?next=%2Fme"
        assert (await browser.log_in("ana")).status_code == 303
        assert (await browser.me())["name"] == "ana"


async def test_with_users_a_name_is_checked_where_names_are_set(tmp_path: Path) -> None:
    async with Site(tmp_path, [ANA], host="0.0.0.0", allowed_hosts=["reports.test"]).browser() as browser:
        for host, status in [("reports.test", 200), ("evil.example", 421), ("localhost", 421)]:
            assert (await browser.get("/login", headers={"Host": host})).status_code == status


async def test_the_secret_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    secret = tmp_path / "deep" / "er" / "secret"
    Site(tmp_path, secret_file=secret)
    assert secret.stat().st_mode & 0o777 == 0o600
    made = secret.read_text()
    assert len(bytes.fromhex(made)) == 32
    Site(tmp_path, secret_file=secret)
    assert secret.read_text() == made
    assert sorted(path.name for path in secret.parent.iterdir()) == ["ended-sessions", "secret"]
    secret.chmod(0o640)
    with pytest.raises(SettingsError, match="chmod 600"):
        Site(tmp_path, secret_file=secret)


@pytest.mark.parametrize("content", ["", "zz", "ab" * 31])
async def test_a_damaged_secret_is_named(tmp_path: Path, content: str) -> None:
    (tmp_path / "secret").write_text(content)
    (tmp_path / "secret").chmod(0o600)
    with pytest.raises(SettingsError, match="secret_file"):
        Site(tmp_path)
