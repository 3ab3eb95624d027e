"""Starts processes in order, restarts what dies with a growing pause, stops them in reverse order."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sendtrail.local.process import Child

_FIRST_PAUSE_S = 0.2
_LONGEST_PAUSE_S = 10.0
_CALM_S = 30.0  # a process that ran this long starts again without a pause

Say = Callable[[str], None]


@dataclass(frozen=True)
class Service:
    """One process of the stack. `ready` is asked until it is true; `stop_s` is how long a SIGTERM may take."""

    name: str
    command: Sequence[str]
    ready: Callable[[], bool]
    environment: Mapping[str, str] = field(default_factory=dict)
    stop_s: float = 15.0


class _Watched:
    """A service, its process and when it may start next."""

    def __init__(self, service: Service, logs: Path) -> None:
        self.service = service
        self.child = Child(service.name, logs / f"{service.name}.log")
        self.started = 0.0
        self.pause_s = 0.0
        self.due: float | None = None

    def start(self, now: float) -> None:
        self.child.start(self.service.command, die_with_parent=True, extra=self.service.environment)
        self.started, self.due = now, None

    def ended(self, now: float) -> float:
        """Plan the restart; returns the pause in seconds."""
        calm = now - self.started > _CALM_S
        self.pause_s = _FIRST_PAUSE_S if calm else min(max(self.pause_s * 2, _FIRST_PAUSE_S), _LONGEST_PAUSE_S)
        self.due = now + self.pause_s
        return self.pause_s


class Supervisor:
    """Owns the processes of the stack. `say` gets a line for whatever a person should know."""

    def __init__(self, logs: Path, say: Say, clock: Callable[[], float] = time.monotonic) -> None:
        self._logs = logs
        self._say = say
        self._clock = clock
        self._watched: list[_Watched] = []

    def start(self, services: Sequence[Service], timeout_s: float = 90.0) -> None:
        """Start services together and wait until each is ready. Raises StartError with the log's tail."""
        fresh = [_Watched(service, self._logs) for service in services]
        for watched in fresh:
            watched.start(self._clock())
            self._watched.append(watched)
        for watched in fresh:
            watched.child.wait_until(watched.service.ready, timeout_s)

    def check(self) -> None:
        """Restart what has died and whose pause is over; call it a few times a second."""
        now = self._clock()
        for watched in self._watched:
            if watched.child.running:
                continue
            if watched.due is None:
                code = watched.child.returncode
                pause_s = watched.ended(now)
                self._say(f"{watched.service.name} ended with code {code}; starting again in {pause_s:.1f} s")
            elif now >= watched.due:
                watched.start(now)

    def pids(self) -> dict[str, int | None]:
        """Process id of each service, None while it is down."""
        return {watched.service.name: watched.child.pid for watched in self._watched}

    def stop(self) -> None:
        """End everything in reverse order of start: SIGTERM, then SIGKILL when its time is over."""
        for watched in reversed(self._watched):
            code = watched.child.stop(watched.service.stop_s)
            if code not in (0, None, -15, 143):
                self._say(f"{watched.service.name} ended with code {code} when it was stopped")
        self._watched.clear()
