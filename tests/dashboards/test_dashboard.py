"""Report `dashboard`: its parts against small sets and against a recount."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from clickhouse_driver import Client

from dashboards.definition import Context, NotAllowed
from dashboards.indicators import Cut
from dashboards.queries import Queries, ReportError
from dashboards.report_dashboard import REPORT, Asked
from dashboards.shape import Report, Table
from dashboards.words import UNREGISTERED
from tests.dashboards import recount
from tests.dashboards.happenings import (
    EXPIRED,
    FOREIGN,
    Happening,
    Judgement,
    Numbered,
    Registered,
    at,
    insert,
    register,
    register_urls,
)
from tests.dashboards.recount import Recount, last_states
from tests.dashboards.shown import figures, table
from tests.dashboards.world import BIG, HOUR, T0, URLS, World

CHOICES = [[1], [4], [1, 2, 3, 4, BIG]]
CUTS: list[Cut] = ["people", "all"]
MADRID = ZoneInfo("Europe/Madrid")


def dashboard(queries: Queries, keys: Sequence[int], part: str = "", zone: ZoneInfo = MADRID, **asked: Any) -> Report:
    context = Context(queries, zone=zone, part=part)
    return REPORT.answer(context, Asked(delivery=[str(key) for key in keys], live=True, **asked))


def again(world: World, keys: Sequence[int], cut: Cut) -> list[Recount]:
    return [world.recount(one, cut == "people") for one in world.deliveries if one.delivery in keys]


@pytest.mark.parametrize("cut", CUTS)
@pytest.mark.parametrize("keys", CHOICES, ids=str)
def test_figures_and_funnel_equal_a_recount(world: World, world_queries: Queries, keys: list[int], cut: Cut) -> None:
    report = dashboard(world_queries, keys, cut=cut)
    counted = again(world, keys, cut)
    expected = recount.indicators(counted)
    for part in ("header", "summary"):
        shown = figures(report, part)
        assert {name: value for name, value in shown.items() if name in expected} == {
            name: expected[name] for name in shown if name in expected
        }
    steps = {row["step"]: row["messages"] for row in table(report, "funnel")}
    without_feed = sum(one.success for one in counted if not any(e.kind != "prepared" for e in one.feed))
    left = ("sent", "delivered", "bounced_soft", "bounced_hard")
    assert steps == {
        "sent": without_feed + sum(expected[state] for state in left), "delivered": expected["delivered"],
        "opened": expected["recipient_open"], "clicked": expected["recipient_click"],
        "unsubscribed": expected["unsubscribed"],
    }  # fmt: skip
    assert [part.key for part in report.parts] == ["header", "summary", "funnel", "throughput", "problems", "urls"]


@pytest.mark.parametrize("zone", ["UTC", "Asia/Kolkata"])
@pytest.mark.parametrize("cut", CUTS)
@pytest.mark.parametrize("keys", CHOICES, ids=str)
def test_throughput_equals_a_recount(
    world: World, world_queries: Queries, keys: list[int], cut: Cut, zone: str
) -> None:
    report = dashboard(world_queries, keys, "throughput", ZoneInfo(zone), cut=cut, hours=10_000)
    columns = {"sent": "sent", "delivered": "delivered", "bounced": "bounced", "deferred": "deferred"}
    expected: Counter[tuple[datetime, str]] = Counter()
    for one in again(world, keys, cut):
        feed = [e for e in one.mine if e.kind in columns and not e.seed]
        for event in feed + [hit for hit in one.hits if hit.kind in ("open", "click")]:
            hour = at(event.time_ms).astimezone(ZoneInfo(zone)).replace(minute=0, second=0, microsecond=0)
            expected[hour, columns.get(event.kind, f"{event.kind}s")] += 1
    rows = table(report, "throughput")
    shown = {(row["hour"], name): row[name] for row in rows for name in row if name != "hour" and row[name]}
    assert shown == dict(expected)
    hours = [row["hour"] for row in rows]
    assert hours == [hours[0] + timedelta(hours=number) for number in range(len(hours))]


def test_throughput_says_that_it_goes_on(world_queries: Queries) -> None:
    report = dashboard(world_queries, [1], "throughput", hours=3)
    assert len(table(report, "throughput")) <= 4
    assert any(note.startswith("Hours of the throughput shown: 3;") for note in report.notes)


@pytest.mark.parametrize("cut", CUTS)
@pytest.mark.parametrize("keys", CHOICES, ids=str)
def test_urls_equal_a_recount_and_add_up(world: World, world_queries: Queries, keys: list[int], cut: Cut) -> None:
    rows = table(dashboard(world_queries, keys, "urls", cut=cut), "urls")
    clicks: Counter[tuple[str, str]] = Counter()
    hits: Counter[tuple[str, str]] = Counter()
    for one in again(world, keys, cut):
        key = str(one.delivery.delivery)
        for hit in one.hits:
            if hit.kind in ("click", "optout", "mirror"):
                link = str(hit.url_id) if hit.url_id in URLS and one.delivery.delivery != 4 else ""
                hits[key, link] += 1
                clicks[key, link] += hit.kind == "click"
    shown = {(row["delivery_key"], row["url_id"]): row for row in rows}
    assert {place: row["clicks"] for place, row in shown.items() if row["hits"]} == dict(clicks)
    assert {place: row["hits"] for place, row in shown.items() if row["hits"]} == dict(hits)
    assert {row["label"] == UNREGISTERED for (_, link), row in shown.items() if not link} == {True}
    registered = {(str(key), str(url_id)) for key in keys if key != 4 for url_id in URLS}
    assert registered <= set(shown)  # those nobody clicked too
    assert [row["clicks"] for row in rows] == sorted((row["clicks"] for row in rows), reverse=True)


@pytest.mark.parametrize("states", [[], ["none"], ["bounced_hard", "rejected"], ["delivered"]], ids=str)
@pytest.mark.parametrize("keys", CHOICES, ids=str)
def test_messages_equal_a_recount(world: World, world_queries: Queries, keys: list[int], states: list[str]) -> None:
    expected = {}
    for one in again(world, keys, "all"):
        last = last_states(one)
        for message in {event.message for event in one.feed}:
            state, reason = last.get(message, ("none", ""))
            if not states or state in states:
                expected[str(one.delivery.delivery), str(message)] = (state, reason, f"r{message}")
    report = dashboard(world_queries, keys, "messages", state=states, limit=10_000)
    rows = table(report, "messages")
    assert {
        (row["delivery_key"], row["message_key"]): (row["state_key"], row["reason_key"], row["recipient"])
        for row in rows
    } == expected
    part = report.part("messages")
    assert isinstance(part, Table)
    assert part.page is not None
    assert part.page.matches == len(expected) == len(rows)
    times = [row["time"] for row in rows if row["time"] is not None]
    assert times == sorted(times, reverse=True)


def test_pages_of_messages_are_the_whole(world_queries: Queries) -> None:
    whole = [row["message_key"] for row in table(dashboard(world_queries, [1], "messages", limit=10_000), "messages")]
    pages = [
        table(dashboard(world_queries, [1], "messages", limit=300, offset=n), "messages") for n in (0, 300, 600, 900)
    ]
    assert [row["message_key"] for page in pages for row in page] == whole


LOGS: list[dict[str, Any]] = [
    {}, {"uncounted": True}, {"kind": ["click", "optout"]}, {"hit_class": ["unknown"]}, {"link": "SHOP"},
]  # fmt: skip


@pytest.mark.parametrize("filters", LOGS, ids=str)
@pytest.mark.parametrize("cut", CUTS)
@pytest.mark.parametrize("keys", [[1], [2, BIG]], ids=str)
def test_logs_are_what_happened(
    world: World, world_queries: Queries, keys: list[int], cut: Cut, filters: dict[str, Any]
) -> None:
    mine = [one for one in world.happenings if one.delivery in keys and one.kind not in recount.FEED]
    mine = [
        one for one in mine if (one.hit or "uncounted" in filters) and (cut == "all" or one.final.class_ != "machine")
    ]
    mine = [one for one in mine if one.kind in filters.get("kind", [one.kind])]
    mine = [one for one in mine if one.final.class_ in filters.get("hit_class", [one.final.class_])]
    if "link" in filters:
        mine = [one for one in mine if "shop" in f"{one.destination} {' '.join(URLS.get(one.url_id, ()))}".lower()]
    expected = [one.event_id.hex() for one in sorted(mine, key=lambda one: one.event_id, reverse=True)]
    report = dashboard(world_queries, keys, "logs", cut=cut, limit=200, offset=20, **filters)
    rows = table(report, "logs")
    assert [row["event_id"] for row in rows] == expected[20:220]
    part = report.part("logs")
    assert isinstance(part, Table)
    assert part.page is not None
    assert part.page.matches == len(expected)
    by_id = {one.event_id.hex(): one for one in mine}
    for row in rows:
        one = by_id[row["event_id"]]
        assert (row["class"], row["not_counted"] == "") == (one.final.class_, one.hit)


def test_a_log_line_names_the_recipient_by_its_message(client: Client, queries: Queries) -> None:
    numbered = Numbered()
    events = [
        Happening(7, 1, "sent", T0, recipient=5, recipient_name="ada", domain="firm.example"),
        Happening(7, 1, "open", T0 + 1),  # the link knows nobody
        Happening(
            7, 1, "click", T0 + 2, recipient=5, marks=FOREIGN | EXPIRED, url_id=9, destination="https://a.example/x"
        ),
        Happening(7, 2, "click", T0 + 3, recipient=8, url_id=3, judgements=(Judgement("human", repeat=True),)),
        Happening(7, 3, "optout", T0 + 4, how="one_click"),
    ]
    register_urls(client, [(7, 3, "https://a.example/offer", "The offer", "shop")])
    insert(client, [numbered(one) for one in events])
    rows = table(dashboard(queries, [7], "logs", uncounted=True), "logs")
    shown = [(row["what"], row["recipient"], row["domain"], row["label"], row["not_counted"]) for row in rows]
    assert shown == [
        ("opt-out by one click", "", "", "", ""),
        ("click", "8", "", "The offer", "repeat"),
        ("click", "ada", "firm.example", "https://a.example/x", "foreign, expired"),
        ("open", "ada", "firm.example", "", ""),
    ]


def test_rows_of_recipients_are_for_analysts(client: Client, queries: Queries) -> None:
    register(client, [Registered(7)])
    for part in ("messages", "logs"):
        with pytest.raises(NotAllowed):
            REPORT.answer(Context(queries, role="viewer", part=part), Asked(delivery=["7"]))
    report = REPORT.answer(Context(queries, role="viewer"), Asked(delivery=["7"]))
    assert not {"messages", "logs"} & {part.key for part in report.parts}


def test_a_delivery_without_anything(client: Client, queries: Queries) -> None:
    register(client, [Registered(7, "letter")])
    report = dashboard(queries, [7])
    assert [row["of_sent"] for row in table(report, "funnel")] == [None] * 5
    assert table(report, "throughput") == table(report, "problems") == table(report, "urls") == []
    header = figures(report, "header")
    assert (header["status"], header["first_feed"], header["processed_rate"]) == ("draft", None, None)


def test_what_is_wrong_is_found(client: Client, queries: Queries) -> None:
    numbered = Numbered()
    soon = round(datetime.now(UTC).timestamp() * 1000)
    register(client, [Registered(7, "letter", to_deliver=500, label="Letter")])
    feed = [Happening(7, m, "delivered", soon - 3 * HOUR, domain="good.example") for m in range(300)]
    feed += [Happening(7, 300 + m, "bounced", soon - 3 * HOUR, reason="spam", domain="Bad.example") for m in range(60)]
    feed += [Happening(7, 400 + m, "delivered", soon - 3 * HOUR, domain="bad.example") for m in range(60)]
    hits = [Happening(7, 1, "open", soon - 4 * HOUR)]
    hits += [Happening(7, m, "click", soon - HOUR, url_id=44, destination="https://a.example") for m in range(150)]
    hits += [Happening(7, 1, "open", soon - HOUR, marks=FOREIGN)]
    insert(client, [numbered(one) for one in feed + hits])
    _reject(client, ['{"v":1,"k":"open","d":7,"m":1}', '{"d":8}', "no event", '{"d":7.5}'])
    _audit(client, [(0, 4, 5, 5), (5, 9, 5, 4), (12, 14, 3, 3)])
    rows = table(dashboard(queries, [7]), "problems")
    found = {(row["kind"], row["severity"], row["about"]): row["count"] for row in rows}
    assert found == {
        ("bounces", "error", "spam"): 60,
        ("domain_success", "error", "bad.example"): 60,
        ("feed_silent", "error", "3 h"): None,
        ("hits_before_feed", "warning", ""): 1,
        ("unknown_links", "warning", ""): 150,
        ("foreign", "note", ""): 1,
        ("rejects", "error", "bad_field"): 1,
        ("rejects_of_nobody", "note", "bad_field"): 2,
        ("records_missing", "error", ""): 2,
        ("records_unbalanced", "error", ""): 1,
    }
    header = figures(dashboard(queries, [7], "header"), "header")
    assert (header["status"], header["records_missing"], header["events_unaccounted"]) == ("sending", 2, 1)


def _reject(client: Client, originals: list[str]) -> None:
    client.execute(
        "INSERT INTO rejects (src_topic, src_offset, stage, reason, original, count, log_time) VALUES",
        [("t", number, 1, "bad_field", original, 1, datetime.now(UTC)) for number, original in enumerate(originals)],
    )


def _audit(client: Client, records: list[tuple[int, int, int, int]]) -> None:
    """Records as (from, to, events in, events out), in two partitions alike but for their start."""
    columns = "src_topic, src_partition, src_from, src_offset, log_time, minute, events_in, out, stored"
    client.execute(
        f"INSERT INTO audit ({columns}) VALUES",
        [("t", 0, first, last, datetime.now(UTC), [1], [came], [went], [went]) for first, last, came, went in records]
        + [("t", 1, 100, 101, datetime.now(UTC), [1], [2], [2], [2])],
    )  # fmt: skip


def test_the_mirror_page_is_the_templates(client: Client, queries: Queries) -> None:
    register(client, [Registered(7, "letter")])
    client.execute(
        "INSERT INTO delivery_urls (delivery_id, url_id, url, mode, updated) VALUES",
        [(7, 1, "https://a.example/letter", "mirror", at(T0)), (7, 2, "sendtrail:optout", "optout", at(T0))],
    )
    insert(client, [Numbered()(Happening(7, 1, "sent", T0))])
    [row] = table(dashboard(queries, [7], "messages"), "messages")
    assert (row["mirror"], row["message_key"], row["state"]) == ("https://a.example/letter", "1", "sent, no answer yet")


def test_the_scope_checks_accounts(client: Client, queries: Queries) -> None:
    register(client, [Registered(7, "letter", account="shop")])
    with pytest.raises(ReportError, match="no delivery"):
        REPORT.answer(Context(queries, accounts={"other"}), Asked(delivery=["7"]))
