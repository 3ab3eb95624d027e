"""Report `over-time` against a recount: by event and by cohort, each period, each split, both cuts."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from clickhouse_driver import Client

from dashboards import report_indicators
from dashboards.choice import by_key
from dashboards.definition import Context
from dashboards.indicators import Cut
from dashboards.periods import Period, start_of
from dashboards.queries import Queries, ReportError
from dashboards.report_over_time import REPORT
from dashboards.scope import Scope
from dashboards.shape import Report
from dashboards.sums_over_time import Asked, Split
from tests.dashboards.happenings import Happening, Judgement, Numbered, Registered, at, insert, register
from tests.dashboards.recount import Recount
from tests.dashboards.shown import table
from tests.dashboards.world import DELIVERIES, HOUR, T0, World

CUTS: list[Cut] = ["people", "all"]
PERIODS: list[Period] = ["day", "week", "month"]
SPLITS: list[Split | None] = [None, "tag", "channel", "domain"]
KOLKATA = ZoneInfo("Asia/Kolkata")
DAY = 24 * HOUR
SPAN = {"first_day": at(T0 - 3 * DAY).date(), "last_day": at(T0 + 80 * DAY).date()}
_FED = {"sent": "sent", "delivered": "delivered", "bounced": "bounced", "complained": "complaints",
        "unsubscribed": "unsubscribes"}  # fmt: skip
_HIT = {"open": "opens", "click": "clicks"}

Place = tuple[str, str]


def over_time(queries: Queries, accounts: set[str] | None = None, **asked: Any) -> Report:
    context = Context(queries, zone=KOLKATA, accounts=accounts)
    return REPORT.answer(context, Asked(**{**SPAN, **asked}))


def shown(report: Report) -> dict[Place, dict[str, int]]:
    rows = table(report, "over_time")
    numbers = [
        ({name: row[name] for name in row if name not in ("period", "split") and row[name]}, row) for row in rows
    ]
    return {(row["period"], row["split"]): found for found, row in numbers if found}


def period_of(time_ms: int, period: Period) -> str:
    return start_of(at(time_ms).astimezone(KOLKATA).date(), period).isoformat()


def splits_of(one: Recount, split: Split | None) -> list[str]:
    known = one.delivery.delivery != 4  # which nobody registered
    if split == "tag":
        return list(one.delivery.tags) or ["(no tag)"]
    if split == "channel":
        return [one.delivery.channel if known else "(no channel)"]
    return [""]


def domains_of(one: Recount, queries: Queries) -> dict[int, str]:
    """Message -> its domain as the report has it; messages without one are Unknown."""
    found = {event.message: event.domain.lower() for event in one.mine if event.domain}
    rows = queries.settings.report_domains
    return {message: domain if domain in rows else "Others" for message, domain in found.items()}


def events_of(one: Recount) -> Iterator[tuple[Happening, str]]:
    """Each event and the measure it adds to."""
    for event in one.mine:
        if event.kind in _FED and not event.seed:
            yield event, _FED[event.kind]
    for hit in one.hits:
        if hit.how in ("form", "one_click"):
            yield hit, "unsubscribes"
        elif hit.kind in _HIT:
            yield hit, _HIT[hit.kind]


@pytest.mark.parametrize("split", SPLITS, ids=str)
@pytest.mark.parametrize("period", PERIODS)
@pytest.mark.parametrize("cut", CUTS)
def test_by_event_equals_a_recount(
    world: World, world_queries: Queries, cut: Cut, period: Period, split: Split | None
) -> None:
    expected: dict[Place, Counter[str]] = {}
    for delivery in world.deliveries:
        one = world.recount(delivery, cut == "people")
        domains = domains_of(one, world_queries)
        for event, measure in events_of(one):
            by_domain = [domains.get(event.message, "Unknown")]
            for name in by_domain if split == "domain" else splits_of(one, split):
                place = (period_of(event.time_ms, period), name)
                expected.setdefault(place, Counter())[measure] += 1
    report = over_time(world_queries, cut=cut, period=period, split=split)
    assert shown(report) == {place: dict(counted) for place, counted in expected.items()}
    hits = [hit for one in world.happenings if one.hit for hit in [one]]
    assert report.hits is not None
    assert (report.hits.all, report.hits.people) == (len(hits), sum(hit.final.class_ != "machine" for hit in hits))
    sums = {row["split"]: row for row in table(report, "totals")}
    for name, row in sums.items():
        assert row["clicks"] == sum(
            counted["clicks"] for (_, split_of), counted in expected.items() if split_of == name
        )
        assert row["opened"] is None


def measures(one: Recount) -> Counter[str]:
    """What a delivery adds to its cohort."""
    base = one.base()
    fed = any(event.kind != "prepared" for event in one.feed)
    left = sum(base[state] for state in ("sent", "delivered", "bounced_soft", "bounced_hard"))
    return Counter({
        "sent": left if fed else base["success"], "delivered": base["delivered"],
        "bounced": base["bounced_soft"] + base["bounced_hard"], "opens": base["total_open"],
        "clicks": base["total_click"], "complaints": base["complained"], "unsubscribes": base["unsubscribed"],
        "opened": base["recipient_open"], "clicked": base["recipient_click"],
    })  # fmt: skip


@pytest.mark.parametrize("split", [None, "tag", "channel"], ids=str)
@pytest.mark.parametrize("period", PERIODS)
@pytest.mark.parametrize("cut", CUTS)
def test_by_cohort_equals_a_recount(
    world: World, world_queries: Queries, cut: Cut, period: Period, split: Split | None
) -> None:
    expected: dict[Place, Counter[str]] = {}
    for delivery in world.deliveries:
        one = world.recount(delivery, cut == "people")
        start = one.start()
        assert start is not None
        for name in splits_of(one, split):
            expected.setdefault((period_of(start, period), name), Counter()).update(measures(one))
    report = over_time(world_queries, cut=cut, period=period, split=split, by="cohort")
    assert shown(report) == {place: {k: n for k, n in counted.items() if n} for place, counted in expected.items()}
    assert report.distinct_calculated_at is not None


@pytest.mark.parametrize("cut", CUTS)
def test_domains_of_cohorts_add_up(world_queries: Queries, cut: Cut) -> None:
    whole = table(over_time(world_queries, cut=cut, by="cohort"), "totals")[0]
    rows = table(over_time(world_queries, cut=cut, by="cohort", split="domain"), "totals")
    assert [row["split"] for row in rows][-2:] == ["Others", "Unknown"]
    for name in ("delivered", "bounced", "opens", "clicks", "complaints", "opened", "clicked"):
        assert sum(row[name] for row in rows) == whole[name]
    scope = Scope(world_queries, [by_key(world_queries, one.delivery) for one in DELIVERIES], cut, live=True)
    report = report_indicators.build(scope, True, [], world_queries.settings.report_domains)
    domains = {row["domain"]: row for row in table(report, "domains")}
    for row in rows:
        same = {
            "delivered": "delivered",
            "opens": "total_open",
            "opened": "recipient_open",
            "unsubscribes": "unsubscribed",
        }
        assert {name: row[name] for name in same} == {name: domains[row["split"]][key] for name, key in same.items()}


def test_only_the_span_counts_and_empty_days_are_there(world: World, world_queries: Queries) -> None:
    day = at(T0).astimezone(KOLKATA).date()
    report = over_time(world_queries, cut="all", first_day=day, last_day=day + timedelta(days=1))
    rows = table(report, "over_time")
    assert [row["period"] for row in rows] == [day.isoformat(), (day + timedelta(days=1)).isoformat()]
    clicks = [hit for hit in world.happenings if hit.hit and hit.kind == "click"]
    on_day = [at(hit.time_ms).astimezone(KOLKATA).date() for hit in clicks]
    assert [row["clicks"] for row in rows] == [on_day.count(day), on_day.count(day + timedelta(days=1))]
    nothing = over_time(world_queries, first_day=date(2001, 1, 1), last_day=date(2001, 1, 2))
    assert table(nothing, "over_time") == table(nothing, "totals") == []
    assert any("Nothing from 2001-01-01 to 2001-01-02" in note for note in nothing.notes)
    assert (
        table(over_time(world_queries, by="cohort", first_day=date(2001, 1, 1), last_day=date(2001, 1, 2)), "totals")
        == []
    )


def test_filters_accounts_and_others(client: Client, queries: Queries) -> None:
    numbered = Numbered()
    register(client, [
        Registered(1, account="shop", tags=["a", "b"], contact_ms=T0), Registered(2, tags=["b"], contact_ms=T0),
        Registered(3, channel="sms", tags=["c"], contact_ms=T0),
    ])  # fmt: skip
    counts = {1: 1, 2: 2, 3: 4, 4: 8}
    machine = (Judgement("human"), Judgement("machine"))
    events = [Happening(d, m, "click", T0 + HOUR) for d, n in counts.items() for m in range(n)]
    events += [Happening(1, 9, "click", T0 + HOUR, judgements=machine)]
    insert(client, [numbered(one) for one in events])

    def clicks(accounts: set[str] | None = None, **asked: Any) -> dict[str, int]:
        return {row["split"]: row["clicks"] for row in table(over_time(queries, accounts, **asked), "totals")}

    for by in ("event", "cohort"):
        assert clicks(by=by) == {"": 15}
        assert clicks(by=by, cut="all") == {"": 16}
        assert clicks(by=by, tag="b") == {"": 3}
        assert clicks(by=by, channel="sms") == {"": 4}
        assert clicks(by=by, account="shop") == {"": 1}
        assert clicks(by=by, account="default") == {"": 6}
        assert clicks({"shop"}, by=by) == {"": 1}
        assert clicks({"shop"}, by=by, account="default") == {}
        assert clicks(set(), by=by) == {}
        assert clicks(by=by, split="tag") == {"(no tag)": 8, "c": 4, "b": 3, "a": 1}
        assert clicks(by=by, split="tag", top=2) == {"(no tag)": 8, "c": 4, "Others": 4}
        assert clicks(by=by, split="channel") == {"(no channel)": 8, "sms": 4, "email": 3}
        assert clicks({"shop"}, by=by, split="domain") == {"Unknown": 1}
        with pytest.raises(ReportError, match="92 are the most"):
            clicks(by=by, split="domain", first_day=date(2025, 1, 1))


def test_the_days_are_those_of_the_reader(client: Client, queries: Queries) -> None:
    midnight = round(datetime(2026, 9, 30, 18, 30, tzinfo=UTC).timestamp() * 1000)  # in Kolkata
    events = [Happening(1, 1, "open", midnight - 1), Happening(1, 2, "open", midnight)]
    numbered = Numbered()
    insert(client, [numbered(one) for one in events])
    for period, expected in (("day", ["2026-09-30", "2026-10-01"]), ("month", ["2026-09-01", "2026-10-01"])):
        assert [place[0] for place in shown(over_time(queries, period=period))] == expected
    assert shown(over_time(queries, by="cohort", period="month")) == {("2026-09-01", ""): {"opens": 2, "opened": 2}}


def test_visits_without_a_delivery_are_in_no_cohort(client: Client, queries: Queries) -> None:
    numbered = Numbered()
    visits = [Happening(0, 0, kind, T0, site="shop.example", person=7) for kind in ("web", "transaction")]
    insert(client, [numbered(one) for one in visits])
    assert shown(over_time(queries, by="cohort", period="month")) == {}
