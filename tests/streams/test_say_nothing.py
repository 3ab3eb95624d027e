"""The look that spares a message the whole judgement changes nothing of what comes out."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sendtrail.events import FLAG_HONEYPOT, Event
from streams import judge_again
from tests.streams.making import CHROME, NOW, Line, Output, hit, source

GMAIL = "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)"
DAY_MS = 86_400_000
MIDNIGHT_MS = NOW // DAY_MS * DAY_MS + DAY_MS

#: Kind, event time after the last one's, agent, link, honeypot, message; log time after the last record's.
Told = tuple[str, int, str, int, bool, int, int]
happenings = st.tuples(
    st.sampled_from(["open", "open", "click", "click", "click", "delivered", "optout", "mirror"]),
    st.sampled_from([-5_000, 0, 90, 700, 30_000, 59_000, 61_000, 20 * 60_000]),
    st.sampled_from([CHROME, CHROME, GMAIL, "curl/8"]),
    st.integers(0, 6),
    st.integers(0, 15).map(lambda number: number == 0),
    st.sampled_from([8, 8, 8, 9]),
    st.sampled_from([0, 0, 500, 60_000, 16 * 60_000]),
)


def outputs(told: list[Told], again: int) -> list[Output]:
    """What comes of a log, each event a record; from the record `again` on it is read twice."""
    line, records = Line(), []
    at = log_ms = MIDNIGHT_MS - 40 * 60_000
    for number, (kind, after, agent, link, honeypot, message, log_after) in enumerate(told):
        at, log_ms = at + after, log_ms + log_after
        fields = {"user_agent": agent, "message": message, "flags": FLAG_HONEYPOT if honeypot else 0}
        event: Event = hit(number, kind=kind, at=at, url_id=link if kind != "open" else None, **fields)
        records.append(source(number, [event], time_ms=max(log_ms, at)))
    found = [line.feed(record)[0] for record in records]
    return found + [line.feed(record)[0] for record in records[again:]]


@settings(max_examples=100, deadline=None)
@given(st.lists(happenings, min_size=2, max_size=25), st.integers(0, 25))
def test_judging_is_as_if_every_message_was_looked_at(told: list[Told], again: int) -> None:
    quickly = outputs(told, again)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(judge_again, "say_nothing", lambda hits, rules: False)
        thoroughly = outputs(told, again)
    assert quickly == thoroughly


def test_the_look_is_enough_for_an_ordinary_message(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*arguments: object) -> None:
        raise AssertionError("judged in full")

    monkeypatch.setattr(judge_again, "verdicts", never)
    told: list[Told] = [
        ("delivered", 0, CHROME, 0, False, 8, 0),
        ("open", 30_000, CHROME, 0, False, 8, 60_000),
        ("open", 61_000, CHROME, 0, False, 8, 60_000),
        ("click", 61_000, CHROME, 1, False, 8, 60_000),
        ("click", 30_000, CHROME, 2, False, 8, 60_000),
    ]
    assert all(len(output.rows) == 1 for output in outputs(told, len(told)))
