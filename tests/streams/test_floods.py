"""Hits the edge saw in a flood: marked, machine, and no counted open to which others are repeats."""

from sendtrail.enriched import EventRow
from sendtrail.events import Event
from tests.streams.making import NOW, Line, hit, source


def rows(*events: Event) -> list[EventRow]:
    [output] = Line().feed(source(0, events))
    return [row for row in output.rows if isinstance(row, EventRow)]


def test_a_flooded_hit_is_stored_with_mark_and_reason() -> None:
    events = [hit(0, "click", hints=["flood"]), hit(1, "click"), hit(2, "click", hints=["gpc", "flood"])]
    assert [(row.marks, row.class_, row.class_reasons) for row in rows(*events)] == [
        (["flood"], "machine", ["flood"]),
        ([], "human", []),
        (["flood"], "machine", ["flood"]),
    ]


def test_an_open_is_no_repeat_of_a_flooded_one() -> None:
    for hints in ([], ["flood"]):
        events = [hit(0, hints=hints, user_agent="curl/8.5.0"), hit(1, at=NOW + 10, user_agent="curl/8.5.0")]
        assert [row.repeat for row in rows(*events)] == [False, not hints]
