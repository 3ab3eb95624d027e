"""Everything stored about a recipient, table by table, with what each column means: as JSON, or as CSV in a zip.

What is deleted but not purged yet is in it: it is stored. Sums over many people (clicks of a link, opens by hour) are
about nobody and are not in it.
"""

import csv
import io
import json
import zipfile
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from string import Template
from typing import Any, NamedTuple
from uuid import UUID

from clickhouse_driver import Client

from sendtrail.removal.queries import query, run

_OWN = "(delivery_id, message_id) IN own"
_KEY = "recipient_key = {recipient:UInt64}"
_DELIVERY = "delivery_id IN (SELECT delivery_id FROM own)"
#: Table -> which of its rows are about the recipient.
_ABOUT = {
    "deliveries": _DELIVERY,
    "message_state": f"{_DELIVERY} AND ({_KEY} OR {_OWN})",
    "message_activity": f"{_DELIVERY} AND ({_KEY} OR {_OWN})",
    "events": f"{_DELIVERY} AND ({_KEY} OR {_OWN})",
    "recipient_activity": _KEY,
    "person_activity": f"{_DELIVERY} AND (delivery_id, person) IN "
                       f"(SELECT delivery_id, person FROM events WHERE {_DELIVERY} AND ({_KEY} OR {_OWN}))",
    "consents": _KEY,
    "rejects": "match(original, {pattern:String}) OR "
               "(lengthUTF8({name:String}) >= 6 AND position(original, {name:String}) > 0)",
    "erasures": _KEY,
}  # fmt: skip
_PLAIN = frozenset({"rejects"})  # tables without FINAL
_LARGE = 1 << 53  # many JSON readers lose digits of larger numbers


class Stored(NamedTuple):
    """One table: what it holds, its columns with type and meaning, and the rows about the recipient."""

    table: str
    about: str
    columns: tuple[tuple[str, str, str], ...]
    rows: list[tuple[Any, ...]]

    @property
    def names(self) -> list[str]:
        """Of the columns."""
        return [column for column, _, _ in self.columns]


def stored(client: Client, recipient: int, name: str = "") -> Iterator[Stored]:
    """What is stored about a recipient, table by table. Lets the driver's errors through."""
    columns: dict[str, list[tuple[str, str, str]]] = {}
    about: dict[str, str] = {}
    for table, column, kind, meaning, holds in run(client, "columns"):
        columns.setdefault(table, []).append((column, kind, meaning))
        about[table] = holds
    asked = {"recipient": recipient, "name": name, "pattern": rf'"r"\s*:\s*{recipient}\s*[,}}]'}
    for table, condition in _ABOUT.items():
        text = Template(query("personal")).substitute(
            columns=", ".join(_selected(one, kind) for one, kind, _ in columns[table]), table=table, condition=condition
        )
        text = text.replace(" FINAL WHERE", " WHERE") if table in _PLAIN else text
        yield Stored(table, about[table], tuple(columns[table]), client.execute(text, asked))


def _selected(column: str, kind: str) -> str:
    """Bytes and numbers of 128 bits as people and other programs write them."""
    if kind.startswith("FixedString"):
        return f"lower(hex({column}))"
    return f"leftPad(lower(hex({column})), 32, '0')" if kind == "UInt128" else column


def as_json(recipient: int, name: str, tables: Sequence[Stored], asked: datetime) -> bytes:
    """One JSON object: tables by name with their columns' meaning and their rows."""
    told = {
        one.table: {
            "about": one.about,
            "columns": {column: {"type": kind, "meaning": meaning} for column, kind, meaning in one.columns},
            "rows": [dict(zip(one.names, map(_plain, row), strict=True)) for row in one.rows],
        }
        for one in tables
    }  # fmt: skip
    head = {"recipient": name, "recipient_key": str(recipient), "asked": asked.isoformat(timespec="seconds")}
    return json.dumps(head | {"tables": told}, ensure_ascii=False, indent=1).encode()


def as_zip(recipient: int, name: str, tables: Sequence[Stored], asked: datetime) -> bytes:
    """A zip: a CSV file for every table that has rows, columns.csv with what each column means, and about.txt."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("about.txt", _about(recipient, name, tables, asked))
        rows = [(one.table, *column) for one in tables for column in one.columns]
        made.writestr("columns.csv", _csv(["table", "column", "type", "meaning"], rows))
        for one in tables:
            if one.rows:
                made.writestr(f"{one.table}.csv", _csv(one.names, one.rows))
    return packed.getvalue()


def now() -> datetime:
    """The time of an export."""
    return datetime.now(UTC)


def _about(recipient: int, name: str, tables: Sequence[Stored], asked: datetime) -> str:
    counts = "\n".join(f"{one.table}: {len(one.rows)} rows. {one.about}" for one in tables)
    return (
        f"Everything stored about the recipient {name!r} (key {recipient}) on {asked:%Y-%m-%d %H:%M:%S} UTC.\n"
        f"columns.csv says what each column means.\n\n{counts}\n"
    )


def _csv(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(head)
    for row in rows:
        values = (_plain(value) for value in row)
        writer.writerow(
            [json.dumps(one, ensure_ascii=False) if isinstance(one, list | dict) else one for one in values]
        )
    return text.getvalue()


def _plain(value: Any) -> Any:
    """A value as JSON has it."""
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    if isinstance(value, int) and abs(value) > _LARGE:
        return str(value)
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, dict):
        return {str(key): _plain(one) for key, one in value.items()}
    return value
