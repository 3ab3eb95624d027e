"""sendtrail demo: the product's first minute."""

import shlex
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from urllib.parse import quote

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from sendtrail.local.stack import Stack

_CHECK_S = 0.25


def register(app: typer.Typer) -> None:
    """Add the verbs of this file to the command."""
    app.command("demo")(demo)


def demo(
    once: Annotated[
        bool, typer.Option("--once", help="Own data folder and free ports; ends by itself with the ledger.")
    ] = False,
    data: Annotated[Path | None, typer.Option(help="Where everything is kept; else the setting local.data.")] = None,
    free_ports: Annotated[bool, typer.Option("--free-ports", help="Use free ports instead of the usual ones.")] = False,
    recipients: Annotated[int, typer.Option(help="Size of the audience.", min=50, max=100_000)] = 2_000,
) -> None:
    """Start the whole line, send three newsletters, let their readers react, and show the reports.

    Every answered hit is in the demo's own ledger, which is compared with ClickHouse row by row at the end. Without
    --once the line stays up with light traffic until Ctrl-C. Exit code 1 if the ledger is not even.
    """
    from rich.console import Console

    from sendtrail.local.artifacts import ArtifactError
    from sendtrail.local.process import StartError

    folder = Path(tempfile.mkdtemp(prefix=".sendtrail-demo-", dir=".")) if once else data
    console = Console()
    try:
        even = _run(console, folder, once or free_ports, once, recipients)
    except (StartError, ArtifactError) as error:
        console.print(f"sendtrail demo: {error}", style="red", highlight=False, markup=False)
        raise typer.Exit(1) from None
    if once and folder is not None and even:
        shutil.rmtree(folder)
    raise typer.Exit(0 if even else 1)


def _run(console: "Console", folder: Path | None, free: bool, once: bool, size: int) -> bool:
    """The demo on a stack of its own; True if the ledger is even."""
    from sendtrail.cli.up import build
    from sendtrail.local.demo.run import Demo
    from sendtrail.process import StopSignal
    from sendtrail.settings import load

    stop = StopSignal().install()
    config = load().with_tables({"edge": {"trusted_proxies": ["127.0.0.1/32"]}})
    stack = build(folder, free, lambda text: console.print(text, style="dim", highlight=False), config)
    running: Demo | None = None
    try:
        stack.start()
        running = Demo(stack, config, console, size)
        running.send()
        running.react(stack.supervisor.check)
        running.show_reports()
        if not once:
            _where_to_look(console, stack, running.posts[0].newsletter.name)
            running.trickle(stop.wait, stack.supervisor.check)
        balance = running.balance()
        even = balance.even
    finally:
        if running is not None:
            running.close()
        stack.stop()
    print(balance)
    return even


def _where_to_look(console: "Console", stack: "Stack", delivery: str) -> None:
    from sendtrail.cli.up import endpoint_table
    from sendtrail.settings import LocalSettings, load

    console.print(endpoint_table(stack))
    console.print(
        f"Look at the reports: http://127.0.0.1:{stack.ports.web}/reports/dashboard?delivery={quote(delivery)}",
        style="bold",
        highlight=False,
        soft_wrap=True,
    )
    console.print("Or, in another terminal:")
    if stack.data.resolve() != load().section(LocalSettings).data.resolve():
        console.print(f"  export SENDTRAIL_LOCAL_DATA={shlex.quote(str(stack.data))}", style="bold", soft_wrap=True)
    for line in (
        "sendtrail report deliveries",
        f"sendtrail report indicators --delivery {delivery} --by domain",
        "sendtrail audit",
        "sendtrail status",
    ):
        console.print(f"  .venv/bin/{line}", style="bold", highlight=False, soft_wrap=True)
    console.print("Light traffic goes on until Ctrl-C.", style="dim")
