"""GET /v1/suppressions on a running line: what happens shows once, with the names the feed gave."""

from __future__ import annotations

from typing import Any

import httpx

from sendtrail.feed import Feed
from tests.line.running import Line, until
from tests.line.traffic import Mailing


def test_an_opt_out_and_a_hard_bounce_show_once(line: Line) -> None:
    mailing, other = Mailing(line, recipient="leaver"), Mailing(line, message="m2")
    found: list[dict[str, Any]] = []
    with Feed(line.endpoints["api"]) as feed:
        cursor = [page.cursor for page in feed.suppressions()][-1]
        feed.post([mailing.item("prepared", recipient="leaver"), other.item("prepared", recipient="bouncer")])
        httpx.get(mailing.link("optout"), trust_env=False, timeout=30)  # only looks at the page
        one_click = {"List-Unsubscribe": "One-Click"}
        assert httpx.post(mailing.link("optout"), data=one_click, trust_env=False, timeout=30).status_code == 200
        feed.post([
            other.item("bounced", reason="mailbox_full"), other.item("bounced", reason="unknown_user"),
            other.item("complained"),
        ])  # fmt: skip
        mailing.wait_for(3)
        other.wait_for(4)

        def all_there() -> bool:
            nonlocal cursor
            for page in feed.suppressions(cursor, limit=1):
                cursor = page.cursor
                found.extend(entry for entry in page.entries if entry["delivery"] in (mailing.name, other.name))
            return len(found) >= 3

        until(all_there, "three suppressions")
        assert all_there()  # and no more of them
    assert sorted((entry["reason"], entry["recipient"], entry["message"]) for entry in found) == [
        ("complaint", "bouncer", "m2"), ("hard_bounce", "bouncer", "m2"), ("opt_out", "leaver", "m1"),
    ]  # fmt: skip
    assert {entry["recipient_key"] for entry in found} == {str(mailing.recipient_key), _key(line, "bouncer")}


def _key(line: Line, recipient: str) -> str:
    return str(Mailing(line, recipient=recipient).recipient_key)
