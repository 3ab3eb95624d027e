"""Every query of every panel and variable, run by the real engine as Grafana would send it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from clickhouse_driver import Client

from dashboards.grafana.parts import CLICKHOUSE
from dashboards.grafana.sql import ALL
from tests.dashboards.grafana.grafana import Values, expanded, interpolated
from tests.dashboards.grafana.town import ACCOUNT, CHANNEL, SHOWN, TEXTS
from tests.dashboards.world import BIG

FOLDER = Path(__file__).resolve().parents[3] / "dashboards/grafana/json"
READ_ONLY = {"readonly": 2, "max_execution_time": 30}

#: Name -> what is chosen. The first is how a dashboard opens.
CHOICES: dict[str, Values] = {
    "default": {"account": ALL, "channel": ALL, "delivery": ALL, "domain": ALL, "cut": "people"},
    "all": {"account": ALL, "channel": ALL, "delivery": ALL, "domain": ALL, "cut": "all"},
    "one": {"account": "=" + ACCOUNT, "channel": "=" + CHANNEL, "delivery": [str(TEXTS)], "domain": ["example.org"],
            "cut": "people"},
    "several": {"account": "=", "channel": "=email", "delivery": ["1", "2", str(BIG)],
                "domain": ["gmail.com", "example.org"], "cut": "all"},
}  # fmt: skip
#: Panels that are rightly empty for one of the choices above.
EMPTY: set[tuple[str, str]] = set()


class Query(NamedTuple):
    """A ClickHouse query of a dashboard."""

    dashboard: str
    title: str
    sql: str
    is_series: bool
    may_be_empty: bool


def _panels(dashboard: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for panel in dashboard["panels"]:
        yield panel
        yield from panel.get("panels") or []


def _queries() -> Iterator[Query]:
    for path in sorted(FOLDER.glob("*.json")):
        for panel in _panels(json.loads(path.read_text())):
            for target in panel.get("targets", []):
                if "rawSql" in target:
                    said = target["meta"]["mayBeEmpty"]
                    yield Query(path.stem, panel["title"], target["rawSql"], target["format"] == 0, said)


def _asked() -> Iterator[Query]:
    for path in sorted(FOLDER.glob("*.json")):
        for variable in json.loads(path.read_text())["templating"]["list"]:
            if variable["type"] == "query":
                assert variable["datasource"]["type"] == CLICKHOUSE
                yield Query(path.stem, variable["name"], variable["query"]["rawSql"], False, False)


QUERIES, VARIABLES = list(_queries()), list(_asked())


def run(client: Client, query: Query, choice: Values) -> tuple[list[Any], list[tuple[str, str]]]:
    """Its rows and columns with types, sent as Grafana sends it: no parameters left, read only."""
    sql = expanded(interpolated(query.sql, choice), SHOWN)
    assert "$" not in sql
    assert not re.search(r"\{\w+:", sql)
    rows, columns = client.execute(sql, with_column_types=True, settings=READ_ONLY)
    return rows, columns


def _each_once(queries: list[Query]) -> list[Query]:
    """Without those that send the same as another: six figures of one query are six panels."""
    return list({(query.sql, query.is_series, query.may_be_empty): query for query in reversed(queries)}.values())


def _name(query: Query) -> str:
    return f"{query.dashboard}-{query.title}"


@pytest.mark.parametrize("choice", CHOICES)
@pytest.mark.parametrize("query", _each_once(QUERIES), ids=_name)
def test_every_panel_shows_something(town: Client, query: Query, choice: str) -> None:
    rows, columns = run(town, query, CHOICES[choice])
    names, types = [name for name, _ in columns], dict(columns)
    assert len(set(names)) == len(names)
    if query.is_series:
        assert types["time"].startswith("DateTime")
        assert [type_ for name, type_ in columns if name != "time" and "String" not in type_], "a series has a value"
        assert rows == sorted(rows, key=lambda row: row[names.index("time")])
    for name in ("key", "delivery_id"):
        assert types.get(name, "String") == "String", "64 bits are more than a browser's number has"
    if (choice, query.title) not in EMPTY:
        assert query.may_be_empty or any(any(value not in (None, 0, "") for value in row) for row in rows)


@pytest.mark.parametrize("choice", CHOICES)
@pytest.mark.parametrize("query", _each_once(VARIABLES), ids=_name)
def test_every_variable_has_values(town: Client, query: Query, choice: str) -> None:
    rows, columns = run(town, query, CHOICES[choice])
    assert rows
    assert len(columns) <= 2
    assert all(isinstance(value, str) and value for row in rows for value in row)


def test_values_of_variables_choose_what_they_name(town: Client) -> None:
    listed = next(query for query in QUERIES if query.title == "Deliveries")
    by_name = {query.title: query for query in VARIABLES}
    for name, expected in (("account", {"=", "=" + ACCOUNT}), ("channel", {"=email", "=" + CHANNEL})):
        values = {row[0] for row in run(town, by_name[name], CHOICES["all"])[0]}
        assert values == expected
    of_account = run(town, listed, {**CHOICES["all"], "account": "=" + ACCOUNT})[0]
    assert [row[0] for row in of_account] == [str(TEXTS)]
    keys = [row[0] for row in run(town, by_name["delivery"], CHOICES["all"])[0]]
    assert str(BIG) in keys
    for key in keys:
        assert [row[0] for row in run(town, listed, {**CHOICES["all"], "delivery": [key]})[0]] == [key]


HOSTILE = [
    "' OR 1=1 --",
    "\\' OR 1=1 --",
    "all') UNION ALL SELECT 1 --",
    "${account}",
    "$__timeFilter(x)",
    "%27%20OR%201",
]


@pytest.mark.parametrize("value", HOSTILE)
@pytest.mark.parametrize("name", ["account", "channel", "cut", "domain", "delivery"])
def test_a_value_from_an_address_stays_a_value(town: Client, name: str, value: str) -> None:
    listed = next(query for query in QUERIES if query.title == "Domains")
    rows, _ = run(town, listed, {**CHOICES["all"], name: value})
    if name in ("account", "channel"):
        assert rows == []
