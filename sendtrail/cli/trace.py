"""sendtrail trace: where an event or a message's events are."""

import json
from typing import TYPE_CHECKING, Annotated

import typer

from sendtrail.cli import screen

if TYPE_CHECKING:
    from sendtrail.cli.tracing import Finding


def register(app: typer.Typer) -> None:
    """Add the verbs of this file to the command."""
    app.command("trace")(trace)


def trace(
    what: Annotated[str, typer.Argument(help="An event id, a link or its token, or a message: NAME or DELIVERY/NAME.")],
    topic: Annotated[bool, typer.Option(help="Search tracking.events too; a large topic takes a while.")] = True,
    format: screen.TableOrLines = "table",
) -> None:
    """Show where something is: spool, topic offsets (duplicates too), reject, row, and every class it has had.

    Exit code 1 if it is nowhere.
    """
    from rich.console import Console

    from sendtrail import keyring
    from sendtrail.cli import tracing
    from sendtrail.cli.config import load
    from sendtrail.clickhouse import connect
    from sendtrail.settings import ClickHouseSettings, ForwardSettings, KafkaSettings, KeySettings

    config = load()
    wanted = tracing.understand(what, keyring.load(config.section(KeySettings).file))
    console = Console(stderr=True)
    findings = list(tracing.in_spools(config.section(ForwardSettings).spool_dirs, wanted))
    if topic:
        with console.status("searching tracking.events"):
            findings += tracing.in_topic(config.section(KafkaSettings), wanted)
    client = connect(config.section(ClickHouseSettings))
    try:
        findings += tracing.in_tables(client, wanted)
    finally:
        client.disconnect()
    if format == "json":
        for finding in findings:
            print(json.dumps(finding._asdict()))
    else:
        _print(findings)
    raise typer.Exit(0 if findings else 1)


def _print(findings: "list[Finding]") -> None:
    from rich.console import Console

    console = Console(highlight=False)
    if not findings:
        console.print("nowhere: not in a spool of this machine, not in tracking.events, not in ClickHouse")
    for event_id in dict.fromkeys(finding.event_id for finding in findings):
        console.print(f"event {event_id}", style="bold")
        for finding in findings:
            if finding.event_id == event_id:
                console.print(f"  {finding.when}  {finding.where}", markup=False)
                console.print(f"      {finding.what}", style="dim", markup=False)
