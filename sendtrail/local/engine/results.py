"""Results and insert headers: what a statement gives, which columns an INSERT takes."""

from __future__ import annotations

import json
from collections.abc import Generator, Mapping
from contextlib import closing

from sendtrail.local.engine.blocks import Columns
from sendtrail.local.engine.columns import column
from sendtrail.local.engine.errors import NO_SUCH_COLUMN, EngineError, engine_error
from sendtrail.local.engine.session import Session
from sendtrail.local.engine.statements import Insert, first_word, without_format

_NOT_STREAMED = "Streaming query is not supported"
_NOT_INSERTED = frozenset({"MATERIALIZED", "ALIAS"})
_BARE = "DateTime"
_HEADER_FORMAT = "JSONCompactEachRowWithNamesAndTypes"


def result_pieces(session: Session, text: str, params: Mapping[str, str]) -> Generator[bytes, None, None]:
    """Run a statement; its output in Native form, piece by piece. Closing early cancels the rest."""
    if session.read_only(text):
        yield from streamed(session, without_format(text)[0], "Native", params)
    elif output := session.run(text, "Native", params):
        yield output


def streamed(
    session: Session, text: str, output_format: str, params: Mapping[str, str]
) -> Generator[bytes, None, None]:
    """Run a statement that only reads and has no FORMAT clause, piece by piece where the engine can."""
    try:
        stream = session.stream(text, output_format, params)
    except EngineError as error:
        if _NOT_STREAMED not in error.message:
            raise
        if output := session.run(text, output_format, params):
            yield output
        return
    finished = False
    try:
        yield from stream
        finished = True
    finally:
        if not finished:
            stream.close()


def result_columns(session: Session, text: str, params: Mapping[str, str]) -> Columns:
    """Names and types of a statement whose result is empty; () if it has no result."""
    if not session.read_only(text):
        return ()
    plain = without_format(text)[0].rstrip("; \n\t\r")
    if first_word(plain) in ("SELECT", "WITH"):
        try:
            return tuple((row[0], row[1]) for row in session.describe(f"({plain}\n)", params))
        except EngineError:
            # Not every statement that reads can stand in a subquery; asking for the header always works.
            pass
    lines = session.run(plain, _HEADER_FORMAT, params).splitlines()
    if len(lines) < 2:
        return ()
    return tuple(zip(json.loads(lines[0]), json.loads(lines[1]), strict=True))


def exact_columns(session: Session, columns: Columns, text: str, params: Mapping[str, str]) -> Columns:
    """`columns` of a running result with the time zones that the engine's output leaves out of DateTime."""
    if all(type_name != _BARE for _, type_name in columns):
        return columns
    with closing(session.twin()) as twin:
        try:
            exact = result_columns(twin, text, params)
        except EngineError:
            # It reads what only its own session has, e.g. a temporary table.
            return columns
    if [name for name, _ in exact] != [name for name, _ in columns]:
        return columns
    return tuple(
        (name, better if type_name == _BARE else type_name)
        for (name, type_name), (_, better) in zip(columns, exact, strict=True)
    )


def insert_columns(session: Session, insert: Insert) -> Columns:
    """Names and types an INSERT takes, in its order. EngineError for an unknown table (60) or column (16)."""
    rows = session.describe(insert.target, {})
    types = {row[0]: row[1] for row in rows if row[2] not in _NOT_INSERTED}
    if insert.columns is None:
        ephemeral = {row[0] for row in rows if row[2] == "EPHEMERAL"}
        names = tuple(name for name in types if name not in ephemeral and name not in insert.excluded)
    else:
        names = insert.columns
    for name in names:
        if name not in types:
            text = f"No such column {name} in table {insert.target}"
            raise engine_error(NO_SUCH_COLUMN, text, "NO_SUCH_COLUMN_IN_TABLE")
    for name in names:
        # Refuse what can't be carried before the client sends it.
        column(types[name])
    return tuple((name, types[name]) for name in names)
