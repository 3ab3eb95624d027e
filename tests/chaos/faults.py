"""Carries out faults: each call lasts as long as the fault, and until what it hit is well again."""

from __future__ import annotations

import os
import random
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path

from clickhouse_driver.errors import Error

from sendtrail.local.process import Child
from tests.chaos.poison import Poison
from tests.chaos.schedule import BROKERS, DAY_MS, EDGES, EXTRA_LOADERS, EXTRA_WORKERS, LOADERS, WORKERS, Fault
from tests.chaos.sent import Sent
from tests.chaos.stack import Stack, wait
from tests.line.processes import children, descendants
from tests.support.rename import killed_at_rename

_INSERT_S = 45.0
_ASK_AGAIN_S = 0.01
_END_S = 60.0
_JOIN_S = 120.0
_STORMS = 2
_INSERT_RUNS = (
    "SELECT count() FROM system.processes WHERE Settings['insert_deduplication_token'] != '' AND query_kind = 'Insert'"
)


class Faults:
    """Knows every kind of fault of schedule.py. `note` of a fault: what really happened, where that is not certain."""

    def __init__(self, stack: Stack, sent: Sent, tracing: bool, count: Callable[[], None]) -> None:
        """`tracing`: strace is there. `count`: told of an engine that is about to be killed."""
        self._stack, self._sent, self._tracing, self._count = stack, sent, tracing, count
        self._doses = Poison(stack.kafka, sent)

    def carry_out(self, fault: Fault) -> str:
        """Do it and wait for the end; returns the note. Raises NotBack, and whatever the harness itself fails by."""
        action: Callable[[Fault], str | None] = getattr(self, f"_{fault.kind}")
        return action(fault) or ""

    def _kill(self, fault: Fault) -> None:
        self._end(fault.target, signal.SIGKILL)

    def _stop(self, fault: Fault) -> None:
        self._end(fault.target, signal.SIGTERM)

    def _kill_child(self, fault: Fault) -> None:
        """One worker process of an edge; the edge starts another by itself."""
        parent = self._alive(fault.target)
        victims = children(parent)
        if victims:
            _signal([victims[0].pid], signal.SIGKILL)
            wait(lambda: not victims[0].alive, f"the child of {fault.target} is gone", _END_S)
        wait(lambda: self._stack.healthy(fault.target), f"{fault.target} serves again", _JOIN_S)

    def _kill_all_but(self, fault: Fault) -> None:
        """Two brokers at once: nothing can be written until one is back."""
        before = {name: self._alive(name) for name in BROKERS if name != fault.target}
        _signal(list(before.values()), signal.SIGKILL)
        for name, pid in before.items():
            self._stack.wait_back(name, pid)

    def _freeze(self, fault: Fault) -> None:
        with self._frozen(fault.target):
            time.sleep(fault.seconds)
        wait(lambda: self._stack.healthy(fault.target), f"{fault.target} goes on", _JOIN_S)

    def _slow(self, fault: Fault) -> None:
        """An engine that gets a fifth of its time."""
        end = time.monotonic() + fault.seconds
        while time.monotonic() < end:
            with self._frozen(fault.target):
                time.sleep(0.4)
            time.sleep(0.1)

    def _kill_in_insert(self, fault: Fault) -> str:
        """As soon as the engine says that a loader's insert runs in it."""
        end, running = time.monotonic() + _INSERT_S, 0
        with suppress(Error, OSError, EOFError), self._stack.client() as client:
            while not running and time.monotonic() < end:
                [(running,)] = client.execute(_INSERT_RUNS)
                time.sleep(0 if running else _ASK_AGAIN_S)
        self._end(fault.target, signal.SIGKILL)
        return "an insert ran" if running else "no insert was seen"

    def _kill_at_rename(self, fault: Fault) -> str:
        """Where a part is renamed into place: its token is known by then, its rows are not there (FACTS D)."""
        if not self._tracing:
            return self._kill_in_insert(fault) + " (strace is not there)"
        wait(lambda: self._stack.healthy(fault.target), "the engine answers", _JOIN_S)
        self._count()
        before, told = self._alive(fault.target), "at the rename"
        try:
            with self._stack.client() as client, killed_at_rename(_Process(before), client, fault.detail):
                wait(lambda: self._stack.pid(fault.target) != before, "a part is renamed", _INSERT_S)
        except AssertionError as error:  # no part was renamed in time, or the engine can't be traced here
            told = f"{error}; killed anyway"
            self._kill_this(before)
        except (Error, OSError, EOFError) as error:  # the engine went in the midst of a question or of tracing
            told = f"tracing did not begin: {error!r}"[:200] if self._stack.pid(fault.target) == before else told
            self._kill_this(before)
        self._stack.wait_back(fault.target, before)
        return told

    def _fill_disk(self, fault: Fault) -> str:
        """The disk of a spool. What an edge can't keep meanwhile is counted as lost; the API refuses."""
        name, spools = fault.target, self._stack.spools
        with self._sent.without_orders(name):
            before = spools.lost(name)
            spools.fill(name, lambda: self._processes(name))
            try:
                time.sleep(fault.seconds)
            finally:
                spools.free(name, lambda: self._processes(name))
            wait(lambda: self._stack.healthy(name), f"{name} goes on", _JOIN_S)
            self._until_taken(name)
        return f"{spools.lost(name) - before} hits counted as lost" if name in EDGES else ""

    def _until_taken(self, name: str) -> None:
        """Until the spool takes events again, so that nothing else counts as lost."""
        if name not in EDGES:
            return

        def taken() -> bool:
            before = self._stack.spools.lost(name), len(self._sent.hits)
            time.sleep(0.5)
            return before[0] == self._stack.spools.lost(name) and before[1] < len(self._sent.hits)

        wait(taken, f"{name} keeps hits again", _JOIN_S)

    def _step_clock(self, fault: Fault) -> None:
        off_ms, name = int(fault.detail), fault.target
        ahead = name in EDGES and off_ms > DAY_MS
        with self._sent.without_orders(name) if ahead else nullcontext():
            if ahead:
                self._sent.clocks_ahead.add(name)
            self._stack.clocks.step(name, off_ms)
            time.sleep(fault.seconds)
            self._stack.clocks.step(name, 0)
            if ahead:
                time.sleep(1.0)  # a request that began before it ends in time
                self._sent.clocks_ahead.discard(name)

    def _poison(self, fault: Fault) -> str:
        return self._doses.put(fault.detail)

    def _lose_state(self, fault: Fault) -> None:
        """A worker on a fresh machine: all it kept is gone, with the others' checkpoints or without any."""

        def lose() -> None:
            shutil.rmtree(self._stack.directory("state", fault.target), ignore_errors=True)
            if fault.detail:
                for path in (self._stack.data / "checkpoints").glob("*"):
                    shutil.rmtree(path, ignore_errors=True)

        self._end(fault.target, signal.SIGKILL, lose)

    def _damage(self, fault: Fault) -> str:
        """Bits that flipped in a worker's state, or in the newest checkpoints while its state is gone."""
        found: list[Path] = []

        def damage() -> None:
            state = self._stack.directory("state", fault.target)
            place = self._stack.data / "checkpoints" if fault.detail == "checkpoint" else state
            found.extend(sorted(place.rglob("*.sst"), key=lambda path: path.stat().st_mtime)[-4:])
            for path in found:
                flip(path)
            if fault.detail == "checkpoint":
                shutil.rmtree(state, ignore_errors=True)

        self._end(fault.target, signal.SIGKILL, damage)
        return f"{len(found)} files damaged"

    def _storm(self, fault: Fault) -> str:
        """Members come and go: further ones join and are killed, the usual ones are stopped in between."""
        joined = 0
        usual, names = (WORKERS, EXTRA_WORKERS) if fault.target in EXTRA_WORKERS else (LOADERS, EXTRA_LOADERS)
        for turn in range(_STORMS):
            extra = {name: self._stack.start_extra(name) for name in names}
            joined += sum([self._joins(name, child) for name, child in extra.items()])
            for child in extra.values():
                if turn:
                    child.kill()
                else:
                    child.stop(_END_S)
            self._end(usual[turn % 2], signal.SIGTERM)
        return f"{joined} joined"

    def _joins(self, name: str, child: Child) -> bool:
        """Wait until an extra process answers; a worker that ended by itself meanwhile did not join."""
        end = time.monotonic() + _JOIN_S
        while child.running and time.monotonic() < end:
            if self._stack.healthy(name):
                time.sleep(random.uniform(0.5, 3.0))
                return True
            time.sleep(0.05)
        return False

    def _end(self, name: str, number: signal.Signals, meanwhile: Callable[[], None] | None = None) -> None:
        """Signal it, do something while it is down, and wait until it is back."""
        if name == "engine":
            self._count()
        before = self._alive(name)
        with self._stack.nothing_starts() if meanwhile else nullcontext():
            _signal([before], number)
            wait(lambda: self._stack.pid(name) != before, f"{name} is gone", _END_S)
            if meanwhile:
                meanwhile()
        self._stack.wait_back(name, before)

    def _kill_this(self, pid: int) -> None:
        if self._stack.pid("engine") == pid:
            _signal([pid], signal.SIGKILL)

    def _alive(self, name: str) -> int:
        """Its process id, once it runs."""
        wait(lambda: self._stack.pid(name) is not None, f"{name} runs", _JOIN_S)
        return self._stack.pid(name) or self._alive(name)

    def _processes(self, name: str) -> list[int]:
        pid = self._stack.pid(name)
        return [process.pid for process in descendants(pid)] if pid else []

    @contextmanager
    def _frozen(self, name: str) -> Iterator[None]:
        pids = self._processes(name)
        _signal(pids, signal.SIGSTOP)
        try:
            yield
        finally:
            _signal(pids, signal.SIGCONT)


class _Process:
    """A process as killed_at_rename wants it."""

    def __init__(self, pid: int) -> None:
        self.pid = pid


def _signal(pids: list[int], number: signal.Signals) -> None:
    """To those of these processes that are still there."""
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


def flip(path: Path) -> None:
    """Turn some bytes in the middle of a file into others."""
    with suppress(FileNotFoundError), path.open("r+b") as file:
        size = path.stat().st_size
        file.seek(size // 2)
        old = file.read(16)
        file.seek(size // 2)
        file.write(bytes(byte ^ 0xFF for byte in old))
