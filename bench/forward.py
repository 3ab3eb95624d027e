"""How fast the forwarder empties a spool into a real broker: events per second, and per second of its own CPU time.

    python -m bench.forward [--events N]

The spool is written beforehand, the broker shares the machine. Acknowledgements of the broker are waited for
(`acks=all`), so a figure includes everything from reading the file to deleting it.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Annotated, NamedTuple

import psutil
import typer

from producers.spool import SpoolWriter
from sendtrail.events import Event
from sendtrail.ids import hit_id
from sendtrail.kafka_admin import ensure_topics
from sendtrail.local.kafka import KafkaBroker
from sendtrail.settings import KafkaSettings, TrackingSettings
from sendtrail.spool_files import backlog_bytes

AGENT = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148"
WRITE_AT_ONCE = 1000


def fill(directory: Path, events: int) -> None:
    """Write a spool of hits, half opens and half clicks."""
    writer = SpoolWriter(directory, "bench", fsync="none")
    now_ms = int(time.time() * 1000)
    for start in range(0, events, WRITE_AT_ONCE):
        writer.append(
            [_hit(now_ms + number // 100, number) for number in range(start, min(start + WRITE_AT_ONCE, events))]
        )
    writer.close()


def _hit(time_ms: int, number: int) -> Event:
    event = Event(
        version=1, event_id=hit_id(time_ms), kind="open", event_time_ms=time_ms, source="edge", delivery=1 + number % 7,
        message=number // 3, recipient=number // 3, user_agent=AGENT, address=f"203.0.113.{number % 250}",
    )  # fmt: skip
    if number % 2:
        event.kind = "click"
        event.url_id, event.position = number % 30, number % 30
        event.destination = f"https://shop.example/spring/offer-{number % 30}?from=newsletter&item={number % 1000}"
    return event


class Sample(NamedTuple):
    """Bytes left in the spool at a moment, and the forwarder's CPU seconds until then."""

    at_s: float
    cpu_s: float
    left: int


def run(bootstrap: str, directory: Path, events: int, partitions: int) -> dict[str, float]:
    """Forward a filled spool in a process of its own; its figures from the first deleted segment to the last."""
    kafka = KafkaSettings(bootstrap=bootstrap, topic_prefix=f"bench{os.getpid()}.", partitions=partitions)
    ensure_topics(kafka, TrackingSettings())
    environment = os.environ | {
        "SENDTRAIL_KAFKA_BOOTSTRAP": bootstrap,
        "SENDTRAIL_KAFKA_TOPIC_PREFIX": kafka.topic_prefix,
        "SENDTRAIL_KAFKA_PARTITIONS": str(partitions),
        "SENDTRAIL_FORWARD_SPOOL_DIRS": str(directory),
        "SENDTRAIL_FORWARD_ADMIN_PORT": "0",
    }
    size = backlog_bytes(directory)
    with subprocess.Popen([sys.executable, "-m", "producers.forward.main"], env=environment) as process:
        usage = psutil.Process(process.pid)
        try:
            first = _wait(usage, directory, size - 1)
            last = _wait(usage, directory, 0)
            memory = usage.memory_info().rss
        finally:
            process.terminate()
    moved = events * first.left / size
    return {
        "events": events,
        "bytes_per_event": round(size / events),
        "partitions": partitions,
        "events_per_s": round(moved / (last.at_s - first.at_s)),
        "events_per_cpu_s": round(moved / (last.cpu_s - first.cpu_s)),
        "resident_mb": round(memory / 1e6),
    }


def _wait(usage: psutil.Process, directory: Path, at_most: int) -> Sample:
    """Sample until no more than so many bytes are left. Raises psutil.NoSuchProcess where the forwarder ended."""
    while True:
        left = backlog_bytes(directory)
        if left <= at_most:
            return Sample(time.monotonic(), sum(usage.cpu_times()[:2]), left)
        time.sleep(0.02)


def main(
    events: Annotated[int, typer.Option(help="Events in the spool.")] = 1_000_000,
    partitions: Annotated[int, typer.Option(help="Partitions of tracking.events.")] = 4,
) -> None:
    """Print the figures as one JSON line."""
    with tempfile.TemporaryDirectory(prefix="bench-forward-") as place:
        spool = Path(place) / "spool"
        fill(spool, events)
        outside = os.environ.get("SENDTRAIL_KAFKA")
        if outside:
            print(json.dumps(run(outside, spool, events, partitions)))
            return
        with KafkaBroker(Path(place) / "kafka") as broker:
            print(json.dumps(run(broker.bootstrap, spool, events, partitions)))


if __name__ == "__main__":
    typer.run(main)
