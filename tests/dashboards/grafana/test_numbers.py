"""The numbers on a panel are those of the reports, for every delivery and in both cuts."""

from __future__ import annotations

from typing import Any

import pytest
from clickhouse_driver import Client

from dashboards.base import numbers
from dashboards.indicators import Cut, indicators
from dashboards.queries import Queries
from sendtrail.settings import ReportSettings
from tests.dashboards.grafana.test_panels import CHOICES, QUERIES, Query, run
from tests.dashboards.grafana.town import TEXTS
from tests.dashboards.world import BIG

KEYS = [1, 2, 3, 4, BIG, TEXTS]


def _panel(dashboard: str, title: str) -> Query:
    return next(query for query in QUERIES if (query.dashboard, query.title) == (dashboard, title))


def _rows(town: Client, query: Query, cut: Cut, keys: list[int]) -> list[dict[str, Any]]:
    rows, columns = run(town, query, {**CHOICES["all"], "cut": cut, "delivery": [str(key) for key in keys]})
    return [dict(zip([name for name, _ in columns], row, strict=True)) for row in rows]


@pytest.mark.parametrize("cut", ["people", "all"])
@pytest.mark.parametrize("key", KEYS)
def test_a_delivery_has_the_numbers_of_its_report(town: Client, key: int, cut: Cut) -> None:
    shown = _rows(town, _panel("overview", "Deliveries"), cut, [key])[0]
    counted = indicators(numbers(Queries(town, ReportSettings()), [key], cut, live=False).bases)
    assert shown["key"] == str(key)
    for mine, theirs in (("to_deliver", "to_deliver"), ("success", "success"), ("opened", "recipient_open"),
                         ("clicked", "recipient_click"), ("unsubscribed", "unsubscribed")):  # fmt: skip
        assert shown[mine] == getattr(counted, theirs)
    for mine, theirs in (("open_rate", "open_rate"), ("click_rate", "click_rate"), ("reactivity", "raw_reactivity"),
                         ("machine_share", "machine_share")):  # fmt: skip
        rate = getattr(counted, theirs)
        assert shown[mine] == (None if rate is None else pytest.approx(float(rate)))


@pytest.mark.parametrize("cut", ["people", "all"])
def test_several_together_have_the_numbers_of_their_report(town: Client, cut: Cut) -> None:
    shown = _rows(town, _panel("delivery", "Success"), cut, KEYS)[0]
    counted = indicators(numbers(Queries(town, ReportSettings()), KEYS, cut, live=False).bases)
    assert (shown["success"], shown["opened"], shown["clicked"]) == (
        counted.success, counted.recipient_open, counted.recipient_click,
    )  # fmt: skip
    assert shown["open_rate"] == pytest.approx(float(counted.open_rate or 0))
    assert shown["unsubscribe_rate"] == pytest.approx(float(counted.unsubscribe_rate or 0))
    assert sum(row["clicks"] for row in _rows(town, _panel("links", "By label"), cut, KEYS)) == counted.total_click
    domains = _rows(town, _panel("overview", "Domains"), cut, KEYS)
    assert sum(row["opened"] for row in domains) == counted.recipient_open
