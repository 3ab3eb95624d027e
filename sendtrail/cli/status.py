"""sendtrail status: each stage's backlog, last event and lag."""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer

from sendtrail.cli import screen

if TYPE_CHECKING:
    from sendtrail.cli.line_status import StageStatus


def register(app: typer.Typer) -> None:
    """Add the verbs of this file to the command."""
    app.command("status")(status)


def status(format: screen.TableOrLines = "table") -> None:
    """Show where the line stands: what waits in spools and topics, the last event each part saw, how far it lags.

    Exit code 1 if Kafka or ClickHouse does not answer, a partition of the loader has stopped, or a worker here holds.
    """
    from sendtrail.cli.config import load
    from sendtrail.cli.line_status import read_status

    rows = read_status(load())
    if format == "json":
        for row in rows:
            print(json.dumps(row._asdict()))
    else:
        _print_table(rows)
    raise typer.Exit(0 if all(row.well for row in rows) else 1)


def _print_table(rows: "Sequence[StageStatus]") -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("stage", "state", "backlog", "last event (UTC)", "lag")
    for row in rows:
        lag = "–" if row.lag_s is None else f"{row.lag_s:.1f} s"
        table.add_row(row.stage, row.state, row.backlog, row.last_event or "–", lag, style=None if row.well else "red")
    Console().print(table)
