"""Every report as a page: its numbers are the API's, what can't be given is said, nothing is loaded from outside."""

from __future__ import annotations

import html
import re
import socket
from pathlib import Path
from typing import Any

import pytest

from dashboards.catalogue import REPORTS
from dashboards.web.site import Site
from sendtrail.settings import ClickHouseSettings, ReportSettings
from tests.dashboards.web.conftest import browser, site_on
from tests.support.line import clickhouse_settings
from tests.support.stack import ClickHouse

pytestmark = pytest.mark.asyncio

#: What a report is asked beside a delivery, where it takes more or other than that.
ASKED = {
    "deliveries": "",
    "over-time": "first_day=2026-09-20&last_day=2026-10-02",
    "site": "",
    "recipient": "recipient=1000003",
}
_ROW = re.compile(r"<tr class=.*?</tr>", re.DOTALL)
_CELL = re.compile(r'data-key="([^"]*)" data-plain="([^"]*)"')
_PART = re.compile(r'data-part="([^"]+)"(.*?)(?=data-part="|</main>)', re.DOTALL)


def asked(name: str) -> str:
    return ASKED.get(name, "delivery=1")


def cells(page: str) -> dict[str, list[list[tuple[str, str]]]]:
    """Part -> rows of (column, plain value), as the page has them; a record is one row."""
    found = {}
    for key, text in _PART.findall(page):
        rows = [_CELL.findall(row) for row in _ROW.findall(text)] or [_CELL.findall(text)]
        found[key] = [[(name, html.unescape(value)) for name, value in row] for row in rows if row]
    return found


def plain(value: Any) -> str:
    return "" if value is None else str(value)


@pytest.mark.parametrize("cut", ["people", "all"])
@pytest.mark.parametrize("name", REPORTS)
async def test_the_numbers_of_a_page_are_those_of_the_api(site: Site, tmp_path: Path, name: str, cut: str) -> None:
    async with browser(site, tmp_path) as reader:
        page = await reader.get(f"/reports/{name}?{asked(name)}&cut={cut}")
        document = (await reader.get(f"/v1/reports/{name}?{asked(name)}&cut={cut}")).json()
    assert page.status_code == 200, page.text
    shown = cells(page.text)
    compared = 0
    for key, part in document["parts"].items():
        rows = part if isinstance(part, list) else [part]
        for row, found in zip(rows, shown.get(key, []), strict=False):
            assert found == [(column, plain(row[column])) for column, _ in found]
            compared += len(found)
        assert len(shown.get(key, [])) == min(len(rows), 500)
    assert compared > 0


@pytest.mark.parametrize("name", REPORTS)
async def test_a_page_loads_nothing_from_elsewhere(site: Site, tmp_path: Path, name: str) -> None:
    async with browser(site, tmp_path) as reader:
        page = await reader.get(f"/reports/{name}?{asked(name)}")
        addresses = re.findall(r'(?:src|href|action)="([^"]*)"', page.text)
        assert all(address.startswith(("/", "#")) for address in addresses)
        for address in {html.unescape(one) for one in addresses if one.startswith("/static/")}:
            assert (await reader.get(address)).status_code == 200
    assert " style=" not in page.text
    assert "<script>" not in page.text


@pytest.mark.parametrize(("page", "part"), [("indicators", "indicators"), ("urls", "links")])
@pytest.mark.parametrize("cut", ["people", "all"])
async def test_every_count_of_messages_opens_its_list(
    site: Site, tmp_path: Path, cut: str, page: str, part: str
) -> None:
    async with browser(site, tmp_path) as reader:
        text = (await reader.get(f"/reports/{page}?delivery=1&cut={cut}")).text
        found = re.findall(r'data-key="(\w+)" data-plain="(\d+)"[^>]*><a href="(/reports/who[^"]+)"', text)
        assert found
        for key, figure, address in found:
            asked = html.unescape(address).replace("/reports/", "/v1/reports/") + "&limit=1"
            document = (await reader.get(asked)).json()
            (pages,) = document["pages"].values()
            if key != "clicks":  # of a link; its list has who clicked, however often
                assert pages["matches"] == int(figure), key
            assert (await reader.get(html.unescape(address))).status_code == 200


async def test_what_can_t_be_given_is_said(site: Site, tmp_path: Path) -> None:
    async with browser(site, tmp_path) as reader:
        unknown = await reader.get("/reports/urls?delivery=nothing")
        assert (unknown.status_code, "no delivery &#39;nothing&#39;" in unknown.text) == (404, True)
        wrong = await reader.get("/reports/urls?delivery=1&top=zero")
        assert (wrong.status_code, 'role="alert"' in wrong.text) == (400, True)
        missing = await reader.get("/reports/urls")
        assert (missing.status_code, 'name="delivery"' in missing.text) == (200, True)
        assert (await reader.get("/reports/no-such")).status_code == 404
        hostile = await reader.get("/reports/urls?delivery=%3Cscript%3Ealert(1)%3C/script%3E")
        assert "<script>alert" not in hostile.text


async def test_clickhouse_away_is_said_and_over_when_it_is_back(
    clickhouse: ClickHouse, site: Site, world_database: str, report_settings: ReportSettings, tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    away = site_on(ClickHouseSettings(address=f"127.0.0.1:{port}", connect_timeout_s=1), report_settings)
    async with browser(away, tmp_path) as reader:
        page = await reader.get("/reports/deliveries")
        assert (page.status_code, 'http-equiv="refresh"' in page.text) == (503, True)
        problem = await reader.get("/v1/reports/deliveries")
        assert (problem.status_code, problem.headers["retry-after"]) == (503, "5")
        away.pool._clickhouse = clickhouse_settings(clickhouse, world_database)
        assert (await reader.get("/reports/deliveries")).status_code == 200


async def test_language_zone_and_colours(site: Site, tmp_path: Path) -> None:
    async with browser(site, tmp_path, **{"accept-language": "de-DE,de;q=0.9"}) as reader:
        german = (await reader.get("/reports/indicators?delivery=1")).text
        assert '<html lang="en"' in german
        assert re.search(r"\d,\d\d\xa0%", german)
        token = re.search(r'name="csrf" value="([^"]+)"', german)
        assert token
        choice = {"csrf": token[1], "lang": "es", "timezone": "Asia/Tokyo", "theme": "dark", "next": "//evil.example/"}
        kept = await reader.post("/view", data=choice, headers={"origin": "http://127.0.0.1:8090"})
        assert (kept.status_code, kept.headers["location"]) == (303, "/")
        spanish = (await reader.get("/reports/indicators?delivery=1")).text
        assert '<html lang="es" data-theme="dark"' in spanish
        assert "(Asia/Tokyo)" in spanish
        asked_for = (await reader.get("/reports/indicators?delivery=1&lang=en&timezone=America/Lima")).text
        assert '<html lang="en"' in asked_for
        assert "(America/Lima)" in asked_for
