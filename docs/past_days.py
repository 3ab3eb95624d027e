"""Six days of the demo's newsletters on an empty stack: what readers would have done, at the times they would have.

Requests are answered by the edge's own `collect` with the clock of then; its events go the usual way from a spool of
their own: forwarder, Kafka, worker, loader. Nothing is written to a table from here.
"""

import math
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain
from urllib.parse import urlsplit

from producers.edge.collect import collect
from producers.edge.known import Known, known_of
from producers.edge.request import Request as Asked
from producers.spool import SpoolWriter
from sendtrail.clickhouse import connect
from sendtrail.events import Event
from sendtrail.instrument.api import Api
from sendtrail.keyring import load
from sendtrail.local.demo.audience import Recipient, audience
from sendtrail.local.demo.post import Mailing, Newsletter, outcomes
from sendtrail.local.demo.traffic import Request, sweep, visits
from sendtrail.local.stack import Stack
from sendtrail.settings import ClickHouseSettings, Config, TrackingSettings

HOUR_MS = 3_600_000
SEED = 20_261_124
#: How many of a hundred look into their mail in each hour of the day.
AWAKE = (8, 4, 2, 2, 3, 8, 25, 60, 85, 90, 80, 70, 85, 80, 65, 60, 60, 65, 75, 85, 100, 95, 60, 25)
#: Newsletter, issue, hours before now, subject.
ISSUES = (
    ("cycling", "Two wheels, one city", "41", 142, "The river lane opens on Friday"),
    ("garden", "The garden in November", "11", 118, "Plant tulips before the first hard frost"),
    ("reading", "Read this weekend", "46", 93, "The books to give this year"),
    ("cycling", "Lights on: the dark months", "42", 70, "Lights, gloves, and a map of gritted lanes"),
    ("reading", "Read this weekend", "47", 45, "Nine pieces that are worth the time"),
    ("garden", "First frost", "12", 21, "What to bring inside tonight"),
    ("cycling", "Two wheels, one city", "43", 2, "The bridge is open again"),
)
CAMPAIGNS = {"cycling": "City letter", "garden": "Garden letter", "reading": "Weekend letter"}
_SOON_S = 300.0


@dataclass(frozen=True)
class Happened:
    """A request and when it came."""

    time_ms: int
    request: Request


def send_past_days(stack: Stack, config: Config, size: int) -> list[str]:
    """Register, feed and let react; waits until every hit is stored. The deliveries' names, newest first."""
    settings = config.with_tables(stack.tables)
    keys = load(stack.data / "keys.toml")
    known = known_of(keys, settings)
    api, dice = Api(f"http://127.0.0.1:{stack.ports.api}"), random.Random(SEED)
    now_ms, events, names = int(time.time() * 1000), [], []
    for template, label, issue, hours, subject in ISSUES:
        newsletter = Newsletter(template, f"{template}-{issue}", f"{label}, no. {issue}", CAMPAIGNS[template],
                                (template, "monthly" if template == "garden" else "weekly"), subject)  # fmt: skip
        sent_ms = now_ms - hours * HOUR_MS
        readers = audience(round(size * dice.uniform(0.6, 1.0)), dice)
        mailing = Mailing(newsletter, keys, settings.section(TrackingSettings).base_url)
        mailing.register(api, sum(not reader.seed for reader in readers), sent_ms)
        _feed(api, mailing, readers, sent_ms, dice)
        happened = _reactions(mailing, readers, sent_ms, now_ms, dice)
        events += [event for one in happened for event in _answered(one, known)]
        names.append(newsletter.name)
    _forward(stack, config, sorted(events, key=lambda event: event.event_time_ms))
    _wait(settings, len(events))
    return names[::-1]


def _feed(api: Api, mailing: Mailing, readers: list[Recipient], sent_ms: int, dice: random.Random) -> None:
    items = [mailing.prepared(reader, sent_ms) for reader in readers]
    refused = api.feed([*items, *outcomes(mailing.newsletter.name, readers, sent_ms, dice)])
    if refused:
        raise RuntimeError(f"the API refused an item: {refused[0]}")


def _reactions(
    mailing: Mailing, readers: list[Recipient], sent_ms: int, now_ms: int, dice: random.Random
) -> Iterator[Happened]:
    """What each reader's programs ask for: machines within minutes, people when they look into their mail."""
    for reader in readers:
        machine_ms = sent_ms + 60_000 + round(dice.expovariate(1 / 120_000))
        at_ms = _looks(sent_ms, dice)
        letter = mailing.letter(reader)
        for request in chain(sweep(letter, dice), visits(letter, dice)):
            is_machine = request.address.startswith(("203.0.113.", "17."))
            time_ms = machine_ms if is_machine else at_ms
            if time_ms < now_ms:
                yield Happened(time_ms, request)
            machine_ms, at_ms = machine_ms + dice.randrange(200, 900), at_ms + dice.randrange(4_000, 90_000)


def _looks(sent_ms: int, dice: random.Random) -> int:
    """When a person sees the message: half within some hours, few asleep."""
    while True:
        at_ms = sent_ms + 180_000 + round(math.exp(dice.gauss(math.log(5), 1.3)) * HOUR_MS)
        if dice.randrange(100) < AWAKE[at_ms // HOUR_MS % 24]:
            return at_ms


def _answered(happened: Happened, known: Known) -> Iterator[Event]:
    request, url = happened.request, urlsplit(happened.request.url)
    headers = {b"user-agent": request.user_agent.encode()}
    headers |= {name.lower().encode(): value.encode() for name, value in request.headers.items()}
    target = f"{url.path}?{url.query}" if url.query else url.path
    asked = Asked(request.method.encode(), target, request.address, headers, request.body)
    _, event = collect(asked, known, happened.time_ms, os.urandom)
    if event is not None:
        yield event


def _forward(stack: Stack, config: Config, events: list[Event]) -> None:
    """A spool beside the edge's, and a forwarder until it is empty."""
    folder = stack.data / "spool" / "past"
    spool = SpoolWriter(folder, "past")
    for start in range(0, len(events), 500):
        spool.append(events[start : start + 500])
    spool.close()
    past = {"spool_dirs": [str(folder)], "admin_port": 0}
    environment = config.with_tables({**stack.tables, "forward": past}).environment()
    process = subprocess.Popen(
        [sys.executable, "-m", "producers.forward.main"], env=os.environ | environment,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        _until(lambda: not any(folder.glob("*.seg")), "the past days in Kafka")
    finally:
        process.terminate()
        process.wait()


def _wait(settings: Config, hits: int) -> None:
    with connect(settings.section(ClickHouseSettings)) as client:
        stored = "SELECT sum(sign) FROM events WHERE kind < 'prepared'"
        _until(lambda: client.execute(stored)[0][0] >= hits, "every hit in ClickHouse")
        time.sleep(12)  # stored distinct numbers follow every few seconds


def _until(holds: Callable[[], bool], what: str) -> None:
    until = time.monotonic() + _SOON_S
    while not holds():
        if time.monotonic() > until:
            raise RuntimeError(f"after {_SOON_S:g} s not yet: {what}")
        time.sleep(0.5)
