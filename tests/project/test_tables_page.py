"""docs/tables.md and the dbt sources: every ready query gives rows, every table is there, every column exists."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from clickhouse_driver import Client

from sendtrail.enriched import RejectRow
from sinks.stored import ClickHouseLookup
from tests.dashboards.happenings import Happening, Judgement, Numbered, Registered, insert, register, register_urls
from tests.dashboards.happenings import store_indicators as calculate
from tests.support.line import scratch
from tests.support.stack import ClickHouse
from tests.support.tracked import NOW_MS, event, load, record, relabel

pytestmark = pytest.mark.stack

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "tables.md").read_text()
QUERIES = [text.strip() for text in re.findall(r"```sql\n(.*?)```", PAGE, re.DOTALL)]
SOURCES = yaml.safe_load((ROOT / "docs" / "dbt" / "sources.yml").read_text())["sources"]
DELIVERY, RECIPIENT = 42, 4711


@pytest.fixture(scope="module")
def client(clickhouse: ClickHouse) -> Iterator[Client]:
    with scratch(clickhouse) as client:
        register(client, [Registered(DELIVERY, "june", label="June letter", contact_ms=NOW_MS, to_deliver=2)])
        register_urls(client, [(DELIVERY, 7, "https://shop.example/", "Shop", "shop")])
        insert(client, happenings())
        calculate(client)
        _load_a_pack_with_a_reject(client)
        yield client


def happenings() -> list[Happening]:
    """Two messages: one opened, clicked and bought by a person, one opened by what was found to be a machine."""
    numbered, at = Numbered(), NOW_MS
    of_people = {"delivery": DELIVERY, "message": 1, "recipient": RECIPIENT, "client": "Gmail", "person": 5}
    kinds = [("open", {}), ("click", {"url_id": 7, "position": 1, "destination": "https://shop.example/"}),
             ("transaction", {"currency": "EUR", "amount": 995, "articles": 1})]  # fmt: skip
    found = [Happening(kind=kind, time_ms=at, **of_people, **more) for kind, more in kinds]  # type: ignore[arg-type]
    judged = (Judgement(), Judgement("machine", reasons="known_bot"))
    found.append(Happening(DELIVERY, 2, "open", at, judgements=judged, recipient=12, client="Gmail"))
    found.append(Happening(DELIVERY, 3, "open", at, recipient=13, client="Gmail"))
    for message in (1, 2, 3):
        found.append(Happening(DELIVERY, message, "delivered", at, recipient_name=f"r{message}", domain="example.org"))
    return [numbered(one) for one in found]


def _load_a_pack_with_a_reject(client: Client) -> None:
    """As the loader does it; then the pack's open is judged again, which leaves a history."""
    row, lookup = event(delivery=DELIVERY, message=9), ClickHouseLookup(client)
    reject = RejectRow(source_offset=1, source_index=99, key="k", reason="bad_id", time_ms=NOW_MS)
    load(client, [record(1, [row, reject])], lookup, "pack")
    load(client, [record(2, [relabel(row)])], lookup, "again")


@pytest.mark.parametrize("query", QUERIES)
def test_every_ready_query_gives_rows(client: Client, query: str) -> None:
    assert client.execute(query, {"delivery": DELIVERY, "recipient": RECIPIENT})


def test_every_table_and_view_is_on_the_page(client: Client) -> None:
    named = set(re.findall(r"^### (\w+)$", PAGE, re.MULTILINE))
    there = "SELECT name FROM system.tables WHERE database = currentDatabase() AND engine != 'MaterializedView'"
    assert named == {name for (name,) in client.execute(there)}


def test_every_column_of_the_dbt_sources_exists(client: Client) -> None:
    (source,) = SOURCES
    told: dict[str, list[dict[str, Any]]] = {table["name"]: table["columns"] for table in source["tables"]}
    for name, columns in told.items():
        _, found = client.execute(f"SELECT * FROM {name} LIMIT 0", with_column_types=True)
        assert [one["name"] for one in columns] == [column for column, _ in found]
        assert all(one["description"] and one["data_type"] for one in columns)
    views = "SELECT name FROM system.tables WHERE database = currentDatabase() AND match(name, '^v[0-9]*_')"
    assert told.keys() == {name for (name,) in client.execute(views)}
