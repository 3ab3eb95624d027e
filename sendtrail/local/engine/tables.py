"""External tables: data a client sends along with a query, kept as temporary tables while it runs."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass

from sendtrail.local.engine.session import Session
from sendtrail.local.engine.statements import parse_insert, quote_name


@dataclass(frozen=True)
class ExternalTable:
    """Name, columns (name, type) and the blocks in the engine's Native form."""

    name: str
    columns: tuple[tuple[str, str], ...]
    data: bytes

    def create(self, session: Session) -> None:
        """Make and fill the temporary table."""
        columns = ", ".join(f"{quote_name(name)} {type_name}" for name, type_name in self.columns)
        session.run(f"CREATE TEMPORARY TABLE {quote_name(self.name)} ({columns}) ENGINE = Memory", "Null", {})
        insert = parse_insert(f"INSERT INTO {quote_name(self.name)} FORMAT Native")
        if insert is not None:
            with closing(session.insert(insert, "Native")) as inserter:
                inserter.append(self.data)
                inserter.finish()

    def drop(self, session: Session) -> None:
        """Remove it again."""
        session.run(f"DROP TEMPORARY TABLE IF EXISTS {quote_name(self.name)}", "Null", {})
