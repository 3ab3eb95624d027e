"""A reader in front of a page, and everything that went wrong while they looked."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, Request

_VIOLATIONS = "addEventListener('securitypolicyviolation', e => console.error('policy: ' + e.violatedDirective))"
_CELLS = """() => Object.fromEntries([...document.querySelectorAll('[data-part]')].map(part => [part.dataset.part,
  [...(part.querySelector('table:not(.heat)') ? part.querySelectorAll('table:not(.heat) tbody tr') : [part])].map(row =>
    [...row.querySelectorAll('[data-key]')].map(cell => [cell.dataset.key, cell.textContent.trim()]))
  .filter(row => row.length)]))"""

_SOON_S = 30.0

Cells = dict[str, list[list[tuple[str, str]]]]


@dataclass
class Reading:
    """One browser window. `problems`: what its console said, requests that failed or left this machine."""

    page: Page
    base: str
    problems: list[str] = field(default_factory=list)

    def open(self, path: str) -> int:
        """Go to a page; its status."""
        response = self.page.goto(self.base + path)
        assert response is not None
        return response.status

    @property
    def path(self) -> str:
        """What stands behind the host in the address."""
        return self.page.url.removeprefix(self.base)

    def find(self, selector: str) -> Locator:
        """Elements of the page."""
        return self.page.locator(selector)

    def cells(self) -> Cells:
        """Part -> rows of (column, text as seen); a part of figures is one row."""
        found: Cells = self.page.evaluate(_CELLS)
        return found

    def column(self, part: str, key: str) -> list[str]:
        """The texts of a column, from top to bottom."""
        return [text for row in self.cells()[part] for name, text in row if name == key]

    def document(self, path: str) -> dict[str, Any]:
        """What the API says, to the same reader."""
        answer = self.page.request.get(self.base + path)
        assert answer.ok, answer.text()
        found: dict[str, Any] = answer.json()
        return found

    def waits_for(self, expression: str) -> None:
        """Until a JavaScript expression holds on the page. Playwright's own way needs `eval`: the policy forbids it."""
        until = time.monotonic() + _SOON_S
        while not self.page.evaluate(expression):
            assert time.monotonic() < until, f"not within {_SOON_S:g} s: {expression}"
            self.page.wait_for_timeout(20)

    def keep(self, **choices: str) -> None:
        """Choose language, time zone or colours as a reader does."""
        self.find(".choices > summary").click()
        for name, value in choices.items():
            self.find(f".choices select[name={name}]").select_option(value)
        with self.page.expect_navigation():
            self.find(".choices form[action='/view'] button").click()

    def expected(self, *said: str) -> None:
        """These problems, and no others, were meant to happen."""
        assert self.problems
        for problem in self.problems:
            assert any(part in problem for part in said), problem
        self.problems.clear()


@contextmanager
def read(browser: Browser, base: str, width: int = 1440, height: int = 900, **options: Any) -> Iterator[Reading]:
    """A new window without a past. At its end, AssertionError for problems that the test did not expect."""
    options = {"viewport": {"width": width, "height": height}, "locale": "en-GB", "color_scheme": "light"} | options
    context = browser.new_context(**options)
    context.set_default_timeout(20_000)
    context.add_init_script(_VIOLATIONS)
    page = context.new_page()
    reading = Reading(page, base)

    def said(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            reading.problems.append(f"{message.text} ({message.location.get('url')})")

    def asked(request: Request) -> None:
        if not request.url.startswith((f"{base}/", "data:", "blob:")):
            reading.problems.append(f"another host: {request.url}")

    page.on("console", said)
    page.on("pageerror", lambda error: reading.problems.append(f"error: {error}"))
    page.on("request", asked)
    try:
        yield reading
        assert reading.problems == []
    finally:
        context.close()
