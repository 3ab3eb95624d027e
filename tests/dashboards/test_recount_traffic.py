"""Hot clicks, activity, clients and machine traffic against a recount of the random world without SQL."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest

from dashboards import report_activity, report_clients, report_hot_clicks, report_indicators, report_machines, words
from dashboards.indicators import Cut
from dashboards.queries import Queries
from tests.dashboards.happenings import Happening, logged_ms
from tests.dashboards.shown import figures, table
from tests.dashboards.test_recount import CHOICES, CUTS, FEWER, counted_again, scope_of
from tests.dashboards.world import BIG, UNREGISTERED, URLS, World

EVERYTHING = [1, 2, 3, 4, BIG]
KINDS = {"open": "opens", "click": "clicks", "transaction": "transactions"}


def hits_of(world: World, keys: Sequence[int], cut: Cut) -> list[Happening]:
    return [hit for one in counted_again(world, keys, cut) for hit in one.hits]


def followed(hit: Happening) -> bool:
    """Whether it is a hit on a place of the message."""
    return hit.kind in ("click", "mirror") or hit.how == "view"


@pytest.mark.parametrize("cut", CUTS)
@pytest.mark.parametrize("keys", CHOICES, ids=str)
def test_hot_clicks_equal_a_recount_and_add_up(world: World, world_queries: Queries, keys: list[int], cut: Cut) -> None:
    scope = scope_of(world_queries, keys, cut)
    report = report_hot_clicks.build(scope)
    hits = [hit for hit in hits_of(world, keys, cut) if followed(hit)]
    expected = Counter((hit.position, hit.url_id, hit.kind, hit.delivery != 4 and hit.url_id in URLS) for hit in hits)
    shown: Counter[tuple[int, int, str, bool]] = Counter()
    positions = table(report, "positions")
    for row in positions[:-1]:
        position = 0 if row["number"] is None else row["number"] + (32768 if row["part"] == "text" else 0)
        known = row["link"] != words.UNREGISTERED
        for kind, name in (("click", "clicks"), ("optout", "opt_outs"), ("mirror", "mirror")):
            shown[position, row["url_id"], kind, known] += row[name]
        assert row["share"] == Fraction(row["hits"], len(hits))
        assert 1 <= row["heat"] <= 4
    assert +shown == expected
    figure = figures(report_indicators.build(scope, False, [], []))
    counted = figure["total_click"] + figure["opt_out_clicks"] + figure["mirror"]
    assert counted == len(hits)
    for part in ("positions", "links", "parts"):
        rows = table(report, part)
        assert rows[-1]["hits"] == sum(row["hits"] for row in rows[:-1]) == counted
        assert rows[-1]["share"] == (1 if hits else None)


@pytest.mark.parametrize("cut", CUTS)
def test_hot_links_are_ranked_and_unregistered_ones_are_one_row(world: World, world_queries: Queries, cut: Cut) -> None:
    rows = table(report_hot_clicks.build(scope_of(world_queries, [1], cut)), "links")
    hits = [hit for hit in hits_of(world, [1], cut) if followed(hit)]
    named = Counter(URLS[hit.url_id][0] for hit in hits if hit.url_id in URLS)
    ranked = [row for row in rows if row["row"] == "link"]
    assert [row["rank"] for row in ranked] == list(range(1, len(named) + 1))
    assert [row["hits"] for row in ranked] == sorted(named.values(), reverse=True)
    assert {row["url"]: row["hits"] for row in ranked} == dict(named)
    (strange,) = [row for row in rows if row["row"] == "unregistered"]
    assert strange["hits"] == sum(1 for hit in hits if hit.url_id in UNREGISTERED)


@pytest.mark.parametrize("zone", ["UTC", "Europe/Madrid", "America/St_Johns", "Asia/Kathmandu", "Australia/Lord_Howe"])
@pytest.mark.parametrize("cut", CUTS)
@pytest.mark.parametrize("keys", FEWER, ids=str)
def test_activity_equals_a_recount_on_the_readers_clock(
    world: World, world_queries: Queries, keys: list[int], cut: Cut, zone: str
) -> None:
    report = report_activity.build(scope_of(world_queries, keys, cut), zone)
    by_slot: Counter[tuple[str, int, int]] = Counter()
    for hit in hits_of(world, keys, cut):
        if hit.kind in KINDS:
            at = datetime.fromtimestamp(hit.time_ms / 1000, UTC).astimezone(ZoneInfo(zone))
            by_slot[KINDS[hit.kind], at.isoweekday(), at.hour * 2 + at.minute // 30] += 1
    for name in KINDS.values():
        mine = {(day, slot): hits for (kind, day, slot), hits in by_slot.items() if kind == name}
        halves = [row[name] for row in table(report, "half_hours")]
        assert halves == [sum(hits for (_, at), hits in mine.items() if at == slot) for slot in range(48)]
        assert [row[name] for row in table(report, "hours")] == [
            a + b for a, b in zip(halves[::2], halves[1::2], strict=True)
        ]
        days = [row[name] for row in table(report, "weekdays")]
        assert days == [sum(hits for (day, _), hits in mine.items() if day in (n, None)) for n in range(1, 8)] + [
            sum(mine.values())
        ]
        week = {(row["number"], row["time"]): row[name] for row in table(report, "week")}
        assert len(week) == 168
        assert week == {
            (day, f"{hour:02}:00"): mine.get((day, 2 * hour), 0) + mine.get((day, 2 * hour + 1), 0)
            for day in range(1, 8)
            for hour in range(24)
        }


@pytest.mark.parametrize("top", [1, 20])
@pytest.mark.parametrize("cut", CUTS)
@pytest.mark.parametrize("keys", CHOICES, ids=str)
def test_clients_equal_a_recount_and_add_up(
    world: World, world_queries: Queries, keys: list[int], cut: Cut, top: int
) -> None:
    report = report_clients.build(scope_of(world_queries, keys, cut), top)
    hits = [hit for hit in hits_of(world, keys, cut) if hit.kind in ("open", "click")]
    value_of: dict[str, Callable[[Happening], str]] = {
        "clients": lambda hit: hit.client,
        "versions": lambda hit: f"{hit.client} {hit.client_version}".rstrip(),
        "systems": lambda hit: hit.os,
        "devices": lambda hit: hit.device,
        "countries": lambda hit: hit.country,
    }
    assert ("countries" in [part.key for part in report.parts]) == any(hit.country for hit in hits)
    for part in report.parts:
        counts: Counter[tuple[str, str]] = Counter()
        clickers: dict[str, set[tuple[int, int]]] = defaultdict(set)
        for hit in hits:
            value = value_of[part.key](hit)
            counts[value, hit.kind] += 1
            if hit.kind == "click":
                clickers[value].add((hit.delivery, hit.message))
        rows = table(report, part.key)
        for row in rows:
            if row["row"] in ("value", "not_known"):
                value = row["value"] if row["row"] == "value" else ""
                assert (row["opens"], row["clicks"]) == (counts[value, "open"], counts[value, "click"])
                assert row["clickers"] == len(clickers[value])
        assert sum(row["row"] == "value" for row in rows) <= top
        total = rows[-1]
        for name, kind in (("opens", "open"), ("clicks", "click")):
            assert total[name] == sum(row[name] for row in rows[:-1]) == sum(1 for hit in hits if hit.kind == kind)
        assert total["clickers"] == len({(hit.delivery, hit.message) for hit in hits if hit.kind == "click"})


def test_proxies_are_named_and_without_a_country_that_is_said(world_queries: Queries) -> None:
    report = report_clients.build(scope_of(world_queries, [2], "all"), 20)
    stands = {row["value"]: row["proxy"] for row in table(report, "clients") if row["row"] == "value"}
    assert stands == {"Gmail": "reader's program", "Outlook": "reader's program", "Gmail image proxy": "mail proxy"}
    assert any("through proxies" in note for note in report.notes)
    assert any("No country is known" in note for note in report.notes)


@pytest.mark.parametrize("keys", FEWER, ids=str)
def test_machine_hits_equal_a_recount_and_add_up(world: World, world_queries: Queries, keys: list[int]) -> None:
    report = report_machines.build(scope_of(world_queries, keys, "people"), "UTC", 2, 600, 200)
    hits = hits_of(world, keys, "all")
    machine = [hit for hit in hits if hit.final.class_ == "machine"]
    for part in ("deliveries", "rulesets", "networks"):
        rows = table(report, part)
        assert (rows[-1]["hits"], rows[-1]["machine"]) == (len(hits), len(machine))
        assert sum(row["hits"] for row in rows[:-1]) == len(hits)
        assert all(row["people"] + row["machine"] == row["hits"] for row in rows)
    by_reason = Counter(why for hit in machine for why in hit.final.reasons.split(","))
    assert {row["reason"]: row["machine"] for row in table(report, "reasons") if row["machine"]} == dict(by_reason)
    by_version = Counter(hit.final.ruleset for hit in hits)
    assert {row["ruleset"]: row["hits"] for row in table(report, "rulesets")[:-1]} == dict(by_version)
    by_network = Counter(hit.network or "not known" for hit in hits)
    assert {row["network"]: row["hits"] for row in table(report, "networks")[:-1]} == dict(by_network)
    by_delivery = Counter(str(hit.delivery) for hit in hits)
    assert {row["key"]: row["hits"] for row in table(report, "deliveries")[:-1]} == dict(by_delivery)
    times = table(report, "times")
    assert sum(row["people"] + row["machine"] for row in times) == len(hits)
    assert sum(row["machine_clicks"] for row in times) == sum(1 for hit in machine if hit.kind == "click")
    assert len(times) <= 70


@pytest.mark.parametrize(("links", "within_s"), [(2, 600), (3, 3600), (4, 10)])
@pytest.mark.parametrize("keys", FEWER, ids=str)
def test_bursts_equal_a_recount(
    world: World, world_queries: Queries, keys: list[int], links: int, within_s: int
) -> None:
    report = report_machines.build(scope_of(world_queries, keys, "people"), "UTC", links, within_s, 10_000)
    clicks = defaultdict(list)
    for hit in hits_of(world, keys, "all"):
        if hit.kind == "click":
            clicks[hit.delivery, hit.message].append(hit)
    expected: dict[int, Counter[str]] = defaultdict(Counter)
    for mine in clicks.values():
        burst = first_burst(sorted(mine, key=lambda hit: hit.time_ms), links, within_s * 1000)
        if burst:
            counts = expected[burst[0].time_ms // 60_000]
            counts["messages"] += 1
            counts["clicks"] += len(burst)
            counts["machine_clicks"] += sum(hit.final.class_ == "machine" for hit in burst)
            counts["most_links"] = max(counts["most_links"], len({(hit.url_id, hit.position) for hit in burst}))
    shown = {
        int(row["at"].timestamp()) // 60: {k: v for k, v in row.items() if k != "at"} for row in table(report, "bursts")
    }
    names = ("messages", "clicks", "machine_clicks", "most_links")
    assert shown == {minute: {name: counts[name] for name in names} for minute, counts in expected.items()}
    assert shown or links == 4


def first_burst(clicks: list[Happening], links: int, within_ms: int) -> list[Happening]:
    for start in clicks:
        span = [hit for hit in clicks if start.time_ms <= hit.time_ms <= start.time_ms + within_ms]
        if len({(hit.url_id, hit.position) for hit in span}) >= links:
            return span
    return []


@pytest.mark.parametrize("zone", ["UTC", "Pacific/Auckland"])
@pytest.mark.parametrize("keys", FEWER, ids=str)
def test_what_was_judged_again_equals_a_recount(
    world: World, world_queries: Queries, keys: list[int], zone: str
) -> None:
    report = report_machines.build(scope_of(world_queries, keys, "people"), zone, 2, 600, 1)
    mine = [one for one in world.happenings if one.delivery in keys]
    again = [one for one in mine if len(one.judgements) > 1]
    titles = {"human": "human", "machine": "machine", "unknown": "not known"}
    expected: Counter[tuple[str, ...]] = Counter()
    for one in again:
        at = datetime.fromtimestamp(logged_ms(one, len(one.judgements) - 1) / 1000, ZoneInfo(zone))
        why = one.final.reasons.replace(",", ", ") or "none"
        first, last = titles[one.judgements[0].class_], titles[one.final.class_]
        expected[at.date().isoformat(), first, last, why, one.final.ruleset, one.final.run] += 1
    rows = table(report, "relabels")
    keyed = ("day", "from_class", "to_class", "reasons", "ruleset", "run")
    assert {tuple(row[name] for name in keyed): row["events"] for row in rows} == dict(expected)
    assert sum(row["hits_before"] for row in rows) == sum(one.is_hit(one.judgements[0]) for one in again)
    assert sum(row["hits"] for row in rows) == sum(one.hit for one in again)
    changed = {row["class"]: row for row in table(report, "changed")}
    for name, is_machine in (("machine", True), ("people", False)):
        before = [
            one
            for one in mine
            if one.is_hit(one.judgements[0]) and (one.judgements[0].class_ == "machine") is is_machine
        ]
        after = [one for one in mine if one.hit and (one.final.class_ == "machine") is is_machine]
        assert (changed[name]["before"], changed[name]["after"]) == (len(before), len(after))
        assert changed[name]["change"] == len(after) - len(before)
    first_reasons = Counter(
        why
        for one in mine
        if one.is_hit(one.judgements[0]) and one.judgements[0].class_ == "machine"
        for why in one.judgements[0].reasons.split(",")
    )
    assert {row["reason"]: row["before"] for row in table(report, "reasons") if row["before"]} == dict(first_reasons)
