"""sendtrail rejects list | show | replay: what could not be an event, why, and trying it again."""

import base64
import json
import sys
import time
from collections import Counter
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sendtrail.cli import screen
from sendtrail.cli.config import load, tables

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sendtrail.events import Event
    from sendtrail.settings import Config
    from sinks.rejects import RejectedRow, Sought

Reason = Annotated[list[str] | None, typer.Option("--reason", help="Only of this reason; repeatable.")]
Since = Annotated[float, typer.Option(help="Only records of the last so many hours; 0 = all.", min=0)]
Before = Annotated[float, typer.Option(help="Only records older than so many hours.", min=0)]
_HOUR_MS = 3_600_000
_WIDE = 100  # columns from which on the list has room for details


def register(app: typer.Typer) -> None:
    """Add the verbs of this file to the command."""
    group = typer.Typer(no_args_is_help=True, help="What could not be an event: why, its bytes, and trying it again.")
    group.command("list")(list_rejects)
    group.command("show")(show)
    group.command("replay")(replay)
    group.command("pass")(let_pass)
    app.add_typer(group, name="rejects")


def list_rejects(
    reason: Reason = None,
    since: Since = 0.0,
    before: Before = 0.0,
    limit: Annotated[int, typer.Option(help="So many rows, newest first; 0 = all.", min=0)] = 50,
    format: screen.TableOrLines = "table",
) -> None:
    """List rejects, newest first, with how many there are of each reason."""
    from sinks.rejects import reasons, rows

    sought = _sought((), reason, since, before)
    with tables(load()) as client:
        if format == "json":
            for row in rows(client, sought, limit):
                print(json.dumps(as_json(row)))
            return
        _print_list(reasons(client, sought), list(rows(client, sought, limit)))


def show(
    keys: Annotated[list[str], typer.Argument(metavar="KEY…", help="Of rejects, as `list` shows them.")],
) -> None:
    """Print rejects as JSON lines, with their original bytes. Exit code 1 if a key is not there."""
    from sinks.rejects import rows

    found = 0
    with tables(load()) as client:
        for row in rows(client, _sought(keys, None, 0, 0)):
            found += 1
            print(json.dumps(as_json(row) | {"original": _text(row.original)}))
    raise typer.Exit(0 if found >= len(set(keys)) else 1)


def replay(
    keys: Annotated[list[str] | None, typer.Argument(metavar="[KEY…]", help="Only these; else by the options.")] = None,
    reason: Reason = None,
    since: Since = 0.0,
    before: Before = 0.0,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be sent, and send nothing.")] = False,
    as_json_: Annotated[bool, typer.Option("--json", help="The outcome as one JSON object.")] = False,
) -> None:
    """Send rejects through the line again, e.g. after an upgrade, or once a delivery is registered.

    A replayed event has the reject's key as its id, so doing it twice changes nothing; what is refused again is a
    reject again. Items of webhooks are read again by their adapter. What can't be replayed is counted by reason. Exit
    code 1 if nothing was sent though something was found, or if it was interrupted.
    """
    if not (keys or reason or since or before):
        raise typer.BadParameter("say which: keys, --reason, --since or --before (--since 0.01 --reason … and so on)")
    config = load()
    sent, refused, whole = _replay(config, _sought(keys or (), reason, since, before), dry_run)
    outcome = {"replayed": 0 if dry_run else sent, "replayable": sent, "not_replayable": dict(refused)}
    if as_json_:
        print(json.dumps(outcome))
    else:
        print(f"{'would replay' if dry_run else 'replayed'} {sent:,} events")
        for why, count in refused.most_common():
            print(f"not replayable: {count:,} {why}")
    if not whole:
        print("interrupted: do it again, what was sent counts once", file=sys.stderr)
    raise typer.Exit(0 if whole and (sent or not refused) else 1)


def let_pass(
    wait: Annotated[float, typer.Option(help="Seconds to wait for the worker's answer.", min=1)] = 10.0,
) -> None:
    """Let a worker go on that holds because too much was rejected (settings streams.reject_limit_...).

    What waits is then processed, and what can't be an event becomes a reject, until their rate is below the limit
    again; from then on the worker holds for the next time. To be run where the worker runs, since it looks into
    streams.state_dir; each worker that holds has to be told. Exit code 1 if none holds there, or none answers.
    """
    from sendtrail.settings import StreamSettings
    from streams import hold

    directory = load().section(StreamSettings).state_dir
    held = hold.read_held(directory)
    if not held:
        print(f"no worker on {directory} holds", file=sys.stderr)
        raise typer.Exit(1)
    hold.ask_to_pass(directory)
    deadline = time.monotonic() + wait
    while hold.read_held(directory):
        if time.monotonic() > deadline:
            hold.withdraw(directory)
            print(f"the worker on {directory} does not answer: does it run?", file=sys.stderr)
            raise typer.Exit(1)
        time.sleep(0.1)
    for one in held:
        print(one.text)
    print("the worker goes on, and holds again when the rate of rejects was below the limit in between")


def as_json(row: "RejectedRow") -> dict[str, Any]:
    """A reject for machines, without its bytes."""
    fields = row._asdict()
    del fields["original"]
    return fields | {"record_time": row.record_time.isoformat(timespec="milliseconds")}


def _replay(config: "Config", sought: "Sought", dry_run: bool) -> "tuple[int, Counter[str], bool]":
    from pathlib import Path
    from tempfile import TemporaryDirectory

    from producers.spool import SpoolWriter
    from sendtrail.cli.spool import send
    from sinks.rejects import rows

    refused: Counter[str] = Counter()
    with TemporaryDirectory(prefix="sendtrail-replay-") as name, tables(config) as client:
        work, sent = Path(name) / "replay", 0
        writer = SpoolWriter(work, "replay", fsync="none", count_loss=False)
        try:
            for event in _events(config, rows(client, sought), refused):
                sent += 1 if dry_run else writer.append([event])
        finally:
            writer.close()
        return sent, refused, dry_run or not sent or send(config, work, sent)


def _events(config: "Config", rows: "Iterator[RejectedRow]", refused: "Counter[str]") -> "Iterator[Event]":
    from producers.api.providers.again import ReadAgain
    from sendtrail import keyring
    from sendtrail.errors import Invalid
    from sendtrail.events import Event
    from sendtrail.rejects import replayed
    from sendtrail.settings import KeySettings, ProvidersSettings

    naming_key = keyring.load(config.section(KeySettings).file).naming_key
    read_again = ReadAgain(config.section(ProvidersSettings), naming_key)
    for row in rows:
        outcome = replayed(row.original, row.key)
        if isinstance(outcome, Invalid):
            outcome = read_again(row.original, time.time_ns() // 1_000_000) or outcome
        if isinstance(outcome, Event):
            yield outcome
        else:
            refused[f"{row.reason}: {outcome.detail}"[:100]] += 1


def _sought(keys: "Any", reason: list[str] | None, since: float, before: float) -> "Sought":
    from sinks.rejects import Sought

    now_ms = time.time_ns() // 1_000_000
    since_ms = round(now_ms - since * _HOUR_MS) if since else 0
    return Sought(list(keys), reason or (), since_ms, round(now_ms - before * _HOUR_MS) if before else 1 << 62)


def _text(original: bytes) -> Any:
    """As JSON where it is, as text where it can be, else in base64."""
    try:
        return json.loads(original)
    except ValueError:
        pass
    try:
        return original.decode()
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(original).decode()}


def _print_list(by_reason: dict[str, tuple[int, int]], found: "list[RejectedRow]") -> None:
    from rich.console import Console

    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = 160
    wide = console.width >= _WIDE
    table = screen.table()
    for heading in ("record time (UTC)", "key", "reason"):
        table.add_column(heading, no_wrap=True)
    table.add_column("events", justify="right")
    if wide:
        table.add_column("detail", overflow="fold")
    for row in found:
        cells = (row.record_time.strftime("%m-%d %H:%M:%S"), row.key, row.reason, f"{row.events:,}")
        table.add_row(*cells, *([row.detail] if wide else []))
    if found:
        console.print(table)
    for reason, (rows, events) in by_reason.items():
        console.print(f"{reason}: {rows:,} rows, {events:,} events")
    if found and not wide:
        console.print("`sendtrail rejects show KEY` says more, as does a wider window", style="dim")
    console.print(f"{len(found)} of {sum(rows for rows, _ in by_reason.values()):,} rejects shown", style="bold")
