"""A run over one delivery: judged into a spool of its own, then sent from there. Everything of it is in a directory.

    judging -> ready -> (the run is over, its directory is empty)

While it is judged nothing is sent, so a run that dies there is thrown away. From `ready` on the spool is the truth:
whoever comes next sends what is still in it. Ids are made of run and target, so what is sent twice counts once.
"""

import fcntl
import json
import os
import secrets
import shutil
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from sendtrail import private_file
from sendtrail.errors import SendtrailError
from sendtrail.events import VERSION, Event
from sendtrail.ids import relabel_id
from streams.reclassify.rejudge import Ruling

_MOST_REASONS = 16  # of an event
_FILE = "run.json"
_LOCK = "lock"


class RunsAlreadyError(SendtrailError):
    """Another process judges this delivery again."""


class Run(NamedTuple):
    """A run: its name in the column `run`, when it began (UTC milliseconds), by which rules, and its re-labels."""

    name: str
    began_ms: int
    ruleset: str
    relabels: int = 0
    ready: bool = False


def begin(now_ms: int, ruleset: str, token: Callable[[int], str] = secrets.token_hex) -> Run:
    """A new run."""
    at = datetime.fromtimestamp(now_ms / 1000, UTC).strftime("%Y%m%dT%H%M%SZ")
    return Run(f"reclassify-{at}-{token(3)}", now_ms, ruleset)


def relabel(run: Run, delivery: int, ruling: Ruling) -> Event:
    """The re-label of one hit, with what takes it to the partition of its target."""
    hit = ruling.hit
    return Event(
        version=VERSION, event_id=relabel_id(run.began_ms, run.name, hit.event_id), kind="relabel",
        event_time_ms=run.began_ms, account=hit.account, source="tool", delivery=delivery, message=hit.message,
        site=hit.site, order_id=hit.order_id, visitor=hit.visitor or None, target_id=hit.event_id,
        new_class=ruling.class_, new_repeat=ruling.repeat, reasons=list(ruling.reasons[:_MOST_REASONS]),
        ruleset=run.ruleset, run=run.name,
    )  # fmt: skip


class RunDirectory:
    """Where the run of one delivery is kept."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.spool = path / "spool"

    def unfinished(self) -> Run | None:
        """A run whose re-labels may be under way; what was only judged is thrown away. Raises SendtrailError."""
        try:
            run = Run(**json.loads((self.path / _FILE).read_text()))
        except FileNotFoundError:
            run = None
        except (OSError, ValueError, TypeError) as error:
            raise SendtrailError(
                f"{self.path / _FILE} can't be read ({error}); it says which run is not over"
            ) from error
        if run is None or not run.ready:
            self.clear()
            return None
        return run

    def ready(self, run: Run) -> None:
        """From now on the run is finished whatever happens. Its spool reached the disk before."""
        private_file.write(self.path / _FILE, json.dumps(run._replace(ready=True)._asdict()).encode())

    def clear(self) -> None:
        """The run is over, or never was."""
        (self.path / _FILE).unlink(missing_ok=True)
        if self.spool.exists():
            shutil.rmtree(self.spool)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """One process at a time; the kernel lets go when it dies. Raises RunsAlreadyError saying who has it."""
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self.path / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise SendtrailError(f"setting streams.reclassify_dir: {error}") from error
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                who = os.pread(descriptor, 1000, 0).decode("utf-8", "replace") or "another process"
                raise RunsAlreadyError(f"this delivery is judged again already, by {who}") from None
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, whoami().encode(), 0)
            yield
        finally:
            os.close(descriptor)


def whoami() -> str:
    """For people who look for the other run."""
    now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    return f"process {os.getpid()} on {socket.gethostname()} since {now}"
