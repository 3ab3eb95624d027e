"""The worked example of METRICS through tables, SQL and formulas: four recipients, all HTML, all delivered.

A does nothing. B opens. C opens, clicks 9 times, forwards; the friend (another browser) opens and clicks twice through
C's message. D refuses cookies, opens and clicks 4 times.
"""

from fractions import Fraction
from random import Random

import pytest
from clickhouse_driver import Client

from dashboards import (
    by_domain,
    report_compare,
    report_dashboard,
    report_indicators,
    report_statistics,
    report_summary,
    report_urls,
    reports,
)
from dashboards.choice import by_key
from dashboards.queries import Queries
from dashboards.scope import Scope
from dashboards.terminal import text
from tests.dashboards.happenings import Happening, Numbered, Registered, at, insert, register, store_indicators
from tests.dashboards.shown import figures, rows, table
from tests.dashboards.world import HOUR, T0

A, B, C, D = 1, 2, 3, 4
B_BROWSER, C_BROWSER, FRIEND = 1001, 1002, 1003
NEW_EACH_TIME = range(2000, 2010)  # D's browser keeps no cookie
MINUTE = 60_000


def example(cookies: bool) -> list[Happening]:
    """What happened. Without cookies a person is the message."""
    numbered = Numbered()
    feed = [Happening(7, message, kind, T0, domain="gmail.com", format="html")
            for message in (A, B, C, D) for kind in ("prepared", "sent", "delivered")]  # fmt: skip
    acts = [(B, B_BROWSER, "open"), (C, C_BROWSER, "open"), *[(C, C_BROWSER, "click")] * 9]
    acts += [(C, FRIEND, "open"), *[(C, FRIEND, "click")] * 2]
    acts += [(D, NEW_EACH_TIME[0], "open"), *((D, NEW_EACH_TIME[number], "click") for number in range(1, 5))]
    hits = [
        Happening(7, message, kind, T0 + MINUTE * number, person=person if cookies else message, url_id=kind == "click")
        for number, (message, person, kind) in enumerate(acts, 1)
    ]  # fmt: skip
    return [numbered(one) for one in feed + hits]


EXPECTED = {
    "to_deliver": 4, "processed": 4, "success": 4, "delivered": 4, "text": 0,
    "recipient_open": 3, "total_open": 4, "estimated_recipient_open": 3, "estimated_total_open": 4,
    "recipient_click": 2, "total_click": 15,
    "raw_reactivity": Fraction(2, 3), "estimated_reactivity": Fraction(2, 3), "ctr": Fraction(1, 2),
    "open_rate": Fraction(3, 4), "click_rate": Fraction(1, 2), "cumulated_click_rate": Fraction(15, 4),
    "unsubscribed": 0, "unsubscribe_rate": Fraction(0), "machine_share": Fraction(0), "mirror": 0,
}  # fmt: skip
WITH_COOKIES = {"person_click": 6, "forwards": 4, "person_click_rate": Fraction(3, 2)}
WITHOUT = {"person_click": 2, "forwards": 0, "person_click_rate": Fraction(1, 2)}


@pytest.mark.parametrize("live", [True, False])
@pytest.mark.parametrize("cookies", [True, False])
def test_the_worked_example(client: Client, queries: Queries, cookies: bool, live: bool) -> None:
    register(client, [Registered(7, "letter", contact_ms=T0)])
    insert(client, example(cookies), Random(1))
    store_indicators(client)
    scope = Scope(queries, [by_key(queries, 7)], "people", live, persons=cookies)
    report = report_indicators.build(scope, False, [], [])
    shown = figures(report)
    assert {name: shown[name] for name in EXPECTED} == EXPECTED
    persons = WITH_COOKIES if cookies else WITHOUT
    assert {name: shown[name] for name in persons} == persons
    assert shown["median_first_open_ms"] == 2 * MINUTE  # B after 1 minute, C after 2, D after 15
    assert shown["median_first_click_ms"] == 3 * MINUTE  # C after 3, D after 16: the lower of two
    assert ("can't be counted apart" in " ".join(report.notes)) is not cookies


def test_links_and_statistics_of_the_worked_example(client: Client, queries: Queries) -> None:
    register(client, [Registered(7, "letter")])
    insert(client, example(cookies=True))
    scope = Scope(queries, [by_key(queries, 7)])
    links = table(report_urls.build(scope, "label", 10), "links")
    assert [(row["link"], row["clicks"], row["share"]) for row in links] == [
        ("links not registered", 15, 1),
        ("Total", 15, 1),
    ]
    elapsed = table(report_statistics.build(scope), "elapsed")
    assert [row["opens_ms"] for row in elapsed] == [MINUTE * minute for minute in (1, 1, 2, 2, 2, 12, 12, 15, 15)]
    assert elapsed[0]["transactions_ms"] is None


def test_statistics_at_their_edges(client: Client, queries: Queries) -> None:
    """The first two sent are seeds, a hit is before the start, one exactly an hour after it, one a moment later."""
    numbered = Numbered()
    events = [
        Happening(7, 90, "sent", T0 - HOUR, seed=True),
        Happening(7, 91, "sent", T0 - 10_000, seed=True),
        Happening(7, 1, "sent", T0),
        Happening(7, 1, "sent", T0 + 1000),
        *(Happening(7, 1, "click", when) for when in (T0 - 5, T0 + HOUR, T0 + HOUR + 1)),
    ]
    insert(client, [numbered(one) for one in events])
    report = report_statistics.build(Scope(queries, [by_key(queries, 7)]))
    assert [(row["start"], row["known_by"]) for row in table(report, "starts")] == [(at(T0), "first sent")]
    assert [row["clicks"] for row in table(report, "cumulated")] == [2, 3, 3, 3, 3, 3, 3, 3]
    assert [row["clicks_ms"] for row in table(report, "elapsed")] == [0] * 3 + [HOUR] * 3 + [HOUR + 1] * 3


def test_what_the_demo_calls(client: Client) -> None:
    register(client, [Registered(7, "letter")])
    insert(client, example(cookies=True))
    assert reports.indicators(client, 7).person_click == 6
    assert reports.indicators(client, 8).open_rate is None
    assert rows(reports.top_links(client, 7, "all"))[-1]["clicks"] == 15


def test_a_delivery_without_anything_has_no_rates(client: Client, queries: Queries) -> None:
    register(client, [Registered(7, "letter", to_deliver=0)])
    shown = figures(report_indicators.build(Scope(queries, [by_key(queries, 7)]), True, [], []))
    assert {shown[name] for name in shown if name.endswith("rate") or "reactivity" in name} == {None}
    assert shown["machine_share"] is None
    assert shown["median_first_open_ms"] is None
    report = report_statistics.build(Scope(queries, [by_key(queries, 7)]))
    assert [row["opens"] for row in table(report, "cumulated")] == [0] * 8
    assert text(report) is not None


def test_registered_success_stands_in_for_a_missing_feed(client: Client, queries: Queries) -> None:
    numbered = Numbered()
    register(client, [Registered(7, success=8, to_deliver=10), Registered(8, to_deliver=5), Registered(9)])
    insert(client, [numbered(Happening(delivery, 1, "open", T0 + HOUR)) for delivery in (7, 8, 9)])
    insert(client, [numbered(Happening(9, message, "prepared", T0)) for message in (1, 2)])
    for key, success, source in [(7, 8, "the registered success"), (8, 5, "to deliver"), (9, 2, "to deliver")]:
        report = report_indicators.build(Scope(queries, [by_key(queries, key)], live=True), False, [], [])
        assert figures(report)["success"] == success
        assert f"success is taken from {source}." in " ".join(report.notes)


def test_every_report_that_shows_success_says_where_it_is_from(client: Client, queries: Queries) -> None:
    register(client, [Registered(7, success=8, to_deliver=10), Registered(8)])
    insert(client, [Numbered()(Happening(7, 1, "open", T0 + HOUR))])
    scope = Scope(queries, [by_key(queries, 7), by_key(queries, 8)], live=True)
    asked = [
        report_compare.build(scope, "best"),
        report_dashboard.build(scope, "UTC", 24),
        report_summary.build(scope, []),
        report_urls.build(scope, "label", 5),
    ]
    for report in asked:
        assert "success is taken from the registered success." in " ".join(report.notes), report.name


def test_success_by_domain_is_said_to_be_what_was_prepared(client: Client, queries: Queries) -> None:
    numbered = Numbered()
    register(client, [Registered(7, success=1)])
    insert(client, [numbered(Happening(7, m, "prepared", T0, domain="gmail.com")) for m in (1, 2)])
    report = report_indicators.build(Scope(queries, [by_key(queries, 7)], live=True), True, [], ["gmail.com"])
    assert [(row["domain"], row["success"]) for row in table(report, "domains")] == [("gmail.com", 2), ("Total", 2)]
    assert any(note.startswith("By domain, success counts") for note in report.notes)
    insert(client, [numbered(Happening(7, 1, "delivered", T0, domain="gmail.com"))])
    report = report_indicators.build(Scope(queries, [by_key(queries, 7)], live=True), True, [], ["gmail.com"])
    assert [row["success"] for row in table(report, "domains")] == [1, 1]
    assert not any(note.startswith("By domain, success counts") for note in report.notes)


def test_rows_by_an_attribute_add_up(client: Client, queries: Queries) -> None:
    numbered = Numbered()
    plans = {1: "gold", 2: "gold", 3: "free", 4: ""}
    feed = [
        Happening(7, m, "prepared", T0, attributes={"plan": plan, "other": "x"} if plan else {})
        for m, plan in plans.items()
    ]
    feed += [Happening(7, m, "delivered", T0) for m in plans]
    hits = [Happening(7, m, "click", T0 + HOUR) for m in (1, 1, 3, 4, 9)]  # of 9 no feed knows
    insert(client, [numbered(one) for one in feed + hits])
    scope = Scope(queries, [by_key(queries, 7)], live=True)
    shown = table(report_indicators.build(scope, False, [], [], "plan"), "attributes")
    assert [(row["value"], row["success"], row["recipient_click"], row["total_click"]) for row in shown] == [
        ("gold", 2, 1, 2), ("free", 1, 1, 1), ("Unknown", 1, 2, 2), ("Total", 4, 4, 5),
    ]  # fmt: skip
    none = table(report_indicators.build(scope, False, [], [], "no'such"), "attributes")
    assert [(row["value"], row["success"]) for row in none] == [("Unknown", 4), ("Total", 4)]


def test_values_beyond_those_with_a_row_of_their_own_are_others(
    client: Client, queries: Queries, monkeypatch: pytest.MonkeyPatch
) -> None:
    numbered = Numbered()
    insert(client, [numbered(Happening(7, m, "sent", T0, attributes={"n": str(m // 2)})) for m in range(7)])
    monkeypatch.setattr(by_domain, "MOST_VALUES", 2)
    scope = Scope(queries, [by_key(queries, 7)], live=True)
    shown = table(report_indicators.build(scope, False, [], [], "n"), "attributes")
    assert [(row["value"], row["success"]) for row in shown] == [("0", 2), ("1", 2), ("Others", 3), ("Total", 7)]


def test_an_estimate_above_to_deliver_is_said(client: Client, queries: Queries) -> None:
    numbered = Numbered()
    feed = [Happening(7, m, "delivered", T0, format="text" if m < 3 else "html") for m in range(4)]
    hits = [Happening(7, m, "click", T0) for m in range(3)]
    insert(client, [numbered(one) for one in feed + hits])
    report = report_indicators.build(Scope(queries, [by_key(queries, 7)], live=True), False, [], [])
    assert figures(report)["estimated_recipient_open"] == 12  # 3 × 4 / (4 − 3)
    assert any(note.startswith("Warning") and "really opened: 3." in note for note in report.notes)
    beside = report_compare.build(Scope(queries, [by_key(queries, 7)], live=True), "best")
    assert any(note.startswith("Warning") for note in beside.notes)
