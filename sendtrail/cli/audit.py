"""sendtrail audit: prove that everything accepted is counted."""

import json
import time
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from sinks.audit import Audit

_MINUTE_S = 60
_SHOWN_MINUTES = 20
COLUMNS = (
    "accepted", "in_topic", "resent", "duplicate", "rejected", "enriched", "stored", "waiting", "difference",
)  # fmt: skip

_HEADINGS = (
    "ac-\ncepted", "in\ntopic", "re-\nsent", "dupli-\ncate", "re-\njected", "en-\nriched", "\nstored",
    "wait-\ning", "differ-\nence",
)  # fmt: skip


def register(app: typer.Typer) -> None:
    """Add the verbs of this file to the command."""
    app.command("audit")(audit)


def audit(
    since: Annotated[
        float, typer.Option(help="Only event times of the last so many hours; 0 = everything there is.", min=0)
    ] = 0.0,
    all_minutes: Annotated[bool, typer.Option("--all", help=f"Every minute, not the last {_SHOWN_MINUTES}.")] = False,
    format: Annotated[Literal["table", "json"], typer.Option(help="A table for people or one JSON object.")] = "table",
) -> None:
    """Compare what edges and API accepted with what ClickHouse holds, per minute and in total.

    Derived from segment, pack and record headers and from rows, never from a process's counters. Accepted = stored +
    duplicate + rejected + waiting; the difference is 0. Exit code 1 if it is not, or if a source contradicts another.
    """
    from sendtrail.cli.config import load
    from sendtrail.clickhouse import connect
    from sendtrail.settings import ClickHouseSettings, ForwardSettings, KafkaSettings
    from sinks.audit import balance
    from sinks.audit_sources import WHOLE, read_books

    config = load()
    window = (int(time.time() - since * 3600) // _MINUTE_S, WHOLE[1]) if since else WHOLE
    client = connect(config.section(ClickHouseSettings))
    try:
        spools = config.section(ForwardSettings).spool_dirs
        result = balance(read_books(client, config.section(KafkaSettings), spools, window))
    finally:
        client.disconnect()
    if format == "json":
        print(json.dumps(as_json(result)))
    else:
        _print_table(result, None if all_minutes else _SHOWN_MINUTES)
    raise typer.Exit(0 if result.even else 1)


def as_json(result: "Audit") -> dict[str, object]:
    """The balance for machines: `even`, `total`, `minutes` (by ISO time) and `problems`."""
    return {
        "even": result.even,
        "total": asdict(result.total),
        "minutes": [{"minute": _name(minute), **asdict(line)} for minute, line in result.minutes.items()],
        "problems": result.problems,
    }


def _name(minute: int) -> str:
    return datetime.fromtimestamp(minute * _MINUTE_S, UTC).strftime("%Y-%m-%dT%H:%MZ") if minute else "no time"


def _print_table(result: "Audit", limit: int | None) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console()
    title = "Audit: accepted = stored + duplicate + rejected + waiting"
    table = Table(title=title, title_justify="left", box=None, padding=(0, 0, 0, 1), pad_edge=False)
    table.add_column("minute\n(UTC)", no_wrap=True)
    for heading in _HEADINGS:
        table.add_column(heading, justify="right", no_wrap=True)
    shown = list(result.minutes.items())[-limit:] if limit else list(result.minutes.items())
    if len(shown) < len(result.minutes):
        table.add_row(f"{len(result.minutes) - len(shown)} earlier", *["…" for _ in COLUMNS])
    for minute, line in shown:
        table.add_row(_short(minute), *(str(getattr(line, column)) for column in COLUMNS))
    table.add_section()
    table.add_row("total", *(str(getattr(result.total, column)) for column in COLUMNS), style="bold")
    console.print(table)
    for problem in result.problems:
        console.print(f"problem: {problem}", style="red", highlight=False)
    console.print("even: nothing lost, nothing twice" if result.even else "NOT even", style="bold")


def _short(minute: int) -> str:
    return _name(minute)[5:-1].replace("T", " ") if minute else "no time"
