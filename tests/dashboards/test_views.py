"""The public views: their numbers are a recount's, a filter reaches the primary keys, and their columns stay."""

import re
from collections.abc import Sequence
from typing import Any

import pytest

from dashboards.queries import Queries
from tests.dashboards.world import BIG, DELIVERIES, World

KEYS = {"v_recipient_activity": "recipient_key"}
READ = {
    "v_deliveries": {"touched", "deliveries"},
    "v_events": {"events", "deliveries", "delivery_urls"},
    "v_messages": {"message_state", "message_activity"},
    "v_indicators": {"indicators", "deliveries"},
    "v_clicks_by_url": {"url_activity", "delivery_urls"},
    "v_hits_by_minute": {"stat_minute"},
    "v_breakdown": {"breakdown"},
    "v_transactions": {"transactions"},
    "v_recipient_activity": {"recipient_activity"},
}
CUTS = [("", False), ("_people", True)]


def ask(queries: Queries, text: str, **parameters: object) -> list[tuple[Any, ...]]:
    """Rows of any text."""
    found: list[tuple[Any, ...]] = queries._client.execute(text, parameters)
    return found


@pytest.mark.parametrize("condition", ["= 1", "IN (1, 2)", "IN (SELECT delivery_id FROM deliveries)"])
@pytest.mark.parametrize("view", READ)
def test_a_filter_reaches_every_primary_key(world_queries: Queries, view: str, condition: str) -> None:
    key = KEYS.get(view, "delivery_id")
    plan = ask(world_queries, f"EXPLAIN indexes = 1 SELECT * FROM {view} WHERE {key} {condition}")
    reads = re.split(r"ReadFromMergeTree", " ".join(line for (line,) in plan))[1:]
    by_table: dict[str, list[str]] = {}
    for read in reads:
        found = re.search(r"\.(\w+)\)", read)
        assert found is not None
        by_table.setdefault(found[1], []).append(read)
    for table in READ[view]:
        assert all(re.search(rf"PrimaryKey.*?{key} in", read) for read in by_table[table]), (table, by_table[table])


def test_events_are_live_rows(world_queries: Queries, world: World) -> None:
    happened = {one.event_id.hex(): one for one in world.happenings if one.delivery in (2, 3)}
    text = """SELECT event_id, toString(class), hit, people, relabelled, delivery_name, url_label, url_category, person
        FROM v_events WHERE delivery_id IN (2, 3)"""
    rows = {row[0]: row[1:] for row in ask(world_queries, text)}
    assert rows.keys() == happened.keys()
    for id_, one in happened.items():
        final = one.final
        label, category = {11: ("Shop", "shop"), 12: ("Shop", "shop"), 14: ("Tell a friend", "Facebook"),
                           15: ("Post it", "x")}.get(one.url_id, ("", ""))  # fmt: skip
        assert rows[id_] == (
            final.class_, one.hit, one.in_cut(people=True), len(one.judgements) - 1,
            {2: "july", 3: "no-feed"}[one.delivery], label, category, f"{one.person:032x}",
        )  # fmt: skip


@pytest.mark.parametrize(("suffix", "people"), CUTS)
def test_sums_of_views_are_the_recount(world_queries: Queries, world: World, suffix: str, people: bool) -> None:
    cut = "people" if people else "all"
    columns = """(SELECT sum(clicks{s}) FROM v_clicks_by_url WHERE delivery_id = {d:UInt64}),
        (SELECT sumIf(hits{s}, kind = 'open') FROM v_hits_by_minute WHERE delivery_id = {d:UInt64}),
        (SELECT sumIf(events{s}, dim = 'client' AND kind = 'click') FROM v_breakdown WHERE delivery_id = {d:UInt64}),
        (SELECT sum(transactions{s}) FROM v_transactions WHERE delivery_id = {d:UInt64}),
        (SELECT countIf(opened{s}) FROM v_messages WHERE delivery_id = {d:UInt64}),
        (SELECT countIf(clicks{s} > 0) FROM v_messages WHERE delivery_id = {d:UInt64}),
        (SELECT sum(opens{s}) FROM v_messages WHERE delivery_id = {d:UInt64})""".replace("{s}", suffix)
    stored = """SELECT recipient_open, recipient_click, total_open, total_click, person_click, delivered
        FROM v_indicators WHERE delivery_id = {d:UInt64} AND cut = {cut:String}"""
    for delivery in DELIVERIES:
        recount = world.recount(delivery, people)
        base = recount.base()
        parameters = {"d": delivery.delivery, "cut": cut}
        opens, clicks = base["total_open"], base["total_click"]
        opened, clicked = base["recipient_open"], base["recipient_click"]
        counted = (clicks, opens, clicks, base["transactions"], opened, clicked, opens)
        assert ask(world_queries, f"SELECT {columns}", **parameters) == [counted]
        distinct = (opened, clicked, opens, clicks, len(recount.persons()), base["delivered"])
        assert ask(world_queries, stored, **parameters) == [distinct]


def test_states_of_messages_are_those_of_the_view_they_come_from(world_queries: Queries) -> None:
    columns = "delivery_id, message_id, recipient_name, domain, format, seed, state, reason, state_time, complained"
    mine = ask(world_queries, f"SELECT {columns} FROM v_messages WHERE in_feed ORDER BY ALL")
    assert mine
    assert mine == ask(world_queries, f"SELECT {columns} FROM messages ORDER BY ALL")


def test_deliveries_that_are_not_registered_are_there(world_queries: Queries) -> None:
    rows = ask(world_queries, "SELECT delivery_id, registered, name, isNull(touched) FROM v_deliveries ORDER BY 1")
    names: Sequence[tuple[int, int, str]] = [(1, 1, "june"), (2, 1, "july"), (3, 1, "no-feed"), (4, 0, "")]
    assert rows == [(*row, 0) for row in [*names, (BIG, 1, "autumn")]]


def test_a_recipients_events_are_found(world_queries: Queries, world: World) -> None:
    hits = [one for one in world.happenings if one.kind in ("open", "click", "optout", "mirror", "web", "transaction")]
    wanted = [one.event_id.hex() for one in hits if one.recipient == 1_000_001]
    rows = ask(world_queries, "SELECT event_id FROM v_recipient_activity WHERE recipient_key = 1000001")
    assert wanted
    assert sorted(rows) == sorted((id_,) for id_ in wanted)
