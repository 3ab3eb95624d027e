"""How tools hold the loaders between plans: rows of table `control`, written and read here only.

- a loader says `(loader, <member>, running)` every few seconds, and `gone` when it ends;
- a tool says `(pause, <tool>-<id>, on)` and renews it while it works, then `off`;
- a loader that reads pauses before an insert starts none, and answers `(holding, <member>, <pauses>)`;
- the tool begins when every running loader holds for its pause and no insert of a loader runs.

Then everything at or below the committed offsets is in the tables, and above it at most a plan whose outcome is
unknown: its loader puts that right when the pause is over (sinks/unknown.py).
"""

import secrets
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import NamedTuple

from clickhouse_driver import Client
from clickhouse_driver.errors import Error
from tenacity import Retrying, retry_if_result, stop_after_delay, wait_fixed

from sendtrail.clickhouse import connect
from sendtrail.errors import SendtrailError
from sendtrail.settings import ClickHouseSettings
from sinks.queries import query

PRESENCE_LEASE_S = 15.0
PRESENCE_EVERY_S = 4.0
PAUSE_LEASE_S = 60.0
POLL_S = 0.25

#: Loaders and tools may use different replicas: what one wrote, the other must see. Ignored by plain tables.
_SETTINGS = {"insert_quorum": "auto", "insert_quorum_parallel": 0, "select_sequential_consistency": 1}


class PauseError(SendtrailError):
    """The loaders did not come to rest in time, or the pause was lost while the tool worked."""


class Words(NamedTuple):
    """What table `control` says now."""

    pauses: tuple[str, ...]
    running: frozenset[str]  # loaders
    holding: Mapping[str, frozenset[str]]  # pauses a loader holds for

    def at_rest(self, pause: str, apart: str = "") -> bool:
        """True if every running loader holds for `pause`, the one called `apart` left out."""
        return all(pause in self.holding.get(loader, ()) for loader in self.running if loader != apart)


class Control:
    """Reads and writes table `control` as one member: a loader's id, or a tool's pause."""

    def __init__(self, client: Client, member: str) -> None:
        self._client = client
        self._held: tuple[tuple[str, ...], float] = ((), float("-inf"))
        self.member = member

    def read(self) -> Words:
        """What is said now. Lets the driver's errors through, like every method here."""
        rows = self._client.execute(query("control_read"), settings=_SETTINGS)
        said = [(name, member, value) for name, member, value in rows]
        return Words(
            tuple(member for name, member, value in said if name == "pause" and value == "on"),
            frozenset(member for name, member, value in said if name == "loader" and value == "running"),
            {member: frozenset(value.split(",")) for name, member, value in said if name == "holding"},
        )

    def say(self, name: str, value: str, lease_s: float) -> None:
        """Write one row; it is void after `lease_s` seconds."""
        parameters = {"name": name, "member": self.member, "value": value, "lease_ms": round(lease_s * 1000)}
        self._client.execute(query("control_write"), parameters, settings=_SETTINGS)

    def present(self) -> None:
        """A loader is there; to be said again within PRESENCE_LEASE_S."""
        self.say("loader", "running", PRESENCE_LEASE_S)

    def leave(self) -> None:
        """A loader ends."""
        self.say("loader", "gone", PRESENCE_LEASE_S)

    def hold(self, pauses: tuple[str, ...]) -> None:
        """A loader holds for these pauses (none: it goes on); said again only when it has to be."""
        said, at = self._held
        if said != pauses or time.monotonic() - at >= PRESENCE_EVERY_S:
            self.say("holding", ",".join(pauses), PRESENCE_LEASE_S)
            self._held = pauses, time.monotonic()

    def inserts_running(self, database: str, plan_digest: str = "[0-9a-f]{32}") -> bool:
        """True if an insert of a loader (of one plan) runs in the database, on the server of this client."""
        parameters = {"database": database, "token": f"^(events|rejects|audit)-{plan_digest}(-|$)"}
        return bool(self._client.execute(query("loader_inserts"), parameters)[0][0])


class Pause:
    """A pause that is on. `check` before each step of the work.

    `renewed`: monotonic seconds before the last renewal, so that a process that was frozen knows that it is over.
    """

    def __init__(self, member: str, lease_s: float) -> None:
        self.member = member
        self.renewed = time.monotonic()
        self._lease_s = lease_s
        self._lost = threading.Event()

    def lose(self) -> None:
        """It could not be renewed."""
        self._lost.set()

    def check(self) -> None:
        """Raise PauseError if the pause was not renewed in time, so that loaders may have gone on."""
        if self._lost.is_set() or time.monotonic() - self.renewed >= self._lease_s:
            raise PauseError(f"pause {self.member} could not be renewed: ClickHouse did not answer in time")


@contextmanager
def paused(
    settings: ClickHouseSettings,
    tool: str,
    *,
    timeout_s: float = 120.0,
    lease_s: float = PAUSE_LEASE_S,
    own_loader: str = "",
    meanwhile: Callable[[tuple[str, ...]], None] = lambda pauses: None,
) -> Iterator[Pause]:
    """Hold every loader between plans while the block runs; `tool` is named in the loaders' logs.

    Waits for other pauses to end first. `own_loader`: the member id of a loader that pauses the others; while it waits
    for them it answers the pauses that are on by `meanwhile`, which may raise to give up. Raises PauseError if the
    loaders do not come to rest in `timeout_s`, and at the end if the pause was lost meanwhile.
    """
    pause = Pause(f"{tool}-{secrets.token_hex(4)}", lease_s)
    done = threading.Event()
    with connect(settings) as client:
        control = Control(client, pause.member)
        renewing = threading.Thread(target=_renew, args=(settings, pause, done, lease_s), daemon=True)
        try:
            _come_to_rest(control, pause, settings.database, timeout_s, lease_s, own_loader, meanwhile)
            renewing.start()
            yield pause
            pause.check()
        finally:
            done.set()
            if renewing.ident is not None:
                renewing.join()
            control.say("pause", "off", lease_s)


def _come_to_rest(
    control: Control,
    pause: Pause,
    database: str,
    timeout_s: float,
    lease_s: float,
    own_loader: str,
    meanwhile: Callable[[tuple[str, ...]], None],
) -> None:
    def first_in_line() -> bool:
        """True once no other pause is on; of two at the same moment one steps back."""
        if before := others():
            meanwhile(before)
            return False
        control.say("pause", "on", lease_s)
        rivals = others()
        if rivals and min(rivals) < control.member:
            control.say("pause", "off", lease_s)
        return not rivals

    def others() -> tuple[str, ...]:
        return tuple(pause for pause in control.read().pauses if pause != control.member)

    def at_rest() -> bool:
        meanwhile(())
        now = time.monotonic()
        control.say("pause", "on", lease_s)
        pause.renewed = now
        return control.read().at_rest(control.member, own_loader) and not control.inserts_running(database)

    for step, what in ((first_in_line, "another tool's pause does not end"), (at_rest, "a loader does not hold")):
        if not _until(step, timeout_s):
            words = control.read()
            raise PauseError(f"{what} within {timeout_s:g} s: pauses {words.pauses}, loaders {sorted(words.running)}")


def _until(condition: Callable[[], bool], timeout_s: float) -> bool:
    retrying = Retrying(
        retry=retry_if_result(lambda met: not met),
        wait=wait_fixed(POLL_S),
        stop=stop_after_delay(timeout_s),
        retry_error_callback=lambda state: False,
    )
    return bool(retrying(condition))


def _renew(settings: ClickHouseSettings, pause: Pause, done: threading.Event, lease_s: float) -> None:
    with connect(settings) as client:
        control = Control(client, pause.member)
        while not done.wait(lease_s / 6):
            now = time.monotonic()
            try:
                pause.check()
                control.say("pause", "on", lease_s)
                pause.renewed = now
            except (PauseError, Error, OSError, EOFError):
                pause.lose()
