"""The states a page is designed for: nothing, one, five million, working, away, refused, forbidden; and live ones."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Route

from sendtrail.settings import ClickHouseSettings, Config, ReportSettings, WebSettings
from tests.dashboards.happenings import insert
from tests.dashboards.web.browser.looks import faults, sideways
from tests.dashboards.web.browser.reading import Reading, read
from tests.dashboards.web.browser.serving import Served, serve
from tests.dashboards.web.browser.world import HUGE, LIVE, LONG, ONE_HIT, SILENT, click
from tests.support.line import clickhouse_settings, migrated
from tests.support.stack import ClickHouse

OF_A_DELIVERY = [
    "dashboard", "indicators", "urls", "hot-clicks", "statistics", "activity", "summary", "clients", "machines", "who",
]  # fmt: skip


def test_a_delivery_without_hits(reading: Reading) -> None:
    for name in OF_A_DELIVERY:
        page = reading.page.request.get(f"{reading.base}/reports/{name}?delivery={SILENT}")
        assert page.ok, name
        assert "No hit yet" in page.text(), name
    for name in ("dashboard", "statistics", "activity"):
        reading.open(f"/reports/{name}?delivery={SILENT}")
        assert reading.find(".note.first").is_visible()
        assert "NaN" not in reading.find("main").inner_text()
    reading.open(f"/reports/indicators?delivery={SILENT}")
    figures = dict(reading.cells()["indicators"][0])
    assert (figures["total_open"], figures["open_rate"], figures["machine_share"]) == ("0", "0.00%", "–")


def test_a_delivery_with_one_hit(reading: Reading) -> None:
    for name in ("dashboard", "statistics", "machines"):
        assert reading.open(f"/reports/{name}?delivery={ONE_HIT}") == 200
        assert reading.find(".note.first").count() == 0
        assert "Hits: 1;" in reading.find(".said").first.inner_text()
    reading.open(f"/reports/urls?delivery={ONE_HIT}")
    assert reading.find("#part-links canvas").count() == 0  # a lone bar says nothing
    assert "1" in reading.column("links", "clicks")


def test_five_million_messages_and_names_without_end(reading: Reading) -> None:
    for name in ("deliveries", "dashboard", "indicators", "urls", "summary", "hot-clicks"):
        reading.open(f"/reports/{name}" + (f"?delivery={HUGE}" if name != "deliveries" else ""))
        assert LONG in reading.find("main").inner_text()
        assert reading.find("main b:has-text('&')").count() == 0  # a name is no HTML
        for width in (1440, 390):
            reading.page.set_viewport_size({"width": width, "height": 844})
            assert sideways(reading.page) == [], (name, width)
            assert _overlaps(reading.page) == [], (name, width)
        reading.page.set_viewport_size({"width": 1440, "height": 900})
    reading.open(f"/reports/indicators?delivery={HUGE}")
    assert dict(reading.cells()["indicators"][0])["success"] == "4,987,654"


def _overlaps(page: Page) -> list[str]:
    """Figures and cells whose text leaves its box."""
    found: list[str] = page.evaluate(
        """() => [...document.querySelectorAll('dd, dt, td, th, h1, h2, .chip')].filter(one => one.checkVisibility()
             && !one.closest('.unseen') && one.scrollWidth > one.clientWidth + 1
             && getComputedStyle(one).display !== 'inline')
             .map(one => one.outerHTML.slice(0, 160))"""
    )
    return found


@pytest.fixture
def empty(clickhouse: ClickHouse, database: str, tmp_path: Path) -> Iterator[Served]:
    """Pages over tables without a row."""
    migrated(clickhouse, database).disconnect()
    settings = clickhouse_settings(clickhouse, database)
    with serve(settings, ReportSettings(), WebSettings(secret_file=tmp_path / "secret")) as made:
        yield made


def test_no_deliveries_at_all(chromium: Browser, empty: Served) -> None:
    with read(chromium, empty.address) as reading:
        reading.open("/")
        assert reading.path == "/reports/deliveries"
        assert "No delivery here" in reading.find(".empty").inner_text()
        assert faults(reading.page) == []
        reading.page.get_by_label("Search").fill("June")
        reading.page.get_by_label("Search").press("Enter")
        reading.waits_for("document.body.innerText.includes('No delivery matches')")
        reading.page.get_by_role("link", name="Show all deliveries").click()
        assert "No delivery here" in reading.find(".empty").inner_text()
        for name in ("over-time", "site"):
            assert reading.open(f"/reports/{name}") == 200


def test_work_is_shown_while_it_lasts(reading: Reading) -> None:
    reading.open("/reports/deliveries")
    working = reading.find("#working")
    assert working.is_hidden()
    held, go_on = threading.Event(), []

    def hold(route: Route) -> None:
        go_on.append(route)
        held.set()

    reading.page.route("**/reports/deliveries?search=*", hold)
    reading.page.get_by_label("Search").fill("June")
    reading.page.get_by_label("Search").press("Enter")
    working.wait_for(state="visible")
    assert working.inner_text() == "Calculating…"
    assert held.is_set()
    go_on[0].continue_()
    working.wait_for(state="hidden")
    assert "search=June" in reading.path


def test_clickhouse_away_and_back(chromium: Browser, served: Served, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        nobody = f"127.0.0.1:{taken.getsockname()[1]}"
    settings = WebSettings(secret_file=tmp_path / "secret")
    away = ClickHouseSettings(address=nobody, connect_timeout_s=1)
    here = served.site.pool._clickhouse
    with serve(here, ReportSettings(), settings) as made, read(chromium, made.address) as reading:
        reading.open("/reports/deliveries")
        rows = reading.find("tbody tr").count()
        made.site.pool._clickhouse = away
        made.site.pool.close()
        reading.page.get_by_label("Search").fill("June")
        reading.page.get_by_label("Search").press("Enter")
        reading.waits_for("document.querySelector('[role=alert]')?.innerText.includes('ClickHouse does not answer')")
        assert "search=June" in reading.path
        made.site.pool._clickhouse = here
        reading.waits_for("document.querySelectorAll('tbody tr').length === 1")
        reading.expected("503")
        made.site.pool._clickhouse = away
        made.site.pool.close()
        assert reading.open("/reports/deliveries") == 503
        assert faults(reading.page) == []
        made.site.pool._clickhouse = here
        reading.waits_for(f"document.querySelectorAll('tbody tr').length === {rows}")
        reading.expected("503")


def test_what_can_t_be_given_says_how_to_go_on(reading: Reading) -> None:
    assert reading.open("/reports/urls?delivery=no-such-delivery") == 404
    assert "no-such-delivery" in reading.page.get_by_role("alert").inner_text()
    assert faults(reading.page) == []
    reading.page.get_by_role("link", name="To the deliveries").click()
    assert reading.path == "/reports/deliveries"
    assert reading.open("/reports/urls?delivery=1&top=0") == 400
    assert "top" in reading.page.get_by_role("alert").inner_text()
    assert reading.open("/reports/urls") == 200
    assert faults(reading.page) == []
    reading.page.get_by_label("delivery").fill("1")
    reading.page.get_by_role("button", name="Show").click()
    assert reading.find("h1").inner_text() == "URLs"
    assert reading.find(".subjects").inner_text().strip() == "June letter"
    assert reading.open("/no-such-page") == 404
    assert faults(reading.page) == []
    reading.expected("404", "400")


def test_a_viewer_sees_sums_and_no_recipients(
    chromium: Browser, clickhouse: ClickHouse, shown: str, tmp_path: Path
) -> None:
    settings = Config({}).section(
        WebSettings, secret_file=tmp_path / "secret", user_header="X-Remote-User",
        trusted_proxy_networks=["127.0.0.1"], proxy_default_role="viewer",
        allowed_hosts=["127.0.0.1"],
    )  # fmt: skip
    viewer = {"X-Remote-User": "vera"}
    with (
        serve(clickhouse_settings(clickhouse, shown), ReportSettings(), settings) as made,
        read(chromium, made.address, extra_http_headers=viewer) as reading,
    ):
        assert reading.open("/reports/dashboard?delivery=1") == 200
        assert reading.page.get_by_label("Find a recipient").count() == 0
        tabs = reading.find(".tabs a").all_inner_texts()
        assert ("Overview" in tabs, "Tracking logs" in tabs) == (True, False)
        assert reading.page.get_by_role("link", name="Tracking of a recipient").count() == 0
        assert reading.open("/reports/recipient?recipient=1000003") == 403
        assert "analyst" in reading.page.get_by_role("alert").inner_text()
        assert faults(reading.page) == []
        reading.expected("403")


def test_counters_follow_however_late_a_script_comes(reading: Reading) -> None:
    def late(route: Route) -> None:
        time.sleep(0.5)
        route.continue_()

    reading.page.route("**/hx-sse*", late)
    reading.open(f"/reports/dashboard?delivery={LIVE}")
    reading.waits_for("document.querySelector('#part-summary .said')?.innerText.startsWith('Live.')")


def test_counters_follow_while_the_page_is_open(reading: Reading, clickhouse: ClickHouse, shown: str) -> None:
    reading.open(f"/reports/dashboard?delivery={LIVE}")
    reading.waits_for("document.querySelector('#part-summary .said')?.innerText.startsWith('Live.')")
    assert dict(reading.cells()["summary"][0])["total_click"] == "0"
    with clickhouse.client(shown) as client:
        insert(client, [click(LIVE, message) for message in (1, 2)])
    reading.waits_for("document.querySelector('#part-summary [data-key=total_click]').innerText === '2'")
    assert reading.find("#part-summary").count() == 1
    assert faults(reading.page) == []


def test_the_message_is_shown_and_does_nothing(reading: Reading) -> None:
    reading.open("/reports/hot-clicks?delivery=1")
    frame = reading.page.frame_locator(".drawn[open] iframe")
    assert frame.locator("h1").inner_text() == "June"
    assert frame.locator(".st-badge").count() == 2
    assert frame.locator("html").evaluate("() => document.title") != "ran"
