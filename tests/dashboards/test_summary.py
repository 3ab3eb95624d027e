"""Report `summary` against a small set counted by hand and against a recount."""

from collections import Counter
from collections.abc import Sequence

import pytest
from clickhouse_driver import Client

from dashboards import report_indicators, report_summary
from dashboards.choice import by_key
from dashboards.indicators import Cut
from dashboards.queries import Queries
from dashboards.scope import Scope
from dashboards.shape import Report
from tests.dashboards import recount
from tests.dashboards.happenings import Happening, Judgement, Numbered, Registered, insert, register
from tests.dashboards.recount import last_states
from tests.dashboards.shown import figures, table
from tests.dashboards.world import BIG, T0, World

CHOICES = [[1], [4], [1, 2, 3, 4, BIG]]
CUTS: list[Cut] = ["people", "all"]


def summary(queries: Queries, keys: Sequence[int], cut: Cut = "people", persons: bool = False) -> Report:
    scope = Scope(queries, [by_key(queries, key) for key in keys], cut, live=True, persons=persons)
    return report_summary.build(scope, queries.settings.report_domains)


def test_a_small_delivery_counted_by_hand(client: Client, queries: Queries) -> None:
    """Three recipients at gmail.com, of whom one bounced; two elsewhere, one rejected; a message nobody prepared."""
    numbered = Numbered()
    register(client, [Registered(7, "letter", targeted=9, excluded={"blocked": 3, "no consent": 1}, to_deliver=5)])
    states = [(1, "delivered", "", "gmail.com"), (2, "delivered", "", "gmail.com"),
              (3, "bounced", "unknown_user", "Gmail.com"), (4, "bounced", "spam", "firm.example"),
              (5, "rejected", "policy", "firm.example")]  # fmt: skip
    feed = [Happening(7, message, kind, T0, reason=reason, domain=domain) for message, kind, reason, domain in states]
    hits = [Happening(7, 1, "open", T0, person=1), Happening(7, 1, "click", T0, person=1)]
    hits += [Happening(7, 1, "click", T0, person=2), Happening(7, 6, "click", T0, person=1)]
    hits += [Happening(7, 2, "click", T0, person=3, judgements=(Judgement("human"), Judgement("machine")))]
    hits += [Happening(7, 2, "optout", T0, how="form", person=3)]
    insert(client, [numbered(one) for one in feed + hits])
    report = summary(queries, [7], persons=True)
    shown = figures(report, "summary")
    expected = {
        "targeted": 9, "excluded": 4, "to_deliver": 5, "processed": 5, "delivered": 2, "bounced_hard": 1,
        "bounced_soft": 1, "rejected": 1, "recipient_open": 3, "recipient_click": 2, "person_click": 2,
        "total_click": 3, "unsubscribed": 1, "complained": 0,
    }  # fmt: skip
    assert {name: shown[name] for name in expected} == expected
    reasons = {(row["title"], row["because"]): row["messages"] for row in table(report, "reasons")}
    assert reasons == {
        ("bounced, hard", "unknown user"): 1, ("bounced, soft", "spam"): 1, ("rejected", "policy"): 1,
    }  # fmt: skip
    domains = {row["domain"]: row for row in table(report, "domains")}
    assert list(domains) == ["gmail.com", "Others", "Unknown", "Total"]
    assert [domains[name]["person_click"] for name in domains] == [
        2,
        0,
        1,
        2,
    ]  # person 1 is in two, and in the total once
    assert [domains[name]["bounced_hard"] for name in domains] == [1, 0, 0, 1]
    why = [(row["domain"], row["reason"], row["share"]) for row in table(report, "domain_reasons")]
    assert [(domain, reason) for domain, reason, _ in why] == [
        ("gmail.com", "unknown_user"), ("Others", "spam"), ("Others", "policy"),
    ]  # fmt: skip
    assert [round(float(share), 2) for *_, share in why] == [0.33, 0.5, 0.5]


def test_nothing_is_no_rate_and_no_error(client: Client, queries: Queries) -> None:
    register(client, [Registered(7, "letter")])
    report = summary(queries, [7])
    shown = figures(report, "summary")
    assert (shown["targeted"], shown["excluded"], shown["success_rate"]) == (None, None, None)
    assert table(report, "reasons") == []
    assert [row["domain"] for row in table(report, "domains")] == ["Total"]


@pytest.mark.parametrize("cut", CUTS)
@pytest.mark.parametrize("keys", CHOICES, ids=str)
def test_the_summary_equals_a_recount(world: World, world_queries: Queries, keys: list[int], cut: Cut) -> None:
    report = summary(world_queries, keys, cut)
    again = [world.recount(one, cut == "people") for one in world.deliveries if one.delivery in keys]
    expected = recount.indicators(again)
    shown = figures(report, "summary")
    assert {name: shown[name] for name in shown if name != "excluded"} == {
        name: expected[name] for name in shown if name != "excluded"
    }
    assert shown["excluded"] == (100 if 1 in keys else None)
    domains = {row["domain"]: row for row in table(report, "domains")}
    persons: dict[str, set[int]] = {}
    for one in again:
        named = {hit.message: hit.domain.lower() for hit in one.mine if hit.domain}
        for hit in one.hits:
            if hit.kind == "click":
                persons.setdefault(_row(named.get(hit.message), world_queries), set()).add(hit.person)
    assert {name: row["person_click"] for name, row in domains.items() if row["person_click"] and name != "Total"} == {
        name: len(each) for name, each in persons.items()
    }
    assert domains["Total"]["person_click"] == expected["person_click"]
    same = report_indicators.build(
        Scope(world_queries, [by_key(world_queries, key) for key in keys], cut, live=True), False, [], []
    )
    whole = figures(same)
    for name in ("processed", "delivered", "bounced_hard", "recipient_open", "recipient_click", "unsubscribed"):
        assert sum(row[name] for domain, row in domains.items() if domain != "Total") == whole[name]


@pytest.mark.parametrize("keys", CHOICES, ids=str)
def test_reasons_equal_a_recount_and_add_up(world: World, world_queries: Queries, keys: list[int]) -> None:
    report = summary(world_queries, keys)
    again = [world.recount(one, False) for one in world.deliveries if one.delivery in keys]
    expected: Counter[tuple[str, str]] = Counter()
    for one in again:
        for message, (state, reason) in last_states(one).items():
            if message not in one.seeds and state in ("bounced_hard", "bounced_soft", "rejected", "deferred"):
                expected[state, reason] += 1
    shown = {(row["state"], row["reason"]): row["messages"] for row in table(report, "reasons")}
    assert shown == dict(expected)
    by_domain: Counter[tuple[str, str]] = Counter()
    for row in table(report, "domain_reasons"):
        by_domain[row["state"], row["reason"]] += row["messages"]
    assert by_domain == expected


def _row(domain: str | None, queries: Queries) -> str:
    return "Unknown" if not domain else domain if domain in queries.settings.report_domains else "Others"
