"""Guessing passwords is slowed down, and seen."""

from __future__ import annotations

from pathlib import Path

import pytest
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from tests.dashboards.web.access.site import ANA, PASSWORD, VERA, Browser, Site

pytestmark = pytest.mark.asyncio


async def tries(browser: Browser, count: int, name: str = "ana") -> list[int]:
    return [(await browser.log_in(name, "wrong password")).status_code for _ in range(count)]


async def test_guessing_from_one_address_is_slowed_down(tmp_path: Path) -> None:
    site = Site(tmp_path, [ANA, VERA], login_per_minute=3)
    async with site.browser("192.0.2.1") as browser, site.browser("192.0.2.2") as other:
        names = ["a", "b", "c"]
        assert [(await browser.log_in(name, "x")).status_code for name in names] == [403, 403, 403]
        reply = await browser.log_in("ana")
        assert reply.status_code == 429
        assert reply.headers["retry-after"] == "60"
        assert '<p class="error">often</p>' in reply.text
        assert (await browser.get("/me")).status_code == 303
        assert (await other.log_in("vera")).status_code == 303


async def test_guessing_one_name_from_many_addresses_is_slowed_down(tmp_path: Path) -> None:
    site = Site(tmp_path, [ANA, VERA], login_per_minute=3)
    answers = []
    for number in range(5):
        async with site.browser(f"192.0.2.{number}") as browser:
            answers += await tries(browser, 1)
    assert answers == [403, 403, 403, 429, 429]
    async with site.browser("192.0.2.99") as browser:
        assert (await browser.log_in("ana")).status_code == 429
        assert (await browser.log_in("vera")).status_code == 303


async def test_log_ins_are_counted_and_logged_without_what_was_typed(tmp_path: Path) -> None:
    site = Site(tmp_path, [ANA], login_per_minute=2)
    before = counted()
    with capture_logs() as logs:
        async with site.browser("192.0.2.1") as browser:
            await browser.log_in("ana")
            await browser.post("/logout", data={"csrf": (await browser.me())["csrf"]})
            await browser.log_in("my password by mistake", "x")
            await browser.log_in("ana")
    assert [(line["result"], line["user"], line["address"]) for line in logs if line["event"] == "log-in"] == [
        ("right", "ana", "192.0.2.1"), ("wrong", "unknown", "192.0.2.1"), ("often", "ana", "192.0.2.1"),
    ]  # fmt: skip
    assert PASSWORD not in str(logs)
    assert "mistake" not in str(logs)
    assert {result: count - before[result] for result, count in counted().items()} == {
        "right": 1,
        "wrong": 1,
        "often": 1,
    }


def counted() -> dict[str, float]:
    name = "sendtrail_web_logins_total"
    return {result: REGISTRY.get_sample_value(name, {"result": result}) or 0 for result in ("right", "wrong", "often")}


async def test_a_stopped_address_does_not_shut_out_a_name(tmp_path: Path) -> None:
    site = Site(tmp_path, [ANA], login_per_minute=3)
    async with site.browser("192.0.2.1") as browser, site.browser("192.0.2.2") as owner:
        assert await tries(browser, 3, "nobody") == [403, 403, 403]
        assert await tries(browser, 5) == [429] * 5
        assert (await owner.log_in("ana")).status_code == 303


async def test_one_network_of_ipv6_is_one_address(tmp_path: Path) -> None:
    site = Site(tmp_path, [ANA], login_per_minute=2)
    answers = []
    for number in range(3):
        async with site.browser(f"2001:db8::{number}") as browser:
            answers += await tries(browser, 1, f"name{number}")
    async with site.browser("2001:db8:0:1::1") as browser:
        answers += await tries(browser, 1, "other")
    assert answers == [403, 403, 429, 403]


async def test_behind_a_proxy_its_readers_are_told_apart_and_strangers_can_t_pretend(tmp_path: Path) -> None:
    site = Site(tmp_path, [ANA], login_per_minute=2, trusted_proxy_networks=["10.0.0.0/8"])
    answers = []
    for number in range(3):
        async with site.browser("10.1.1.1", **{"X-Forwarded-For": f"9.9.9.9, 192.0.2.{number}"}) as browser:
            answers += await tries(browser, 1, f"proxied{number}")
    for number in range(3):
        async with site.browser("203.0.113.5", **{"X-Forwarded-For": f"192.0.2.{number}"}) as browser:
            answers += await tries(browser, 1, f"direct{number}")
    assert answers == [403, 403, 403, 403, 403, 429]
