"""The pages of a running line: live counters, a link edited after sending, and the message with its heat."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import islice
from typing import Any

import httpx
import pytest
from playwright.sync_api import sync_playwright

from sendtrail.instrument import compile
from sendtrail.instrument.api import Api
from tests.dashboards.web.browser.conftest import CHROMIUM
from tests.dashboards.web.browser.reading import Reading, read
from tests.dashboards.web.browser.serving import SANDBOX
from tests.line.running import Line, until
from tests.line.traffic import ADDRESS, Mailing

PAGE = (
    '<html><body><p>Hello</p><a href="https://shop.example.com/tulips?colour=red">Tulips</a>'
    '<script>alert(1)</script><img src="https://cdn.example.com/a.png"><form action="https://x.example/"></form></body></html>'
)


@pytest.fixture
def sent(line: Line) -> Mailing:
    """A registered delivery with content and two clicks."""
    mailing = Mailing(line)
    template = compile(html=PAGE, delivery=mailing.name, keyring=line.keys(), base_url=line.endpoints["edge"])
    Api(line.endpoints["api"]).register(template, label="Tulips in June")
    rendered = template.render(mailing.message, recipient="anna")
    link = re.search(r'href="([^"]+/c/[^"]+)"', rendered.html or "")
    assert link
    for number in range(2):
        answer = httpx.get(link[1], headers=visitor(number), trust_env=False)
        assert answer.status_code == 302
    # Aggregates follow their events within the same insert, a moment later.
    until(lambda: report(line, "urls", "-d", mailing.name)["links"][-1]["clicks"] == 2, "both clicks in the reports")
    return mailing


def visitor(number: int) -> dict[str, str]:
    return {"User-Agent": f"Mozilla/5.0 (X11; Linux x86_64; rv:14{number}.0) Gecko/20100101 Firefox/14{number}.0",
            "X-Forwarded-For": ADDRESS}  # fmt: skip


def figure(html: str, key: str) -> int:
    found = re.search(rf'data-key="{key}" data-plain="(\d+)"', html)
    assert found, html
    return int(found[1])


def report(line: Line, *args: str) -> dict[str, Any]:
    done = line.run("report", *args, "--format", "json")
    assert done.returncode == 0, done.stderr
    parts: dict[str, Any] = json.loads(done.stdout)["parts"]
    return parts


def test_counters_follow_while_the_page_is_open(line: Line, sent: Mailing) -> None:
    address = f"{line.endpoints['web']}/live/dashboard?delivery={sent.name}"
    with httpx.stream("GET", address, trust_env=False, timeout=60) as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        counts = (figure(event, "total_click") for event in events(stream))
        assert 2 in islice(counts, 20)
        httpx.get(sent.click, headers=visitor(7), trust_env=False)
        assert 3 in islice(counts, 20)


def events(stream: httpx.Response) -> Iterator[str]:
    """The data of each event of a stream."""
    data = ""
    for line in stream.iter_lines():
        if line:
            data += line.removeprefix("data:") + "\n"
        else:
            yield data
            data = ""


def test_a_link_is_edited_after_sending(line: Line, sent: Mailing) -> None:
    web = line.endpoints["web"]
    with httpx.Client(base_url=web, trust_env=False, timeout=30) as browser:
        page = browser.get(f"/reports/dashboard?delivery={sent.name}&part=urls").text
        action = re.search(r'action="(/deliveries/\d+/urls/\d+)"', page)  # of the most clicked link
        token = re.search(r'name="csrf" value="([^"]+)"', page)
        assert action
        assert token
        change = {"csrf": token[1], "label": "=Tulpen & <more>", "category": "spring", "mode": "always"}
        assert browser.post(action[1], data=change | {"csrf": "x"}, headers={"Origin": web}).status_code == 403
        saved = browser.post(action[1], data=change, headers={"Origin": web})
        assert saved.status_code == 303
        wrong = browser.post(
            action[1], data=change | {"mode": "sideways"}, headers={"Origin": web, "HX-Request": "true"}
        )
        assert (wrong.status_code, 'role="alert"' in wrong.text) == (422, True)
        assert browser.post("/deliveries/1/urls/1", data=change, headers={"Origin": web}).status_code == 404

    def shown() -> bool:
        rows = report(line, "dashboard", "-d", sent.name, "--part", "urls")["urls"]
        row = next(row for row in rows if row["mode"] != "optout")
        return (row["label"], row["category"], row["mode"]) == (change["label"], "spring", "always")

    until(shown, "the edited link in the reports")
    assert report(line, "urls", "-d", sent.name)["links"][0]["label"] == change["label"]


def test_the_message_is_shown_with_its_heat_and_nothing_else(line: Line, sent: Mailing) -> None:
    web = line.endpoints["web"]
    page = httpx.get(f"{web}/reports/hot-clicks?delivery={sent.name}", trust_env=False, timeout=30).text
    frame = re.search(r'<iframe sandbox src="([^"]+)"', page)
    assert frame
    answer = httpx.get(web + frame[1].replace("&amp;", "&"), trust_env=False, timeout=30)
    assert answer.headers["content-security-policy"].startswith("sandbox; default-src 'none'")
    assert "100.00% · 2" in answer.text
    assert not re.search(r"<script|<form|cdn\.example\.com|/o/|href=\"http", answer.text)


def test_pages_and_command_say_the_same(line: Line, sent: Mailing) -> None:
    web = line.endpoints["web"]
    for name, part in (("indicators", "indicators"), ("summary", "summary"), ("urls", "links")):
        asked = httpx.get(f"{web}/v1/reports/{name}?delivery={sent.name}", trust_env=False, timeout=30).json()
        assert asked["parts"][part] == report(line, name, "-d", sent.name)[part]


@pytest.mark.skipif(not CHROMIUM.exists(), reason=f"there is no Chromium at {CHROMIUM}")
def test_a_reader_sees_a_click_arrive_and_edits_its_link(line: Line, sent: Mailing) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=SANDBOX)
        with read(browser, line.endpoints["web"]) as reading:
            reading.open(f"/reports/dashboard?delivery={sent.name}")
            counted = "document.querySelector('#part-summary [data-key=total_click]')?.innerText"
            reading.waits_for(f"{counted} === '2'")
            httpx.get(sent.click, headers=visitor(7), trust_env=False)
            reading.waits_for(f"{counted} === '3'")
            reading.page.get_by_role("link", name="URLs", exact=True).last.click()
            row = reading.find("tr.link").first
            row.get_by_label("label").fill("=Tulpen & <more>")
            row.get_by_label("mode").select_option("always")
            row.get_by_role("button", name="Save").click()
            row.get_by_role("status").wait_for()
            assert "part=urls" in reading.path
            until(lambda: _label_after_reload(reading) == "=Tulpen & <more>", "the new label on the page")
        browser.close()


def _label_after_reload(reading: Reading) -> str:
    reading.page.reload()
    return reading.find("tr.link").first.get_by_label("label").input_value()
