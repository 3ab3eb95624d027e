"""The chain rule, and where loading goes on after a restart."""

from hypothesis import given
from hypothesis import strategies as st

from sendtrail.enriched import EnrichedHeader
from sinks.chain import NOTHING, Lost, Position, Verdict, judge, resolve

TOPIC = "4f1c2a3e-0000-4000-8000-000000000001"
OTHER = "4f1c2a3e-0000-4000-8000-000000000002"


def header(first: int, last: int, topic: str = TOPIC) -> EnrichedHeader:
    return EnrichedHeader(topic, first, last, {})


def test_the_next_record_extends_the_chain() -> None:
    assert judge(TOPIC, NOTHING, header(0, 0)) is Verdict.NEXT
    assert judge(TOPIC, 7, header(8, 8)) is Verdict.NEXT
    assert judge(TOPIC, 7, header(8, 12)) is Verdict.NEXT  # empty offsets before the record


def test_a_record_already_covered_is_a_replay() -> None:
    assert judge(TOPIC, 7, header(7, 7)) is Verdict.REPLAY
    assert judge(TOPIC, 7, header(0, 5)) is Verdict.REPLAY


def test_a_record_that_begins_too_early_overlaps() -> None:
    assert judge(TOPIC, 7, header(6, 8)) is Verdict.OVERLAP
    assert judge(TOPIC, 7, header(0, 9)) is Verdict.OVERLAP


def test_a_record_that_begins_too_late_runs_ahead() -> None:
    assert judge(TOPIC, 7, header(9, 9)) is Verdict.AHEAD
    assert judge(TOPIC, NOTHING, header(1, 1)) is Verdict.AHEAD


def test_another_source_topic_is_foreign_whatever_its_offsets() -> None:
    assert judge(TOPIC, 7, header(8, 8, OTHER)) is Verdict.FOREIGN
    assert judge(TOPIC, 7, header(0, 0, OTHER)) is Verdict.FOREIGN


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 4))), st.integers(-1, 10))
def test_whatever_arrives_every_source_offset_is_taken_once_and_in_order(
    spans: list[tuple[int, int]], start: int
) -> None:
    last, taken = start, []
    for first, length in spans:
        record = header(first, first + length)
        if judge(TOPIC, last, record) in (Verdict.NEXT, Verdict.OVERLAP):
            taken += [offset for offset in range(record.source_from, record.source_offset + 1) if offset > last]
            last = record.source_offset
    assert taken == list(range(start + 1, last + 1))


def at(last: int) -> Position:
    return Position(TOPIC, last)


def test_without_a_commit_the_audit_says_where_to_go_on() -> None:
    assert resolve(None, False, at(41)) == at(41)
    assert resolve(None, False, None) is None


def test_a_commit_without_a_plan_behind_the_audit_yields() -> None:
    assert resolve(at(40), False, at(41)) == at(41)


def test_a_commit_with_a_plan_wins_over_an_audit_that_is_further() -> None:
    assert resolve(at(40), True, at(41)) == at(40)


def test_a_commit_ahead_of_the_audit_means_lost_data() -> None:
    assert resolve(at(40), False, at(38)) == Lost(TOPIC, 39, 40)
    assert resolve(at(40), True, at(38)) == Lost(TOPIC, 39, 40)
    assert resolve(at(40), False, None) == Lost(TOPIC, 0, 40)


def test_a_commit_before_the_first_record_needs_no_audit() -> None:
    assert resolve(at(NOTHING), True, None) == at(NOTHING)
    assert resolve(at(NOTHING), False, None) == at(NOTHING)
