"""sendtrail migrate: bring ClickHouse's tables up to this release."""

from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the verbs of this file to the command."""
    app.command("migrate")(migrate)


def migrate(
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the SQL that would be run and run nothing.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON line per migration: name and statement.")] = False,
) -> None:
    """Create the database, apply the migrations it lacks, and have tables keep rows as long as retention.… says.

    Does nothing where nothing is to be done; may run at any time. The server comes from clickhouse.address
    (SENDTRAIL_CLICKHOUSE_ADDRESS), the database from clickhouse.database.
    """
    import json

    from rich.console import Console

    from sendtrail.cli.config import load
    from sendtrail.clickhouse import connect
    from sendtrail.settings import ClickHouseSettings, LoaderSettings, RetentionSettings
    from sinks import retention
    from sinks.migrate import Applied
    from sinks.migrate import migrate as run

    config = load()
    settings = config.section(ClickHouseSettings)
    with connect(settings, database="default") as client:
        steps = run(client, settings, dry_run, config.section(LoaderSettings).dedup_window)
        change = retention.changes if dry_run else retention.apply
        kept = list(change(client, settings, config.section(RetentionSettings)))
    steps += [Applied(f"retention of {one.table}", statement) for one in kept for statement in one.statements]
    if as_json:
        for step in steps:
            print(json.dumps(step._asdict()))
    elif dry_run:
        for step in steps:
            print(f"-- {step.name}\n{step.statement};\n")
    else:
        console = Console(highlight=False)
        for step in steps:
            if not step.name.startswith("retention of "):
                console.print(f"applied {step.name}")
        for one in kept:
            console.print(one.said)
        files = sum(step.name.endswith(".sql") for step in steps)
        console.print(f"{settings.database}: {files} applied, nothing is pending")
