"""How long after kill -9 of each process its work goes on: until a hit that was answered afterwards is in a report.

    python -m bench.recovery [--rounds N] [--only NAMES]

The whole line runs embedded. Before each kill everything answered is counted. Then the process is killed, the
supervisor starts it again (0.2 s later), and a hit is sent every tenth of a second: `answered_s` until the edge answers
one, `counted_s` until the counts of the report's table include it. `usual_s` is the same without a kill. In the end
every answered hit must be counted, or the figures are of a line that loses some.
"""

import asyncio
import json
import os
import shutil
import signal
import statistics
import tempfile
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer
from clickhouse_driver.errors import Error
from rich.console import Console
from rich.progress import track

from bench.latency import COUNT, connection, requests_of
from sendtrail import keyring
from sendtrail.cli.up import build
from sendtrail.clickhouse import connect
from sendtrail.local.stack import Stack
from sendtrail.settings import ClickHouseSettings, load

PROCESSES = ("edge", "forward", "worker", "loader", "kafka", "engine")
DELIVERY = 3
EVERY_S, LIMIT_S, ANSWER_S = 0.1, 180.0, 1.0


class Probes:
    """Sends hits and counts them. `answered`: those that the edge took."""

    def __init__(self, stack: Stack, requests: Sequence[bytes]) -> None:
        self._stack, self._requests = stack, requests
        self._settings = load(below=stack.tables).section(ClickHouseSettings)
        self.answered = 0

    def send(self) -> bool:
        """One hit; False if it was not answered."""
        request = self._requests[self.answered % len(self._requests)]
        try:
            asyncio.run(asyncio.wait_for(connection(self._stack.ports.edge, [request], 1, 0), ANSWER_S))
        except (OSError, EOFError, TimeoutError):
            return False
        self.answered += 1
        return True

    def counted(self) -> int:
        """Hits in the report's table; -1 while the engine does not answer."""
        with suppress(Error, OSError, EOFError), connect(self._settings) as client:
            return int(client.execute(COUNT, {"delivery": DELIVERY})[0][0])
        return -1

    def until_counted(self, at_least: int) -> None:
        deadline = time.monotonic() + LIMIT_S
        while self.counted() < at_least:
            if time.monotonic() > deadline:
                raise SystemExit(f"{self.counted()} of {at_least} hits were counted after {LIMIT_S:g} s")
            time.sleep(EVERY_S)


def goes_on(probes: Probes, began: float) -> tuple[float, float]:
    """Seconds since `began` until a hit is answered, and until it is counted; all before it are."""
    before, answered_s = probes.answered, 0.0
    while time.monotonic() < began + LIMIT_S:
        if probes.send() and not answered_s:
            answered_s = time.monotonic() - began
        if answered_s and probes.counted() > before:
            return answered_s, time.monotonic() - began
        time.sleep(EVERY_S)
    raise SystemExit(f"no hit was counted within {LIMIT_S:g} s")


def kill(stack: Stack, name: str) -> float:
    """SIGKILL; when that was, in monotonic seconds."""
    pid = stack.supervisor.pids()[name]
    if pid is None:
        raise SystemExit(f"{name} does not run")
    os.kill(pid, signal.SIGKILL)
    return time.monotonic()


def measure(stack: Stack, names: Sequence[str], rounds: int) -> None:
    """Print a line of JSON for each process."""
    key = keyring.load(stack.data / "keys.toml").active
    probes = Probes(stack, requests_of(key, DELIVERY))
    probes.send()
    probes.until_counted(probes.answered)
    for name in track(names, "killing", console=Console(stderr=True), transient=True):
        usual, killed = [], []
        for _ in range(rounds):
            usual.append(goes_on(probes, time.monotonic()))
            probes.until_counted(probes.answered)
            killed.append(goes_on(probes, kill(stack, name)))
            probes.until_counted(probes.answered)
        figures = {
            "killed": name, "rounds": rounds,
            "answered_s": statistics.median(answered for answered, _ in killed),
            "counted_s": statistics.median(counted for _, counted in killed),
            "most_s": max(counted for _, counted in killed),
            "usual_s": statistics.median(counted for _, counted in usual),
        }  # fmt: skip
        print(json.dumps({key: round(x, 2) if isinstance(x, float) else x for key, x in figures.items()}), flush=True)


def main(
    rounds: Annotated[int, typer.Option(min=1, help="Kills of each process; medians are told.")] = 3,
    only: Annotated[str, typer.Option(help=f"Some of {', '.join(PROCESSES)}, with commas.")] = ",".join(PROCESSES),
) -> None:
    """Time from kill -9 of a process until its work goes on."""
    names = [name for name in only.split(",") if name]
    if unknown := sorted(set(names) - set(PROCESSES)):
        raise typer.BadParameter(f"--only: no such process: {', '.join(unknown)}")
    folder, ended = Path(tempfile.mkdtemp(prefix="sendtrail-bench-")), threading.Event()
    config = load().with_tables({"edge": {"flood_hits_per_minute": 0}})  # all hits come from one address
    stack = build(folder, free=True, say=lambda _: None, config=config)

    def supervise() -> None:
        while not ended.wait(0.05):
            stack.supervisor.check()

    supervisor = threading.Thread(target=supervise)
    try:
        stack.start()
        supervisor.start()
        measure(stack, names, rounds)
    finally:
        ended.set()
        if supervisor.is_alive():
            supervisor.join()
        stack.stop()
        shutil.rmtree(folder)


if __name__ == "__main__":
    typer.run(main)
