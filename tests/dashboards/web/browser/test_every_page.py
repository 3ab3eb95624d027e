"""Every report: its numbers are a program's; everybody can read it, also in the dark, on a phone and on paper."""

from __future__ import annotations

import re
from typing import Any

import pytest

from dashboards.catalogue import REPORTS
from tests.dashboards.web.browser.looks import charts_without_numbers, faults, leaps, sideways
from tests.dashboards.web.browser.reading import Reading
from tests.dashboards.web.browser.world import RECIPIENT

DAYS = "first_day=2026-09-20&last_day=2026-10-10"
ASKED = {
    "deliveries": "",
    "over-time": DAYS,
    "site": "since=2026-09-20&until=2026-10-10",
    "recipient": f"recipient={RECIPIENT}&limit=20",
    "who": "delivery=1&limit=20",
    "compare": "delivery=1&delivery=2",
}
_NUMBER = re.compile(r"^(-?)[^\d-]?([\d,]+(?:\.\d+)?)(%?)$")


def asked(name: str) -> str:
    """A query that gives the report something to show."""
    return ASKED.get(name, "delivery=1")


def number(text: str) -> float | None:
    """What a reader takes a text for: 1,234 or -12.30% or €5.00; None for other texts."""
    found = _NUMBER.match(text)
    if found is None:
        return None
    return float(found[1] + found[2].replace(",", "")) / (100 if found[3] else 1)


def compared(reading: Reading, document: dict[str, Any]) -> int:
    """How many numbers on the page were found equal to the API's; AssertionError for one that is not."""
    cells, count = reading.cells(), 0
    for key, part in document["parts"].items():
        rows = part if isinstance(part, list) else [part]
        assert len(cells.get(key, [])) == len(rows[:500])
        for row, seen in zip(rows[:500], cells.get(key, []), strict=True):
            for column, text in seen:
                value = row[column]
                if isinstance(value, int | float) and (found := number(text)) is not None:
                    step = 0.0001 if "%" in text else 0.01 if "." in text else 0
                    assert abs(found - value) <= step * 0.51, (key, column, text, value)
                    count += 1
                elif value is None:
                    assert text in ("–", "")
    return count


@pytest.mark.parametrize("name", REPORTS)
def test_page(reading: Reading, name: str) -> None:
    page = reading.page
    assert reading.open(f"/reports/{name}?{asked(name)}") == 200
    assert compared(reading, reading.document(f"/v1/reports/{name}?{asked(name)}")) > 3
    assert page.evaluate("document.documentElement.lang") == "en"
    assert leaps(page) == []
    assert charts_without_numbers(page) == 0
    assert faults(page) == []
    page.emulate_media(color_scheme="dark")
    assert faults(page, only="color-contrast") == []
    page.set_viewport_size({"width": 390, "height": 844})
    assert sideways(page) == []
    page.emulate_media(media="print", color_scheme="dark")
    for hidden in (".side", ".top", ".filters", ".exports"):
        assert page.locator(hidden).first.is_hidden()
    assert all(table.is_visible() for table in page.locator(".behind table").all())
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"


def test_people_and_all(reading: Reading) -> None:
    reading.open("/reports/indicators?delivery=1")
    cut = reading.find(".cuts a[aria-current]")
    assert cut.inner_text() == "People"
    people = dict(reading.cells()["indicators"][0])
    reading.page.get_by_role("link", name="All", exact=True).click()
    reading.page.wait_for_url("**cut=all*")
    assert cut.inner_text() == "All"
    everybody = dict(reading.cells()["indicators"][0])
    for name, seen in (("people", people), ("all", everybody)):
        said = reading.document(f"/v1/reports/indicators?delivery=1&cut={name}")["parts"]["indicators"]
        assert number(seen["total_open"]) == said["total_open"]
    assert people["total_open"] != everybody["total_open"]
    reading.page.get_by_role("link", name="Tracking statistics").click()
    assert cut.inner_text() == "All"
