"""Report `who`: lists are as long as the counts they stand behind, in both cuts; all of it comes out in slices."""

import csv
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from clickhouse_driver import Client

from dashboards import render, report_indicators, report_who
from dashboards.choice import by_key
from dashboards.indicators import Cut
from dashboards.queries import Queries, ReportError
from dashboards.scope import Scope
from dashboards.shape import Report, Table
from dashboards.who_lists import Wanted, Which
from tests.dashboards.happenings import Happening, Judgement, Numbered, Registered, at, insert, register, register_urls
from tests.dashboards.recount import Recount
from tests.dashboards.shown import figures, table
from tests.dashboards.test_recount import CUTS, counted_again, scope_of
from tests.dashboards.world import BIG, HOUR, T0, URLS, World

MACHINE = (Judgement("machine"),)
COUNTED: dict[Which, Sequence[str]] = {
    "opened": ["recipient_open"],
    "clicked": ["recipient_click"],
    "opted-out": ["opt_outs"],
    "unsubscribed": ["unsubscribed"],
    "complained": ["complained"],
    "sent": ["sent"],
    "delivered": ["delivered"],
    "deferred": ["deferred"],
    "bounced": ["bounced_hard", "bounced_soft"],
    "bounced-hard": ["bounced_hard"],
    "bounced-soft": ["bounced_soft"],
    "rejected": ["rejected"],
}


def matches(report: Report) -> int:
    part = report.parts[0]
    assert isinstance(part, Table)
    assert part.page is not None
    return part.page.matches


def listed(scope: Scope, which: Which, **wanted: Any) -> list[str]:
    report = report_who.build(scope, Wanted(which, **wanted))
    rows = table(report, "messages")
    assert matches(report) == len(rows)
    return [row["recipient"] for row in rows]


@pytest.fixture
def letter(client: Client) -> None:
    """A (1) does nothing, B (2) opens, C (3) clicks twice, D (4) is a machine, E (5) bounces, S (6) is a seed."""
    numbered = Numbered()
    names = {1: "a@x.example", 2: "b@x.example", 3: "c@x.example", 4: "d@x.example", 5: "e@x.example", 6: "s@x.example"}
    feed = [
        Happening(7, m, kind, T0, recipient=m + 100, recipient_name=name, domain="X.example", seed=m == 6,
                  reason="unknown_user" if kind == "bounced" else "")
        for m, name in names.items() for kind in ("prepared", "sent", "bounced" if m == 5 else "delivered")
    ]  # fmt: skip
    hits = [
        Happening(7, 2, "open", T0 + HOUR),
        Happening(7, 3, "click", T0 + 3 * HOUR, url_id=11, judgements=(Judgement("machine"), Judgement("human"))),
        Happening(7, 3, "click", T0 + 2 * HOUR, url_id=12),
        Happening(7, 4, "click", T0 + HOUR, url_id=11, judgements=(Judgement("human"), *MACHINE)),
        Happening(7, 6, "click", T0 + HOUR, url_id=11, seed=True),
    ]
    register(client, [Registered(7, "letter", label="Letter")])
    register_urls(client, [(7, 11, "https://a.example/", "Shop", "shop"), (7, 12, "https://b.example/", "", "news")])
    insert(client, [numbered(one) for one in feed + hits])


@pytest.mark.usefixtures("letter")
def test_lists_by_hand(queries: Queries) -> None:
    people = Scope(queries, [by_key(queries, 7)], "people", live=True)
    everybody = Scope(queries, [by_key(queries, 7)], "all", live=True)
    assert listed(people, "opened") == ["b@x.example", "c@x.example"]
    assert listed(everybody, "opened") == ["b@x.example", "c@x.example", "d@x.example"]
    assert listed(people, "clicked") == ["c@x.example"]
    assert listed(people, "opened-not-clicked") == ["b@x.example"]
    assert listed(people, "neither") == ["a@x.example", "d@x.example"]
    assert listed(everybody, "neither") == ["a@x.example"]
    assert listed(people, "bounced-hard") == listed(people, "bounced") == ["e@x.example"]
    assert listed(people, "delivered") == ["a@x.example", "b@x.example", "c@x.example", "d@x.example"]
    assert listed(people, "complained") == []
    assert listed(people, "clicked", link="Shop") == ["c@x.example"]
    assert listed(everybody, "clicked", link="https://a.example/") == ["c@x.example", "d@x.example"]
    assert listed(everybody, "clicked", link="12") == ["c@x.example"]
    assert listed(everybody, "clicked", category="shop", link="11") == ["c@x.example", "d@x.example"]
    assert listed(everybody, "clicked", category="news") == ["c@x.example"]
    assert listed(everybody, "clicked", clicks=2) == ["c@x.example"]
    assert listed(everybody, "clicked", clicks=2, link="Shop") == []
    with pytest.raises(ReportError, match="none of these deliveries has a link 'Stop'"):
        report_who.build(people, Wanted("clicked", link="Stop"))
    with pytest.raises(ReportError, match="ask for clicked, not for opened"):
        report_who.build(people, Wanted("opened", link="Shop"))


@pytest.mark.usefixtures("letter")
def test_what_a_row_says(queries: Queries) -> None:
    scope = Scope(queries, [by_key(queries, 7)], "people", live=True)
    row = table(report_who.build(scope, Wanted("clicked")), "messages")[0]
    assert (row["recipient"], row["recipient_key"], row["domain"]) == ("c@x.example", "103", "x.example")
    assert (row["delivery"], row["state"], row["clicks"], row["opens"]) == ("Letter", "delivered", 2, 0)
    assert (row["first_open"], row["first_click"], row["last_hit"]) == (None, at(T0 + 2 * HOUR), at(T0 + 3 * HOUR))
    quiet = table(report_who.build(scope, Wanted("neither")), "messages")[0]
    assert (quiet["first_open"], quiet["last_hit"], quiet["clicks"]) == (None, None, 0)


@pytest.mark.usefixtures("letter")
def test_pages(queries: Queries) -> None:
    scope = Scope(queries, [by_key(queries, 7)], "people", live=True)
    second = report_who.build(scope, Wanted("delivered", limit=2, offset=2))
    assert [row["recipient"] for row in table(second, "messages")] == ["c@x.example", "d@x.example"]
    assert (matches(second), second.notes) == (4, ["Messages: 4.", "Shown: 3 to 4 of 4."])
    behind = report_who.build(scope, Wanted("delivered", limit=2, offset=9))
    assert (matches(behind), table(behind, "messages")) == (4, [])
    most = report_who.build(scope, Wanted("delivered", sort="clicks", limit=1))
    assert [row["recipient"] for row in table(most, "messages")] == ["c@x.example"]


@pytest.mark.usefixtures("letter")
def test_the_inactive(client: Client, queries: Queries) -> None:
    """F (8) gets another letter; C is active there too. D's click is a machine's. B's last hit is old."""
    numbered = Numbered(1000)
    more = [
        Happening(9, 8, "sent", T0, recipient=108, recipient_name="f@x.example"),
        Happening(9, 3, "sent", T0, recipient=103, recipient_name="c@x.example"),
        Happening(9, 8, "open", T0 + 9 * HOUR, recipient=108),
        Happening(9, 77, "open", T0 + 9 * HOUR, recipient=101),  # of a message the feed does not know
    ]
    insert(client, [numbered(one) for one in more])
    one = Scope(queries, [by_key(queries, 7)], "people", live=True)
    both = Scope(queries, [by_key(queries, 7), by_key(queries, 9)], "people", live=True)
    since = at(T0 + 2 * HOUR)

    def silent(scope: Scope) -> list[tuple[str, object]]:
        report = report_who.build_inactive(scope, Wanted("inactive", silent_since=since), since)
        assert matches(report) == len(table(report, "recipients"))
        return [(row["recipient"], row["last_hit"]) for row in table(report, "recipients")]

    b = ("b@x.example", at(T0 + HOUR))
    assert silent(one) == [("a@x.example", None), ("d@x.example", None), ("e@x.example", None), b]
    assert silent(both) == [("d@x.example", None), ("e@x.example", None), b]
    machines = Scope(queries, [by_key(queries, 7)], "all", live=True)
    assert ("d@x.example", at(T0 + HOUR)) in silent(machines)


@pytest.mark.parametrize("cut", CUTS)
@pytest.mark.parametrize("keys", [[1], [3], [1, 2, 3, 4, BIG]], ids=str)
def test_a_list_is_as_long_as_its_count(world: World, world_queries: Queries, keys: list[int], cut: Cut) -> None:
    scope = scope_of(world_queries, keys, cut)
    shown = figures(report_indicators.build(scope, False, [], []))
    for which, names in COUNTED.items():
        report = report_who.build(scope, Wanted(which, limit=10))
        assert matches(report) == sum(shown[name] for name in names), which
    again = counted_again(world, keys, cut)
    opened = {one.delivery.delivery: one.messages(lambda hit: hit.how != "one_click") for one in again}
    expected = {
        "opened-not-clicked": sum(len(opened[d] - one.messages(_is_click)) for d, one in _by_key(again).items()),
        "neither": sum(len(_reached(one) - opened[d]) for d, one in _by_key(again).items()),
    }
    for which in ("opened-not-clicked", "neither"):
        assert matches(report_who.build(scope, Wanted(which, limit=10))) == expected[which]


def _by_key(again: Sequence[Recount]) -> dict[int, Recount]:
    return {one.delivery.delivery: one for one in again}


def _is_click(hit: Happening) -> bool:
    return hit.kind == "click"


def _reached(one: Recount) -> set[int]:
    """Messages sent or delivered; of a delivery with nothing but `prepared`, those prepared."""
    if all(fed.kind == "prepared" for fed in one.feed):
        return {fed.message for fed in one.feed}
    return {message for message, state in one.states.items() if state in ("sent", "delivered")}


@pytest.mark.parametrize("cut", CUTS)
def test_all_of_a_list_comes_in_slices(
    world: World, world_queries: Queries, cut: Cut, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(report_who, "SLICE", 250)
    keys = [1, 2, 3, 4, BIG]
    scope = scope_of(world_queries, keys, cut)
    for which in ("opened", "neither", "delivered"):
        whole = table(report_who.build(scope, Wanted(which, limit=100_000)), "messages")
        stream = report_who.everything(scope, Wanted(which, limit=0))
        text = "".join(render.csv_of(stream))
        rows = list(csv.DictReader(text.splitlines()))
        assert [row["message_key"] for row in rows] == [row["message_key"] for row in whole]
        assert [row["clicks"] for row in rows] == [str(row["clicks"]) for row in whole]
        assert [row["last_hit"] == "" for row in rows] == [row["last_hit"] is None for row in whole]


def test_no_slice_is_longer_than_it_may_be(
    world: World, world_queries: Queries, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(report_who, "SLICE", 50)
    stream = report_who.everything(scope_of(world_queries, [1], "all"), Wanted("delivered"))
    lengths = [len(batch) for batch in stream.batches]
    assert max(lengths) <= 50
    assert len(lengths) > 10
    silent = report_who.everything(
        scope_of(world_queries, [1], "all"), Wanted("inactive", silent_since=at(T0 + 1000 * HOUR))
    )
    assert max(len(batch) for batch in silent.batches) == 50


def test_more_messages_than_fit_into_a_query(client: Client, queries: Queries) -> None:
    """Keys of names have 19 and 20 digits: some twelve thousand of them are more than a query may be long."""
    numbered, count = Numbered(), 21_000
    insert(client, [numbered(Happening(7, BIG + 977 * m, "delivered", T0)) for m in range(count)])
    insert(client, [numbered(Happening(7, BIG + 977 * m, "open", T0 + m)) for m in range(0, count, 100)])
    scope = Scope(queries, [by_key(queries, 7)], "people", live=True)
    page = table(report_who.build(scope, Wanted("delivered", limit=100_000)), "messages")
    batches = list(report_who.everything(scope, Wanted("delivered")).batches)
    assert len(batches) == 2
    assert max(len(batch) for batch in batches) <= report_who.SLICE
    assert [list(row.values()) for row in page] == [row for batch in batches for row in batch]
    assert sum(row["first_open"] is not None for row in page) == count // 100


@pytest.mark.parametrize("cut", CUTS)
def test_clicks_by_link_and_times_equal_a_recount(world: World, world_queries: Queries, cut: Cut) -> None:
    keys = [1, 2, 3, 4, BIG]
    again = counted_again(world, keys, cut)
    clicks: dict[tuple[int, int], list[Happening]] = {}
    for one in again:
        for hit in one.hits:
            if hit.kind == "click" and hit.url_id in URLS and URLS[hit.url_id][1] == "Shop" and hit.delivery != 4:
                clicks.setdefault((hit.delivery, hit.message), []).append(hit)
    report = report_who.build(scope_of(world_queries, keys, cut), Wanted("clicked", link="Shop", limit=100_000))
    rows = table(report, "messages")
    assert {(int(r["delivery_key"]), int(r["message_key"])): r["clicks"] for r in rows} == {
        key: len(hits) for key, hits in clicks.items()
    }
    twice = report_who.build(scope_of(world_queries, keys, cut), Wanted("clicked", link="Shop", clicks=2))
    assert matches(twice) == sum(1 for hits in clicks.values() if len(hits) >= 2)
    mine: dict[tuple[int, int], list[Happening]] = {}
    for one in again:
        for hit in one.hits:
            mine.setdefault((hit.delivery, hit.message), []).append(hit)
    for row in rows[:50]:
        hits = mine[int(row["delivery_key"]), int(row["message_key"])]
        assert row["last_hit"] == at(max(hit.time_ms for hit in hits))
        assert row["first_click"] == at(min(hit.time_ms for hit in hits if hit.kind == "click"))
        opens = [hit.time_ms for hit in hits if hit.kind == "open"]
        assert row["first_open"] == (at(min(opens)) if opens else None)


@pytest.mark.parametrize("cut", CUTS)
def test_the_inactive_equal_a_recount(world: World, world_queries: Queries, cut: Cut) -> None:
    since = at(T0 + 60 * HOUR)
    keys = [1, 2, 3, 4, BIG]
    again = counted_again(world, keys, cut)
    fed = {(one.delivery.delivery, fed.message): fed.recipient for one in again for fed in one.feed}
    last: dict[int, int] = {}
    for one in again:
        for hit in one.hits:
            whose = hit.recipient if hit.recipient is not None else fed.get((hit.delivery, hit.message))
            if whose is not None:
                last[whose] = max(hit.time_ms, last.get(whose, 0))
    expected = {r: last.get(r) for r in fed.values() if r is not None and at(last.get(r, 0)) < since}
    report = report_who.build_inactive(
        scope_of(world_queries, keys, cut), Wanted("inactive", silent_since=since, limit=100_000), since + timedelta(1)
    )
    shown = {int(row["recipient_key"]): row["last_hit"] for row in table(report, "recipients")}
    assert shown == {r: None if ms is None else at(ms) for r, ms in expected.items()}
    assert matches(report) == len(expected)
