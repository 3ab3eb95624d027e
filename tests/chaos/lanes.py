"""Deals the schedule: one thread per lane, its faults one after the other."""

from __future__ import annotations

import threading
import time
import traceback
from collections.abc import Callable, Mapping, Sequence

from sendtrail.local.supervisor import Say
from tests.chaos.schedule import Fault

CarryOut = Callable[[Fault], str]


class Lanes:
    """Runs until every lane is through or the time is over. A lane whose fault can't be carried out ends the run."""

    def __init__(self, schedule: Mapping[str, Sequence[Fault]], seconds: float, carry_out: CarryOut, say: Say) -> None:
        self._seconds, self._carry_out, self._say = seconds, carry_out, say
        self._stop = threading.Event()
        self._began = time.monotonic()
        self._threads = [threading.Thread(target=self._run, args=each, name=each[0]) for each in schedule.items()]
        self.now: dict[str, str] = {}
        self.done: list[Fault] = []
        self.problems: list[str] = []

    @property
    def elapsed_s(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self._began

    @property
    def running(self) -> bool:
        """True while a lane goes on."""
        return any(thread.is_alive() for thread in self._threads)

    def start(self) -> None:
        self._began = time.monotonic()
        for thread in self._threads:
            thread.start()

    def join(self) -> None:
        """Begin no further fault, and wait for those under way."""
        self._stop.set()
        for thread in self._threads:
            if thread.ident is not None:
                thread.join()

    def _run(self, lane: str, faults: Sequence[Fault]) -> None:
        for number, fault in enumerate(faults):
            if self._stop.wait(max(0.0, fault.at_s - self.elapsed_s)) or (number and self.elapsed_s >= self._seconds):
                return
            self.now[lane] = str(fault)
            began = time.monotonic()
            try:
                note = self._carry_out(fault)
            except Exception as error:
                self.problems.append(f"{fault}: {error!r}")
                self._say(f"FAILED {fault}\n{traceback.format_exc()}")
                self._stop.set()
                return
            finally:
                del self.now[lane]
            self.done.append(fault)
            self._say(f"{fault}, well again after {time.monotonic() - began:.1f} s{f': {note}' if note else ''}")
