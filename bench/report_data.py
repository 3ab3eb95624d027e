"""Deliveries, feeds and hits made inside the engine, so that every materialised view runs as behind a loader.

The same size gives the same events: every value is a hash of delivery, message and number. Sizes follow a power law:
the delivery of rank r has 1/r of the largest one's messages.
"""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

#: Raised when the same size gives other events; kept data of another version is refused.
VERSION = 1
DELIVERIES = 150
LARGEST_SHARE = 20  # the largest delivery's messages are a twentieth of all events: 5 M of 100 M
FEED_PER_MESSAGE = 2.08
START = datetime(2026, 1, 12, 9, tzinfo=UTC)
SPACING = timedelta(days=2)
LINKS = 30
_CHUNK = 1_000_000
_SETTINGS = {"insert_deduplicate": 0, "async_insert": 0, "max_insert_threads": 1, "max_execution_time": 0}
_MERGED_AFTER_S = 900


@dataclass(frozen=True)
class Sized:
    """A delivery to be made: key, messages, hits and contact date."""

    delivery: int
    messages: int
    hits: int
    contact: datetime


def plan(events: int) -> list[Sized]:
    """All deliveries of a database of about so many events, the largest first; contact dates are mixed."""
    largest = events // LARGEST_SHARE
    sizes = [max(largest // rank, 20) for rank in range(1, DELIVERIES + 1)]
    hits_per_message = max(events / sum(sizes) - FEED_PER_MESSAGE, 0.5)
    return [
        Sized(rank, size, int(size * hits_per_message), START + SPACING * (rank * 67 % DELIVERIES))
        for rank, size in enumerate(sizes, start=1)
    ]


def fill(client: Any, data: Path, events: int) -> None:
    """Make the data unless it is there. Raises SystemExit where the directory holds data of another size or version."""
    marker, wanted = data / "made.json", {"version": VERSION, "events": events}
    found = json.loads(marker.read_text()) if marker.exists() else None
    if found == wanted:
        return
    if found is not None or client.execute("SELECT count() FROM touched")[0][0]:
        raise SystemExit(f"{data} holds other data ({found or 'not finished'}): remove it, or name another with --data")
    deliveries = plan(events)
    client.execute("SYSTEM STOP VIEW indicators_refresh")
    _register(client, deliveries)
    _insert(client, deliveries)
    client.execute("SYSTEM START VIEW indicators_refresh")
    marker.write_text(json.dumps(wanted))


def settle(client: Any) -> None:
    """Wait until indicators are calculated and merges rest, at most a quarter of an hour."""
    deadline, quiet = time.monotonic() + _MERGED_AFTER_S, 0
    while quiet < 5 and time.monotonic() < deadline:
        due, merges = client.execute(
            "SELECT (SELECT count() FROM indicators_due), (SELECT count() FROM system.merges)"
        )[0]
        quiet = 0 if due or merges else quiet + 1
        time.sleep(1)


def _register(client: Any, deliveries: list[Sized]) -> None:
    client.execute(
        "INSERT INTO deliveries (delivery_id, name, label, code, campaign, channel, type, tags, sender, subject, "
        "contact_date, status, to_deliver, targeted, updated) VALUES",
        [_told(one) for one in deliveries],
    )
    client.execute(
        "INSERT INTO delivery_urls (delivery_id, url_id, url, label, category, mode, updated) VALUES",
        [_link(one, number) for one in deliveries for number in range(1, LINKS)],
    )


def _told(d: Sized) -> tuple[Any, ...]:
    return (
        d.delivery, f"letter-{d.delivery}", f"Letter {d.delivery}", f"L{d.delivery}", f"season {d.delivery % 4}",
        "email", ("newsletter", "offer")[d.delivery % 2], ["letter", f"group{d.delivery % 5}"], "news@sender.example",
        f"News of day {d.delivery}", d.contact, "finished", d.messages, d.messages, d.contact,
    )  # fmt: skip


def _link(d: Sized, number: int) -> tuple[Any, ...]:
    label, category = f"Product {number}" if number % 3 else "", ("shop", "news", "facebook", "")[number % 4]
    url = f"https://shop.example/products/{number}?from=letter"
    return (d.delivery, number, url, label, category, "tracked", d.contact)


def _insert(client: Any, deliveries: list[Sized]) -> None:
    columns = (
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("messages and hits"),
        TimeRemainingColumn(),
    )  # fmt: skip
    with Progress(*columns) as progress:
        task = progress.add_task("making events", total=sum(d.messages + d.hits for d in deliveries))
        for d in deliveries:
            for statement, first, count in _chunks(d):
                parameters = {
                    "delivery": d.delivery, "messages": d.messages, "first": first, "count": count,
                    "contact": round(d.contact.timestamp() * 1000),
                }  # fmt: skip
                client.execute(statement, parameters, settings=_SETTINGS)
                progress.advance(task, count)


def _chunks(sized: Sized) -> Iterator[tuple[str, int, int]]:
    folder = Path(__file__).parent / "sql"
    for name, total in (("feed", sized.messages), ("hits", sized.hits)):
        statement = (folder / f"report_{name}.sql").read_text()
        for first in range(0, total, _CHUNK):
            yield statement, first, min(_CHUNK, total - first)
