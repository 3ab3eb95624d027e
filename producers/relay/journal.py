"""What is being passed on, on disk: so that a mail is not sent twice unnoticed, and none is counted twice.

A mail is here from before the next hop sees it until its sender has the answer. A row that stays is a mail whose sender
does not know: the relay was killed, or the sender was gone when the answer came.
"""

import sqlite3
import threading
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

from sendtrail.deliveries import DeliveryUrl

#: How long a mail is remembered whose sender never came back: mail queues give up after five days.
REMEMBER_MS = 5 * 86_400_000

_TABLE = """
CREATE TABLE IF NOT EXISTS mails (
    identity BLOB PRIMARY KEY,   -- of the mail: envelope and content as they came
    time_ms  INTEGER NOT NULL,   -- when it was first seen: the time of its event, whatever the retry
    state    TEXT NOT NULL,      -- sending: the next hop's answer is not known; accepted
    answer   INTEGER NOT NULL DEFAULT 0,
    text     TEXT NOT NULL DEFAULT '',
    event    BLOB NOT NULL,      -- the `sent` event; empty for mail that is not tracked
    counted  INTEGER NOT NULL DEFAULT 0,  -- the event is in the spool
    answered INTEGER NOT NULL DEFAULT 0   -- the sender has the answer
) WITHOUT ROWID
"""
_URLS = "CREATE TABLE IF NOT EXISTS urls (delivery TEXT, url_id INTEGER, PRIMARY KEY (delivery, url_id)) WITHOUT ROWID"

#: URLs registered at most: links that are of one message each would else fill the registry.
_URLS_KNOWN = 200_000


class Row(NamedTuple):
    """A mail that was seen before and whose sender comes again."""

    time_ms: int
    state: Literal["sending", "accepted"]
    answer: int
    text: str


class Journal:
    """The journal's file. Every call is on the disk when it returns; raises sqlite3.Error where it can't be."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._lock = threading.Lock()
        self._database = sqlite3.connect(directory / "journal.sqlite", check_same_thread=False, isolation_level=None)
        self._database.execute("PRAGMA journal_mode=WAL")
        self._database.execute("PRAGMA synchronous=FULL")
        self._database.execute(_TABLE)
        self._database.execute(_URLS)
        self._registered: set[tuple[str, int]] = set(self._database.execute("SELECT delivery, url_id FROM urls"))

    def find(self, identity: bytes) -> Row | None:
        """The mail, where its sender has no answer yet."""
        with self._lock:
            row = self._database.execute(
                "SELECT time_ms, state, answer, text FROM mails WHERE identity = ? AND NOT answered", (identity,)
            ).fetchone()
        return None if row is None else Row(*row)

    def begin(self, identity: bytes, time_ms: int, event: bytes) -> None:
        """The mail goes to the next hop now, for the first time or again."""
        self._write(
            "INSERT OR REPLACE INTO mails (identity, time_ms, state, event) VALUES (?, ?, 'sending', ?)",
            (identity, time_ms, event),
        )

    def accepted(self, identity: bytes, answer: int, text: str) -> None:
        """The next hop has it."""
        self._write(
            "UPDATE mails SET state = 'accepted', answer = ?, text = ? WHERE identity = ?", (answer, text, identity)
        )

    def counted(self, identity: bytes) -> None:
        """Its event is in the spool."""
        self._write("UPDATE mails SET counted = 1 WHERE identity = ?", (identity,))
        self._forget("identity = ? AND counted AND answered", (identity,))

    def answered(self, identity: bytes) -> None:
        """Its sender knows that it was accepted: it is forgotten, unless its event still waits for the spool."""
        self._forget("identity = ? AND counted", (identity,))
        self._write("UPDATE mails SET answered = 1 WHERE identity = ?", (identity,))

    def not_accepted(self, identity: bytes) -> None:
        """The next hop has refused it or put it off."""
        self._forget("identity = ?", (identity,))

    def uncounted(self) -> list[tuple[bytes, bytes]]:
        """Identity and event of what the next hop has and the spool has not."""
        with self._lock:
            return self._database.execute(
                "SELECT identity, event FROM mails WHERE state = 'accepted' AND NOT counted"
            ).fetchall()

    def expire(self, now_ms: int) -> None:
        """Forget mails whose senders will not come again."""
        self._forget("time_ms < ? AND (counted OR state = 'sending')", (now_ms - REMEMBER_MS,))

    def unregistered(self, urls: Iterable[DeliveryUrl]) -> list[DeliveryUrl]:
        """URLs that this relay has never registered. Each is registered once: a label edited later stays."""
        with self._lock:
            new = [entry for entry in urls if _place(entry) not in self._registered]
            return new if len(self._registered) < _URLS_KNOWN else []

    def registered(self, urls: Sequence[DeliveryUrl]) -> None:
        """They are in the spool."""
        with self._lock:
            self._database.executemany("INSERT OR IGNORE INTO urls VALUES (?, ?)", map(_place, urls))
            self._registered.update(map(_place, urls))

    def close(self) -> None:
        """Give the file back."""
        with self._lock:
            self._database.close()

    def _forget(self, which: str, values: tuple[object, ...]) -> None:
        self._write(f"DELETE FROM mails WHERE {which}", values)

    def _write(self, statement: str, values: tuple[object, ...]) -> None:
        with self._lock:
            self._database.execute(statement, values)


def _place(entry: DeliveryUrl) -> tuple[str, int]:
    return str(entry.delivery), entry.url_id  # SQLite's integers are signed: keys go as text
