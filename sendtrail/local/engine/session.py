"""One client's session on the embedded engine: database, settings, queries and inserts."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sendtrail.local.engine.errors import (
    INTO_OUTFILE_NOT_ALLOWED,
    SYNTAX_ERROR,
    UNKNOWN_SETTING,
    EngineError,
    engine_error,
    from_engine,
)
from sendtrail.local.engine.inserter import Inserter
from sendtrail.local.engine.statements import (
    Insert,
    first_word,
    quote_name,
    quote_string,
    writes_file,
)

# The setting by which Core finds a session's running query; a client's own value is left out.
MARKER_SETTING = "log_comment"


@dataclass(frozen=True)
class Limits:
    """What a session needs of its engine: connections, known settings, places for queries and for large results,
    cancelling by marker."""

    connect: Callable[[], Any]
    setting_names: frozenset[str]
    slot: Callable[[], AbstractContextManager[None]]
    cancel: Callable[[str], None]
    spool: Path


class Stream:
    """The result of a running query, piece by piece; each piece is complete output of the format.

    `result` is chDB's StreamingResult.
    """

    def __init__(self, result: Any) -> None:
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


class Session:
    """A connection to the engine (chDB's Connection); one statement at a time, `cancel` from any thread."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._connection = limits.connect()
        self._marker = uuid.uuid4().hex
        self._database = ""
        # Settings of the last statement still in force; None = one whose value is not certain.
        self._applied: dict[str, str | None] = {}
        # The client's own SET statements, oldest first.
        self._own_sets: dict[str, None] = {}
        self._set({MARKER_SETTING: self._marker})

    def twin(self) -> Session:
        """A second session with the same database and settings, for a question while this one is busy."""
        twin = Session(self._limits)
        if self._database:
            twin.use(self._database)
        for statement in self._own_sets:
            twin._query(statement, "Null")
        twin._set({name: value for name, value in self._applied.items() if value is not None})
        return twin

    def use(self, database: str) -> None:
        """Choose the database. EngineError (81) if there is none of that name."""
        self._query(f"USE {quote_name(database)}", "Null")
        self._database = database

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
        if "readonly" in self._applied and self._applied["readonly"] != wanted.get("readonly"):
            self._renew()
        stale = [name for name in self._applied if name not in wanted]
        if stale:
            self._reset(stale)
        changed = {name: value for name, value in wanted.items() if self._applied.get(name) != value}
        self._applied = {name: self._applied.get(name) for name in wanted}
        self._applied |= dict.fromkeys(changed)
        self._set(changed)
        self._applied |= changed

    def _renew(self) -> None:
        """A connection as the client left it: `readonly` can't be taken back on the old one."""
        self._connection.close()
        self._connection = self._limits.connect()
        self._applied = {}
        self._set({MARKER_SETTING: self._marker})
        if self._database:
            self.use(self._database)
        for statement in self._own_sets:
            self._query(statement, "Null")

    def _reset(self, names: list[str]) -> None:
        """Back to the values the client's own SET statements left."""
        try:
            self._query("SET " + ", ".join(f"{name} = DEFAULT" for name in names), "Null")
            for statement in self._own_sets:
                self._query(statement, "Null")
        except EngineError:
            # Some settings, once set, forbid or break the statement that would take them back.
            self._renew()

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
        facts = self._connection._conn.classify_query(text)
        if facts["statement_count"] > 1:
            raise engine_error(SYNTAX_ERROR, "Multi-statements are not allowed", "SYNTAX_ERROR")
        return bool(facts["query_class"].name == "READ_ONLY")

    def run(self, text: str, output_format: str, params: Mapping[str, str]) -> bytes:
        """Run a statement as a whole; returns its output."""
        if writes_file(text):
            raise engine_error(INTO_OUTFILE_NOT_ALLOWED, "INTO OUTFILE is not allowed", "INTO_OUTFILE_NOT_ALLOWED")
        word = first_word(text)
        if word == "SET":
            # What the client sets must win over the last statement's settings, and survive their removal.
            self.apply({})
        output = self._query(text, output_format, params)
        if word == "SET":
            self._own_sets.pop(text, None)
            self._own_sets[text] = None
        elif word == "USE":
            self._database = self._query("SELECT currentDatabase()", "TabSeparatedRaw").decode().rstrip("\n")
        return output

    def stream(self, text: str, output_format: str, params: Mapping[str, str]) -> Stream:
        """Start a read-only query; the result comes in pieces."""
        try:
            return Stream(self._connection.send_query(text, output_format, params=dict(params)))
        except (RuntimeError, TypeError) as error:
            raise from_engine(error) from error

    def spooled(self, text: str, output_format: str, params: Mapping[str, str]) -> Path:
        """Run a read-only query without FORMAT clause; its output is a new file, which the caller removes."""
        if writes_file(text):
            raise engine_error(INTO_OUTFILE_NOT_ALLOWED, "INTO OUTFILE is not allowed", "INTO_OUTFILE_NOT_ALLOWED")
        path = self._limits.spool / uuid.uuid4().hex
        try:
            self._query(f"{text}\nINTO OUTFILE {quote_string(str(path))} FORMAT {output_format}", "Null", params)
        except EngineError:
            path.unlink(missing_ok=True)
            raise
        return path

    def insert(self, insert: Insert, input_format: str) -> Inserter:
        """An insert to which data in `input_format` is appended."""
        return Inserter(insert, input_format, self._write)

    def _write(self, text: str) -> int:
        try:
            return int(self._connection.query(text, "Null").rows_written())
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
