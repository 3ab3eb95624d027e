"""Clicks and growth since the start: what the curves and streams add up to."""

from collections import Counter
from itertools import pairwise

import pytest
from clickhouse_driver import Client

from dashboards import report_statistics, report_urls, since
from dashboards.choice import by_key
from dashboards.indicators import Cut
from dashboards.queries import Queries
from dashboards.report_urls import By
from dashboards.scope import Scope
from dashboards.since import PERIODS, Within
from tests.dashboards.happenings import Happening, Numbered, Registered, insert, register, register_urls
from tests.dashboards.recount import Recount
from tests.dashboards.shown import table
from tests.dashboards.test_recount import CUTS, _link_of, counted_again, scope_of
from tests.dashboards.world import HOUR, T0, World

WITHIN: list[Within] = ["1h", "24h", "1month", "all"]


def test_every_period_is_a_whole_number_of_steps() -> None:
    for seconds in PERIODS.values():
        step = since.step_of(seconds)
        assert seconds % step == 0
        assert seconds // step <= since.POINTS
    assert since.step_of(0) == 60
    assert since.step_of(400 * since.DAY) == 7 * since.DAY
    assert [since.steps_in(ms, 60) for ms in (-5, 0, 1, 60_000, 60_001)] == [1, 1, 1, 1, 2]


def test_a_stream_and_a_curve_by_hand(client: Client, queries: Queries) -> None:
    """Clicks before the start, at it, a minute after it, a moment later, an hour after it and past the hour."""
    numbered = Numbered()
    register(client, [Registered(7, "letter", contact_ms=T0)])
    register_urls(client, [(7, 9, "https://a.example/", "Shop", ""), (7, 8, "https://b.example/", "", "")])
    moments = [(-5, 9), (0, 9), (60_000, 9), (60_001, 8), (HOUR, 9), (HOUR + 1, 9)]
    events = [Happening(7, 1, "click", T0 + ms, url_id=url) for ms, url in moments]
    events += [Happening(7, 1, "click", T0 + 2000, url_id=77), Happening(7, 1, "open", T0 + 30_000)]
    insert(client, [numbered(one) for one in events])
    scope = Scope(queries, [by_key(queries, 7)])
    report = report_urls.build(scope, "label", 1, "1h")
    rows = [(row["elapsed_ms"], row["link"], row["clicks"]) for row in table(report, "over_time") if row["clicks"]]
    assert rows == [
        (0, "Shop", 3), (0, "links not registered", 1), (60_000, "Others", 1), (59 * 60_000, "Shop", 1)
    ]  # fmt: skip
    assert len(table(report, "over_time")) == 60 * 3
    assert table(report, "links")[-1]["clicks"] == 6  # the one past the hour is not in it
    assert "The period is that of the clicks by link" in " ".join(report.notes)
    growth = table(report_statistics.build(scope, "1h"), "growth")
    assert [(row["elapsed_ms"], row["clicks"], row["opens"]) for row in growth[:4]] == [
        (0, 2, 0), (60_000, 4, 1), (120_000, 5, 1), (180_000, 5, 1)
    ]  # fmt: skip
    assert (growth[-1]["elapsed_ms"], growth[-1]["clicks"], growth[-1]["transactions"]) == (HOUR, 6, 0)
    everything = table(report_statistics.build(scope, "all"), "growth")
    assert everything[-1]["clicks"] == 7


def test_nothing_has_no_curve(client: Client, queries: Queries) -> None:
    register(client, [Registered(7, "letter")])
    scope = Scope(queries, [by_key(queries, 7)])
    assert table(report_statistics.build(scope, "24h"), "growth") == []
    report = report_urls.build(scope, "label", 5, "24h")
    assert [part.key for part in report.parts] == ["rates", "links"]
    assert [row["clicks"] for row in table(report, "links")] == [0]


@pytest.mark.parametrize("within", WITHIN)
@pytest.mark.parametrize("cut", CUTS)
@pytest.mark.parametrize("keys", [[4], [1, 2, 3, 4]], ids=str)
def test_growth_equals_a_recount(
    world: World, world_queries: Queries, keys: list[int], cut: Cut, within: Within
) -> None:
    report = report_statistics.build(scope_of(world_queries, keys, cut), within)
    again = counted_again(world, keys, cut)
    growth = table(report, "growth")
    totals = {row["period_s"]: row for row in table(report, "cumulated")}[PERIODS[within] or None]
    for kind, name in report_statistics.KINDS.items():
        elapsed = sorted(ms for one in again for ms in one.elapsed(kind))
        assert [row[name] for row in growth] == _until(elapsed, [row["elapsed_ms"] for row in growth])
        assert growth[-1][name] == totals[name]
    steps = [after["elapsed_ms"] - before["elapsed_ms"] for before, after in pairwise(growth)]
    assert len(set(steps)) == 1


def _until(elapsed: list[int], moments: list[int]) -> list[int]:
    """How many are at or before each moment; both ascending."""
    counts, number = [], 0
    for moment in moments:
        while number < len(elapsed) and elapsed[number] <= moment:
            number += 1
        counts.append(number)
    return counts


@pytest.mark.parametrize(
    ("by", "period"), [("label", "all"), ("category", "24h"), ("position", "1h"), ("url", "1month")]
)
@pytest.mark.parametrize("cut", CUTS)
@pytest.mark.parametrize("keys", [[1], [1, 2, 3, 4]], ids=str)
def test_click_streams_equal_a_recount_and_add_up(
    world: World, world_queries: Queries, keys: list[int], cut: Cut, by: By, period: Within
) -> None:
    report = report_urls.build(scope_of(world_queries, keys, cut), by, 2, period)
    limit = PERIODS[period] * 1000 or float("inf")
    links: Counter[str] = Counter()
    for one in counted_again(world, keys, cut):
        for hit in one.hits:
            if hit.kind == "click" and _elapsed(one, hit.time_ms) <= limit:
                links[_link_of(hit.delivery, hit.url_id, hit.position, by)] += 1
    shown = {row["link"]: row["clicks"] for row in table(report, "links")}
    assert shown["Total"] == links.total()
    named = [row["link"] for row in table(report, "links") if row["rank"]]
    assert {link: shown[link] for link in named} == {link: links[link] for link in named}
    streams: Counter[str] = Counter()
    for row in table(report, "over_time"):
        streams[row["link"]] += row["clicks"]
    assert dict(streams) == {link: clicks for link, clicks in shown.items() if link != "Total"}
    moments = sorted({row["elapsed_ms"] for row in table(report, "over_time")})
    assert len(table(report, "over_time")) == len(moments) * len(streams)
    first = sum(row["clicks"] for row in table(report, "over_time") if row["elapsed_ms"] == 0)
    assert first == sum(
        1 for one in counted_again(world, keys, cut) for hit in one.hits
        if hit.kind == "click" and _elapsed(one, hit.time_ms) <= min(limit, moments[1])
    )  # fmt: skip


def _elapsed(one: Recount, time_ms: int) -> int:
    return max(0, time_ms - (one.start() or 0))
