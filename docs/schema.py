"""What the live schema says of itself, as Markdown and as dbt sources. An engine is started and all migrations applied.

Nothing is told twice: purpose, grain and meaning come from the comments of tables and columns; keys, partitions and
retention from the tables as they are.
"""

import re
import tempfile
from functools import cache
from pathlib import Path
from typing import NamedTuple

import yaml

from sendtrail.clickhouse import connect
from sendtrail.local.engine import Engine
from sendtrail.settings import ClickHouseSettings, RetentionSettings
from sinks.migrate import migrate
from sinks.retention import words

_COLUMNS = """SELECT name, type, comment FROM system.columns
    WHERE database = currentDatabase() AND table = {table:String} ORDER BY position"""
_TABLES = """SELECT name, engine, comment, sorting_key, partition_key FROM system.tables
    WHERE database = currentDatabase()"""
_HEAD = "# Made by `make docs` from the live schema. For the models/ folder of a dbt project on ClickHouse.\n"


class Column(NamedTuple):
    """A column: name, ClickHouse type, meaning."""

    name: str
    type: str
    comment: str


class Table(NamedTuple):
    """A table or view as the engine describes it; key and partition are '' for a view."""

    name: str
    engine: str
    comment: str
    key: str
    partition: str
    retention: str
    columns: list[Column]

    @property
    def public(self) -> bool:
        """True for a view of the public interface."""
        return re.match(r"v\d*_", self.name) is not None

    def told(self, part: str) -> str:
        """A part of the comment: '' what it holds, 'Grain' or 'Read'."""
        parts = re.split(r"\b(Grain|Read): ", self.comment)
        told = dict(zip(["", *parts[1::2]], parts[::2], strict=True))
        return told.get(part, "").strip()


@cache
def tables() -> list[Table]:
    """Every table and view that people read, tables first, each in the order of the migrations."""
    with tempfile.TemporaryDirectory(prefix="sendtrail-docs-") as place, Engine(Path(place)) as engine:
        settings = ClickHouseSettings(address=engine.native, password=engine.password)
        with connect(settings, database="default") as client:
            order = [step.name for step in migrate(client, settings)]
        with connect(settings) as client:
            found = [
                Table(name, kind, comment, key, partition, _retention(name),
                      [Column(*one) for one in client.execute(_COLUMNS, {"table": name})])
                for name, kind, comment, key, partition in client.execute(_TABLES)
                if kind != "MaterializedView"
            ]  # fmt: skip
    return sorted(found, key=lambda table: (table.engine == "View", order.index(_file(order, table.name))))


def _file(order: list[str], table: str) -> str:
    return next(name for name in order if name[5:] == f"{table}.sql")


def _retention(table: str) -> str:
    return words(table, RetentionSettings()) or "for ever"


def overview() -> str:
    """The tables for the architecture page: what they hold and their keys."""
    rows = ["| table | what it holds | ordered by |", "|---|---|---|"]
    stored = [one for one in tables() if one.engine != "View"]
    return "\n".join(rows + [f"| `{one.name}` | {_subject(one)} | `{one.key}` |" for one in stored])


def _subject(table: Table) -> str:
    return re.split(r"\. |: ", table.told(""))[0].rstrip(".")


def views() -> str:
    """The public views, column by column."""
    return "\n\n".join(_section(one) for one in tables() if one.public)


def reference() -> str:
    """Tables and internal views, column by column."""
    return "\n\n".join(_section(one) for one in tables() if not one.public)


def _section(table: Table) -> str:
    facts = [f"Grain: {table.told('Grain')}"]
    if table.told("Read"):
        facts.append(f"Read it with: {table.told('Read')}")
    if table.engine != "View":
        partition = f" Partitions: `{table.partition}`." if table.partition else ""
        facts.append(f"Key: `{table.key}`.{partition} Kept {table.retention}. Engine: {table.engine}.")
    rows = [f"| `{one.name}` | `{_short(one.type)}` | {_cell(one.comment)} |" for one in table.columns]
    head = ["| column | type | what it is |", "|---|---|---|"]
    return "\n".join([f"### {table.name}", "", f"{table.told('')}", "", *_lines(facts), "", *head, *rows])


def _lines(facts: list[str]) -> list[str]:
    return [f"- {_cell(fact)}" for fact in facts]


def _short(type_: str) -> str:
    """A type without what a reader of a table does not need: the values of enums, how parts are merged."""
    type_ = re.sub(r"Enum8\([^)]*\)", "Enum8", type_)
    return re.sub(r"SimpleAggregateFunction\(\w+, (.*)\)$", r"\1", type_)


def _cell(text: str) -> str:
    return text.replace("|", "/")


def dbt_sources() -> str:
    """The public views as a dbt sources file."""
    found = [
        {
            "name": one.name,
            "description": one.comment,
            "columns": [
                {"name": each.name, "data_type": each.type, "description": each.comment} for each in one.columns
            ],
        }
        for one in tables()
        if one.public
    ]
    source = {
        "name": "sendtrail",
        "description": "Message tracking: the public views of Sendtrail, version 1. See docs/tables.md.",
        "schema": "{{ var('sendtrail_database', 'sendtrail') }}",
        "tables": found,
    }
    return _HEAD + yaml.safe_dump({"version": 2, "sources": [source]}, sort_keys=False, width=120, allow_unicode=True)
