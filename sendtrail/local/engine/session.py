"""One client's session on the embedded engine: database, settings, queries and inserts."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sendtrail.local.engine.errors import (
    INTO_OUTFILE_NOT_ALLOWED,
    SYNTAX_ERROR,
    UNKNOWN_SETTING,
    engine_error,
    from_engine,
)
from sendtrail.local.engine.statements import (
    Insert,
    first_word,
    quote_name,
    quote_string,
    writes_file,
)

if TYPE_CHECKING:
    from chdb.state.sqlitelike import Connection, StreamingInserter, StreamingResult

# The setting by which Core finds a session's running query; a client's own value is left out.
MARKER_SETTING = "log_comment"


@dataclass(frozen=True)
class Limits:
    """What a session needs of its engine: known settings, places for queries, cancelling by marker."""

    setting_names: frozenset[str]
    slot: Callable[[], AbstractContextManager[None]]
    cancel: Callable[[str], None]


class Stream:
    """The result of a running query, piece by piece; each piece is complete output of the format."""

    def __init__(self, result: StreamingResult) -> None:
        self._result = result

    def __iter__(self) -> Iterator[bytes]:
        while True:
            try:
                piece = self._result.fetch()
            except RuntimeError as error:
                raise from_engine(error) from error
            if piece is None:
                return
            yield bytes(piece.bytes())

    def close(self) -> None:
        """Cancel what is left."""
        try:
            self._result.cancel()
        except RuntimeError as error:
            raise from_engine(error) from error


class Inserter:
    """A running insert; nothing is stored before `finish`."""

    def __init__(self, inserter: StreamingInserter) -> None:
        self._inserter = inserter

    def append(self, data: bytes) -> None:
        """Add data in the insert's format. EngineError if the engine refuses it."""
        try:
            self._inserter.append(data)
        except RuntimeError as error:
            raise from_engine(error) from error

    def finish(self) -> int:
        """Store everything; returns the rows written, views included. EngineError if it fails."""
        try:
            return int(self._inserter.finish().rows_written)
        except RuntimeError as error:
            raise from_engine(error) from error

    def cancel(self) -> None:
        """Store nothing."""
        self._inserter.cancel()


class Session:
    """A connection to the engine; one statement at a time, `cancel` from any thread."""

    def __init__(self, connection: Connection, limits: Limits) -> None:
        self._limits = limits
        self._connection = connection
        self._marker = uuid.uuid4().hex
        self._applied: dict[str, str] = {}
        self._own_sets: list[str] = []
        self._set({MARKER_SETTING: self._marker})

    def use(self, database: str) -> None:
        """Choose the database. EngineError (81) if there is none of that name."""
        self._query(f"USE {quote_name(database)}", "Null")

    def apply(self, settings: Mapping[str, str], important: frozenset[str] = frozenset()) -> None:
        """Make `settings` the ones of the next statement, and of no later one.

        Unknown names are left out unless `important` names them. What the client itself SET stays.
        """
        known = self._limits.setting_names
        wanted = {
            name: value
            for name, value in settings.items()
            if name != MARKER_SETTING and (name in known or name in important)
        }
        stale = [name for name in self._applied if name not in wanted]
        if stale:
            self._query("SET " + ", ".join(f"{name} = DEFAULT" for name in stale), "Null")
            for statement in self._own_sets:
                self._query(statement, "Null")
        changed = {name: value for name, value in wanted.items() if self._applied.get(name) != value}
        self._applied = {name: value for name, value in self._applied.items() if name in wanted}
        self._set(changed)
        self._applied |= changed

    def forbid_changes(self) -> None:
        """Let the rest of the session only read; settings of a query may still change (readonly = 2)."""
        self._query("SET readonly = 2", "Null")

    def _set(self, settings: Mapping[str, str]) -> None:
        if not settings:
            return
        for name in settings:
            if not name.isidentifier():
                raise engine_error(UNKNOWN_SETTING, f"Unknown setting '{name}'", "UNKNOWN_SETTING")
        pairs = (f"{name} = {quote_string(value)}" for name, value in settings.items())
        self._query("SET " + ", ".join(pairs), "Null")

    def read_only(self, text: str) -> bool:
        """True if `text` only reads, so that its result can be streamed. EngineError for several statements."""
        try:
            facts = self._connection._conn.classify_query(text)
        except RuntimeError as error:
            raise from_engine(error) from error
        if facts["statement_count"] > 1:
            raise engine_error(SYNTAX_ERROR, "Multi-statements are not allowed", "SYNTAX_ERROR")
        return bool(facts["query_class"].name == "READ_ONLY")

    def run(self, text: str, output_format: str, params: Mapping[str, str]) -> bytes:
        """Run a statement as a whole; returns its output."""
        if writes_file(text):
            raise engine_error(INTO_OUTFILE_NOT_ALLOWED, "INTO OUTFILE is not allowed", "INTO_OUTFILE_NOT_ALLOWED")
        output = self._query(text, output_format, params)
        if first_word(text) == "SET":
            self._own_sets.append(text)
            # A later statement's setting of the same name has to be sent again.
            self._applied = {name: value for name, value in self._applied.items() if name not in text}
        return output

    def stream(self, text: str, output_format: str, params: Mapping[str, str]) -> Stream:
        """Start a read-only query; the result comes in pieces."""
        try:
            return Stream(self._connection.send_query(text, output_format, params=dict(params)))
        except (RuntimeError, TypeError) as error:
            raise from_engine(error) from error

    def insert(self, insert: Insert, input_format: str) -> Inserter:
        """Start an insert whose data is appended in `input_format`."""
        try:
            return Inserter(self._connection.send_insert(insert.head, input_format))
        except RuntimeError as error:
            raise from_engine(error) from error

    def describe(self, text: str, params: Mapping[str, str]) -> list[list[str]]:
        """Rows of DESCRIBE TABLE `text`: name, type, default kind, ..."""
        settings = "SETTINGS print_pretty_type_names = 0, describe_compact_output = 0"
        output = self._query(f"DESCRIBE TABLE {text} {settings}", "JSONCompactEachRow", params)
        return [json.loads(line) for line in output.splitlines()]

    def cancel(self) -> None:
        """Cancel the statement that runs now, if any."""
        self._limits.cancel(self._marker)

    def slot(self) -> AbstractContextManager[None]:
        """A place for a running query. EngineError (202) if none gets free in time."""
        return self._limits.slot()

    def _query(self, text: str, output_format: str, params: Mapping[str, str] | None = None) -> bytes:
        try:
            return bytes(self._connection.query(text, output_format, params=dict(params or {})).bytes())
        except RuntimeError as error:
            raise from_engine(error) from error

    def close(self) -> None:
        """End the session."""
        self._connection.close()
