"""sendtrail up: the whole line in one terminal."""

import signal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.table import Table

    from sendtrail.local.stack import Stack
    from sendtrail.local.supervisor import Say
    from sendtrail.settings import Config

_CHECK_S = 0.25


def register(app: typer.Typer) -> None:
    """Add the verbs of this file to the command."""
    app.command("up")(up)


def up(
    data: Annotated[
        Path | None,
        typer.Option(
            help="Where everything is kept. [default: local.data, ./.sendtrail]", envvar="SENDTRAIL_LOCAL_DATA"
        ),
    ] = None,
    free_ports: Annotated[bool, typer.Option("--free-ports", help="Use free ports instead of the usual ones.")] = False,
) -> None:
    """Start Kafka, the ClickHouse engine and every stage in this terminal; Ctrl-C ends them all.

    The data stays: the next start goes on where this one stopped. Everything listens on the loopback interface only.
    Addresses and the generated password are in <data>/endpoints.json. Other commands read it from ./.sendtrail: with
    another --data give them SENDTRAIL_LOCAL_DATA too.
    """
    from rich.console import Console

    from sendtrail.local.artifacts import ArtifactError
    from sendtrail.local.process import StartError
    from sendtrail.process import StopSignal

    console = Console(stderr=True)
    stop = StopSignal().install()
    stack = build(data, free_ports, lambda text: console.print(f"[dim]{text}[/dim]", highlight=False))
    try:
        stack.start()
        console.print(endpoint_table(stack))
        console.print("Ctrl-C stops everything; the data stays.", style="dim")
        while not stop.wait(_CHECK_S):
            stack.supervisor.check()
    except (StartError, ArtifactError) as error:
        console.print(f"sendtrail up: {error}", style="red", highlight=False, markup=False)
        raise typer.Exit(1) from None
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        console.print("stopping", style="dim")
        stack.stop()


def build(data: Path | None, free: bool, say: "Say", config: "Config | None" = None) -> "Stack":
    """The stack for a data directory, with its ports chosen and Kafka's artifacts in the cache."""
    from sendtrail.local import ports
    from sendtrail.local.artifacts import ensure, read_lock
    from sendtrail.local.datadir import DataDir
    from sendtrail.local.kafka_lock import LOCK_PATH
    from sendtrail.local.stack import Stack
    from sendtrail.settings import LocalSettings, load

    config = config or load()
    directory = DataDir(data or config.section(LocalSettings).data)
    chosen = ports.free_ports(directory.path / "ports.json") if free else ports.usual_ports(config)
    ensure(read_lock(LOCK_PATH))
    return Stack(directory, chosen, config, say)


def endpoint_table(stack: "Stack") -> "Table":
    """What runs where."""
    from rich.table import Table

    ports, table = stack.ports, Table("what", "where", title="Sendtrail is up")
    rows = {
        "report pages": f"http://127.0.0.1:{ports.web}",
        "edge (pixel, links)": f"http://127.0.0.1:{ports.edge}",
        "API (deliveries, events)": f"http://127.0.0.1:{ports.api}",
        **({"SMTP relay": f"127.0.0.1:{ports.relay}"} if "relay" in stack.stages else {}),
        "ClickHouse HTTP": f"http://127.0.0.1:{ports.http}",
        "ClickHouse native": f"127.0.0.1:{ports.native}",
        "Kafka": f"127.0.0.1:{ports.kafka}",
        "user, password, addresses": str(stack.data / "endpoints.json"),
        "logs": str(stack.data / "logs"),
    }
    for what, where in rows.items():
        table.add_row(what, where)
    return table
