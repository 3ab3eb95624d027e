"""The stream worker: µs per event of each step on generated packs, and the whole process against a real Kafka.

python -m bench.streams steps [--events N]
python -m bench.streams worker [--events N]
"""

import random
import secrets
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from sendtrail.deliveries import Delivery, DeliveryUrl, key_of
from sendtrail.events import Event, encode
from sendtrail.ids import hit_id
from sendtrail.packs import PackHeader, headers_of, join
from sendtrail.partitions import partition_of
from streams.app import STEPS
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
app = typer.Typer(add_completion=False)


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


def book() -> DeliveryBook:
    """The deliveries of the generated events, registered."""
    deliveries = DeliveryBook()
    for number in range(1, 1 + DELIVERIES):
        entries: list[Delivery | DeliveryUrl] = [
            Delivery(
                delivery=number,
                name=f"delivery {number}",
                label=f"Newsletter {number}",
                campaign="Summer",
                type="newsletter",
            )
        ]
        entries += [
            DeliveryUrl(delivery=number, url_id=url, url="https://shop.example/", label=f"link {url}", category="shop")
            for url in range(30)
        ]
        for entry in entries:
            deliveries.apply(key_of(entry).encode(), msgspec.json.encode(entry))
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


@app.command()
def steps(
    number: Annotated[int, typer.Option("--events", help="Events to generate.")] = 400_000,
    size: Annotated[int, typer.Option("--pack", help="Events in a pack.")] = 200,
    batch: Annotated[int, typer.Option(help="Packs in a batch.")] = 32,
) -> None:
    """The steps, the state and the rendering, without Kafka."""
    start_ms = time.time_ns() // 1_000_000
    sources = [
        SourceRecord(offset, start_ms + offset * size // 50, value, headers)
        for offset, (_, value, headers) in enumerate(packs(number, size, 1, random.Random(1), start_ms))
    ]
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder) / "0", SharedMemory(256 * 1024 * 1024))
        constants = Constants("bench", 1, 8 * DAY_MS, 60_000, False, load_rules(), book())
        timing, began, size_out = Timing(time.thread_time), time.thread_time(), 0
        for at in range(0, len(sources), batch):
            overlay = Overlay(store.read)
            known = constants.known(0, overlay)
            few = [Covering(source, source.offset) for source in sources[at : at + batch]]
            size_out += sum(len(record.value) for record in enrich(few, known, STEPS, timing))
            now = timing.clock()
            store.write(overlay.written, few[-1].record.offset + 1)
            timing.add("write state", now)
        spent = time.thread_time() - began
        store.close()
    for name, seconds in timing.seconds.items():
        print(f"{name:18s} {seconds / number * 1e6:6.2f} µs/event")
    print(f"{'all':18s} {spent / number * 1e6:6.2f} µs/event, {number / spent:,.0f} events/s")
    print(f"{'out':18s} {size_out / number:6.0f} B/event")


if __name__ == "__main__":
    app()
