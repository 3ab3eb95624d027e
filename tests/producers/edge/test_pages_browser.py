"""The edge's pages in a real browser: seen on a phone, used by keyboard, without scripts, and over the real wire."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, sync_playwright

from producers.edge.languages import LANGUAGES
from producers.edge.pages import load
from sendtrail import content_files
from sendtrail.contents import Content
from sendtrail.settings import EdgeSettings
from tests.dashboards.web.browser.conftest import CHROMIUM
from tests.dashboards.web.browser.serving import SANDBOX
from tests.producers.edge.test_pages import every_page
from tests.support.edges import Edge, running_edge

AXE = Path("tests/dashboards/web/browser/vendor/axe.min.js").read_text()
LONG = "https://shop.example.com/" + "very-long-path-" * 12 + "?id=" + "7f" * 40
MIRROR = (
    '<p id="told">Dear {{name}}</p><script>document.getElementById("told").textContent = "ran"</script>'
    '<form action="/privacy" method="post"><button id="send">Send</button></form>'
)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    if not CHROMIUM.exists():
        pytest.skip(f"there is no Chromium at {CHROMIUM}")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=SANDBOX)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def edge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Edge]:
    folder = tmp_path_factory.mktemp("edge")
    tables = {
        "tracking": {"visitor_cookies": "persistent"},
        "cookie": {"secure": False},
        "answers": {"contents_dir": folder / "contents"},
    }
    with running_edge(folder / "spool", EdgeSettings(port=0), tables) as running:
        yield running


@pytest.fixture
def reader(chromium: Browser) -> Iterator[BrowserContext]:
    """Nobody needs scripts here."""
    context = chromium.new_context(java_script_enabled=False, locale="en-GB")
    yield context
    context.close()


def address(edge: Edge, path: str) -> str:
    return f"http://127.0.0.1:{edge.port}{path}"


def kept(context: BrowserContext) -> dict[str, str]:
    return {str(cookie["name"]): str(cookie["value"]) for cookie in context.cookies()}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_fits_a_small_phone_and_is_readable(chromium: Browser, scheme: Any) -> None:
    context = chromium.new_context(color_scheme=scheme, viewport={"width": 320, "height": 600}, has_touch=True)
    page = context.new_page()
    for language in LANGUAGES:
        found = load().of(language.encode())
        shown = {**every_page(found), "revoked with destination": found.revoked("click", LONG)}
        for name, reply in shown.items():
            page.set_content(reply.body.decode())
            assert page.evaluate("document.documentElement.scrollWidth") <= 320, (language, name)
            for button in page.locator("button").all():
                box = button.bounding_box()
                assert box is not None
                assert box["height"] >= 44, (language, name)  # a thumb hits it
            page.evaluate(AXE)
            problems = page.evaluate("axe.run().then(found => found.violations.map(one => one.id))")
            assert problems == [], (language, name)
    context.close()


def test_a_reader_refuses_and_allows_again_by_keyboard(edge: Edge, reader: BrowserContext) -> None:
    page = reader.new_page()
    click = address(edge, edge.path("click", address(edge, "/robots.txt")))
    page.goto(click)
    first = kept(reader)["st_visitor"]
    page.goto(click)
    page.goto(address(edge, "/privacy"))
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="You have refused the cookie").wait_for()
    assert kept(reader) == {"st_visitor_refused": "1"}
    page.goto(click)
    assert kept(reader) == {"st_visitor_refused": "1"}
    page.goto(address(edge, "/privacy"))
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    page.get_by_role("heading", name="Your privacy").wait_for()
    assert kept(reader) == {}
    page.goto(click)
    assert kept(reader)["st_visitor"] != first
    visitors = [(event.visitor, event.visitor_is_new) for event in edge.events()[-4:]]
    assert visitors == [(first, True), (first, False), (None, False), (kept(reader)["st_visitor"], True)]


def test_another_site_can_not_choose_for_a_reader(edge: Edge, chromium: Browser) -> None:
    context = chromium.new_context()
    form = f'<form method="post" action="{address(edge, "/privacy")}"><input name="choice" value="refuse"></form>'
    with _other_site(form + "<script>document.forms[0].submit()</script>") as elsewhere:
        page = context.new_page()
        page.goto(elsewhere)
        page.get_by_role("heading", name="Nothing was changed").wait_for()
    assert "st_visitor_refused" not in kept(context)
    context.close()


class _other_site:  # noqa: N801
    """A page of another host."""

    def __init__(self, html: str) -> None:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("Content-Type", "text/html")
                self.end_headers()
                self.wfile.write(html.encode())

            def log_message(self, format: str, *args: Any) -> None:
                """Quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever)

    def __enter__(self) -> str:
        self._thread.start()
        return f"http://localhost:{self._server.server_address[1]}/"

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def test_a_reader_unsubscribes_by_keyboard_without_cookies(edge: Edge, chromium: Browser) -> None:
    context = chromium.new_context(java_script_enabled=False, locale="de-AT")
    page = context.new_page()
    page.goto(address(edge, edge.path("optout", message=77)))
    page.get_by_role("heading", name="Abmelden?").wait_for()
    context.clear_cookies()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Sie sind abgemeldet").wait_for()
    assert page.locator("a, button, input").count() == 0
    assert [event.how for event in edge.events() if event.message == 77] == ["view", "form"]
    context.close()


def test_a_mirror_page_shows_and_does_nothing_but_its_links_work(edge: Edge, chromium: Browser) -> None:
    robots = address(edge, "/robots.txt")
    links = f'<a id="same" href="{robots}">Here</a> <a id="new" target="_blank" href="{robots}">There</a>'
    content_files.write(edge.directory.parent / "contents", [Content(delivery=17, part="html", content=MIRROR + links)])
    context = chromium.new_context()
    page = context.new_page()
    page.goto(address(edge, edge.path("mirror", "https://mirror.invalid/?name=Ana%20%3Cb%3E")))
    assert page.locator("#told").text_content() == "Dear Ana <b>"
    page.locator("#send").click()
    with context.expect_page() as opened:
        page.locator("#new").click()
    opened.value.wait_for_url(robots)
    assert page.locator("#told").is_visible()  # the form was not sent
    page.locator("#same").click()
    page.wait_for_url(robots)
    context.close()
