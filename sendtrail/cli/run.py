"""sendtrail edge | forward | api | relay | worker | loader | web: a process of the line, for containers."""

import importlib
from collections.abc import Callable

import typer

STAGES = {
    "edge": ("producers.edge.main", "Collect hits: pixel, click, opt-out and mirror links -> spool."),
    "forward": ("producers.forward.main", "Forward the spools -> tracking.events."),
    "api": ("producers.api.main", "Take fed events and deliveries over HTTP -> spool."),
    "relay": ("producers.relay.main", "Take mail over SMTP, instrument it, pass it on -> next hop, and spool."),
    "worker": ("streams.main", "Deduplicate and enrich: tracking.events -> tracking.enriched."),
    "loader": ("sinks.main", "Load exactly once: tracking.enriched -> ClickHouse."),
    "web": ("dashboards.main", "Show the report pages and serve the report API: ClickHouse -> people and programs."),
}


def register(app: typer.Typer) -> None:
    """Add the verbs of this file to the command."""
    for name, (module, text) in STAGES.items():
        epilogue = "Settings come from sendtrail.toml and SENDTRAIL_… variables; SIGTERM drains and ends the process."
        app.command(name, help=text, epilog=epilogue, rich_help_panel="Processes")(_runner(module))


def _runner(module: str) -> Callable[[], None]:
    def run() -> None:
        from sendtrail.settings import load

        raise typer.Exit(importlib.import_module(module).main(load()))

    return run
