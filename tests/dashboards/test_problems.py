"""The rules by which a dashboard lists a problem: each just below and just at its bound."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import get_args

import pytest

from dashboards.dashboard_problems import TEXTS
from dashboards.problems import Domain, Facts, Line, Problem, ProblemKind, problems

NOW = datetime(2026, 7, 1, 12, 0, tzinfo=UTC)
CALM = Line(NOW, NOW)
EARLIER = NOW - timedelta(hours=3)


def found(facts: Facts, line: Line = CALM) -> list[tuple[str, str, str, int | None]]:
    return [(one.kind, one.severity, one.about, one.count) for one in problems([facts], line)]


def fed(domains: Mapping[str, Domain], **more: object) -> Facts:
    return Facts(7, domains=domains, first_feed=EARLIER, last_feed=NOW, **more)  # type: ignore[arg-type]


def of_thousand(**more: object) -> Facts:
    return fed({"": Domain(1000, 1000, 400)}, **more)


def test_every_kind_says_what_it_means_and_what_to_do() -> None:
    assert set(TEXTS) == set(get_args(ProblemKind))
    assert all(all(text) for text in TEXTS.values())


def test_a_calm_delivery_has_none() -> None:
    assert problems([of_thousand()], CALM) == []
    assert problems([Facts(7)], CALM) == []  # nothing sent, nothing due


@pytest.mark.parametrize(
    ("messages", "severity"), [(19, None), (20, "warning"), (49, "warning"), (50, "error")]
)  # fmt: skip
def test_bounces_of_one_reason(messages: int, severity: str | None) -> None:
    facts = of_thousand(why={("bounced_hard", "unknown_user"): messages, ("delivered", ""): 900})
    assert found(facts) == ([("bounces", severity, "unknown user", messages)] if severity else [])


def test_a_few_bounces_of_a_small_delivery_are_none() -> None:
    assert found(fed({"": Domain(50, 41, 0)}, why={("bounced_soft", "spam"): 9})) == []
    assert found(fed({"": Domain(50, 40, 0)}, why={("bounced_soft", "spam"): 10})) == [("bounces", "error", "spam", 10)]


@pytest.mark.parametrize(("messages", "severity"), [(49, None), (50, "warning"), (200, "error")])
def test_deferred_of_all_reasons_together(messages: int, severity: str | None) -> None:
    facts = of_thousand(why={("deferred", "unreachable"): messages - 9, ("deferred", "policy"): 9})
    assert found(facts) == ([("deferred", severity, "", messages)] if severity else [])


def test_a_domain_far_below_its_delivery() -> None:
    rest = Domain(900, 900, 450)
    assert found(fed({"": rest, "firm.example": Domain(100, 90, 40)})) == []  # 9 points below 99 %
    assert found(fed({"": rest, "firm.example": Domain(100, 80, 40)})) == [
        ("domain_success", "error", "firm.example", 20)
    ]
    assert found(fed({"": rest, "firm.example": Domain(99, 20, 20)})) == []  # too few to tell
    assert found(fed({"": rest, "firm.example": Domain(100, 100, 24)})) == []  # just above half of 47.4 %
    assert found(fed({"": rest, "firm.example": Domain(100, 100, 23)})) == [
        ("domain_opens", "warning", "firm.example", 23)
    ]
    early = {"": Domain(900, 900, 90), "firm.example": Domain(100, 100, 0)}
    assert found(fed(early)) == []  # only 9 opens were to be expected


def test_a_feed_that_is_missing_or_silent() -> None:
    assert found(Facts(7, hits=1)) == [("feed_missing", "warning", "", None)]
    assert found(Facts(7, contact_date=NOW - timedelta(hours=2))) == [("feed_missing", "warning", "", None)]
    assert found(Facts(7, contact_date=NOW - timedelta(minutes=59))) == []
    for minutes, expected in ((29, []), (30, [("feed_silent", "warning", "30 min", None)]),
                              (150, [("feed_silent", "error", "2 h", None)])):  # fmt: skip
        last = NOW - timedelta(minutes=minutes)
        assert found(Facts(7, status="sending", first_feed=EARLIER, last_feed=last)) == expected
        assert found(Facts(7, status="finished", first_feed=EARLIER, last_feed=last)) == []


def test_hits_that_are_odd() -> None:
    assert found(of_thousand(hits=10, hits_before=4)) == [("hits_before_feed", "warning", "", 4)]
    assert problems([of_thousand(hits=10, unknown_links=5)], CALM) == [
        Problem("unknown_links", "warning", 7, "", 5, Fraction(1, 2))
    ]
    assert found(of_thousand(registered=False, unknown_links=5)) == [("not_registered", "note", "", None)]
    assert found(of_thousand(marked={"flood": 2, "foreign": 0, "expired": 3})) == [
        ("expired", "note", "", 3), ("flood", "note", "", 2),
    ]  # fmt: skip


def test_the_line_and_the_order() -> None:
    line = Line(NOW, NOW - timedelta(minutes=10), missing=2, unbalanced=1, rejects={"not_json": 5})
    facts = of_thousand(status="sending", rejects={"bad_time": 3})
    assert found(facts, line) == [
        ("records_missing", "error", "", 2), ("records_unbalanced", "error", "", 1),
        ("rejects", "error", "bad_time", 3), ("lag", "warning", "10 min", None),
        ("rejects_of_nobody", "note", "not_json", 5),
    ]  # fmt: skip
    assert found(of_thousand(status="finished"), Line(NOW, NOW - timedelta(days=1))) == []
    late = Line(NOW, NOW - timedelta(hours=2))
    assert found(of_thousand(status="sending"), late) == [("lag", "error", "2 h", None)]
