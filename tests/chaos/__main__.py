"""The fault harness: `python -m tests.chaos`, or `make chaos`."""

from __future__ import annotations

import logging
import os
import shutil
import signal
import sys
import time
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from sendtrail.local.process import StartError
from tests.chaos.branches import Branch
from tests.chaos.ledger import Ledger
from tests.chaos.run import Options, Outcome, new_seed, run


def main(
    minutes: Annotated[float, typer.Option(help="How long faults are made; start and proof come on top.", min=0.1)] = 5,
    seed: Annotated[int | None, typer.Option(help="The same seed, the same faults; without one, a new one.")] = None,
    rate: Annotated[float, typer.Option(help="Hits per second, over both edges.", min=1)] = 40,
    data: Annotated[
        Path | None, typer.Option(help="An empty directory for everything; without it, one here that goes on success.")
    ] = None,
) -> None:
    """Break the whole line by a seed, under traffic, and prove that everything is stored once.

    Three Kafka brokers, two edges, two forwarders, two workers, a loader and one that waits, and the ClickHouse engine
    are killed, stopped, frozen past their sessions, robbed of their disk, their state or their clock. Exit code 0 if
    nothing is lost or doubled, every aggregate equals a recount and the audit is even; else 1, and data and logs stay.
    """
    for name in [name for name in os.environ if name.startswith("SENDTRAIL_")]:
        del os.environ[name]
    for name in ("kafka", "sendtrail", "clickhouse_driver"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    seed = new_seed() if seed is None else seed
    place = data or Path(f".sendtrail-chaos-{seed}-{int(time.time())}")
    if place.exists() and any(place.iterdir()):
        raise typer.BadParameter(f"{place} is not empty", param_hint="--data")
    console = Console()
    good = False
    try:
        outcome = run(Options(seed, minutes, rate, place.absolute()), console)
        good = outcome.good
        _print(console, outcome)
    except StartError as error:
        console.print(f"the line did not start: {error}", style="red", markup=False)
    finally:
        if good and data is None:
            shutil.rmtree(place, ignore_errors=True)
        elif not good:
            again = f"make chaos SEED={seed} MINUTES={minutes:g}"
            console.print(f"FAILED with seed {seed}. Data and logs: {place}. Once more: {again}", soft_wrap=True)
    raise typer.Exit(0 if good else 1)


def _print(console: Console, outcome: Outcome) -> None:
    console.print(_branches(outcome.branches))
    never = [f"{branch.stage}: {branch.name}" for branch in outcome.branches if not branch.times]
    if never:
        console.print(f"never taken: {'; '.join(never)}", highlight=False, soft_wrap=True)
    if outcome.ledger is not None:
        console.print(_ledger(outcome.ledger))
    for remark in outcome.remarks:
        console.print(remark, highlight=False, markup=False)
    for problem in [*(outcome.ledger.problems if outcome.ledger else []), *outcome.problems]:
        console.print(f"problem: {problem}", style="red", highlight=False, markup=False, soft_wrap=True)
    if outcome.ledger is not None:
        console.print(outcome.ledger.last_line(outcome.faults), style="bold", highlight=False)


def _branches(branches: list[Branch]) -> Table:
    table = Table(title="ways out of trouble that were taken", title_justify="left", box=None, pad_edge=False)
    table.add_column("stage")
    table.add_column("branch")
    table.add_column("times", justify="right")
    for branch in branches:
        table.add_row(branch.stage, branch.name, str(branch.times) if branch.times else "never")
    return table


def _ledger(ledger: Ledger) -> Table:
    table = Table(title="ledger", title_justify="left", box=None, pad_edge=False)
    for heading in ("what", "answered", "rows of events", "rows of rejects", "counted lost", "lost", "twice"):
        table.add_column(heading, justify="left" if heading == "what" else "right")
    table.add_column("without an answer (of these stored)", justify="right")
    for line in ledger.lines:
        numbers = (line.sent, line.stored, line.rejected, line.counted, max(0, line.lost), len(line.twice))
        table.add_row(line.name, *map(str, numbers), f"{line.silent} ({line.silent_stored})")
    return table


if __name__ == "__main__":
    typer.run(main)
