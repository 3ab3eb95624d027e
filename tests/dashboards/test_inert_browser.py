"""In a real browser: a hostile message asks for things when it is shown as it is, and for nothing as we show it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Page, sync_playwright

from dashboards.drawn import POLICY, drawn
from dashboards.heat import marks
from tests.dashboards.hostile import HOSTILE, PLAIN

CHROMIUM = Path("/usr/bin/chromium")
_STATED = f'<meta http-equiv="Content-Security-Policy" content="{POLICY.replace(chr(39), "&#x27;")}">'


class Listener:
    """Stands for every host of the messages and counts who connects."""

    def __init__(self) -> None:
        self.connections = 0
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = self._server.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._server.accept()
            except OSError:
                return
            self.connections += 1
            connection.close()

    def close(self) -> None:
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()


@dataclass
class Watched:
    """A page, what it asked for, and who heard of it."""

    page: Page
    listener: Listener
    asked: list[str] = field(default_factory=list)

    def show(self, document: str, framed: bool = False) -> None:
        """Show a document alone, or as the pages do in a sandboxed frame."""
        self.page.goto("about:blank")
        if framed:
            self.page.set_content("<iframe sandbox width=900 height=900></iframe>")
            self.page.evaluate("text => { document.querySelector('iframe').srcdoc = text }", document)
            self.page.frame_locator("iframe").locator("body").wait_for(state="attached")
        else:
            self.page.set_content(document)

    def settle(self) -> None:
        """Wait until nothing goes on any more."""
        self.page.wait_for_load_state("networkidle")


@pytest.fixture(scope="module")
def browsing() -> Iterator[Watched]:
    if not CHROMIUM.exists():
        pytest.skip("there is no Chromium at /usr/bin/chromium")
    listener = Listener()
    hosts = f"MAP *.example 127.0.0.1:{listener.port},MAP evil.example 127.0.0.1:{listener.port}"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", f"--host-resolver-rules={hosts}"]
        )
        watched = Watched(browser.new_page(), listener)
        watched.page.on("request", lambda request: watched.asked.append(request.url))
        yield watched
        browser.close()
    listener.close()


@pytest.fixture
def watched(browsing: Watched) -> Watched:
    browsing.asked.clear()
    browsing.listener.connections = 0
    return browsing


def outside(urls: list[str]) -> list[str]:
    """What was asked of a network."""
    return [url for url in urls if not url.startswith(("about:", "data:"))]


@pytest.mark.parametrize("framed", [False, True])
def test_showing_it_asks_for_nothing_even_without_the_policy(watched: Watched, framed: bool) -> None:
    for source in [*HOSTILE, "".join(HOSTILE)]:
        document = drawn("html", source, marks("html", source, 1, [])).document
        bare = document.replace(_STATED, "")
        assert bare != document
        watched.show(bare, framed)
        assert watched.page.evaluate("document.title") in ("", "Hot clicks"), source
    watched.settle()
    assert outside(watched.asked) == []
    assert watched.listener.connections == 0


def test_the_same_messages_as_they_are_do_ask(watched: Watched) -> None:
    for source in PLAIN[:12]:
        watched.show(f"<body>{source}")
        watched.settle()
    assert len(outside(watched.asked)) >= 10
    assert watched.listener.connections > 0


def test_the_policy_alone_would_stop_what_is_loaded(watched: Watched) -> None:
    source = '<img src="https://evil.example/x"><style>p{background:url(https://evil.example/y)}</style><p>x</p>'
    watched.show(f"<head>{_STATED}</head><body>{source}", framed=True)
    watched.settle()
    assert watched.listener.connections == 0


def test_marks_are_read_at_the_width_of_a_phone(watched: Watched) -> None:
    cells = "".join(f'<td width="200"><a href="https://shop.example/{n}">Offer {n}</a></td>' for n in range(3))
    source = f'<table width="640"><tr>{cells}</tr></table><img width="640" height="100" alt="Wide">'
    watched.page.set_viewport_size({"width": 390, "height": 800})
    watched.show(drawn("html", source, marks("html", source, 1, [])).document)
    badges = watched.page.locator(".st-badge")
    assert badges.count() == 3
    for place in range(3):
        box = badges.nth(place).bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 390
        assert badges.nth(place).evaluate("node => parseFloat(getComputedStyle(node).fontSize)") >= 12
    assert watched.page.evaluate("document.documentElement.scrollWidth") <= 390
