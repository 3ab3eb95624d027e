"""With the keyboard alone, and for those who want no motion."""

from __future__ import annotations

from playwright.sync_api import Browser

from tests.dashboards.web.browser.reading import Reading, read
from tests.dashboards.web.browser.serving import Served

_WHERE = """() => {
  const one = document.activeElement, box = one.getBoundingClientRect(), style = getComputedStyle(one);
  return one === document.body ? null : {name: one.outerHTML.slice(0, 100), ring: style.outlineStyle !== 'none'
    && parseFloat(style.outlineWidth) >= 2, seen: box.width > 0 && box.height > 0 && one.checkVisibility()} }"""

_STOPS = "a[href], button, input:not([type=hidden]), select, summary, [tabindex='0']"


def test_every_stop_is_seen_and_none_holds(reading: Reading) -> None:
    page = reading.page
    reading.open("/reports/dashboard?delivery=1&part=logs&limit=3")
    stops = page.locator(_STOPS).filter(visible=True).count()
    visited = []
    for _ in range(stops + 10):
        page.keyboard.press("Tab")
        where = page.evaluate(_WHERE)
        if where is None:
            break
        assert where["ring"], where
        assert where["seen"], where
        visited.append(where["name"])
    else:
        raise AssertionError(f"the focus never left the page: {visited[-5:]}")
    assert len(visited) >= stops - 1
    assert "Skip to the report" in visited[0]


def test_skipping_filtering_and_choosing(reading: Reading) -> None:
    page = reading.page
    reading.open("/reports/deliveries")
    page.keyboard.press("Tab")
    assert page.locator(".skip").bounding_box()["x"] >= 0  # type: ignore[index]
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('main') !== null")
    page.get_by_label("Search").focus()
    page.keyboard.type("June")
    page.keyboard.press("Enter")
    page.wait_for_url("**search=June*")
    page.get_by_role("checkbox", name="Select June letter").focus()
    page.keyboard.press("Space")
    assert page.get_by_role("checkbox", name="Select June letter").is_checked()
    summary = page.locator(".choices > summary")
    summary.focus()
    page.keyboard.press("Enter")
    page.get_by_label("Language").wait_for(state="visible")
    page.get_by_label("Language").focus()
    page.keyboard.press("Escape")
    page.get_by_label("Language").wait_for(state="hidden")
    assert page.evaluate("document.activeElement.matches('.choices > summary')")


def test_no_motion_where_none_is_wanted(chromium: Browser, served: Served) -> None:
    moving = "document.getAnimations().filter(one => one.playState === 'running').length"
    for wanted, count in (("no-preference", 1), ("reduce", 0)):
        with read(chromium, served.address, reduced_motion=wanted) as reading:
            reading.open("/reports/dashboard?delivery=1")
            reading.waits_for("document.querySelector('.beat') !== null")
            assert reading.page.evaluate(moving) == count


def test_the_phone_has_its_menu(phone: Reading) -> None:
    phone.open("/reports/dashboard?delivery=1")
    link = phone.page.get_by_role("link", name="Tracking statistics")
    assert link.is_hidden()
    phone.find(".menu > summary").tap()
    link.tap()
    phone.page.wait_for_url("**/reports/statistics?delivery=1")
    assert phone.page.get_by_role("combobox", name="within").is_hidden()
    phone.find(".filters > summary").tap()
    phone.page.get_by_role("combobox", name="within").select_option("24h")
    phone.page.wait_for_url("**within=24h*")
    assert phone.page.get_by_role("combobox", name="within").is_visible()
