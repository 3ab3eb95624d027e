"""Too much of a partition was rejected -> the worker holds until an operator lets it pass, instead of going on.

Nothing is processed while it holds, so nothing is lost: what is done is committed, the rest waits in tracking.events.
The whole worker holds, not the partition alone: a broken producer's events are spread over all of them. That it holds
follows from the counts in the state (state/reject_rate.py), so it does after a restart too; a rate that was below the
limit by other settings lets it go on.

Two files in the state directory: `held.json` says that and why it holds, `pass` asks to let it pass.
"""

import json
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import structlog

from sendtrail import private_file
from sendtrail.metrics import gauge
from streams.items import RejectLimit
from streams.progress import Part
from streams.state.keys import REJECT_RATE
from streams.state.reject_rate import rate_value, read_rate

#: A wish to pass that nobody took within this long is void: what it was made for is not what holds later.
PASS_S = 30.0
_HELD, _PASS = "held.json", "pass"
_log = structlog.stdlib.get_logger(__name__)


class Held(NamedTuple):
    """A partition that holds: events and rejects of the limit's minutes."""

    partition: int
    events: int
    rejected: dict[str, int]

    @property
    def text(self) -> str:
        """For people."""
        reasons = ", ".join(f"{n:,} {reason}" for reason, n in sorted(self.rejected.items(), key=lambda one: -one[1]))
        return f"partition {self.partition}: of {self.events:,} events were rejected {reasons}"


class Hold:
    """Looks whether the worker may go on. `limit` None: always."""

    def __init__(self, directory: Path, limit: RejectLimit | None) -> None:
        self._directory, self._limit = directory, limit
        self.held: list[Held] = []
        if limit is None:
            (directory / _HELD).unlink(missing_ok=True)

    def look(self, parts: Iterable[Part]) -> bool:
        """True while it must not go on. `parts`: the partitions at work; an operator's wish to pass is carried out."""
        if self._limit is None:
            return False
        above = [(part, held) for part in parts if (held := _held(part, self._limit)) is not None]
        if above and self._asked_to_pass():
            for part, _ in above:
                _let_pass(part)
            texts = [held.text for _, held in above]
            _log.warning("rejects are let pass until their rate is below the limit again", held=texts)
            above = []
        self._say([held for _, held in above])
        return bool(above)

    def facts(self) -> list[dict[str, Any]]:
        """For the admin listener."""
        return [held._asdict() for held in self.held]

    def _asked_to_pass(self) -> bool:
        path = self._directory / _PASS
        try:
            asked = path.stat().st_mtime
        except FileNotFoundError:
            return False
        path.unlink(missing_ok=True)
        return abs(time.time() - asked) < PASS_S

    def _say(self, held: list[Held]) -> None:
        gauge("sendtrail_streams_held_partitions").set(len(held))
        path = self._directory / _HELD
        if held and held != self.held:
            private_file.write(path, json.dumps([one._asdict() for one in held]).encode())
            _log.error(
                "too much is rejected: the worker holds. `sendtrail rejects list` shows what, `sendtrail rejects pass` "
                "lets it go on",
                held=[one.text for one in held],
            )
        elif not held:
            path.unlink(missing_ok=True)
        self.held = held


def read_held(directory: Path) -> list[Held]:
    """What the worker on a state directory holds for; nothing where it does not, or where the directory is not here."""
    try:
        return [Held(**one) for one in json.loads((directory / _HELD).read_text())]
    except OSError:
        return []


def ask_to_pass(directory: Path) -> None:
    """Ask the worker on a state directory to go on."""
    private_file.write(directory / _PASS, b"")


def withdraw(directory: Path) -> None:
    """Nobody took it."""
    (directory / _PASS).unlink(missing_ok=True)


def _held(part: Part, limit: RejectLimit) -> Held | None:
    rate = read_rate(part.store.read([REJECT_RATE])[0])
    if rate.let_pass or not rate.is_above(limit):
        return None
    return Held(part.partition, *rate.within(limit))


def _let_pass(part: Part) -> None:
    rate = read_rate(part.store.read([REJECT_RATE])[0])
    rate.let_pass = True
    part.store.write({REJECT_RATE: rate_value(rate)}, part.store.applied)
    part.store.flush(wait=True)
