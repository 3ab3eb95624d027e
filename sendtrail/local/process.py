"""Child processes that end with their parent: start, wait, stop, kill."""

from __future__ import annotations

import ctypes
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

PARENT_VARIABLE = "_SENDTRAIL_PARENT_PID"  # not a setting: without the prefix of settings
_PR_SET_PDEATHSIG = 1
_SERVER_PORTS = range(15_000, 32_000)
_PORT_TRIES = 200

# Linux ties "parent death" to the thread that forked, so every child is started by this one thread, which
# lives as long as the process.
_spawner = ThreadPoolExecutor(max_workers=1, thread_name_prefix="spawner")


class StartError(RuntimeError):
    """A process of the embedded stack did not start; the message ends with the tail of its log."""


class Child:
    """One child process whose output goes to a log file."""

    def __init__(self, name: str, log_path: Path) -> None:
        self.name = name
        self.log_path = log_path
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """Process id while it runs, else None."""
        return self._process.pid if self._process is not None and self.running else None

    @property
    def running(self) -> bool:
        """True while the process lives."""
        return self._process is not None and self._process.poll() is None

    @property
    def returncode(self) -> int | None:
        """Exit code of the last run (negative = signal), None while it runs or before the first start."""
        return None if self._process is None else self._process.poll()

    def start(self, command: Sequence[str], *, die_with_parent: bool, extra: Mapping[str, str] | None = None) -> None:
        """Start `command` with its output appended to the log, `extra` on top of the environment.

        RuntimeError if it already runs.
        """
        if self.running:
            raise RuntimeError(f"{self.name} already runs as process {self.pid}")
        environment = {**os.environ, **(extra or {})}
        environment.pop(PARENT_VARIABLE, None)
        if die_with_parent:
            environment[PARENT_VARIABLE] = str(os.getpid())
        self.log_path.parent.mkdir(parents=True, exist_ok=True)
        with self.log_path.open("ab") as log:
            self._process = _spawner.submit(
                subprocess.Popen,
                list(command),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=environment,
                start_new_session=True,
            ).result()

    def wait_until(self, ready: Callable[[], bool], timeout_s: float) -> None:
        """Poll `ready` until it is true. StartError if the process ends first or the time is over."""
        deadline = time.monotonic() + timeout_s
        while not ready():
            if not self.running:
                raise StartError(f"{self.name} ended with code {self.returncode}:\n{self.log_tail()}")
            if time.monotonic() > deadline:
                raise StartError(f"{self.name} was not ready after {timeout_s:g} s:\n{self.log_tail()}")
            time.sleep(0.02)

    def stop(self, timeout_s: float) -> int | None:
        """SIGTERM, then SIGKILL after `timeout_s`. Returns the exit code."""
        if self._process is None:
            return None
        if self.running:
            self._process.terminate()
        try:
            return self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self.kill()
            return self._process.returncode

    def kill(self) -> None:
        """SIGKILL, and wait until the process is gone."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def log_tail(self, size: int = 4000) -> str:
        """The last `size` bytes of the log."""
        try:
            with self.log_path.open("rb") as log:
                log.seek(max(0, self.log_path.stat().st_size - size))
                return log.read().decode("utf-8", "replace")
        except FileNotFoundError:
            return ""


def die_with_parent() -> None:
    """Called by a child: end this process when the one named in PARENT_VARIABLE dies (Linux prctl(2)).

    The wish survives execve. Does nothing without the variable, or on other systems.
    """
    parent = os.environ.get(PARENT_VARIABLE)
    if parent is None or not sys.platform.startswith("linux"):
        return
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != int(parent):
        sys.exit("parent ended before this process started")


def free_port() -> int:
    """A TCP port of the loopback interface that was free a moment ago.

    Taken below the range from which systems give ports to outgoing connections, so that none of those takes it
    before the server that is to have it has started.
    """
    for port in random.sample(_SERVER_PORTS, _PORT_TRIES):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise StartError(f"no free port between {_SERVER_PORTS.start} and {_SERVER_PORTS.stop}")


def accepts_connections(port: int) -> bool:
    """True if something listens on the loopback port."""
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def require_free(name: str, *ports: int) -> None:
    """StartError if something listens on one of the loopback ports already."""
    for port in ports:
        if accepts_connections(port):
            raise StartError(f"{name} cannot start: port {port} is taken")
