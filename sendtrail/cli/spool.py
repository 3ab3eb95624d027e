"""sendtrail spool list | show | forward: what is in a spool directory, and how it gets into Kafka after all."""

import base64
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sendtrail.cli import screen

if TYPE_CHECKING:
    from producers.spool_inspect import Inspected
    from sendtrail.settings import Config

Directory = Annotated[
    Path, typer.Argument(metavar="DIR", help="A spool directory, or a copy of one.", exists=True, file_okay=False)
]
_SHOWN_ID = 8


def register(app: typer.Typer) -> None:
    """Add the verbs of this file to the command."""
    group = typer.Typer(no_args_is_help=True, help="Look into spool directories; forward those of a dead edge.")
    group.command("list")(list_segments)
    group.command("show")(show)
    group.command("forward")(forward)
    app.add_typer(group, name="spool")


def list_segments(
    directory: Directory,
    format: screen.TableOrLines = "table",
) -> None:
    """List the segments of a spool directory: whose they are, what they hold, how old they are, what is damaged.

    Reads only; an edge and a forwarder may live on the directory meanwhile. States: being written; left open (its
    writer is dead, the forwarder takes it over); waiting; kept aside (it was forwarded, but for bytes that can't be
    read).
    """
    from producers.spool_inspect import inspect
    from sendtrail.spool_files import read_lost

    rows = list(inspect(directory))
    if format == "json":
        for row in rows:
            print(json.dumps(row._asdict()))
        return
    _print_table(rows, directory)
    lost = read_lost(directory)
    if lost.events:
        print(f"lost: {lost.events} events could not be written here, the disk was full or failed")


def _print_table(rows: "list[Inspected]", directory: Path) -> None:
    from rich.console import Console

    table = screen.table("spool", "edge", "segment", "of", "state")
    for heading in ("events", "bytes", "age"):
        table.add_column(heading, justify="right")
    table.add_column("damage", style="red")
    for row in rows:
        table.add_row(
            row.spool[:_SHOWN_ID], row.edge, str(row.sequence), row.stream, row.state, f"{row.events:,}",
            f"{row.bytes:,}", _age(row.age_s), row.damage,
        )  # fmt: skip
    console = Console()
    console.print(table)
    events, size = sum(row.events for row in rows), sum(row.bytes for row in rows)
    console.print(f"{len(rows)} segments, {events:,} events, {size:,} bytes in {directory}", highlight=False)


def _age(seconds: float) -> str:
    for unit, size in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"


def show(
    directory: Directory,
    spool: Annotated[str, typer.Option(help="Only spools whose id begins like this.", metavar="ID")] = "",
    segment: Annotated[int | None, typer.Option(help="Only segments of this number.", min=0)] = None,
) -> None:
    """Print the events of a spool directory as JSON lines, as they were written; registry records likewise.

    What stands behind damaged bytes is printed too, and the damage told on standard error. A line that is no JSON is
    printed as {"undecodable": base64}.
    """
    from producers.spool_inspect import damage_of, files_of, places, read_content

    for place in places(directory):
        for file in files_of(place):
            if not file.spool.startswith(spool) or segment not in (None, file.sequence):
                continue
            try:
                content = read_content(file.path.read_bytes())
            except FileNotFoundError:
                continue  # it was forwarded meanwhile
            damage = damage_of(content)
            if damage:
                print(f"{file.path}: {damage}", file=sys.stderr)
            for payload in (*content.payloads, *content.behind):
                print(_line(payload))


def _line(payload: bytes) -> str:
    try:
        text = payload.decode()
        json.loads(text)
    except ValueError:
        return json.dumps({"undecodable": base64.b64encode(payload).decode()})
    return text.replace("\n", " ").replace("\r", " ")


def forward(
    directory: Directory,
    as_json: Annotated[bool, typer.Option("--json", help="Say what was done as one JSON object.")] = False,
) -> None:
    """Send what is in a directory to Kafka, e.g. files copied from an edge that is gone. The files stay as they are.

    Events keep their ids and places: what Kafka has already is counted once, so doing it twice changes nothing. Of a
    damaged segment everything that can be read is sent. Exit code 1 if a forwarder or an edge lives on the directory,
    or if it was interrupted.
    """
    from tempfile import TemporaryDirectory

    from producers.forward.copies import copy
    from sendtrail.cli.config import load

    config = load()
    with TemporaryDirectory(prefix="sendtrail-forward-") as name:
        work = Path(name) / directory.resolve().name
        copied = copy(directory, work)
        whole = send(config, work, copied.events)
    if as_json:
        print(json.dumps({**copied._asdict(), "whole": whole}))
    elif whole:
        again = f", {copied.salvaged:,} of them from behind damaged bytes" if copied.salvaged else ""
        print(f"forwarded {copied.events:,} events of {copied.segments} segments{again}")
    else:
        print("interrupted: do it again, what was sent counts once", file=sys.stderr)
    raise typer.Exit(0 if whole else 1)


def send(config: "Config", work: Path, events: int) -> bool:
    """Run a forwarder on `work` until it is empty, with a progress bar. False where a signal ended it before."""
    from producers.forward.copies import roots
    from producers.forward.forwarder import Forwarder
    from producers.spool_inspect import files_of, places
    from sendtrail.kafka_admin import admin_client
    from sendtrail.process import StopSignal, setup_logging
    from sendtrail.settings import ForwardSettings, KafkaSettings

    setup_logging("forward", "ERROR")  # what it is doing the bar shows
    kafka = config.section(KafkaSettings)
    admin_client(kafka.bootstrap).close()  # a forwarder would wait for a broker for ever
    stop = StopSignal().install()

    def left() -> int:
        return sum(file.size for place in places(work) for file in files_of(place))

    size = left()
    with screen.bars() as progress:
        bar = progress.add_task(f"forwarding {events:,} events", total=size)

        def ended() -> bool:
            waiting = left()
            progress.update(bar, completed=size - waiting)
            return stop.is_set() or not waiting

        settings = config.section(ForwardSettings, spool_dirs=roots(work), poll_ms=20)
        Forwarder(kafka, settings, ended).run()
    return not left()
