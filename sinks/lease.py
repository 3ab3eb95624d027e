"""One tool at a time at one thing, wherever it runs: a row of table `control` that it renews while it lives.

The member's name is made of place and thing, so that a tool that died there goes on at once; the place itself keeps
others out (a file lock). A tool elsewhere is let in when the row is void.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from clickhouse_driver.errors import Error

from sendtrail.clickhouse import connect
from sendtrail.errors import SendtrailError
from sendtrail.settings import ClickHouseSettings
from sinks.control import Control
from sinks.queries import query

LEASE_S = 30.0
_ON, _OFF = "on", "off"
#: What a tool wrote by another replica must be seen. Ignored by plain tables.
_READ = {"select_sequential_consistency": 1}


class LeaseError(SendtrailError):
    """Another tool is at it, or the lease could not be renewed."""


class Lease:
    """A lease that is held. `check` before what must not be done twice at a time."""

    def __init__(self) -> None:
        self.lost = threading.Event()

    def check(self) -> None:
        """Raises LeaseError if it could not be renewed, so that another may have begun."""
        if self.lost.is_set():
            raise LeaseError("ClickHouse did not answer in time: another process may be at the same. Start it again")


@contextmanager
def held(settings: ClickHouseSettings, what: str, thing: str, place: str, who: str) -> Iterator[Lease]:
    """Hold `thing` for `what` while the block runs. `place`: the machine and directory; `who` is told to others.

    Raises LeaseError naming who has it; of two that come at the same moment both may be turned away. Lets the driver's
    errors through.
    """
    lease, done = Lease(), threading.Event()
    member = f"{thing} {place}"
    with connect(settings) as client:
        control = Control(client, member)
        control.say(what, f"{_ON} {who}", LEASE_S)
        try:
            for name, other, value in client.execute(query("control_read"), settings=_READ):
                if name == what and other != member and other.startswith(f"{thing} ") and value.startswith(_ON):
                    raise LeaseError(
                        f"{what} {thing} runs already: {value[len(_ON) + 1 :]}. If it died, its lease ends "
                        f"within {LEASE_S:g} s"
                    )
            renewing = threading.Thread(
                target=_renew, args=(settings, control.member, what, who, lease, done), daemon=True
            )
            renewing.start()
            try:
                yield lease
            finally:
                done.set()
                renewing.join()
        finally:
            with suppress(Error, OSError, EOFError):  # it ends by itself
                control.say(what, _OFF, 0)


def _renew(
    settings: ClickHouseSettings, member: str, what: str, who: str, lease: Lease, done: threading.Event
) -> None:  # fmt: skip
    with connect(settings) as client:
        control = Control(client, member)
        while not done.wait(LEASE_S / 6):
            try:
                control.say(what, f"{_ON} {who}", LEASE_S)
            except (Error, OSError, EOFError):
                lease.lost.set()
