"""sinks/migrations/*.sql -> ClickHouse. One statement per file, applied in order of name, recorded in `migrations`.

Placeholders, rendered here so that one text serves both kinds of installation:
`{database}`, `{on_cluster}`, `{engine:NAME(arguments)}` (NAME, or ReplicatedNAME), `{dedup}` and `{no_dedup}` (the
setting that remembers the blocks of inserts, on a table that must not count one twice, and on one that must).

Every statement may run again (IF NOT EXISTS, or an insert with a token): a run that is killed, or two at once, do no
harm, and the next run goes on where the first ended. Comments may be reworded later: every run brings them up to date
(sinks/comments.py).
"""

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any, NamedTuple

from sendtrail.errors import SendtrailError
from sendtrail.settings import ClickHouseSettings
from sinks.comments import statements, without_comments, words
from sinks.control import Pause, paused
from sinks.versions import require_version

DEDUP_WINDOW = 10_000  # blocks; an insert makes one block per month and table
REPLICATED_WINDOW_S = 7 * 86_400
_CONTROL = "0015_control.sql"  # the table by which loaders are held

_PLACEHOLDER = re.compile(r"\{(database|on_cluster|dedup|no_dedup|engine:[^}]*)\}")


class MigrationError(SendtrailError):
    """A migration that is applied was changed afterwards, or is not known to this release."""


class Migration(NamedTuple):
    """One file: its name, its text as in the repository, and the SHA-256 of that text without comments, hexadecimal."""

    name: str
    text: str
    checksum: str

    @property
    def changes_views(self) -> bool:
        """True if it adds or changes a view that inserts feed: loaders must be paused on a database with rows."""
        return "MATERIALIZED VIEW" in without_comments(self.text) and "REFRESH EVERY" not in self.text


class Applied(NamedTuple):
    """A migration as run (or as it would be): its name and the statement sent."""

    name: str
    statement: str


def migrations() -> list[Migration]:
    """All migrations of this release in order."""
    folder = files("sinks") / "migrations"
    found = ((entry.name, entry.read_text("utf-8")) for entry in folder.iterdir() if entry.name.endswith(".sql"))
    return [Migration(name, text, _checksum(text)) for name, text in sorted(found)]


def _checksum(text: str) -> str:
    return hashlib.sha256(without_comments(text).encode()).hexdigest()


def _earlier() -> dict[str, str]:
    """Name -> checksum in databases made when comments were part of it: the same tables."""
    lines = (files("sinks") / "migrations" / "earlier_checksums.tsv").read_text().splitlines()
    return {name: checksum for name, _, checksum in (line.partition("\t") for line in lines)}


def migrate(
    client: Any,
    settings: ClickHouseSettings,
    dry_run: bool = False,
    dedup_window: int = DEDUP_WINDOW,
    steps: Sequence[Migration] | None = None,
) -> list[Applied]:
    """Create the database, bring its tables and comments up to this release; returns what was run, or would be.

    `client`: connected to any database that exists (`connect(settings, database="default")`). `steps` replaces this
    release's own migrations. Raises MigrationError before anything is run, PauseError if loaders that run do not hold
    while a view is added, and lets the driver's errors through.
    """
    known = list(migrations() if steps is None else steps)
    done = applied(client, settings)
    pending = _pending(known, done)
    rendered = [(step, render(step.text, settings, dedup_window)) for step in pending]
    if not dry_run:
        client.execute(f"CREATE DATABASE IF NOT EXISTS {settings.database}{_on_cluster(settings)}")
        with _held(settings, pending, done):
            for step, statement in rendered:
                client.execute(statement)
                _record(client, settings, step)
    ran = [Applied(step.name, statement) for step, statement in rendered]
    return ran + _comment(client, settings, known, dry_run)


def _held(
    settings: ClickHouseSettings, pending: Sequence[Migration], done: Mapping[str, str]
) -> AbstractContextManager[Pause | None]:
    """Loaders hold where a view is added: what `events` has then is its back-fill's, what follows is the view's."""
    if _CONTROL in done and any(step.changes_views for step in pending):
        return paused(settings, "migrate")
    return nullcontext()


def _comment(client: Any, settings: ClickHouseSettings, known: Sequence[Migration], dry_run: bool) -> list[Applied]:
    told = words([step.text for step in known])
    changes = sorted(statements(client, settings.database, _on_cluster(settings), told))
    for _, statement in changes if not dry_run else ():
        client.execute(statement)
    return [Applied(f"comments of {table}", statement) for table, statement in changes]


def pending(client: Any, settings: ClickHouseSettings) -> list[str]:
    """Names of migrations not applied yet; a loader starts only when there are none.

    Raises MigrationError as `migrate` does.
    """
    return [step.name for step in _pending(migrations(), applied(client, settings))]


def applied(client: Any, settings: ClickHouseSettings) -> dict[str, str]:
    """Name -> checksum of every migration applied; empty if there is no database yet.

    Raises TooOld where the server is older than any that is known to work.
    """
    exists = client.execute(
        "SELECT count() FROM system.tables WHERE database = {database:String} AND name = 'migrations'",
        {"database": settings.database},
    )
    require_version(client)
    if not exists[0][0]:
        return {}
    return dict(
        client.execute(f"SELECT name, argMax(checksum, applied) FROM {settings.database}.migrations GROUP BY name")
    )


def render(text: str, settings: ClickHouseSettings, dedup_window: int = DEDUP_WINDOW) -> str:
    """The statement for this installation: comments stay, placeholders are filled in."""

    def fill(match: re.Match[str]) -> str:
        return _fill(match.group(1), settings, dedup_window)

    return _PLACEHOLDER.sub(fill, text).strip()


def _fill(placeholder: str, settings: ClickHouseSettings, window: int) -> str:
    if placeholder == "database":
        return settings.database
    if placeholder == "on_cluster":
        return _on_cluster(settings)
    if placeholder in ("dedup", "no_dedup"):
        return _window(settings.replicated, window if placeholder == "dedup" else 0)
    engine = placeholder.removeprefix("engine:")
    return f"Replicated{engine}" if settings.replicated else engine


def _window(replicated: bool, blocks: int) -> str:
    if not replicated:
        return f"non_replicated_deduplication_window = {blocks}"
    seconds = f", replicated_deduplication_window_seconds = {REPLICATED_WINDOW_S}" if blocks else ""
    return f"replicated_deduplication_window = {blocks}{seconds}"


def _on_cluster(settings: ClickHouseSettings) -> str:
    return f" ON CLUSTER '{settings.cluster}'" if settings.replicated and settings.cluster else ""


def _pending(known: Sequence[Migration], done: Mapping[str, str]) -> list[Migration]:
    for problem in _problems(known, done):
        raise MigrationError(problem)
    return [step for step in known if step.name not in done]


def _problems(known: Sequence[Migration], done: Mapping[str, str]) -> Iterator[str]:
    by_name, earlier = {step.name: step for step in known}, _earlier()
    for name, checksum in sorted(done.items()):
        if name not in by_name:
            yield f"the database has migration {name}, which this release does not know: it is older than the database"
        elif checksum not in (by_name[name].checksum, earlier.get(name)):
            yield f"migration {name} was changed after it was applied; take back the change and add a new file instead"


def _record(client: Any, settings: ClickHouseSettings, step: Migration) -> None:
    now = datetime.now(UTC)
    client.execute(
        f"INSERT INTO {settings.database}.migrations (name, checksum, applied) VALUES",
        [(step.name, step.checksum, now)],
    )
