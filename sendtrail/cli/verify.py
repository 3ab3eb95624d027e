"""sendtrail verify: prove that what reports show is what is stored."""

import json
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sendtrail.cli import screen

if TYPE_CHECKING:
    from sendtrail.settings import Config
    from sinks.verify import Difference, Scope

_SHOWN = 50


def register(app: typer.Typer) -> None:
    """Add the verbs of this file to the command."""
    app.command("verify")(verify)


def verify(
    delivery: Annotated[
        list[str] | None, typer.Option("--delivery", "-d", help="Name or key; may be repeated. Without it, all.")
    ] = None,
    since: Annotated[
        float, typer.Option(help="Only deliveries that got rows in the last so many hours; 0 = all.", min=0)
    ] = 0.0,
    repair: Annotated[
        bool, typer.Option("--repair", help="Insert the differences, so that aggregates equal the events again.")
    ] = False,
    format: screen.TableOrObject = "table",
) -> None:
    """Compare every aggregate with a recount of the stored events, the stored indicators with the live count, and sums
    over domains and links with their totals.

    Runs beside live traffic: what differs is looked at again while the loaders hold for a moment. Deliveries with
    events older than events are kept can't be proved and are listed. Exit code 1 if anything differs.
    """
    from sendtrail.cli.config import load

    config = load()
    looked_at, found, repaired = _run(config, delivery, since, repair)
    if format == "json":
        print(json.dumps(as_json(looked_at, found, repaired)))
    else:
        _print(looked_at, found, repaired)
    raise typer.Exit(1 if found else 0)


def as_json(looked_at: "Scope", found: "Sequence[Difference]", repaired: int) -> dict[str, Any]:
    """The outcome for machines; keys of deliveries as text, since many JSON readers lose digits of large numbers."""
    return {
        "equal": not found,
        "deliveries": len(looked_at.provable),
        "events": sum(looked_at.provable.values()),
        "not_provable": [str(one) for one in looked_at.not_provable],
        "differences": [{**one._asdict(), "delivery": str(one.delivery)} for one in found],
        "repaired": repaired,
    }


def _run(
    config: "Config", names: Sequence[str] | None, since_h: float, repair: bool
) -> "tuple[Scope, list[Difference], int]":  # fmt: skip
    from dashboards.queries import Queries
    from sendtrail.cli.verifying import report_checks
    from sendtrail.clickhouse import connect
    from sendtrail.settings import ClickHouseSettings, ReportSettings
    from sinks import verify as tables

    settings = config.section(ClickHouseSettings)
    with connect(settings) as client:
        since_ms = int((time.time() - since_h * 3600) * 1000) if since_h else 0
        looked_at = tables.scope(client, since_ms, _keys(config, names) if names else None)
        checks = tables.checks(client) | report_checks(Queries(client, config.section(ReportSettings), hidden=True))
        with screen.bars() as progress:
            task = progress.add_task("verifying", total=sum(looked_at.provable.values()) or None)
            found, repaired = tables.verify(
                settings, client, checks, looked_at.provable, lambda rows: progress.advance(task, rows), repair
            )
    return looked_at, found, repaired


def _keys(config: "Config", names: Sequence[str]) -> list[int]:
    from dashboards.choice import keys_of
    from sendtrail import keyring
    from sendtrail.settings import KeySettings

    naming_key = keyring.load(config.section(KeySettings).file).naming_key
    return [key for name in names for key in keys_of(name, "delivery", naming_key)]


def _print(looked_at: "Scope", found: "Sequence[Difference]", repaired: int) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False)
    if found:
        table = Table("delivery", "check", "differs in", "what", box=None, title="Differences", title_justify="left")
        for one in found[:_SHOWN]:
            table.add_row(str(one.delivery), one.check, f"{one.keys:,}", one.detail)
        console.print(table)
        if len(found) > _SHOWN:
            console.print(f"… and {len(found) - _SHOWN} more: --format json lists all")
    if looked_at.not_provable:
        console.print(f"not provable (older than events are kept): {', '.join(map(str, looked_at.not_provable))}")
    if repaired:
        console.print(f"put right: {repaired:,} keys of aggregates")
    count, rows = len(looked_at.provable), sum(looked_at.provable.values())
    verdict = "NOT equal" if found else "equal: every number is what the events say"
    console.print(f"{count:,} deliveries, {rows:,} rows of events. {verdict}", style="bold")
