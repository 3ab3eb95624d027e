"""What the pages and the API give a viewer: sums, and nothing that shows recipients."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from dashboards.catalogue import REPORTS
from dashboards.web.app import make_app
from dashboards.web.site import Site
from sendtrail.settings import Config, WebSettings
from tests.dashboards.web.conftest import LOCAL

pytestmark = pytest.mark.asyncio

RECIPIENTS = [("who", ""), ("recipient", ""), ("dashboard", "messages"), ("dashboard", "logs")]


@pytest_asyncio.fixture
async def viewer(site: Site, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """The real pages, asked by a viewer whom a trusted proxy names."""
    settings = Config({}).section(
        WebSettings, secret_file=tmp_path / "secret", user_header="X-Remote-User",
        trusted_proxy_networks=["127.0.0.1"], proxy_default_role="viewer", allowed_hosts=["127.0.0.1"],
    )  # fmt: skip
    transport = httpx.ASGITransport(make_app(site, settings), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=LOCAL, headers={"X-Remote-User": "vera"}) as client:
        yield client


async def test_these_are_all_that_take_an_analyst() -> None:
    named = {(name, "") for name, report in REPORTS.items() if report.role == "analyst"}
    assert named | {(name, part) for name in REPORTS for part in REPORTS[name].analyst_parts} == {*RECIPIENTS}


@pytest.mark.parametrize(("name", "part"), RECIPIENTS)
async def test_recipients_are_refused(viewer: httpx.AsyncClient, name: str, part: str) -> None:
    asked = {"recipient": "1000003"} if name == "recipient" else {"delivery": "1"} | ({"part": part} if part else {})
    page = await viewer.get(f"/reports/{name}", params=asked)
    assert (page.status_code, "Recipients are shown to readers with the role analyst." in page.text) == (403, True)
    for form in ("json", "csv", "xlsx"):
        reply = await viewer.get(f"/v1/reports/{name}", params=asked | {"format": form})
        assert (reply.status_code, reply.headers["content-type"]) == (403, "application/problem+json")


async def test_links_are_not_edited(viewer: httpx.AsyncClient) -> None:
    page = (await viewer.get("/reports/dashboard?delivery=1&part=urls")).text
    assert "/deliveries/1/urls/" not in page
    found = re.search(r'name="csrf"[^>]* value="([^"]+)"', page)
    assert found is not None
    form = {"csrf": found[1], "label": "Another", "category": "", "mode": "tracked"}
    reply = await viewer.post("/deliveries/1/urls/11", data=form, headers={"Origin": LOCAL})
    assert reply.status_code == 403


async def test_no_page_of_sums_leads_there(viewer: httpx.AsyncClient) -> None:
    for name, report in REPORTS.items():
        if report.role == "viewer":
            page = await viewer.get(f"/reports/{name}", params={"delivery": "1"} if name != "deliveries" else {})
            assert page.status_code == (400 if name == "over-time" else 200), name
            assert not re.search(r'href="/reports/(who|recipient)|part=(messages|logs)', page.text), name
