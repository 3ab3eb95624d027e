"""Runs the embedded engine on an older chDB: `python tests/engines/serve.py …`, chDB found on PYTHONPATH.

Older ones can't say of what kind a statement is, nor how many rows it wrote: a look at its words serves for the
statements of these tests, and nobody here asks for the number.
"""

import typer

from sendtrail.local.engine.__main__ import main
from sendtrail.local.engine.session import Session
from sendtrail.local.engine.statements import first_word

_READING = frozenset({"SELECT", "WITH", "SHOW", "DESCRIBE", "DESC", "EXISTS", "EXPLAIN"})


class OlderSession(Session):
    """A session that asks its connection for nothing that came later."""

    def read_only(self, text: str) -> bool:
        """By the first word."""
        return first_word(text) in _READING

    def _write(self, text: str) -> int:
        self._query(text, "Null")
        return 0


if __name__ == "__main__":
    for name in ("read_only", "_write"):  # on the class itself, which also makes its twins
        setattr(Session, name, getattr(OlderSession, name))
    typer.run(main)
