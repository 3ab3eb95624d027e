"""Runs a statement for the HTTP front: result in the wanted format, in pieces where the format allows it."""

from __future__ import annotations

import json
from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass

from sendtrail.local.engine.request import HttpQuery, Statement
from sendtrail.local.engine.results import streamed
from sendtrail.local.engine.session import Session
from sendtrail.local.engine.statements import Insert, first_word, without_format

# Formats whose pieces can follow each other.
_STREAMED = frozenset(
    {
        "TabSeparated", "TSV", "TabSeparatedRaw", "TSVRaw", "CSV", "JSONEachRow", "JSONCompactEachRow",
        "JSONStringsEachRow", "JSONCompactStringsEachRow", "NDJSON", "JSONLines", "RowBinary", "Native",
        "RawBLOB", "LineAsString", "TSKV",
    }
)  # fmt: skip
# Formats of large results that are whole only at their end: they are written to a file first, and memory stays bounded.
# A result in any other format is made as a whole.
_SPOOLED = frozenset({"Parquet", "Arrow", "ORC", "CSVWithNames", "TabSeparatedWithNames", "TSVWithNames"})
_PIECE_BYTES = 1 << 20
_CONTENT_TYPES = {
    "JSON": "application/json; charset=UTF-8",
    "JSONCompact": "application/json; charset=UTF-8",
    "JSONStrings": "application/json; charset=UTF-8",
    "JSONEachRow": "application/x-ndjson; charset=UTF-8",
    "CSV": "text/csv; charset=UTF-8; header=absent",
    "CSVWithNames": "text/csv; charset=UTF-8; header=present",
    "TabSeparated": "text/tab-separated-values; charset=UTF-8",
    "TSV": "text/tab-separated-values; charset=UTF-8",
    "TabSeparatedWithNames": "text/tab-separated-values; charset=UTF-8",
    "TabSeparatedWithNamesAndTypes": "text/tab-separated-values; charset=UTF-8",
    "Native": "application/octet-stream",
    "RowBinary": "application/octet-stream",
    "Parquet": "application/octet-stream",
}


@dataclass(frozen=True)
class Outcome:
    """Pieces of the answer, the first of which is there already, and headers that describe it."""

    pieces: Generator[bytes, None, None]
    headers: dict[str, str]


def run_statement(session: Session, query: HttpQuery, statement: Statement) -> Outcome:
    """Run up to the first piece of the result, so that an error there still gets a status of its own."""
    if query.database:
        session.use(query.database)
    session.apply(query.settings, frozenset(query.settings))
    if not query.changes_allowed:
        session.forbid_changes()
    if statement.insert is not None:
        with session.slot():
            return _summary(_insert(session, statement.insert, statement))
    plain, named_format = without_format(statement.text)
    output_format = named_format or query.default_format
    headers = {
        "X-ClickHouse-Format": output_format,
        "Content-Type": _CONTENT_TYPES.get(output_format, "text/plain; charset=UTF-8"),
    }
    if session.read_only(statement.text) and output_format in _STREAMED:
        pieces = _streamed(session, plain, output_format, query)
    elif output_format in _SPOOLED and session.read_only(statement.text) and first_word(plain) in ("SELECT", "WITH"):
        pieces = _spooled(session, plain.rstrip("; \n\t\r"), output_format, query)
    else:
        pieces = _whole(session, statement.text, output_format, query)
    first = next(pieces, b"")
    return Outcome(_behind(first, pieces), headers)


def _insert(session: Session, insert: Insert, statement: Statement) -> int:
    with closing(session.insert(insert, statement.data_format)) as inserter:
        if statement.data:
            inserter.append(statement.data)
        return inserter.finish()


def _summary(written_rows: int) -> Outcome:
    summary = json.dumps({"read_rows": "0", "written_rows": str(written_rows)})
    return Outcome(_nothing(), {"X-ClickHouse-Summary": summary})


def _nothing() -> Generator[bytes, None, None]:
    yield b""


def _streamed(session: Session, text: str, output_format: str, query: HttpQuery) -> Generator[bytes, None, None]:
    with session.slot():
        yield from streamed(session, text, output_format, query.params)


def _spooled(session: Session, text: str, output_format: str, query: HttpQuery) -> Generator[bytes, None, None]:
    with session.slot():
        path = session.spooled(text, output_format, query.params)
    with path.open("rb") as file:
        path.unlink()
        while piece := file.read(_PIECE_BYTES):
            yield piece


def _whole(session: Session, text: str, output_format: str, query: HttpQuery) -> Generator[bytes, None, None]:
    with session.slot():
        yield session.run(text, output_format, query.params)


def _behind(first: bytes, rest: Generator[bytes, None, None]) -> Generator[bytes, None, None]:
    try:
        yield first
        yield from rest
    finally:
        rest.close()
