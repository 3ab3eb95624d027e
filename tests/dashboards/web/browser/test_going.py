"""A reader finds their way: filters, orders, pages, choices, and addresses that hold all of it."""

from __future__ import annotations

from pathlib import Path

from tests.dashboards.web.browser.reading import Reading
from tests.dashboards.web.browser.world import RECIPIENT

LABELS = "deliveries", "label"


def test_a_filter_changes_the_report_and_the_address_alone(reading: Reading) -> None:
    page = reading.page
    reading.open("/reports/deliveries")
    everything = reading.column(*LABELS)
    page.evaluate("window.kept = document.querySelector('.top')")
    page.get_by_label("Search").fill("letter")
    page.get_by_label("Search").press("Enter")
    page.wait_for_url("**/reports/deliveries?search=letter")
    reading.waits_for("document.querySelectorAll('tbody tr').length === 2")
    assert page.evaluate("window.kept === document.querySelector('.top')")
    found = reading.column(*LABELS)
    assert {text.split("\n")[0] for text in found} == {"June letter", "July letter"}
    page.reload()
    assert reading.column(*LABELS) == found
    assert page.get_by_label("Search").input_value() == "letter"
    page.go_back()
    reading.waits_for(f"document.querySelectorAll('tbody tr').length === {len(everything)}")
    assert (reading.path, reading.column(*LABELS)) == ("/reports/deliveries", everything)
    page.go_forward()
    reading.waits_for("document.querySelectorAll('tbody tr').length === 2")
    assert reading.path == "/reports/deliveries?search=letter"


def test_a_choice_is_asked_at_once_and_charts_are_drawn_again(reading: Reading) -> None:
    reading.open("/reports/urls?delivery=1")
    reading.waits_for("document.documentElement.dataset.drawn === '2'")
    title = reading.find("#part-links h2")
    before = title.inner_text()
    reading.page.get_by_label("rows by").select_option("category")
    reading.page.wait_for_url("**by=category*")
    reading.waits_for(f"document.querySelector('#part-links h2').textContent !== {before!r}")
    reading.waits_for("Chart.getChart(document.querySelector('canvas')) !== undefined")


def test_order_and_pages_of_the_list(reading: Reading) -> None:
    page = reading.page
    reading.open("/reports/deliveries?limit=3")
    heading = page.get_by_role("columnheader", name="success")
    heading.get_by_role("link").click()
    page.wait_for_url("**sort=success*")
    assert heading.get_attribute("aria-sort") == "descending"
    first = [int(text.replace(",", "")) for text in reading.column("deliveries", "success")]
    assert first == sorted(first, reverse=True)
    assert first[0] == 4_987_654
    page.get_by_role("navigation", name="Pages").get_by_text("After").click()
    page.wait_for_url("**offset=3*")
    second = [int(text.replace(",", "")) for text in reading.column("deliveries", "success") if text != "–"]
    assert max(second) <= min(first)
    page.get_by_text("Before").click()
    page.wait_for_load_state()
    heading.get_by_role("link").click()
    page.wait_for_url("**order=ascending*")
    assert heading.get_attribute("aria-sort") == "ascending"


def test_two_deliveries_are_compared_and_added_up(reading: Reading) -> None:
    page = reading.page
    for button, name in (("Compare", "compare"), ("Add up", "indicators")):
        reading.open("/reports/deliveries")
        for label in ("June letter", "July letter"):
            page.get_by_role("checkbox", name=f"Select {label}").check()
        page.get_by_role("button", name=button).click()
        page.wait_for_url(f"**/reports/{name}?*")
        assert set(reading.find(".subjects .chip").all_inner_texts()) == {"June letter", "July letter"}
        said = reading.document("/v1/reports/indicators?delivery=1&delivery=2")["parts"]["indicators"]["total_click"]
        assert f"{said:,}" in reading.find("main").inner_text()


def test_from_a_row_to_the_dashboard_and_its_tabs(reading: Reading) -> None:
    page = reading.page
    reading.open("/reports/deliveries")
    page.get_by_role("link", name="June letter").click()
    page.wait_for_url("**/reports/dashboard?delivery=1")
    assert page.get_by_role("heading", level=1).inner_text() == "June letter"
    assert page.title().startswith("June letter")
    for tab, part in (("Messages", "messages"), ("Tracking logs", "logs"), ("URLs", "urls"), ("Overview", "funnel")):
        page.get_by_role("navigation", name="Parts of the dashboard").get_by_text(tab, exact=True).click()
        assert reading.find(f"#part-{part} tbody tr").count() > 0
        assert reading.find(".tabs [aria-current=page]").inner_text() == tab


def test_a_recipient_is_found_and_shows_other_columns(reading: Reading) -> None:
    page = reading.page
    reading.open("/reports/deliveries")
    page.get_by_label("Find a recipient").fill(RECIPIENT)
    page.get_by_label("Find a recipient").press("Enter")
    page.wait_for_url(f"**/reports/recipient?recipient={RECIPIENT}")
    firsts = reading.document(f"/v1/reports/recipient?recipient={RECIPIENT}")["parts"]["messages"]
    opened = [row for row in firsts if row["first_open"]]
    seen = [text for text in reading.column("messages", "first_open") if text != "–"]
    assert len(seen) == len(opened) > 0
    page.get_by_role("columnheader", name="time").get_by_role("link").click()
    page.wait_for_url("**sort=oldest*")
    others = reading.find("#part-messages thead th").all_inner_texts()
    reading.find("#part-hits .chooser > summary").click()
    chooser = reading.find("#part-hits .chooser")
    chooser.get_by_label("reasons", exact=True).check()
    chooser.get_by_label("client", exact=True).uncheck()
    chooser.get_by_role("button").click()
    page.wait_for_url("**columns=*")
    reading.waits_for("document.querySelector('#part-hits [data-key=reasons]') !== null")
    assert reading.find("#part-hits [data-key=client]").count() == 0
    assert reading.find("#part-messages thead th").all_inner_texts() == others
    page.reload()
    assert reading.find("#part-hits [data-key=reasons]").count() > 0
    assert "sort=oldest" in reading.path
    reading.find("#part-hits .chooser > summary").click()
    page.get_by_role("link", name="Back to the usual ones").first.click()
    page.wait_for_load_state()
    assert reading.find("#part-hits [data-key=client]").count() > 0
    assert "columns" not in reading.path


def test_columns_are_chosen_without_javascript_too(reading: Reading) -> None:
    browser = reading.page.context.browser
    assert browser is not None
    with browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(f"{reading.base}/reports/deliveries?sort=label")
        page.locator(".chooser > summary").click()
        page.locator(".chooser").get_by_label("campaign", exact=True).check()
        page.get_by_role("button", name="Show these").click()
        assert page.locator("td[data-key=campaign]").count() > 0
        assert "sort=label" in page.url


def test_files_are_kept(reading: Reading, tmp_path: Path) -> None:
    reading.open("/reports/urls?delivery=1&top=3")
    starts = {"XLSX": b"PK", "PDF": b"%PDF-", "CSV": b"row,rank,"}
    for link, start in starts.items():
        place = reading.find("#part-links .exports" if link == "CSV" else ".tools .exports")
        with reading.page.expect_download() as downloaded:
            place.get_by_text(link).click()
        file = tmp_path / downloaded.value.suggested_filename
        downloaded.value.save_as(file)
        assert file.suffix == f".{link.lower()}"
        assert file.read_bytes().startswith(start)
    kept = (tmp_path / "urls-links.csv").read_text().splitlines()
    assert len(kept) - 1 == reading.find("#part-links tbody tr").count()


def test_language_zone_and_colours_stay(reading: Reading) -> None:
    page = reading.page
    reading.open("/reports/deliveries")
    page.get_by_label("Search").fill("June")
    page.get_by_label("Search").press("Enter")
    page.wait_for_url("**search=June*")
    light = page.evaluate("getComputedStyle(document.body).backgroundColor")
    reading.keep(lang="es", timezone="Asia/Tokyo", theme="dark")
    assert "search=June" in reading.path
    assert page.evaluate("document.documentElement.lang") == "es"
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != light
    assert "(Asia/Tokyo)" in reading.find(".said").inner_text()
    rate = reading.column("deliveries", "open_rate")[0]
    assert "," in rate
    assert "." not in rate
    reading.open("/reports/indicators?delivery=1")
    assert page.evaluate("document.documentElement.lang") == "es"
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
