"""Consent on a running line: withdrawn, a recipient's hits count and name nobody; granted again, they do."""

from __future__ import annotations

import time
from typing import Any

import httpx

from tests.line.running import Line, until
from tests.line.traffic import ADDRESS, DESTINATION, Mailing

AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36"
HITS = """SELECT user_agent, address, referrer, client, os, hex(person), hit, class FROM events
    WHERE delivery_id = %(d)s AND kind = 'click' ORDER BY src_offset, src_index"""
LOG = "SELECT state, account, recipient_name FROM consents FINAL WHERE recipient_key = %(r)s ORDER BY time, state"


def tell(line: Line, recipient: str, state: str) -> None:
    entry = {"recipient": recipient, "purpose": "tracking", "state": state, "time": time.time_ns() // 1_000_000}
    reply = httpx.post(f"{line.endpoints['api']}/v1/consent", json=[entry], trust_env=False, timeout=30)
    assert reply.json()["accepted"] == 1


def clicked(line: Line, mailing: Mailing) -> tuple[Any, ...]:
    """Click, and the row that comes of it."""
    before = len(line.rows(HITS, d=mailing.delivery_key))
    headers = {"User-Agent": AGENT, "X-Forwarded-For": ADDRESS, "Referer": "https://mail.example/"}
    reply = httpx.get(mailing.click, headers=headers, trust_env=False, timeout=30)
    assert (reply.status_code, reply.headers["location"]) == (302, DESTINATION)
    until(lambda: len(line.rows(HITS, d=mailing.delivery_key)) > before, "the click is stored")
    return tuple(line.rows(HITS, d=mailing.delivery_key)[before])


def test_who_withdraws_is_named_no_more_until_it_is_granted_again(line: Line) -> None:
    mailing = Mailing(line, recipient="withdrawer")
    person = f"{mailing.delivery_key:016X}{mailing.message_key:016X}"
    known = (
        AGENT,
        "192.0.2.0",
        "https://mail.example/",
        "Chrome",
        "Linux",
        person,
        1,
        "human",
    )  # addresses are kept cut
    unknown = ("", "", "", "", "", person, 1, "human")
    assert clicked(line, mailing) == known
    tell(line, "withdrawer", "withdrawn")
    until(lambda: clicked(line, mailing) == unknown, "a click names nobody")
    assert clicked(line, mailing) == unknown
    assert clicked(line, Mailing(line))[:5] == known[:5]  # of somebody else
    tell(line, "withdrawer", "granted")
    until(lambda: clicked(line, mailing) == known, "a click names its client again")
    until(lambda: len(line.rows(LOG, r=mailing.recipient_key)) == 2, "the log is in ClickHouse")
    assert line.rows(LOG, r=mailing.recipient_key) == [("withdrawn", "", "withdrawer"), ("granted", "", "withdrawer")]


def test_a_worker_that_starts_again_knows_who_withdrew(line: Line) -> None:
    mailing = Mailing(line, recipient="stays-withdrawn")
    tell(line, "stays-withdrawn", "withdrawn")
    until(lambda: clicked(line, mailing)[0] == "", "a click names nobody")
    line.kill("worker")
    assert clicked(line, mailing)[0] == ""
