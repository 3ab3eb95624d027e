"""The stream worker: µs per event of each step on generated packs, and the whole process against a real Kafka.

python -m bench.streams [--events N] [--traffic campaign] [--traffic hits]
"""

import json
import os
import random
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, NamedTuple
from urllib.request import urlopen

import msgspec
import psutil
import typer
from kafka import KafkaConsumer, KafkaProducer, TopicPartition

from bench import traffic
from bench.traffic import TRAFFIC, Pack, registered
from sendtrail.deliveries import key_of
from sendtrail.events import Event
from sendtrail.kafka_admin import ensure_topics
from sendtrail.local.kafka import KafkaBroker
from sendtrail.process import collect_seldom
from sendtrail.settings import Config, KafkaSettings, TrackingSettings
from sendtrail.topics import DELIVERIES as REGISTRY
from sendtrail.topics import EVENTS
from streams.app import STEPS
from streams.consents import ConsentBook
from streams.deliveries import DeliveryBook
from streams.items import Covering, SourceRecord
from streams.pipeline import Timing, enrich
from streams.rules import load_rules
from streams.state.keys import DAY_MS
from streams.state.overlay import Overlay
from streams.state.store import SharedMemory, Store
from streams.worker import Constants

LIMIT_S = 1800.0  # for one worker over all records


class Spent(NamedTuple):
    """By a worker process, on a share of the records: seconds of wall and of processor time, all threads."""

    share: float
    wall_s: float
    cpu_s: float


def book() -> DeliveryBook:
    """What a worker knows of them."""
    deliveries = DeliveryBook()
    for key, entry in registered():
        deliveries.apply(key.encode(), msgspec.json.encode(entry))
    return deliveries


def events(number: int, start_ms: int, rate: int, rnd: random.Random) -> Iterator[Event]:
    """Hits alone, for a comparison with programs that know nothing else."""
    return (arrival.event for arrival in traffic.numbered(traffic.hits(start_ms, rate, rnd), number, rnd))


def packs(number: int, size: int, partitions: int, rnd: random.Random, start_ms: int) -> Iterator[Pack]:
    """Packs of them."""
    arrivals = traffic.hits(start_ms, 50_000, rnd)
    return (pack for _, pack in traffic.packs(arrivals, number, size, partitions, rnd))


def generated(kind: str, number: int, size: int, partitions: int) -> Iterator[tuple[int, Pack]]:
    """Packs of a kind of traffic and when they come; the last about now."""
    make, rate, events_each = TRAFFIC[kind]
    rnd, span_ms = random.Random(1), int(number / events_each / rate * 1000)
    return traffic.packs(make(time.time_ns() // 1_000_000 - span_ms, rate, rnd), number, size, partitions, rnd)


def run_steps(kind: str, number: int, size: int, batch: int) -> dict[str, object]:
    """Unpack to state, without Kafka: µs per event of each step."""
    sources = [
        SourceRecord(offset, at_ms, value, headers)
        for offset, (at_ms, (_, value, headers)) in enumerate(generated(kind, number, size, 1))
    ]
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder) / "0", SharedMemory(256 * 1024 * 1024))
        constants, timing = known_to_all(), Timing(time.thread_time)
        began = timing.clock()
        through_steps(store, sources, batch, constants, timing)
        spent = timing.clock() - began
        store.close()
    steps = {name: round(seconds / number * 1e6, 2) for name, seconds in timing.seconds.items()}
    return {"us_per_event": steps, "cpu_us": round(spent / number * 1e6, 2), "events_per_s_cpu": round(number / spent)}


def known_to_all() -> Constants:
    """What every batch knows alike, as by default."""
    return Constants("bench", 1, 8 * DAY_MS, 60_000, False, load_rules(), book(), ConsentBook(1000))


def through_steps(
    store: Store, sources: Sequence[SourceRecord], batch: int, constants: Constants, timing: Timing
) -> None:
    """All steps over the records of a partition, a batch at a time, and what they write into its state."""
    for at in range(0, len(sources), batch):
        overlay = Overlay(store.read)
        few = [Covering(source, source.offset) for source in sources[at : at + batch]]
        for _ in enrich(few, constants.known(0, overlay), STEPS, timing):
            pass
        now = timing.clock()
        store.write(overlay.written, few[-1].record.offset + 1)
        timing.add("write state", now)


def run_worker(kind: str, number: int, size: int) -> dict[str, object]:
    """The process, from the first record to the last acknowledged one."""
    partitions = 4
    with tempfile.TemporaryDirectory() as folder, KafkaBroker(Path(folder) / "kafka") as broker:
        config = Config({})
        kafka = config.section(KafkaSettings, bootstrap=broker.bootstrap, partitions=partitions)
        ensure_topics(kafka, config.section(TrackingSettings))
        _fill(kafka, (pack for _, pack in generated(kind, number, size, partitions)))
        spent = through_worker(kafka, Path(folder) / "worker", _records(kafka))
    events_done = spent.share * number
    return {
        "events": round(events_done),
        "events_per_s_wall": round(events_done / spent.wall_s),
        "events_per_s_cpu": round(events_done / spent.cpu_s),
        "cpu_us": round(spent.cpu_s / events_done * 1e6, 2),
    }


def through_worker(kafka: KafkaSettings, place: Path, records: int) -> Spent:
    """A worker process over all records of tracking.events. What it keeps and its log begin with `place`.

    From a tenth of the records on, so that start and first rebalance are not counted.
    """
    environment = os.environ | {
        "SENDTRAIL_KAFKA_BOOTSTRAP": kafka.bootstrap,
        "SENDTRAIL_KAFKA_PARTITIONS": str(kafka.partitions),
        "SENDTRAIL_STREAMS_STATE_DIR": str(place),
        "SENDTRAIL_STREAMS_ADMIN_PORT": "0",
    }
    command, log = [sys.executable, "-m", "streams.main"], place.with_suffix(".log")
    with log.open("wb") as out, subprocess.Popen(command, env=environment, stderr=out) as process:
        try:
            return _watch(process, log, records)
        finally:
            process.terminate()


def _fill(kafka: KafkaSettings, filled: Iterator[Pack]) -> None:
    producer = KafkaProducer(bootstrap_servers=kafka.bootstrap, compression_type="lz4", linger_ms=5)
    for partition, value, headers in filled:
        producer.send(EVENTS.name, value, partition=partition, headers=headers)
    producer.flush()
    for entry in (value for _, value in registered()):
        producer.send(REGISTRY.name, msgspec.json.encode(entry), key=key_of(entry).encode())
    producer.close(30)


def _records(kafka: KafkaSettings) -> int:
    consumer = KafkaConsumer(bootstrap_servers=kafka.bootstrap)
    ends = consumer.end_offsets([TopicPartition(EVENTS.name, number) for number in range(kafka.partitions)])
    consumer.close()
    return sum(ends.values())


def _watch(process: "subprocess.Popen[bytes]", log: Path, records: int) -> Spent:
    usage, deadline = psutil.Process(process.pid), time.monotonic() + LIMIT_S
    first: tuple[float, float, int] | None = None
    while process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
        done = _done(log)
        now = (time.perf_counter(), sum(usage.cpu_times()[:2]), done)
        if first is None and done >= records / 10:
            first = now
        if first is not None and done == records:
            return Spent((done - first[2]) / records, now[0] - first[0], now[1] - first[1])
    raise SystemExit(log.read_text()[-2000:])


def _done(log: Path) -> int:
    """Records done by the worker, as its admin listener tells."""
    found = re.findall(r'"admin": "(http://[^"]+)"', log.read_text())
    try:
        with urlopen(f"{found[-1]}/health", timeout=5) as answer:
            return sum(part["done"] for part in json.load(answer)["partitions"].values())
    except (IndexError, OSError):
        return 0


def main(
    number: Annotated[int, typer.Option("--events", help="Events to generate.")] = 1_000_000,
    size: Annotated[int, typer.Option("--pack", help="Events in a pack.")] = 200,
    batch: Annotated[int, typer.Option(help="Packs in a batch of the steps alone.")] = 32,
    kinds: Annotated[list[str] | None, typer.Option("--traffic", help="campaign or hits; both unless named.")] = None,
) -> None:
    """Print JSON: the steps alone, then the worker, for each kind of traffic (bench/traffic.py)."""
    collect_seldom()  # as the worker does
    for kind in kinds or TRAFFIC:
        print(json.dumps({"traffic": kind, "steps": run_steps(kind, number, size, batch)}), flush=True)
        print(json.dumps({"traffic": kind, "worker": run_worker(kind, number, size)}), flush=True)


if __name__ == "__main__":
    typer.run(main)
