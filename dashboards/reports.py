"""ClickHouse -> what the demo ends with: indicators of a delivery, and its most clicked links."""

from typing import Any

from dashboards.base import numbers
from dashboards.choice import by_key
from dashboards.indicators import Cut, Indicators
from dashboards.indicators import indicators as formulas
from dashboards.queries import Queries
from dashboards.report_urls import By, links
from dashboards.scope import Scope
from dashboards.shape import Table
from sendtrail.settings import ReportSettings


def indicators(client: Any, delivery: int, cut: Cut = "people", live: bool = True) -> Indicators:
    """The indicators of the delivery with this key, over `client` (clickhouse-driver, server-side parameters).

    A delivery without events has zeros, and no rates. Raises Unreachable or ReportError.
    """
    return formulas(numbers(Queries(client, ReportSettings()), [delivery], cut, live).bases)


def top_links(client: Any, delivery: int, cut: Cut = "people", top: int = 5, by: By = "label") -> Table:
    """The most clicked links of the delivery with this key; `render.rich_table` shows it. Raises as `indicators`."""
    queries = Queries(client, ReportSettings())
    return links(Scope(queries, [by_key(queries, delivery)], cut), by, top)
