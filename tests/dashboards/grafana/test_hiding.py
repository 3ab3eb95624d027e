"""A deleted delivery is on no panel, and no table that tells of deliveries is forgotten by what hides them."""

from __future__ import annotations

import re
from pathlib import Path

from clickhouse_driver import Client

from sendtrail.removal.deletions import delete, restore
from sendtrail.removal.hiding import TABLES
from tests.dashboards.grafana.test_panels import CHOICES, QUERIES, run
from tests.dashboards.grafana.town import TEXTS

ROOT = Path(__file__).resolve().parents[3]
NOBODY = 424_242


def _read(text: str) -> set[str]:
    return set(re.findall(r"\b(?:FROM|JOIN) (\w+)", text))


def _of_deliveries(client: Client, is_view: bool) -> set[str]:
    rows = client.execute(
        "SELECT table FROM system.columns WHERE database = currentDatabase() AND name = 'delivery_id' AND table IN "
        f"(SELECT name FROM system.tables WHERE database = currentDatabase() AND (engine = 'View') = {is_view})"
    )
    return {table for (table,) in rows}


def test_every_table_that_reports_read_is_filtered(town: Client) -> None:
    texts = [path.read_text() for folder in ("sql", "grafana/sql") for path in (ROOT / "dashboards" / folder).glob("*")]
    read = {table for text in texts for table in _read(text)} & _of_deliveries(town, is_view=False)
    assert len(read) > 10
    assert read - {"rejects"} <= set(TABLES)


def test_panels_read_no_view_since_their_filters_are_by_name(town: Client) -> None:
    views = _of_deliveries(town, is_view=True)
    assert views
    assert not {query.title for query in QUERIES if _read(query.sql) & views}


def test_a_deleted_delivery_is_on_no_panel(town: Client) -> None:
    before, nobodys = _shown(town, TEXTS), _shown(town, NOBODY)
    assert sum(before[sql] != rows for sql, rows in nobodys.items()) > 20
    delete(town, TEXTS, "test", 7)
    try:
        assert _shown(town, TEXTS) == _shown(town, NOBODY)
    finally:
        restore(town, TEXTS, "test")
    assert _shown(town, TEXTS) == before


def _shown(town: Client, delivery: int) -> dict[str, object]:
    """Query -> its rows for a delivery; sums of fractions depend on their order in the last digits."""
    choice = {**CHOICES["all"], "delivery": [str(delivery)]}
    queries = {
        query.sql: query for query in QUERIES if query.dashboard in ("delivery", "links", "machines", "overview")
    }
    return {
        sql: [
            tuple(round(value, 9) if isinstance(value, float) else value for value in row)
            for row in run(town, query, choice)[0]
        ]
        for sql, query in queries.items()
    }
