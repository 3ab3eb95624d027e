"""The `sendtrail` command: one file per group of verbs."""

import logging
import sys
from importlib.metadata import version
from typing import Annotated

import typer

from sendtrail.cli import (
    api_keys,
    audit,
    bounces,
    chain,
    check,
    deliveries,
    demo,
    domains,
    erase,
    export_table,
    feed,
    instrument,
    keys,
    kumomta,
    links,
    migrate,
    optouts,
    postfix_log,
    reclassify,
    rejects,
    relay_users,
    replay,
    report,
    rules,
    run,
    setup,
    spool,
    status,
    topics,
    trace,
    up,
    users,
    verify,
    webhooks,
)
from sendtrail.errors import SendtrailError, SettingsError
from sendtrail.settings import EXIT_CODE

UNREACHABLE = 4
_SERVERS = {"kafka": "Kafka", "clickhouse_driver": "ClickHouse"}  # by their clients' packages

app = typer.Typer(
    name="sendtrail",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)


def _version(wanted: bool) -> None:
    if wanted:
        print(version("sendtrail"))
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and end.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    """Self-hosted message tracking: exact, seconds old, machines told apart from people."""


#: Heading in `--help` -> files of verbs under it.
GROUPS = {
    "See it work": (up, demo),
    "Reports": (report, export_table, users),
    "Senders": (keys, links, instrument, check, domains, relay_users),
    "Feeds": (feed, webhooks, bounces, kumomta, postfix_log, api_keys, optouts),
    "Is it all there?": (status, audit, verify, chain, replay, trace, rejects, reclassify, spool),
    "Take away": (deliveries, erase),
    "Set up and run": (topics, migrate, rules, setup, run),
}


def _register() -> None:
    for heading, files in GROUPS.items():
        for file in files:
            known = len(app.registered_commands), len(app.registered_groups)
            file.register(app)
            for command in app.registered_commands[known[0] :]:
                command.rich_help_panel = heading
            for group in app.registered_groups[known[1] :]:
                group.rich_help_panel = heading


_register()


def main() -> None:
    """Run the command; an expected error is one line on standard error and an exit code, never a stack trace.

    Exit codes: 1 what was asked for does not hold or does not exist; 2 wrong usage; 3 settings; 4 Kafka or ClickHouse
    does not answer.
    """
    for library in ("clickhouse_driver", "kafka"):
        logging.getLogger(library).setLevel(logging.CRITICAL)  # what matters to a person is in the error itself
    try:
        app()
    except SettingsError as error:
        _end(error, EXIT_CODE)
    except SendtrailError as error:
        _end(error, 1)
    except BrokenPipeError:
        sys.exit(1)  # the reader of the output went away, e.g. `| head`
    except Exception as error:
        # The client libraries have no common base, and importing them all here would slow every command down.
        server = _SERVERS.get(type(error).__module__.partition(".")[0])
        if server is None:
            raise
        _end(error, UNREACHABLE, f"{server}: ")


def _end(error: Exception, code: int, whose: str = "") -> None:
    name = type(error).__name__
    text = " ".join(str(error).partition("Stack trace:")[0].split()).removeprefix(f"{name}: ") or name
    print(f"sendtrail: {whose}{text}", file=sys.stderr)
    sys.exit(code)
