"""Templates for tests, and the links of what they render."""

from __future__ import annotations

import re
from typing import Any

from sendtrail.gateways import resolve
from sendtrail.instrument import Template, compile
from sendtrail.instrument.found import NoticeCode
from sendtrail.links import Link, ReadLink
from tests.support.golden import golden_keyring

KEYRING = golden_keyring()
BASE = "https://t.example"
TRACKED = re.compile(re.escape(BASE) + r"(/[ocum]/[A-Za-z0-9_-]+)")


def made(html: str | None = None, text: str | None = None, **options: Any) -> Template:
    return compile(html=html, text=text, delivery="spring", keyring=KEYRING, base_url=BASE, **options)


def links_in(text: str | None) -> list[Link]:
    """Every tracked link of a rendered part, in order."""
    found = [resolve(KEYRING, target) for target in TRACKED.findall(text or "")]
    assert all(isinstance(read, ReadLink) for read in found)
    return [read.link for read in found if isinstance(read, ReadLink)]


def destinations(text: str | None) -> list[str]:
    """Where the links of a rendered part lead."""
    return [link.destination for link in links_in(text) if link.kind != "open"]


def codes(template: Template) -> list[NoticeCode]:
    return [notice.code for notice in template.warnings]
