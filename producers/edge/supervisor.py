"""Keeps the edge's worker processes: starts them on one listening socket, restarts what dies, replaces them in turn.

The socket belongs to the supervisor: connections that no worker has taken yet wait in it, whatever becomes of workers.
"""

import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from producers.edge.control import ControlLine, Report
from producers.edge.sums import Sums
from sendtrail.metrics import counter, gauge

START_S = 30.0
LEAVE_S = 15.0  # longer than a worker drains
ASK_EVERY_S = 1.0
ANSWER_S = 2.0
FIRST_PAUSE_S = 0.2
LONGEST_PAUSE_S = 10.0
CALM_S = 30.0  # a worker that ran this long starts again after the first pause


class Worker:
    """One worker process. `report` is its newest; `deadline` is when a wait for it ends."""

    def __init__(self, listener: socket.socket, now: float) -> None:
        ours, theirs = socket.socketpair()
        kept = (listener.fileno(), theirs.fileno())
        command = [sys.executable, "-m", "producers.edge.worker", *map(str, kept)]
        # Its settings are read again from file and environment: that is what a restart is for.
        self._process = subprocess.Popen(command, pass_fds=kept, stdin=subprocess.DEVNULL)
        theirs.close()
        self._line = ControlLine(ours)
        self._line.ask()  # answered once it serves
        self.started = now
        self.deadline = now + START_S
        self.report: Report | None = None

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def code(self) -> int | None:
        """Exit code, negative for a signal; None while it lives."""
        return self._process.poll()

    def serves(self) -> bool:
        """True from its first report on."""
        if self.report is None:
            self.report = self._line.read(0)
        return self.report is not None

    def answers(self) -> bool:
        """Fetch a new report; False where none comes."""
        newest = self._line.fetch(ANSWER_S)
        self.report = newest or self.report
        return newest is not None

    def leave(self, now: float) -> None:
        """Ask it to drain and end."""
        self._process.terminate()
        self.deadline = now + LEAVE_S

    def kill(self) -> None:
        """SIGKILL, and wait until it is gone."""
        self._process.kill()
        self._process.wait()

    def bury(self) -> None:
        """After its end: take its last report."""
        self.report = self._line.read(0) or self.report
        self._line.close()


@dataclass
class Slot:
    """Place of one worker. `due`: when the next may start; `successor`: started to replace the worker."""

    worker: Worker | None = None
    successor: Worker | None = None
    due: float = 0.0
    pause_s: float = 0.0


class Supervisor:
    """Owns the workers. All but `reports`, `ask_all` and `sums` belongs to one thread."""

    def __init__(self, listener: socket.socket, workers: int, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` in seconds, monotonic."""
        self._listener = listener
        self._clock = clock
        self._slots = [Slot() for _ in range(workers)]
        self._to_replace: list[Slot] = []
        self._again = False  # asked to replace all while that was under way
        self._leaving: list[Worker] = []
        self._asked = clock()
        self._lock = threading.Lock()
        self._gone = Sums()
        self._log = structlog.stdlib.get_logger("edge")
        self._exits = counter("sendtrail_edge_worker_exits_total")
        gauge("sendtrail_edge_workers").set_function(lambda: len(self.workers()))

    def start(self) -> int | None:
        """Start every worker and wait until they serve. Returns the exit code of one that could not, else None."""
        for slot in self._slots:
            slot.worker = Worker(self._listener, self._clock())
        for worker in self.workers():
            while not worker.serves():
                if worker.code is None and self._clock() > worker.deadline:
                    worker.kill()
                if worker.code is not None:
                    return worker.code or 1
                time.sleep(0.01)
        return None

    def check(self) -> None:
        """Do what is due; to be called a few times a second."""
        now = self._clock()
        for slot in self._slots:
            self._mend(slot, now)
        self._let_go(now)
        self._replace_next(now)
        if now - self._asked >= ASK_EVERY_S:
            self._asked = now
            self.ask_all()

    def replace_all(self) -> None:
        """Replace the workers one after the other: the next begins when the one before has gone.

        Asked meanwhile, it begins anew afterwards: what was started before may have read settings that are old now.
        """
        self._again = bool(self._to_replace or self._leaving)
        if self._again:
            return
        self._to_replace = list(self._slots)
        self._log.info("replacing_workers", workers=len(self._slots))

    def stop(self) -> None:
        """Let every worker drain, and end those that take too long. The listening socket closes first."""
        self._listener.close()
        now = self._clock()
        everyone = [*self.workers(), *(slot.successor for slot in self._slots if slot.successor), *self._leaving]
        for worker in everyone:
            worker.leave(now)
        while [worker for worker in everyone if worker.code is None] and self._clock() < now + LEAVE_S:
            time.sleep(0.01)
        for worker in everyone:
            if worker.code is None:
                self._log.error("worker_killed", pid=worker.pid)
                worker.kill()
            worker.bury()

    def workers(self) -> list[Worker]:
        """Those that serve or are about to, in the order of their places."""
        return [slot.worker for slot in self._slots if slot.worker is not None]

    def ask_all(self) -> list[Worker]:
        """Fetch new reports; returns the workers that serve and gave none."""
        return [worker for worker in self.workers() if worker.serves() and not worker.answers()]

    def sums(self) -> Sums:
        """The metrics of all workers that ever were, added up."""
        with self._lock:
            total = self._gone.copy()
            for worker in [*self.workers(), *self._leaving]:
                if worker.report is not None:
                    total.add(worker.report.families)
        return total

    def _mend(self, slot: Slot, now: float) -> None:
        """Put another worker in the place of one that has died."""
        worker = slot.worker
        if worker is not None and worker.code is None and not worker.serves() and now > worker.deadline:
            worker.kill()
        if worker is not None and worker.code is not None:
            calm = now - worker.started > CALM_S
            slot.pause_s = FIRST_PAUSE_S if calm else min(max(2 * slot.pause_s, FIRST_PAUSE_S), LONGEST_PAUSE_S)
            slot.due = now + slot.pause_s
            self._exits.inc()
            self._log.error("worker_ended", pid=worker.pid, code=worker.code, again_in_s=slot.pause_s)
            self._bury(worker)
            if slot.successor is not None:
                slot.worker, slot.successor = slot.successor, None
                self._to_replace.remove(slot)
            else:
                slot.worker = None
        if slot.worker is None and now >= slot.due:
            slot.worker = Worker(self._listener, now)

    def _replace_next(self, now: float) -> None:
        if self._leaving:
            return
        if not self._to_replace:
            if self._again:
                self.replace_all()
            return
        slot = self._to_replace[0]
        if slot.worker is None:  # a new one is about to start anyway
            del self._to_replace[0]
        elif slot.successor is None:
            slot.successor = Worker(self._listener, now)
        elif slot.successor.serves():
            old, slot.worker, slot.successor = slot.worker, slot.successor, None
            self._leaving.append(old)
            old.leave(now)
            del self._to_replace[0]
        elif slot.successor.code is not None or now > slot.successor.deadline:
            self._give_up(slot, slot.successor)

    def _give_up(self, slot: Slot, successor: Worker) -> None:
        """A new worker that can't serve replaces nobody."""
        if successor.code is None:
            successor.kill()
        self._log.error("replacing_given_up", pid=successor.pid, code=successor.code)
        self._bury(successor)
        slot.successor, self._to_replace = None, []

    def _let_go(self, now: float) -> None:
        for worker in list(self._leaving):
            if worker.code is None and now > worker.deadline:
                self._log.error("worker_killed", pid=worker.pid)
                worker.kill()
            if worker.code is not None:
                self._bury(worker)
                self._leaving.remove(worker)
                self._log.info("worker_replaced", pid=worker.pid, left=len(self._to_replace))

    def _bury(self, worker: Worker) -> None:
        worker.bury()
        with self._lock:
            if worker.report is not None:
                self._gone.add(worker.report.families, counters_only=True)
                worker.report = None
