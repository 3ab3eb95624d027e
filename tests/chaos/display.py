"""What a person sees while it runs: a live picture on a terminal, plain lines elsewhere."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TextIO

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

_EVERY_S = 10.0
_LINES = 6


class Display:
    """Safe to share between threads; `update` belongs to the main one."""

    def __init__(self, console: Console, log: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._console, self._clock, self._began = console, clock, clock()
        self._log: TextIO = log.open("a", buffering=1)
        self._said: list[str] = []
        self._shown_s = float("-inf")
        self._lock = threading.Lock()
        self._live = Live(console=console, refresh_per_second=4, transient=True) if console.is_terminal else None

    def __enter__(self) -> Display:
        if self._live:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live:
            self._live.stop()
        self._log.close()

    def say(self, text: str) -> None:
        """What happened, into the log of the run and onto the screen."""
        line = f"{self._clock() - self._began:7.1f} s  {text}"
        with self._lock:
            self._log.write(f"{line}\n")
            self._said = [*self._said, line][-_LINES:]
        if not self._live:
            self._console.print(line, highlight=False, markup=False, soft_wrap=True)

    def update(self, phase: str, done: float, sent: int, stored: int, faults: int, now: dict[str, str]) -> None:
        """The picture. `done`: 0 to 1; `now`: lane -> fault."""
        numbers = f"{sent} sent, {stored} stored, {faults} faults"
        if self._live:
            self._live.update(self._picture(phase, done, numbers, now))
        elif self._clock() - self._shown_s >= _EVERY_S:
            self._shown_s = self._clock()
            busy = "; ".join(now.values()) or "nothing"
            self.say(f"{phase}, {done:.0%}: {numbers}; now: {busy}")

    def _picture(self, phase: str, done: float, numbers: str, now: dict[str, str]) -> Group:
        table = Table(box=None, padding=(0, 1), show_header=False)
        for lane, fault in sorted(now.items()):
            table.add_row(Text(lane, style="bold"), fault)
        with self._lock:
            said = Text("\n".join(self._said), style="dim", no_wrap=True)
        return Group(
            Text(f"{phase}: {numbers}"), ProgressBar(total=1.0, completed=min(done, 1.0), width=60), table, said
        )
