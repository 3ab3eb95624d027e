"""Comments of tables, views and columns: read from the migrations, brought up to date in the database.

A comment stands once, as `COMMENT '…'` in the file that creates the table or adds the column. It is no part of a
migration's checksum, so it may be reworded at any time, and the next `sendtrail migrate` brings every database up to
the new words. A view names in its head the tables whose words its columns share: `-- Columns as in: events,
delivery_urls.` on one line; a column may have its own words, in its declaration or behind `AS name,  -- …`.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

_CREATED = re.compile(r"\{database\}\.(\w+)")
_PART = re.compile(
    r"^ {4}(?P<column>\w+) |^COMMENT '(?P<table>(?:[^']|'')*)'| COMMENT '(?P<said>(?:[^']|'')*)'", re.MULTILINE
)
_SHARED = re.compile(r"^-- Columns as in: ([\w, ]+)\.", re.MULTILINE)
_BEHIND = re.compile(r" AS (\w+),?\s+-- (.+)$", re.MULTILINE)
_TEXT = re.compile(r"\s*COMMENT '(?:[^']|'')*'|--[^\n]*")


class Words(NamedTuple):
    """What a table's comment says, what its columns' say by name, and the tables whose words its columns share."""

    table: str
    columns: Mapping[str, str]
    shared: Sequence[str]


def without_comments(text: str) -> str:
    """A statement without its comments, spaces evened out: what makes a migration that migration."""
    return " ".join(_TEXT.sub("", text).split())


def words(texts: Sequence[str]) -> dict[str, Words]:
    """Table -> its words, from the texts of migrations; tables without any are left out."""
    found: dict[str, Words] = {}
    for text in texts:
        created = _CREATED.search(text)
        if created is not None and "COMMENT '" in text:
            found[created[1]] = _joined(found.get(created[1]), _words(text))
    return found


def _joined(before: Words | None, added: Words) -> Words:
    """A table's words so far, and those of a later migration that adds a column or makes a view anew."""
    if before is None:
        return added
    return Words(
        added.table or before.table, {**before.columns, **added.columns}, list(added.shared or before.shared)
    )  # fmt: skip


def _words(text: str) -> Words:
    table, column = "", ""
    columns = {match[1]: match[2].strip() for match in _BEHIND.finditer(text)}
    for match in _PART.finditer(text):
        if match["column"]:
            column = match["column"]
        elif match["table"]:
            table = match["table"].replace("''", "'")
        else:
            columns[column] = match["said"].replace("''", "'")
    shared = _SHARED.search(text)
    return Words(table, columns, [name.strip() for name in shared[1].split(",")] if shared else [])


def statements(client: Any, database: str, on_cluster: str, told: Mapping[str, Words]) -> Iterator[tuple[str, str]]:
    """Table and ALTER statement for every table of the database whose comments are not those of the migrations."""
    have = dict(client.execute("SELECT name, comment FROM system.tables WHERE database = {d:String}", {"d": database}))
    columns: dict[str, dict[str, str]] = {name: {} for name in have}
    for table, name, comment in client.execute(
        "SELECT table, name, comment FROM system.columns WHERE database = {d:String}", {"d": database}
    ):
        columns[table][name] = comment
    for table in told.keys() & have.keys():
        changes = list(_changes(table, told, have[table], columns[table]))
        if changes:
            yield table, f"ALTER TABLE {database}.{table}{on_cluster} " + ", ".join(changes)


def _changes(table: str, told: Mapping[str, Words], comment: str, columns: Mapping[str, str]) -> Iterator[str]:
    if comment != told[table].table:
        yield f"MODIFY COMMENT {_quoted(told[table].table)}"
    for name, current in columns.items():
        wanted = column_words(told, table, name)
        if wanted and wanted != current:
            yield f"COMMENT COLUMN {name} {_quoted(wanted)}"


def column_words(told: Mapping[str, Words], table: str, name: str) -> str:
    """A column's own words, else those of the first table whose words it shares; '' where nobody says any."""
    own = told[table].columns.get(name, "")
    if own:
        return own
    return next((said for other in told[table].shared if (said := column_words(told, other, name))), "")


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
