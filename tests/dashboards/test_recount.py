"""Reports on some 30,000 events with re-labels, repeats, seeds and marks, against a recount without SQL."""

from collections import Counter, defaultdict
from collections.abc import Sequence

import pytest

from dashboards import (
    report_clients,
    report_hot_clicks,
    report_indicators,
    report_machines,
    report_statistics,
    report_urls,
    words,
)
from dashboards.choice import by_key
from dashboards.indicators import Cut
from dashboards.queries import Queries
from dashboards.report_urls import By
from dashboards.scope import Scope
from tests.dashboards import recount
from tests.dashboards.recount import Recount
from tests.dashboards.shown import figures, table
from tests.dashboards.world import BIG, NETWORK_OF, UNREGISTERED, URLS, World
from tests.support.stack import ClickHouse

CHOICES = [[1], [3], [4], [BIG], [1, 2], [1, 2, 3, 4, BIG]]
FEWER = [[1], [4], [1, 2, 3, 4, BIG]]
CUTS: list[Cut] = ["people", "all"]


def scope_of(queries: Queries, keys: Sequence[int], cut: Cut, live: bool = True) -> Scope:
    return Scope(queries, [by_key(queries, key) for key in keys], cut, live)


def counted_again(world: World, keys: Sequence[int], cut: Cut) -> list[Recount]:
    return [world.recount(one, cut == "people") for one in world.deliveries if one.delivery in keys]


@pytest.mark.parametrize("live", [True, False])
@pytest.mark.parametrize("cut", CUTS)
@pytest.mark.parametrize("keys", CHOICES, ids=str)
def test_indicators_equal_a_recount(
    world: World, world_queries: Queries, keys: list[int], cut: Cut, live: bool
) -> None:
    report = report_indicators.build(scope_of(world_queries, keys, cut, live), False, ["facebook", "x"], [])
    shown, expected = figures(report), recount.indicators(counted_again(world, keys, cut))
    assert shown == {name: expected[name] for name in shown}
    assert report.hits is not None
    assert (report.hits.people, report.hits.all - report.hits.people) == (shown["hits_people"], shown["machine_hits"])
    assert (report.distinct_calculated_at is None) is live


@pytest.mark.parametrize("cut", CUTS)
@pytest.mark.parametrize("keys", CHOICES, ids=str)
def test_domains_equal_a_recount_and_add_up(world: World, world_queries: Queries, keys: list[int], cut: Cut) -> None:
    domains = world_queries.settings.report_domains
    report = report_indicators.build(scope_of(world_queries, keys, cut), True, [], domains)
    shown = {row["domain"]: row for row in table(report, "domains")}
    expected: dict[str, Counter[str]] = defaultdict(Counter)
    for one in counted_again(world, keys, cut):
        named = {h.message: h.domain.lower() for h in one.mine if h.domain}
        for message in {h.message for h in one.feed}:
            expected[_row_of(named.get(message), domains)]["messages"] += 1
        for message in one.messages(lambda h: h.how != "one_click"):
            expected[_row_of(named.get(message), domains)]["recipient_open"] += 1
        for message in one.messages(lambda h: h.kind == "click"):
            expected[_row_of(named.get(message), domains)]["recipient_click"] += 1
        for hit in one.hits:
            expected[_row_of(named.get(hit.message), domains)]["total_click"] += hit.kind == "click"
    for domain, numbers in expected.items():
        assert {name: shown[domain][name] for name in numbers} == dict(numbers), domain
    whole = figures(report)
    added = ("recipient_open", "recipient_click", "total_open", "total_click", "delivered", "unsubscribed", "opt_outs")
    for name in added:
        assert shown["Total"][name] == whole[name]
        assert sum(row[name] for domain, row in shown.items() if domain != "Total") == whole[name]


def _row_of(domain: str | None, domains: Sequence[str]) -> str:
    return "Unknown" if not domain else domain if domain in domains else "Others"


@pytest.mark.parametrize("cut", CUTS)
@pytest.mark.parametrize("keys", FEWER, ids=str)
def test_money_and_shares_equal_a_recount(world: World, world_queries: Queries, keys: list[int], cut: Cut) -> None:
    report = report_indicators.build(scope_of(world_queries, keys, cut), False, ["facebook", "x"], [])
    hits = [hit for one in counted_again(world, keys, cut) for hit in one.hits]
    amounts: Counter[str] = Counter()
    for hit in hits:
        amounts[hit.currency] += hit.amount
    shown = {row["currency"]: row["amount"] for row in table(report, "transactions")}
    assert shown == {currency: (amount, currency) for currency, amount in amounts.items() if currency}
    shares = Counter(NETWORK_OF[hit.url_id] for hit in hits if hit.kind == "click" and hit.url_id in NETWORK_OF)
    if keys != [4]:  # which has no registered link
        assert {row["network"] for row in table(report, "shares")} == set(shares)
    if 4 not in keys:
        assert {row["network"]: row["clicks"] for row in table(report, "shares")} == dict(shares)


@pytest.mark.parametrize("by", ["label", "url", "category", "position"])
@pytest.mark.parametrize("cut", CUTS)
@pytest.mark.parametrize("keys", FEWER, ids=str)
def test_links_equal_a_recount_and_add_up(
    world: World, world_queries: Queries, keys: list[int], cut: Cut, by: By
) -> None:
    report = report_urls.build(scope_of(world_queries, keys, cut), by, 2)
    clicks = [hit for one in counted_again(world, keys, cut) for hit in one.hits if hit.kind == "click"]
    expected = Counter(_link_of(hit.delivery, hit.url_id, hit.position, by) for hit in clicks)
    unregistered = expected.pop(words.UNREGISTERED, 0)
    rows = table(report, "links")
    ranked = [row for row in rows if row["rank"]]
    assert [row["clicks"] for row in ranked] == sorted(expected.values(), reverse=True)[:2]
    assert all(expected[row["link"]] == row["clicks"] for row in ranked)
    below = {row["link"]: row["clicks"] for row in rows if not row["rank"]}
    assert below.get(words.UNREGISTERED, 0) == unregistered
    assert below["Total"] == len(clicks) == sum(row["clicks"] for row in rows if row["link"] != "Total")
    apart = Counter(row["kind"] for row in table(report, "other_links") for _ in range(row["hits"]))
    hits = [hit for one in counted_again(world, keys, cut) for hit in one.hits if hit.kind in ("optout", "mirror")]
    assert sum(apart.values()) == len(hits)
    assert apart["mirror"] == sum(1 for hit in hits if hit.kind == "mirror")


def _link_of(delivery: int, url_id: int, position: int, by: By) -> str:
    if by == "position":
        return f"text {position - 32768}" if position > 32768 else f"HTML {position}"
    if delivery == 4 or url_id in UNREGISTERED:
        return words.UNREGISTERED
    url, label, category = URLS[url_id]
    return {"url": url, "label": label or url, "category": category or "(no category)"}[by]


@pytest.mark.parametrize("cut", CUTS)
@pytest.mark.parametrize("keys", CHOICES, ids=str)
def test_statistics_equal_a_recount(world: World, world_queries: Queries, keys: list[int], cut: Cut) -> None:
    report = report_statistics.build(scope_of(world_queries, keys, cut))
    again = counted_again(world, keys, cut)
    for kind, name in report_statistics.KINDS.items():
        elapsed = sorted(ms for one in again for ms in one.elapsed(kind))
        for row in table(report, "cumulated"):
            limit = float("inf") if row["period_s"] is None else row["period_s"] * 1000
            assert row[name] == sum(1 for ms in elapsed if ms <= limit)
        for row in table(report, "elapsed"):
            assert row[f"{name}_ms"] == recount.reached(elapsed, row["percent"])


@pytest.mark.parametrize("keys", FEWER, ids=str)
def test_people_and_machines_are_all(world_queries: Queries, keys: list[int]) -> None:
    people, everybody = (
        figures(report_indicators.build(scope_of(world_queries, keys, cut), False, [], [])) for cut in CUTS
    )
    for name in ("total_open", "total_click", "mirror", "visits", "transactions", "opt_out_clicks"):
        assert people[name] <= everybody[name]
    assert people["hits_people"] + people["machine_hits"] == everybody["hits_people"] + everybody["machine_hits"]


def test_the_starts_say_how_they_are_known(world_queries: Queries) -> None:
    report = report_statistics.build(scope_of(world_queries, [1, 3, 4], "all"))
    assert [row["known_by"] for row in table(report, "starts")] == ["contact date", "first hit", "first sent"]


def test_merges_change_nothing(clickhouse: ClickHouse, world_database: str, world_queries: Queries) -> None:
    def seen() -> list[object]:
        scopes = [scope_of(world_queries, [1, 2, 3, 4, BIG], cut) for cut in CUTS]
        reports = [report_indicators.build(scope, True, ["x"], ["gmail.com"]) for scope in scopes]
        reports += [report_statistics.build(scope) for scope in scopes]
        reports += [report_urls.build(scope, "url", 3) for scope in scopes]
        reports += [report_hot_clicks.build(scope) for scope in scopes]
        reports += [report_clients.build(scope, 20) for scope in scopes]
        reports += [report_machines.build(scope, "UTC", 2, 600, 50) for scope in scopes]
        return [report.parts for report in reports]

    before = seen()
    with clickhouse.client(world_database) as client:
        client.execute("SYSTEM START MERGES events")
        for table_name in (
            "events",
            "message_activity",
            "message_state",
            "person_activity",
            "url_activity",
            "stat_minute",
            "breakdown",
        ):
            client.execute(f"OPTIMIZE TABLE {table_name} FINAL")
    assert seen() == before
