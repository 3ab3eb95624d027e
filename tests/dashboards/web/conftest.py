"""The real pages over the random world, asked as a browser and as a program ask."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from dashboards.web.app import make_app
from dashboards.web.pool import Pool
from dashboards.web.site import Site
from sendtrail.settings import ClickHouseSettings, ReportSettings, WebSettings
from tests.dashboards.world import World
from tests.support.line import clickhouse_settings
from tests.support.stack import ClickHouse

LOCAL = "http://127.0.0.1:8090"


def site_on(settings: ClickHouseSettings, reports: ReportSettings) -> Site:
    """Pages over a database, with two connections."""
    return Site(Pool(settings, reports, 2), None, persons=True, default_zone="UTC", api_url="http://127.0.0.1:9")


@asynccontextmanager
async def browser(site: Site, folder: Path, **headers: str) -> AsyncIterator[httpx.AsyncClient]:
    """Somebody on this machine, with the headers given."""
    app = make_app(site, WebSettings(secret_file=folder / "secret"))
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=LOCAL, headers=headers) as client:
        yield client


@pytest.fixture
def site(clickhouse: ClickHouse, world: World, world_database: str, report_settings: ReportSettings) -> Iterator[Site]:
    """The pages over the random world."""
    made = site_on(clickhouse_settings(clickhouse, world_database), report_settings)
    yield made
    made.pool.close()
