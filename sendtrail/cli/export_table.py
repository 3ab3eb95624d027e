"""sendtrail export-table: a table or view as a file for other tools."""

import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Any

import typer

from sendtrail.cli.times import moment

if TYPE_CHECKING:
    from sendtrail.settings import Config
    from sinks.export import Statement, Wanted

EXIT_UNREACHABLE = 4


class FileFormat(StrEnum):
    """What a file may be."""

    PARQUET = "parquet"
    CSV = "csv"
    NDJSON = "ndjson"


def register(app: typer.Typer) -> None:
    """Add the verbs of this file to the command."""
    app.command(
        "export-table",
        epilog="Example: sendtrail export-table v_events -d june-news --from 2026-06-01 --output june.parquet",
    )(export_table)


def export_table(
    table: Annotated[str, typer.Argument(metavar="TABLE|VIEW", help="What to export; docs/tables.md lists them.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="File to write, or - for standard output.")],
    form: Annotated[FileFormat, typer.Option("--format", help="Of the file.")] = FileFormat.PARQUET,
    delivery: Annotated[
        list[str] | None, typer.Option("--delivery", "-d", help="Only this delivery, by name or key; repeatable.")
    ] = None,
    since: Annotated[
        str | None,
        typer.Option("--from", help="Only from this time on: 2026-06-01T12:00, UTC without offset."),
    ] = None,
    until: Annotated[str | None, typer.Option("--to", help="Only before this time.")] = None,
    columns: Annotated[str | None, typer.Option(help="Only these columns, comma between, in this order.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="At most so many rows.")] = None,
    parts: Annotated[
        bool, typer.Option("--parts", help="Rows of tables as stored: signed and not yet merged. See docs/tables.md.")
    ] = False,
) -> None:
    """Write a table or view as Parquet, CSV or NDJSON, as it comes from ClickHouse.

    The views whose names begin with v_ are the public interface. Rows come in no set order. The file appears under its
    name only when it is whole. ClickHouse's HTTP interface (clickhouse.http_url) is read.

    Exit codes: 0 done, 1 unknown delivery or refused query, 2 wrong usage, 3 settings, 4 ClickHouse away.
    """
    from sendtrail.cli.config import load
    from sendtrail.settings import ClickHouseSettings
    from sinks.export import Away, Wanted, pieces

    config = load()
    wanted = Wanted(
        table, _names(columns), since=moment("--from", since) if since is not None else None,
        until=moment("--to", until) if until is not None else None, limit=limit, parts=parts,
    )  # fmt: skip
    asked = _statement(config, wanted, delivery or [])
    try:
        with _target(output) as file:
            for piece in _shown(pieces(config.section(ClickHouseSettings), asked, form.value), table):
                file.write(piece)
    except Away as error:
        print(f"sendtrail: {error}", file=sys.stderr)
        raise typer.Exit(EXIT_UNREACHABLE) from None


def _statement(config: "Config", wanted: "Wanted", deliveries: Sequence[str]) -> "Statement":
    from sendtrail.clickhouse import connect
    from sendtrail.settings import ClickHouseSettings
    from sinks.export import Unknown, catalogue, statement

    settings = config.section(ClickHouseSettings)
    with connect(settings) as client:
        keys = _keys(config, client, deliveries)
        known = catalogue(client, settings.database)
    try:
        return statement(known, replace(wanted, deliveries=keys))
    except Unknown as error:
        raise typer.BadParameter(str(error), param_hint=error.option) from error


def _names(text: str | None) -> list[str]:
    return [name.strip() for name in (text or "").split(",") if name.strip()]


def _keys(config: "Config", client: Any, names: Sequence[str]) -> list[int]:
    from dashboards.choice import by_names
    from dashboards.queries import Queries
    from sendtrail.cli.config import naming_key
    from sendtrail.settings import ReportSettings

    if not names:
        return []
    queries = Queries(client, config.section(ReportSettings))
    return [one.delivery for one in by_names(queries, names, naming_key(config))]


@contextmanager
def _target(output: Path) -> Iterator[IO[bytes]]:
    """Standard output, or a file beside the one asked for that takes its name once everything is written."""
    if str(output) == "-":
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    try:
        handle, name = tempfile.mkstemp(prefix=f".{output.name}.", dir=output.parent)
    except OSError as error:
        raise typer.BadParameter(f"{output} can't be written: {error.strerror}", param_hint="--output") from error
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, 0o666 & ~_umask())
        os.replace(name, output)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _shown(found: Iterator[bytes], table: str) -> Iterator[bytes]:
    """The same pieces, with their size and speed on a terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeElapsedColumn, TransferSpeedColumn

    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeElapsedColumn(),
    )  # fmt: skip
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task(table, total=None)
        for piece in found:
            yield piece
            progress.advance(task, len(piece))
        progress.update(task, total=progress.tasks[0].completed)
