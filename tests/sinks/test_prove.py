"""Which event rows ClickHouse takes: one by one and all at once agree."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sendtrail.enriched import EventRow
from sinks.prove import are_sound, fault
from sinks.transpose import fields_of
from tests.support.tracked import event

HEX = "0123456789abcdef0123456789abcdef"
BAD = [
    {"kind": "relabel"},
    {"delivery": 2**64},
    {"message": 2**64},
    {"recipient": 2**64},
    {"source_offset": 2**64},
    {"source_index": 2**32},
    {"index": 2**32},
    {"url_id": 2**32},
    {"event_time_ms": 2**32 * 1000},
    {"event_id": HEX.upper()},
    {"event_id": " " * 32},
    {"event_id": "é" * 32},
    {"event_id": HEX[:-2] + " \t"},
    {"person": "1"},
    {"person": HEX + HEX},
    {"person": "0x" + HEX[2:]},
    {"visitor": "_" * 32},
    {"class_reasons": ["known_bot", "a,b"]},
]
SOUND = [
    {},
    {"delivery": 2**64 - 1, "message": 2**64 - 1, "recipient": 2**64 - 1, "source_offset": 2**64 - 1},
    {"recipient": 0, "url_id": 2**32 - 1, "index": 2**32 - 1, "source_index": 2**32 - 1},
    {"event_time_ms": 2**32 * 1000 - 1, "person": HEX, "visitor": HEX, "class_reasons": ["known_bot", "burst"]},
]


def made(fields: dict[str, object]) -> EventRow:
    return event(**({"event_id": HEX} | fields))  # type: ignore[arg-type]  # bad on purpose


@pytest.mark.parametrize("fields", BAD)
def test_a_bad_field_is_named(fields: dict[str, object]) -> None:
    text = fault(made(fields))
    assert text is not None
    assert not are_sound(fields_of([made({}), made(fields), made({})]))


@pytest.mark.parametrize("fields", SOUND)
def test_the_edge_of_every_range_is_taken(fields: dict[str, object]) -> None:
    assert fault(made(fields)) is None
    assert are_sound(fields_of([made(fields)]))


def test_no_rows_are_sound() -> None:
    assert are_sound(fields_of([]))


@given(st.lists(st.sampled_from(BAD + SOUND * 6), max_size=6))
def test_all_at_once_agrees_with_one_by_one(choices: list[dict[str, object]]) -> None:
    rows = [made(fields) for fields in choices]
    assert are_sound(fields_of(rows)) == all(fault(row) is None for row in rows)
