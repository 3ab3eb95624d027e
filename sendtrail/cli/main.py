"""The `sendtrail` command: one file per group of verbs."""

import sys

import typer

from sendtrail.cli import audit, demo, instrument, keys, links, migrate, report, run, setup, status, topics, trace, up
from sendtrail.errors import SendtrailError, SettingsError
from sendtrail.settings import EXIT_CODE

app = typer.Typer(
    name="sendtrail",
    help="Self-hosted message tracking: exact, seconds old, machines told apart from people.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)

for group in (up, demo, report, audit, status, trace, keys, links, instrument, topics, migrate, setup, run):
    group.register(app)


def main() -> None:
    """Run the command; an expected error is one line and an exit code (1, or 3 for settings), never a stack trace."""
    try:
        app()
    except SettingsError as error:
        print(f"sendtrail: {error}", file=sys.stderr)
        sys.exit(EXIT_CODE)
    except SendtrailError as error:
        print(f"sendtrail: {error}", file=sys.stderr)
        sys.exit(1)
