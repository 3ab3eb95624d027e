"""One run: start the line, send, break things by a seed, let it come to rest, and prove what is stored."""

from __future__ import annotations

import json
import secrets
import shutil
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from rich.console import Console

from sendtrail import keyring
from tests.chaos.branches import Branch, Exits, Records, taken
from tests.chaos.display import Display
from tests.chaos.faults import Faults
from tests.chaos.feeding import feed_items, order, tell_webhook
from tests.chaos.lanes import Lanes, Rounds
from tests.chaos.ledger import Ledger, read_stored, settle
from tests.chaos.schedule import EDGES, schedule
from tests.chaos.sent import Sent
from tests.chaos.stack import NotBack, Stack
from tests.chaos.traffic import Readers
from tests.chaos.watch import Watch

_REST_S = 300.0
_CHECK_S = 0.1


class Options(NamedTuple):
    """What a run is: `hits_per_second` over both edges."""

    seed: int
    minutes: float
    hits_per_second: float
    data: Path


@dataclass
class Outcome:
    """How a run ended. `problems`: why it is no success; `remarks`: what the other proofs said."""

    ledger: Ledger | None = None
    faults: int = 0
    branches: list[Branch] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    @property
    def good(self) -> bool:
        return self.ledger is not None and self.ledger.even and not self.problems


def run(options: Options, console: Console) -> Outcome:
    """Start, break, prove, stop. Lets StartError through where the line does not even start."""
    options.data.mkdir(parents=True, exist_ok=True)
    outcome = Outcome()
    with ExitStack() as closing:
        display = closing.enter_context(Display(console, options.data / "run.log"))
        exits = Exits(display.say)
        stack = Stack(options.data, exits)
        closing.callback(lambda: stack.spools.close(keep=not outcome.good))
        closing.callback(stack.stop)
        display.say(f"seed {options.seed}, {options.minutes:g} minutes, data in {options.data}")
        stack.start()
        _Course(options, stack, display, exits, outcome).go()
    return outcome


class _Course:
    """What happens between start and stop."""

    def __init__(self, options: Options, stack: Stack, display: Display, exits: Exits, outcome: Outcome) -> None:
        self._options, self._stack, self._display = options, stack, display
        self._exits, self._outcome = exits, outcome
        self._sent, self._watch = Sent(), Watch(stack)
        seconds = options.minutes * 60
        faults = Faults(stack, self._sent, shutil.which("strace") is not None, self._watch.look)
        rounds = Rounds(lambda: self._sent.total, lambda: self._watch.stored)
        self._lanes = Lanes(schedule(options.seed, seconds), seconds, faults.carry_out, rounds, display.say)
        self._ended = threading.Event()

    def go(self) -> None:
        supervisor = threading.Thread(target=self._supervise, name="supervisor")
        supervisor.start()
        try:
            self._watch.start()
            self._break()
            self._rest()
            self._prove()
        except NotBack as error:
            self._outcome.problems.append(str(error))
        finally:
            self._watch.stop()
            self._ended.set()
            supervisor.join()
            self._outcome.faults = len(self._lanes.done)
            self._outcome.problems += self._lanes.problems
        records = Records(self._options.data)
        self._outcome.branches = taken(records, self._watch.known_tokens, self._exits.codes)

    def _supervise(self) -> None:
        while not self._ended.wait(_CHECK_S):
            self._stack.check()

    def _break(self) -> None:
        """Traffic and faults, until the time is over."""
        stop = threading.Event()
        senders = [threading.Thread(target=each, name="sender") for each in self._senders(stop)]
        for sender in senders:
            sender.start()
        self._lanes.start()
        try:
            while self._lanes.running:
                self._show("faults", self._lanes.elapsed_s / (self._options.minutes * 60))
                time.sleep(_CHECK_S)
        finally:
            self._lanes.join()
            stop.set()
            for sender in senders:
                while sender.is_alive():
                    self._show("last requests", 1.0)
                    sender.join(_CHECK_S)

    def _senders(self, stop: threading.Event) -> list[Callable[[], None]]:
        keys = keyring.load(self._stack.data / "keys.toml")
        ports, sent, seed = self._stack.ports, self._sent, self._options.seed
        rate = self._options.hits_per_second / len(EDGES)

        def dice(name: str) -> Random:
            return Random(f"{seed}/{name}")

        readers = [
            Readers(keys, edge, ports[edge], number, len(EDGES), dice(edge)) for number, edge in enumerate(EDGES)
        ]
        shops = {edge: ports[edge] for edge in EDGES}
        return [
            *(lambda reader=reader: reader.run(sent, rate, stop) for reader in readers),
            lambda: feed_items(sent, ports["api"], 1.0, stop, dice("items")),
            lambda: tell_webhook(sent, ports["api"], 1.5, stop, dice("webhook")),
            lambda: order(sent, shops, 0.5, stop, dice("orders")),
        ]

    def _rest(self) -> None:
        """Until nothing is on its way any more. Raises NotBack."""
        deadline, audit, before = time.monotonic() + _REST_S, "not asked yet", -1
        while time.monotonic() < deadline:
            self._show("coming to rest", 1.0)
            grows, before = self._watch.stored != before, self._watch.stored
            if not grows and self._stack.spools.waiting() == 0:
                done = self._stack.command("audit", "--format", "json")
                audit = done.stdout.strip() or done.stderr.strip()
                if audit.startswith("{") and json.loads(audit)["total"]["waiting"] == 0:
                    return
            time.sleep(2.0)
        waiting = self._stack.spools.waiting()
        raise NotBack(f"not at rest after {_REST_S:g} s: {waiting} segments in spools; audit: {audit[-2000:]}")

    def _prove(self) -> None:
        self._display.say("reading the tables, sendtrail audit, sendtrail verify")
        counted = {edge: lost for edge in EDGES if (lost := self._stack.spools.lost(edge))}
        with self._stack.client(timeout_s=120) as client:
            stored = read_stored(client)
        self._outcome.ledger = settle(self._sent, stored, counted)
        self._outcome.remarks += [f"{count} {what} sent again" for what, count in sorted(self._sent.repeats.items())]
        self._audit(counted)
        verified = self._stack.command("verify", "--format", "json")
        told = (
            _equal(json.loads(verified.stdout)) if verified.stdout.startswith("{") else verified.stderr.strip()[-300:]
        )
        self._outcome.remarks.append(f"verify: {told}")
        if verified.returncode:
            self._outcome.problems.append(f"sendtrail verify: {(verified.stdout + verified.stderr)[-3000:]}")

    def _audit(self, counted: dict[str, int]) -> None:
        """Even, but for what full disks have lost: that it must name, to the event."""
        done = self._stack.command("audit", "--format", "json")
        if not done.stdout.startswith("{"):
            self._outcome.problems.append(f"sendtrail audit: {done.stderr[-3000:]}")
            return
        found: dict[str, Any] = json.loads(done.stdout)
        wrong = [finding for finding in found["findings"] if finding["weight"] == "difference"]
        full = [finding for finding in wrong if finding["kind"] == "disk_full"]
        losses = {Path(finding["place"]["directory"]).name: finding["events"] for finding in full}
        others = [finding["what"] for finding in wrong if finding not in full]
        uneven = [minute for minute in found["minutes"] if minute["difference"]]
        if others or uneven or losses != counted:
            self._outcome.problems.append(
                f"sendtrail audit: {others}, minutes {uneven}, lost by it {losses}, by the edges {counted}"
            )
        explained = f", {sum(losses.values())} lost on full disks and explained" if losses else ""
        self._outcome.remarks.append(f"audit: {'even' if not (others or uneven) else 'NOT even'}{explained}")

    def _show(self, phase: str, done: float) -> None:
        self._display.update(
            phase, done, self._sent.total, self._watch.stored, len(self._lanes.done), dict(self._lanes.now)
        )


def _equal(found: dict[str, Any]) -> str:
    if found["equal"]:
        return f"clean, {found['deliveries']} deliveries, {found['events']} events"
    return f"{len(found['differences'])} differences"


def new_seed() -> int:
    """A seed that is short enough to type."""
    return secrets.randbelow(10**6)
