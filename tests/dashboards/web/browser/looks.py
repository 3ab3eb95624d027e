"""What can be said of a page by looking at it: rules of accessibility, and whether everything fits."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

_AXE = Path(__file__).parent / "vendor" / "axe.min.js"
_LEVELS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
_RUN = """options => axe.run(document, {...options, iframes: false, resultTypes: ['violations']}).then(found =>
  found.violations.map(one => `${one.impact} ${one.id}: ${one.nodes.slice(0, 3).map(node =>
    node.target.join(' ') + ' ' + (node.any[0]?.message ?? node.failureSummary)).join(' | ')}`))"""
#: Elements wider than the window that no table or frame of their own scrolls.
_WIDE = """() => document.documentElement.scrollWidth <= innerWidth ? [] :
  [...document.querySelectorAll('body *')].filter(one => !one.closest('.scroll, .unseen, .skip') &&
    one.checkVisibility() && one.getBoundingClientRect().right > innerWidth + 1)
    .map(one => one.outerHTML.slice(0, 120))"""
_FITTED = "[...document.querySelectorAll('canvas')].every(one => one.clientWidth <= one.parentElement.clientWidth)"
_SCROLLS = """() => [...document.querySelectorAll('body *')].filter(one => !one.closest('.scroll, .unseen') &&
  one.scrollWidth > one.clientWidth + 1 && ['auto', 'scroll'].includes(getComputedStyle(one).overflowX))
  .map(one => one.outerHTML.slice(0, 120))"""
_HEADINGS = "() => [...document.querySelectorAll('h1, h2, h3, h4')].map(one => Number(one.tagName[1]))"


@cache
def _axe() -> str:
    return _AXE.read_text("utf-8")


def faults(page: Page, only: str = "") -> list[str]:
    """Rules of WCAG 2.2 A and AA, and of good practice, that the page breaks; `only`: one rule."""
    page.evaluate(_axe())
    what: dict[str, Any] = {"type": "rule", "values": [only]} if only else {"type": "tag", "values": _LEVELS}
    found: list[str] = page.evaluate(_RUN, {"runOnly": what})
    return found


def sideways(page: Page) -> list[str]:
    """What makes the page, or anything but a table, scroll sideways; looked at once charts have taken their width."""
    while not page.evaluate(_FITTED):
        page.wait_for_timeout(20)
    found: list[str] = page.evaluate(_WIDE) + page.evaluate(_SCROLLS)
    return found


def leaps(page: Page) -> list[tuple[int, int]]:
    """Neighbouring headings of which the second is more than one level deeper."""
    levels: list[int] = page.evaluate(_HEADINGS)
    assert levels.count(1) == 1
    return [(one, other) for one, other in zip([0, *levels], levels, strict=False) if other > one + 1]


def charts_without_numbers(page: Page) -> int:
    """How many charts, funnels and heat maps have no table with rows in the same part."""
    count: int = page.evaluate(
        """() => [...document.querySelectorAll('canvas, .funnel, .heat')].filter(one =>
             !one.closest('[data-part]').querySelector('table:not(.heat) tbody td')).length"""
    )
    return count
