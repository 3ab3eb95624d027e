"""Deals the schedule: one thread per lane, its faults one after the other."""

from __future__ import annotations

import threading
import time
import traceback
from collections.abc import Callable, Mapping, Sequence

from sendtrail.local.supervisor import Say
from tests.chaos.schedule import ROUND_S, Fault

CarryOut = Callable[[Fault], str]
#: How long a round may wait for the line to catch up.
CATCH_UP_S = 90.0


class Rounds:
    """A round of faults begins when the line has stored nearly all that was sent before, or after CATCH_UP_S."""

    def __init__(self, sent: Callable[[], int], stored: Callable[[], int]) -> None:
        self._sent, self._stored = sent, stored
        self._goals: dict[int, tuple[float, int]] = {}  # of each round: latest begin, rows to be stored by then
        self._lock = threading.Lock()

    def may_begin(self, number: int) -> bool:
        """True once round `number` may begin; the first to ask sets what is to be stored. Round 0 begins at once."""
        with self._lock:
            goal = self._goals.setdefault(number, (time.monotonic() + CATCH_UP_S, self._sent() * 9 // 10))
        return number == 0 or self._stored() >= goal[1] or time.monotonic() >= goal[0]


class Lanes:
    """Runs until every lane is through or the time is over. A lane whose fault can't be carried out ends the run."""

    def __init__(
        self,
        schedule: Mapping[str, Sequence[Fault]],
        seconds: float,
        carry_out: CarryOut,
        rounds: Rounds,
        say: Say,
    ) -> None:
        self._seconds, self._carry_out, self._rounds, self._say = seconds, carry_out, rounds, say
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
            if not self._reaches(fault) or (number and self.elapsed_s >= self._seconds):
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

    def _reaches(self, fault: Fault) -> bool:
        """Wait until it is time for a fault; False if the stop came first."""
        stopped = self._stop.wait(max(0.0, fault.at_s - self.elapsed_s))
        while not (stopped or self.elapsed_s >= self._seconds or self._rounds.may_begin(int(fault.at_s // ROUND_S))):
            stopped = self._stop.wait(0.2)
        return not stopped
