"""Where a partition goes on, and when an open plan's tokens prove nothing."""

import pytest

from sinks.chain import NOTHING, Position
from sinks.partition import Partition
from sinks.plan import Commit, CommitMetadata, Plan
from sinks.resume import Facts, Open, Stop, is_doubtful, resume, standing

TOPIC, OTHER = "4f1c2a3e-0000-4000-8000-000000000001", "4f1c2a3e-0000-4000-8000-000000000002"
LOG, NEW_LOG = "4f1c2a3e-0000-4000-8000-00000000000a", "4f1c2a3e-0000-4000-8000-00000000000b"
PLAN = Plan(TOPIC, LOG, {0: (10, 14), 3: (5, 6)})
INTENT = CommitMetadata(TOPIC, 40, PLAN.ranges, at=1, blocks=100, map=1, log=LOG, engine=50_000, schema=31)


def plain(last: int, log: str = LOG) -> CommitMetadata:
    return CommitMetadata(TOPIC, last, log=log)


def where(found: object) -> tuple[str | None, int, int]:
    assert isinstance(found, Partition)
    return found.topic_id, found.last, found.committed


def test_a_new_group_on_empty_tables_begins_at_the_beginning() -> None:
    assert where(resume(0, None, [], LOG, 3)) == (None, NOTHING, 3)


def test_without_a_commit_the_audit_knows_what_is_loaded() -> None:
    audits = [Position(OTHER, 99), Position(TOPIC, 41)]
    assert where(resume(0, None, audits, LOG, 0)) == (TOPIC, 41, 0)


def test_an_offset_committed_by_another_tool_keeps_its_offset_only() -> None:
    assert where(resume(0, Commit(7, None), [Position(TOPIC, 41)], LOG, 0)) == (TOPIC, 41, 7)


def test_a_commit_that_the_audit_confirms() -> None:
    assert where(resume(0, Commit(12, plain(41)), [Position(TOPIC, 41)], LOG, 0)) == (TOPIC, 41, 12)


def test_a_commit_behind_the_audit_yields_to_it() -> None:
    assert where(resume(0, Commit(12, plain(41)), [Position(TOPIC, 55)], LOG, 0)) == (TOPIC, 55, 12)


def test_a_commit_ahead_of_the_audit_stops_and_names_the_replay() -> None:
    found = resume(2, Commit(12, plain(41)), [Position(TOPIC, 38)], LOG, 0)
    assert isinstance(found, Stop)
    assert "sendtrail replay --partition 2 --from 39 --to 41" in found.reason
    assert isinstance(resume(2, Commit(10, INTENT), [Position(TOPIC, 38)], LOG, 0), Stop)


@pytest.mark.parametrize("audited", [40, 47])
def test_an_intent_is_redone_whatever_the_audit_has_of_it(audited: int) -> None:
    commit = Commit(10, INTENT)
    assert resume(0, commit, [Position(TOPIC, audited)], LOG, 0) == Open(commit, PLAN, INTENT)


def test_commits_for_a_deleted_tracking_enriched_do_not_count() -> None:
    audits = [Position(TOPIC, 41)]
    assert where(resume(0, Commit(12, plain(41)), audits, NEW_LOG, 0)) == (TOPIC, 41, 0)
    assert where(resume(0, Commit(10, INTENT), audits, NEW_LOG, 0)) == (TOPIC, 41, 0)


def test_an_intent_for_a_deleted_tracking_enriched_that_was_not_inserted_stops() -> None:
    found = resume(0, Commit(10, INTENT), [Position(TOPIC, 40)], NEW_LOG, 0)
    assert isinstance(found, Stop)
    assert "made anew" in found.reason


def test_how_a_partition_of_an_open_plan_stands() -> None:
    assert standing(Commit(10, INTENT), PLAN, 0) == "open"
    assert standing(Commit(14, plain(43)), PLAN, 0) == "past"
    assert standing(Commit(20, None), PLAN, 0) == "past"
    assert standing(Commit(10, plain(40)), PLAN, 0) == "odd"
    assert standing(Commit(12, plain(41)), PLAN, 0) == "odd"
    assert standing(None, PLAN, 0) == "odd"


def doubtful(now: Facts, *, replicated: bool = False) -> bool:
    return is_doubtful(INTENT, now, window=400, replicated=replicated)


def test_tokens_hold_while_the_engine_lives_and_the_window_is_young() -> None:
    assert not doubtful(Facts(50_000, 100, 31))
    assert not doubtful(Facts(50_900, 200, 31))  # a start is told to a second


def test_an_engine_that_was_started_again_proves_nothing_unless_replicated() -> None:
    assert doubtful(Facts(53_000, 100, 31))
    assert not doubtful(Facts(53_000, 100, 31), replicated=True)


def test_a_quarter_of_the_insert_window_is_too_old() -> None:
    assert doubtful(Facts(50_000, 201, 31), replicated=True)
    assert doubtful(Facts(50_000, 99, 31))  # fewer blocks than before: another table


def test_tables_that_were_changed_since_the_intent() -> None:
    assert doubtful(Facts(50_000, 100, 32))
