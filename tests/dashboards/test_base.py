"""When stored numbers were calculated, as reports say it."""

from datetime import UTC, datetime, timedelta

from clickhouse_driver import Client

from dashboards.base import numbers
from dashboards.queries import Queries

CALCULATED = datetime(2020, 1, 1, tzinfo=UTC)


def _store(client: Client, delivery: int, rows_came_earlier: timedelta) -> None:
    client.execute("INSERT INTO indicators (delivery_id, calculated) VALUES", [(delivery, CALCULATED)])
    client.execute("INSERT INTO touched (delivery_id, at) VALUES", [(delivery, CALCULATED - rows_came_earlier)])


def test_stored_numbers_that_may_be_behind_show_their_own_time(client: Client, queries: Queries) -> None:
    _store(client, 1, rows_came_earlier=timedelta(seconds=-5))
    _store(client, 2, rows_came_earlier=timedelta(seconds=5))
    for delivery in (1, 2):
        assert numbers(queries, [delivery], "people", live=False).calculated == CALCULATED


def test_an_idle_deliverys_stored_numbers_are_those_of_now(client: Client, queries: Queries) -> None:
    _store(client, 3, rows_came_earlier=timedelta(minutes=2))
    calculated = numbers(queries, [3], "people", live=False).calculated
    assert calculated is not None
    assert calculated - CALCULATED > timedelta(days=1)
