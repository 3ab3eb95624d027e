"""sendtrail topics: create the Kafka topics and check those there are."""

import json
from typing import Annotated

import typer

from sendtrail.cli import screen


def register(app: typer.Typer) -> None:
    """Add the verbs of this file to the command."""
    app.command("topics")(topics)


def topics(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done and do nothing.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON line per topic.")] = False,
) -> None:
    """Create the topics that are missing and check the others; a difference that would lose data is an error.

    Brokers come from kafka.bootstrap (SENDTRAIL_KAFKA_BOOTSTRAP).
    """
    from rich.console import Console

    from sendtrail.cli.config import load
    from sendtrail.kafka_admin import ensure_topics
    from sendtrail.settings import KafkaSettings, TrackingSettings

    config = load()
    states = ensure_topics(config.section(KafkaSettings), config.section(TrackingSettings), dry_run)
    if as_json:
        for state in states:
            print(json.dumps(state._asdict()))
        return
    table = screen.table("topic", "outcome", "partitions", "id")
    for state in states:
        table.add_row(state.name, state.outcome, str(state.partitions), state.topic_id)
    Console().print(table)
