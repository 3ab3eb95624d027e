"""What every contender does with a record, and how its time is told: as one line of JSON on standard output.

`steps`: what the stream worker does from unpacking to writing state, called once per record: all steps, a RocksDB store
per partition, output with headers. `bare`: decode JSON, look the id up in a set in memory, encode JSON.
"""

import argparse
import json
import resource
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from sendtrail.packs import join, split
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

CACHE_BYTES = 256 * 1024 * 1024  # as the worker's default

Headers = Sequence[tuple[str, bytes]]


class Out(NamedTuple):
    """A record to send."""

    value: bytes
    headers: list[tuple[str, bytes]]


Job = Callable[[int, int, int, bytes, Headers], Out]  # partition, offset, log time (ms), value, headers


class Steps:
    """The worker's own steps and state, a record at a time."""

    def __init__(self, partitions: int) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="sendtrail-bench-"))
        self._memory = SharedMemory(CACHE_BYTES)
        self._stores: dict[int, Store] = {}
        self._constants = Constants(
            "bench", partitions, 8 * DAY_MS, 60_000, False, load_rules(), DeliveryBook(), ConsentBook(1000)
        )
        self._timing = Timing(lambda: 0.0)

    def __call__(self, partition: int, offset: int, time_ms: int, value: bytes, headers: Headers) -> Out:
        store = self._stores.get(partition)
        if store is None:
            store = self._stores[partition] = Store(self._folder / str(partition), self._memory)
        overlay = Overlay(store.read)
        source = Covering(SourceRecord(offset, time_ms, value, headers), offset)
        (enriched,) = enrich([source], self._constants.known(partition, overlay), STEPS, self._timing)
        store.write(overlay.written, offset + 1)
        return Out(enriched.value, enriched.headers)


class Bare:
    """The least that is called the same: no rules, no state that survives, no headers."""

    def __init__(self, partitions: int) -> None:
        self._seen: set[str] = set()
        self._decode, self._encode = msgspec.json.Decoder(dict).decode, msgspec.json.Encoder().encode

    def __call__(self, partition: int, offset: int, time_ms: int, value: bytes, headers: Headers) -> Out:
        lines = []
        for line in split(value):
            event = self._decode(line)
            event["dup"] = event["id"] in self._seen
            self._seen.add(event["id"])
            lines.append(self._encode(event))
        return Out(join(lines), [])


JOBS: dict[str, Callable[[int], Job]] = {"steps": Steps, "bare": Bare}


class Meter:
    """Wall and processor time (all threads) from the first record to the end."""

    def __init__(self) -> None:
        self.records = 0
        self._wall = self._cpu = 0.0

    def count(self) -> int:
        """One record more; returns how many there were."""
        if not self.records:
            self._wall, self._cpu = time.perf_counter(), _cpu_s()
        self.records += 1
        return self.records

    def report(self) -> None:
        wall, cpu = time.perf_counter() - self._wall, _cpu_s() - self._cpu
        print(json.dumps({"records": self.records, "wall_s": wall, "cpu_s": cpu}), flush=True)


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


class Arguments(NamedTuple):
    """What bench.compare tells a contender."""

    bootstrap: str
    source: str
    target: str
    partitions: int
    records: int
    job: Job


def arguments() -> Arguments:
    """From the command line."""
    parser = argparse.ArgumentParser(description="A contender of bench.compare.")
    for name in ("bootstrap", "source", "target"):
        parser.add_argument(f"--{name}", required=True)
    for name in ("partitions", "records"):
        parser.add_argument(f"--{name}", type=int, required=True)
    parser.add_argument("--job", choices=sorted(JOBS), required=True)
    given = parser.parse_args()
    job = JOBS[given.job](given.partitions)
    return Arguments(given.bootstrap, given.source, given.target, given.partitions, given.records, job)
