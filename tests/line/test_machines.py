"""Late re-labels on the running line: what a sweep shows of its first clicks is in every number soon after."""

from __future__ import annotations

import json
from typing import Any

import httpx

from sendtrail.links import Link, mint, url_of
from tests.line.running import Line, until
from tests.line.traffic import DESTINATION, Mailing

CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36"
)
LINKS = 9


def link(mailing: Mailing, url_id: int) -> str:
    """A click link of the message by its number."""
    keys = mailing.delivery_key, mailing.message_key, mailing.recipient_key
    token = mint(mailing.line.keys().active, Link("click", *keys, url_id, url_id, DESTINATION))
    return url_of(mailing.line.endpoints["edge"], "click", token)


def follow(*addresses: str) -> None:
    with httpx.Client(headers={"User-Agent": CHROME}) as client:
        assert {client.get(address).status_code for address in addresses} == {302}


def judged(mailing: Mailing) -> dict[int, tuple[Any, ...]]:
    """Link -> class, revision and the classes it had before, as stored now."""
    rows = mailing.line.rows(
        "SELECT url_id, class, rev, length(history) FROM events FINAL WHERE delivery_id = %(d)s AND kind = 'click'",
        d=mailing.delivery_key,
    )
    return {url_id: (class_, rev, earlier) for url_id, class_, rev, earlier in rows}


def test_a_sweep_is_taken_back_from_its_first_click_on(line: Line) -> None:
    scanned, read = Mailing(line), Mailing(line)
    follow(link(read, 1))
    follow(*(link(scanned, url_id) for url_id in range(1, LINKS + 1)))
    until(lambda: len(judged(scanned)) == LINKS and judged(read) != {}, "all clicks")
    swept = judged(scanned)
    assert swept == {n: ("machine", int(n < 3), int(n < 3)) for n in range(1, LINKS + 1)}
    assert judged(read) == {1: ("human", 0, 0)}
    done = line.run("verify", "--delivery", str(scanned.delivery_key), "--format", "json")
    assert json.loads(done.stdout)["equal"], done.stdout
    report = line.run("report", "machines", "-d", str(scanned.delivery_key), "--part", "reasons", "--format", "json")
    assert "burst" in report.stdout
