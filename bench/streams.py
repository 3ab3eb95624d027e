"""The stream worker: µs per event of each step on generated packs, and the whole process against a real Kafka.

python -m bench.streams steps [--events N]
python -m bench.streams worker [--events N]
"""

import json
import os
import random
import re
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated
from urllib.request import urlopen

import msgspec
import typer
from kafka import KafkaConsumer, KafkaProducer, TopicPartition

from sendtrail.deliveries import Delivery, DeliveryUrl, key_of
from sendtrail.events import Event, encode
from sendtrail.ids import hit_id
from sendtrail.kafka_admin import ensure_topics
from sendtrail.local.kafka import KafkaBroker
from sendtrail.packs import PackHeader, headers_of, join
from sendtrail.partitions import partition_of
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

AGENTS = [
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{n}.0.0.0 Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS {m}_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:{n}.0) Gecko/20100101 Thunderbird/{n}.4.1",
    "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)",
    "Mozilla/5.0",
]
DELIVERIES = 20


def events(number: int, start_ms: int, rate: int, rnd: random.Random) -> Iterator[Event]:
    """Hits on a few deliveries: 70 % opens, 30 % clicks, a tenth up to an hour late, 1 % sent twice."""
    made: list[Event] = []
    for index in range(number):
        if made and rnd.random() < 0.01:
            yield rnd.choice(made)
            continue
        now = start_ms + index * 1000 // rate
        at = now - rnd.randrange(3_600_000 if rnd.random() < 0.1 else 500)
        click = rnd.random() < 0.3
        event = Event(
            version=1, event_id=hit_id(at, rnd.randbytes), kind="click" if click else "open", event_time_ms=at,
            index=index, source="edge", delivery=1 + rnd.randrange(DELIVERIES), message=rnd.getrandbits(63),
            recipient=2**63 + rnd.getrandbits(62),
            user_agent=rnd.choice(AGENTS).format(n=rnd.randrange(90, 130), m=rnd.randrange(12, 18)),
            address=".".join(str(byte) for byte in rnd.randbytes(4)),
        )  # fmt: skip
        if click:
            event.url_id, event.position = rnd.randrange(30), rnd.randrange(1, 60)
            event.destination = f"https://shop.example/products/{rnd.randrange(1000)}?source=mail&campaign=summer"
        made.append(event)
        if len(made) > 5000:
            del made[:1000]
        yield event


def registered() -> Iterator[tuple[str, Delivery | DeliveryUrl]]:
    """The deliveries of the generated events and their links, under their record keys."""
    for number in range(1, 1 + DELIVERIES):
        delivery = Delivery(
            delivery=number, name=f"delivery {number}", label=f"Newsletter {number}", campaign="Summer", type="news"
        )
        yield key_of(delivery), delivery
        for url_id in range(30):
            url = DeliveryUrl(
                delivery=number, url_id=url_id, url="https://shop.example/", label=f"link {url_id}", category="shop"
            )
            yield key_of(url), url


def book() -> DeliveryBook:
    """What a worker knows of them."""
    deliveries = DeliveryBook()
    for key, entry in registered():
        deliveries.apply(key.encode(), msgspec.json.encode(entry))
    return deliveries


def packs(
    number: int, size: int, partitions: int, rnd: random.Random, start_ms: int
) -> Iterator[tuple[int, bytes, list[tuple[str, bytes]]]]:
    """(partition, value, headers) of packs of `size` events."""
    spool = secrets.token_hex(16)
    waiting: dict[int, list[Event]] = {number: [] for number in range(partitions)}
    for event in events(number, start_ms, 50_000, rnd):
        partition = partition_of(event, partitions)
        waiting[partition].append(event)
        if len(waiting[partition]) == size:
            yield partition, *_pack(spool, waiting[partition])
            waiting[partition] = []
    for partition, rest in waiting.items():
        if rest:
            yield partition, *_pack(spool, rest)


def _pack(spool: str, pack: list[Event]) -> tuple[bytes, list[tuple[str, bytes]]]:
    indexes = [event.index for event in pack]
    return join(map(encode, pack)), headers_of(PackHeader(spool, 0, min(indexes), max(indexes), len(pack)))


def run_steps(number: int, size: int, batch: int) -> dict[str, object]:
    """Unpack to state, without Kafka: µs per event of each step."""
    start_ms = time.time_ns() // 1_000_000
    sources = [
        SourceRecord(offset, start_ms + offset * size // 50, value, headers)
        for offset, (_, value, headers) in enumerate(packs(number, size, 1, random.Random(1), start_ms))
    ]
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder) / "0", SharedMemory(256 * 1024 * 1024))
        constants = Constants("bench", 1, 8 * DAY_MS, 60_000, False, load_rules(), book(), ConsentBook(1000))
        timing = Timing(time.thread_time)
        began = timing.clock()
        for at in range(0, len(sources), batch):
            overlay = Overlay(store.read)
            few = [Covering(source, source.offset) for source in sources[at : at + batch]]
            for _ in enrich(few, constants.known(0, overlay), STEPS, timing):
                pass
            now = timing.clock()
            store.write(overlay.written, few[-1].record.offset + 1)
            timing.add("write state", now)
        spent = timing.clock() - began
        store.close()
    steps = {name: round(seconds / number * 1e6, 2) for name, seconds in timing.seconds.items()}
    return {"us_per_event": steps, "cpu_us": round(spent / number * 1e6, 2), "events_per_s_cpu": round(number / spent)}


def run_worker(number: int, size: int) -> dict[str, object]:
    """The process, from the first record to the last acknowledged one."""
    partitions = 4
    with tempfile.TemporaryDirectory() as folder, KafkaBroker(Path(folder) / "kafka") as broker:
        config = Config({})
        kafka = config.section(KafkaSettings, bootstrap=broker.bootstrap, partitions=partitions)
        ensure_topics(kafka, config.section(TrackingSettings))
        _fill(kafka, packs(number, size, partitions, random.Random(1), time.time_ns() // 1_000_000))
        environment = os.environ | {
            "SENDTRAIL_KAFKA_BOOTSTRAP": broker.bootstrap,
            "SENDTRAIL_KAFKA_PARTITIONS": str(partitions),
            "SENDTRAIL_STREAMS_STATE_DIR": f"{folder}/state",
            "SENDTRAIL_STREAMS_ADMIN_PORT": "0",
        }
        command = [sys.executable, "-m", "streams.main"]
        log = Path(folder) / "worker.log"
        with log.open("wb") as out, subprocess.Popen(command, env=environment, stderr=out) as process:
            try:
                return _watch(process, log, number, _ends(kafka))
            finally:
                process.terminate()


def _fill(kafka: KafkaSettings, filled: Iterator[tuple[int, bytes, list[tuple[str, bytes]]]]) -> None:
    producer = KafkaProducer(bootstrap_servers=kafka.bootstrap, compression_type="lz4", linger_ms=5)
    for partition, value, headers in filled:
        producer.send(EVENTS.name, value, partition=partition, headers=headers)
    producer.flush()
    for entry in (value for _, value in registered()):
        producer.send(REGISTRY.name, msgspec.json.encode(entry), key=key_of(entry).encode())
    producer.close(30)


def _ends(kafka: KafkaSettings) -> dict[str, int]:
    consumer = KafkaConsumer(bootstrap_servers=kafka.bootstrap)
    ends = consumer.end_offsets([TopicPartition(EVENTS.name, number) for number in range(kafka.partitions)])
    consumer.close()
    return {str(at.partition): end for at, end in ends.items()}


def _watch(process: "subprocess.Popen[bytes]", log: Path, number: int, ends: dict[str, int]) -> dict[str, object]:
    """From a tenth of the records on, so that start and first rebalance are not counted."""
    first: tuple[float, float, int] | None = None
    total = sum(ends.values())
    while process.poll() is None:
        time.sleep(0.05)
        done = _done(log)
        now = (time.perf_counter(), _cpu_seconds(process.pid), done)
        if first is None and done >= total / 10:
            first = now
        if first is not None and done == total:
            share = (done - first[2]) / total * number
            wall, cpu = now[0] - first[0], now[1] - first[1]
            return {
                "events": round(share),
                "events_per_s_wall": round(share / wall),
                "events_per_s_cpu": round(share / cpu),
                "cpu_us": round(cpu / share * 1e6, 2),
            }
    raise SystemExit(log.read_text()[-2000:])


def _done(log: Path) -> int:
    """Records done by the worker, as its admin listener tells."""
    found = re.findall(r'"admin": "(http://[^"]+)"', log.read_text())
    try:
        with urlopen(f"{found[-1]}/health", timeout=5) as answer:
            return sum(part["done"] for part in json.load(answer)["partitions"].values())
    except (IndexError, OSError):
        return 0


def _cpu_seconds(pid: int) -> float:
    """User and system time of a process, all its threads included (Linux)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main(
    number: Annotated[int, typer.Option("--events", help="Events to generate.")] = 1_000_000,
    size: Annotated[int, typer.Option("--pack", help="Events in a pack.")] = 200,
    batch: Annotated[int, typer.Option(help="Packs in a batch of the steps alone.")] = 32,
) -> None:
    """Print JSON: the steps alone, then the worker."""
    collect_seldom()  # as the worker does
    print(json.dumps({"steps": run_steps(number, size, batch)}), flush=True)
    print(json.dumps({"worker": run_worker(number, size)}), flush=True)


if __name__ == "__main__":
    typer.run(main)
