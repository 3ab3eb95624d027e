"""Report `deliveries`: order, pages, filters and the small lines, against a recount."""

from typing import get_args

import pytest
from clickhouse_driver import Client

from dashboards import report_deliveries
from dashboards.indicators import Cut
from dashboards.queries import Queries
from dashboards.report_deliveries import Filters, Sort
from dashboards.shape import Table
from tests.dashboards import recount
from tests.dashboards.happenings import Happening, Judgement, Numbered, Registered, insert, register, store_indicators
from tests.dashboards.recount import Recount
from tests.dashboards.shown import table
from tests.dashboards.world import HOUR, T0, World

CUTS: list[Cut] = ["people", "all"]
NUMBERS = [name for name in get_args(Sort) if name not in ("label", "contact_date")]


def keys(queries: Queries, cut: Cut = "people", filters: Filters = Filters()) -> list[int]:
    report = report_deliveries.build(queries, cut, False, filters)
    return [int(row["key"]) for row in table(report, "deliveries")]


@pytest.mark.parametrize("down", [True, False])
@pytest.mark.parametrize("cut", CUTS)
@pytest.mark.parametrize("sort", NUMBERS)
def test_sorting_by_a_number_is_that_of_a_recount(
    world: World, world_queries: Queries, sort: Sort, cut: Cut, down: bool
) -> None:
    again = {d.delivery: recount.indicators([world.recount(d, cut == "people")])[sort] for d in world.deliveries}
    found = keys(world_queries, cut, Filters(sort=sort, down=down))
    assert set(found) == set(again)
    assert [again[key] for key in found] == sorted(again.values(), reverse=down)


@pytest.mark.parametrize("cut", CUTS)
def test_the_line_of_the_first_hours_equals_a_recount(world: World, world_queries: Queries, cut: Cut) -> None:
    rows = table(report_deliveries.build(world_queries, cut, False, Filters()), "deliveries")
    shown = {int(row["key"]): row["first_hours"] for row in rows}
    for delivery in world.deliveries:
        assert shown[delivery.delivery] == _hours(world.recount(delivery, cut == "people")), delivery.label


def _hours(again: Recount) -> list[int]:
    minute = 60_000
    start = (again.start() or 0) // minute * minute
    hours = [max(0, hit.time_ms // minute * minute - start) // HOUR for hit in again.hits]
    return [hours.count(hour) for hour in range(48)]


def test_pages_together_are_the_whole_list(world: World, world_queries: Queries) -> None:
    whole = keys(world_queries)
    pages = [keys(world_queries, filters=Filters(limit=2, offset=offset)) for offset in (0, 2, 4, 6)]
    assert [key for page in pages for key in page] == whole
    assert [len(page) for page in pages] == [2, 2, 1, 0]
    for offset, note in (
        (4, "Shown: 5 to 5 of 5."),
        (6, "Shown: none of 5; the last one is before this page."),
    ):
        report = report_deliveries.build(world_queries, "all", False, Filters(limit=2, offset=offset))
        part = report.part("deliveries")
        assert isinstance(part, Table)
        assert part.page is not None
        assert (part.page.offset, part.page.limit, part.page.matches) == (offset, 2, 5)
        assert report.notes == [note]


def test_what_is_not_known_is_last_in_either_order(client: Client, queries: Queries) -> None:
    register(client, [
        Registered(1, "late", contact_ms=T0 + HOUR), Registered(2, "early", contact_ms=T0), Registered(3, "none"),
        Registered(4, "Apple", to_deliver=7), Registered(5, "pear", label="banana"),
    ])  # fmt: skip
    assert keys(queries)[:2] == [1, 2]
    assert keys(queries, filters=Filters(down=False))[:2] == [2, 1]
    assert keys(queries, filters=Filters(sort="label", down=False)) == [4, 5, 2, 1, 3]
    numbered = Numbered()
    machine = (Judgement("machine"),)
    insert(client, [numbered(Happening(1, 1, "open", T0, judgements=machine)), numbered(Happening(2, 1, "open", T0))])
    store_indicators(client)
    assert keys(queries, filters=Filters(sort="machine_share"))[:2] == [1, 2]
    assert keys(queries, filters=Filters(sort="machine_share", down=False))[:2] == [2, 1]
    assert keys(queries, filters=Filters(sort="to_deliver"))[0] == 4


def test_a_delivery_without_stored_numbers_is_listed_last_and_counted(client: Client, queries: Queries) -> None:
    numbered = Numbered()
    insert(client, [numbered(Happening(1, 1, "open", T0))])
    store_indicators(client)
    insert(client, [numbered(Happening(2, message, "open", T0)) for message in range(9)])
    report = report_deliveries.build(queries, "people", False, Filters(sort="recipient_open"))
    assert [(row["key"], row["recipient_open"]) for row in table(report, "deliveries")] == [("1", 1), ("2", 9)]


def test_status_and_account_filters(client: Client, queries: Queries) -> None:
    numbered = Numbered()
    register(client, [
        Registered(1, status="draft"), Registered(2, to_deliver=2), Registered(3, account="shop"),
        Registered(6, account="default"),
    ])  # fmt: skip
    events = [
        Happening(delivery, 1, kind, T0) for delivery, kind in ((1, "sent"), (2, "sent"), (3, "sent"), (4, "open"))
    ]
    insert(client, [numbered(one) for one in events])
    store_indicators(client)
    assert keys(queries, filters=Filters(status="draft")) == [1, 6]
    assert keys(queries, filters=Filters(status="sending")) == [2]
    assert sorted(keys(queries, filters=Filters(status="finished"))) == [3, 4]
    assert keys(queries, filters=Filters(account="shop")) == [3]
    assert keys(queries, filters=Filters(account="default")) == [1, 2, 6]
    assert sorted(keys(queries)) == [1, 2, 3, 4, 6]
    seen = report_deliveries.build(queries, "all", False, Filters(), accounts={"shop"})
    assert [row["key"] for row in table(seen, "deliveries")] == ["3"]


def test_the_line_of_a_delivery_without_sent_begins_at_its_first_hit(client: Client, queries: Queries) -> None:
    numbered = Numbered()
    feed = [Happening(1, message, kind, T0) for message in (1, 2) for kind in ("prepared", "delivered", "deferred")]
    hits = [Happening(1, 1, "open", T0 + 5 * HOUR), Happening(1, 2, "click", T0 + 6 * HOUR)]
    insert(client, [numbered(one) for one in feed + hits])
    store_indicators(client)
    [row] = table(report_deliveries.build(queries, "all", False, Filters()), "deliveries")
    assert row["first_hours"] == [1, 1] + [0] * 46


def test_visits_without_a_delivery_are_no_delivery(client: Client, queries: Queries) -> None:
    numbered = Numbered()
    visits = [Happening(0, 0, kind, T0, site="shop.example", person=7) for kind in ("web", "transaction")]
    insert(client, [numbered(one) for one in [*visits, Happening(1, 1, "open", T0)]])
    store_indicators(client)
    assert keys(queries) == [1]
    insert(client, [numbered(Happening(0, 1, "open", T0))])  # 0 is a name a sender may give
    store_indicators(client)
    assert sorted(keys(queries)) == [0, 1]
