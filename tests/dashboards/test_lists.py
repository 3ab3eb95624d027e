"""Reports `deliveries` and `recipient`, and the platform average."""

from collections.abc import Sequence
from fractions import Fraction

import pytest
from clickhouse_driver import Client

from dashboards import report_deliveries, report_recipient, report_urls
from dashboards.choice import by_key
from dashboards.definition import Context
from dashboards.indicators import Cut
from dashboards.queries import Queries, ReportError
from dashboards.report_deliveries import Filters
from dashboards.report_recipient import Wanted
from dashboards.scope import Scope
from tests.dashboards import recount
from tests.dashboards.happenings import (
    EXPIRED,
    FOREIGN,
    Happening,
    Judgement,
    Numbered,
    Registered,
    insert,
    register,
    register_urls,
    store_indicators,
)  # fmt: skip
from tests.dashboards.shown import table
from tests.dashboards.world import HOUR, T0, World

CUTS: list[Cut] = ["people", "all"]
DAY = 24 * HOUR


@pytest.mark.parametrize("live", [True, False])
@pytest.mark.parametrize("cut", CUTS)
def test_the_list_equals_a_recount_of_each(world: World, world_queries: Queries, cut: Cut, live: bool) -> None:
    report = report_deliveries.build(world_queries, cut, live, Filters())
    rows = {int(row["key"]): row for row in table(report, "deliveries")}
    assert list(rows)[:2] == [2, 1]  # newest contact date first
    for delivery in world.deliveries:
        expected = recount.indicators([world.recount(delivery, cut == "people")])
        shown = rows.pop(delivery.delivery)
        assert {name: shown[name] for name in shown if name in expected} == {
            name: expected[name] for name in shown if name in expected
        }
        assert shown["label"] == delivery.label or str(delivery.delivery)
    assert rows == {}


def test_the_list_is_filtered_and_says_what_is_cut_off(client: Client, queries: Queries) -> None:
    register(client, [
        Registered(1, "june", label="June letter", tags=["a", "b"], contact_ms=T0),
        Registered(2, "july", label="July letter", tags=["b"], contact_ms=T0 + DAY),
        Registered(3, "sms", label="", channel="sms"),
    ])  # fmt: skip

    def listed(filters: Filters) -> list[str]:
        return [row["label"] for row in table(report_deliveries.build(queries, "all", False, filters), "deliveries")]

    assert listed(Filters()) == ["July letter", "June letter", "sms"]
    assert listed(Filters(tag="a")) == ["June letter"]
    assert listed(Filters(channel="sms")) == ["sms"]
    assert listed(Filters(search="LETTER")) == ["July letter", "June letter"]
    assert listed(Filters(search="nothing")) == []
    report = report_deliveries.build(queries, "all", False, Filters(limit=2))
    assert report.notes == ["Shown: 1 to 2 of 3."]


def test_the_status_is_the_registrys_or_derived(client: Client, queries: Queries) -> None:
    numbered = Numbered()
    register(
        client,
        [Registered(1, status="draft"), Registered(2, to_deliver=2), Registered(3), Registered(4), Registered(5)],
    )
    events = [
        Happening(1, 1, "sent", T0),
        Happening(2, 1, "sent", T0),
        Happening(3, 1, "sent", T0),
        Happening(4, 1, "open", T0),
    ]
    insert(client, [numbered(one) for one in events])
    rows = table(report_deliveries.build(queries, "all", True, Filters()), "deliveries")
    status = {row["key"]: row["status"] for row in rows}
    assert status == {"1": "draft", "2": "sending", "3": "finished", "4": "finished", "5": "draft"}


@pytest.mark.parametrize("uncounted", [True, False])
@pytest.mark.parametrize("cut", CUTS)
def test_a_recipients_hits_are_those_that_happened(
    world: World, world_queries: Queries, cut: Cut, uncounted: bool
) -> None:
    message = 3
    name = str(message + 1_000_000)
    report = report_recipient.build(world_queries, [int(name)], cut, Wanted(uncounted=uncounted, limit=100_000))
    mine = [one for one in world.happenings if _of(one, message, world.happenings)]
    mine = [one for one in mine if cut == "all" or one.final.class_ != "machine"]
    mine = [one for one in mine if uncounted or one.hit]
    shown = table(report, "hits")
    expected = sorted(mine, key=lambda one: (one.time_ms, one.event_id), reverse=True)
    assert [row["event_id"] for row in shown] == [one.event_id.hex() for one in expected]
    assert [row["class"] for row in shown] == [one.final.class_ for one in expected]
    assert [row["not_counted"] == "" for row in shown] == [one.hit for one in expected]
    hits = [one for one in world.happenings if _of(one, message, world.happenings) and one.hit]
    assert report.hits is not None
    assert (report.hits.all, report.hits.people) == (len(hits), sum(one.final.class_ != "machine" for one in hits))
    assert report.subjects[0].name == f"r{message}"


def _of(one: Happening, message: int, happenings: Sequence[Happening]) -> bool:
    """Hits that name the recipient, and those that don't but whose message was prepared for it."""
    if one.message != message or one.kind not in ("open", "click", "optout", "mirror", "web", "transaction"):
        return False
    return one.recipient is not None or (one.delivery, message) in _prepared(happenings)


_seen: dict[int, set[tuple[int, int]]] = {}


def _prepared(happenings: Sequence[Happening]) -> set[tuple[int, int]]:
    key = id(happenings)
    if key not in _seen:
        _seen[key] = {(one.delivery, one.message) for one in happenings if one.kind in recount.FEED}
    return _seen[key]


def test_a_recipients_list_is_bounded_and_says_so(client: Client, queries: Queries) -> None:
    numbered = Numbered()
    events = [
        Happening(7, 1, "click", T0, recipient=5, url_id=9, destination="https://a.example/?r=5#x"),
        Happening(7, 1, "open", T0 + 1, recipient=5, judgements=(Judgement("human", repeat=True),)),
        Happening(7, 1, "open", T0 + 2, recipient=5, seed=True, marks=FOREIGN | EXPIRED),
        Happening(7, 1, "optout", T0 + 3, recipient=5, how="form"),
    ]
    insert(client, [numbered(one) for one in events])
    register(client, [Registered(7, "letter", label="Letter")])
    register_urls(client, [(7, 9, "https://a.example/", "Shop", "")])
    report = report_recipient.build(queries, [5], "people", Wanted(limit=2))
    newest, oldest = table(report, "hits")
    assert (newest["kind"], newest["how"]) == ("optout", "form")
    assert (oldest["link"], oldest["url"], oldest["delivery"]) == ("Shop", "https://a.example/?r=5#x", "Letter")
    assert "Stored events that do not count (repeats, seeds, marked ones): 2. They can be listed too." in report.notes
    shorter = report_recipient.build(queries, [5], "people", Wanted(limit=1))
    assert "Shown: 1 to 1 of 2." in shorter.notes
    all_of_them = report_recipient.build(queries, [5], "all", Wanted(uncounted=True))
    assert [row["not_counted"] for row in table(all_of_them, "hits")] == ["", "seed, foreign, expired", "repeat", ""]
    clicks = report_recipient.build(queries, [5], "all", Wanted(kinds=["click"]))
    assert len(table(clicks, "hits")) == 1
    with pytest.raises(ReportError, match="no recipient '6'"):
        report_recipient.build(queries, [6], "people", Wanted())


def test_the_platform_average_is_the_plain_mean_of_comparable_deliveries(client: Client, queries: Queries) -> None:
    numbered = Numbered()
    deliveries = [
        Registered(1, "this", contact_ms=T0),
        Registered(2, "peer", contact_ms=T0 - DAY),
        Registered(3, "peer", contact_ms=T0 - 150 * DAY),
        Registered(4, "no rate", contact_ms=T0 - 2 * DAY, to_deliver=0, success=0),
        Registered(5, "too old", contact_ms=T0 - 200 * DAY),
        Registered(6, "later", contact_ms=T0 + 1),
        Registered(7, "other type", type="alert", contact_ms=T0 - DAY),
        Registered(8, "other channel", channel="sms", contact_ms=T0 - DAY),
        Registered(9, "no date"),
    ]
    register(client, deliveries)
    clicks = {1: 1, 2: 2, 3: 4, 4: 1, 5: 9, 6: 9, 7: 9, 8: 9, 9: 9}
    sent = [Happening(d, m, "delivered", T0) for d in clicks if d != 4 for m in range(10)]
    hits = [Happening(d, m, "click", T0) for d, n in clicks.items() for m in range(n) for _ in range(2)]
    insert(client, [numbered(one) for one in sent + hits])
    store_indicators(client)
    rates = table(report_urls.build(Scope(queries, [by_key(queries, 1)]), "label", 5), "rates")
    shown = {row["rate"]: (row["value"], row["platform_average"], row["deliveries"]) for row in rates}
    assert shown["click_rate"] == (Fraction(1, 10), Fraction(3, 10), 2)
    assert shown["cumulated_click_rate"] == (Fraction(1, 5), Fraction(3, 5), 2)
    assert shown["estimated_reactivity"] == (1, 1, 2)
    both = report_urls.build(Scope(queries, [by_key(queries, 1), by_key(queries, 2)]), "label", 5)
    assert {row["platform_average"] for row in table(both, "rates")} == {None}


def test_the_platform_average_of_some_accounts_is_of_their_deliveries(client: Client, queries: Queries) -> None:
    numbered = Numbered()
    accounts = {1: "shop", 2: "shop", 3: "outlet", 4: ""}
    register(client, [Registered(d, account=a, contact_ms=T0 - d * DAY) for d, a in accounts.items()])
    feed = [Happening(d, m, "delivered", T0) for d in accounts for m in range(10)]
    hits = [Happening(d, m, "click", T0) for d in accounts for m in range(d)]
    insert(client, [numbered(one) for one in feed + hits])
    store_indicators(client)
    seen: list[tuple[set[str] | None, Fraction, int]] = [
        (None, Fraction(3, 10), 3),
        ({"shop"}, Fraction(2, 10), 1),
        ({"shop", ""}, Fraction(3, 10), 2),
    ]
    for readers, mean, peers in seen:
        context = Context(queries, accounts=readers)
        report = report_urls.REPORT.answer(context, report_urls.Asked(delivery=["1"]))
        [row] = [row for row in table(report, "rates") if row["rate"] == "click_rate"]
        assert (row["platform_average"], row["deliveries"]) == (mean, peers)
