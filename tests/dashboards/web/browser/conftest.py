"""One Chromium and one server of the real pages for all tests of this folder.

Nothing here may be asynchronous: Playwright runs a loop of its own in this thread, from the first test to the last.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from sendtrail.settings import Config, ReportSettings, WebSettings
from tests.dashboards.web.browser.reading import Reading, read
from tests.dashboards.web.browser.serving import SANDBOX, Served, serve
from tests.dashboards.web.browser.world import fill
from tests.support.line import clickhouse_settings, migrated
from tests.support.stack import ClickHouse, random_name

CHROMIUM = Path("/usr/bin/chromium")


@pytest.fixture(scope="package")
def shown(clickhouse: ClickHouse) -> Iterator[str]:
    """Name of a database of these tests' own, filled."""
    name = random_name("browser")
    with migrated(clickhouse, name) as client:
        fill(client)
    yield name
    with clickhouse.client() as client:
        client.execute(f"DROP DATABASE IF EXISTS {name} SYNC")


@pytest.fixture(scope="package")
def served(clickhouse: ClickHouse, shown: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The pages on a port of this machine."""
    reports = Config({}).section(ReportSettings, report_domains=["gmail.com", "example.org"])
    settings = WebSettings(secret_file=tmp_path_factory.mktemp("web") / "secret")
    with serve(clickhouse_settings(clickhouse, shown), reports, settings, CHROMIUM) as made:
        yield made


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """A running Chromium."""
    if not CHROMIUM.exists():
        pytest.skip(f"there is no Chromium at {CHROMIUM}")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=SANDBOX)
        yield browser
        browser.close()


@pytest.fixture
def reading(chromium: Browser, served: Served) -> Iterator[Reading]:
    """A reader at a desk. The test fails where a page complained or asked another host for anything."""
    with read(chromium, served.address) as made:
        yield made


@pytest.fixture
def phone(chromium: Browser, served: Served) -> Iterator[Reading]:
    """A reader with a phone."""
    with read(chromium, served.address, width=390, height=844, has_touch=True) as made:
        yield made
