"""The stream worker beside what else a Python team would take, on one broker, one process each, by turns.

    python -m bench.compare [--events N] [--rounds N] [--only NAMES]

`steps`: the whole job of the worker. `sendtrail` is its process as it is, on packs, with exactly-once commits; the
others call the same step functions and the same RocksDB store once per record of one event, send the same records with
headers, and promise less: plain Faust and Quix Streams at least once, bytewax nothing without a recovery store.
`bare`: decode JSON, look up the id in a set in memory, encode; no rules, no state that survives.
Faust, aiokafka and msgspec are of the same version everywhere; the others are installed in .venv-bench from
bench/others.lock. bytewax and Quix Streams use librdkafka, whose threads take a second core where one is free: their
processor time counts all threads. On a busy machine compare events per second of processor time.
"""

import json
import os
import secrets
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from random import Random
from typing import Annotated, Any, NamedTuple

import typer
from kafka import KafkaProducer
from kafka.admin import NewTopic
from rich.console import Console
from rich.progress import Progress

from bench.others import PYTHON, build
from bench.streams import LIMIT_S, events, packs, through_worker
from sendtrail.events import encode
from sendtrail.kafka_admin import admin_client, ensure_topics
from sendtrail.local.kafka import KafkaBroker
from sendtrail.packs import PackHeader, headers_of
from sendtrail.partitions import partition_of
from sendtrail.settings import Config, KafkaSettings, TrackingSettings
from sendtrail.topics import EVENTS, MIB, STREAMS_GROUP

PARTITIONS = 4
PACK = 200
SINGLES, OUT = "singles", "out"

Message = tuple[int, bytes, list[tuple[str, bytes]]]  # partition, value, headers


class Contender(NamedTuple):
    """`module` in bench.contenders; empty = the stream worker's own process. A slow one gets a `part` of the events."""

    name: str
    job: str
    module: str
    on_packs: bool = False
    part: int = 1


CONTENDERS = (
    Contender("sendtrail", "steps", "", on_packs=True),
    Contender("faust", "steps", "faust_app", part=10),
    Contender("bytewax", "steps", "bytewax_flow"),
    Contender("quix", "steps", "quix_app"),
    Contender("faust-packs", "bare", "faust_packs", on_packs=True),
    Contender("faust", "bare", "faust_app", part=10),
    Contender("bytewax", "bare", "bytewax_flow"),
    Contender("quix", "bare", "quix_app"),
)


class Figures(NamedTuple):
    """Of one run: events, and seconds of wall and processor time that they took."""

    events: float
    wall_s: float
    cpu_s: float


class Bench:
    """A broker with both topics filled. Use as a context manager."""

    def __init__(self, folder: Path, number: int) -> None:
        self._folder, self._number = folder, number
        self._broker = KafkaBroker(folder / "kafka")
        self._runs = 0

    def __enter__(self) -> "Bench":
        self._broker.__enter__()
        config = Config({})
        self._kafka = config.section(KafkaSettings, bootstrap=self._broker.bootstrap, partitions=PARTITIONS)
        ensure_topics(self._kafka, config.section(TrackingSettings))
        self._create(SINGLES)
        start_ms = time.time_ns() // 1_000_000
        self.packs = self._fill(EVENTS.name, packs(self._number, PACK, PARTITIONS, Random(1), start_ms), PACK)
        self._fill(SINGLES, _singles(self._number, start_ms), 1)
        return self

    def __exit__(self, *_: object) -> None:
        self._broker.__exit__(None, None, None)

    def run(self, contender: Contender) -> Figures:
        """One process from its first record to its last."""
        self._runs += 1
        if not contender.module:
            return self._run_worker()
        target, source = f"{OUT}-{self._runs}", EVENTS.name if contender.on_packs else SINGLES
        number = self._number // contender.part
        self._create(target)
        command = [
            str(PYTHON), "-W", "ignore", "-m", f"bench.contenders.{contender.module}", "--job", contender.job,
            "--bootstrap", self._broker.bootstrap, "--source", source, "--target", target,
            "--partitions", str(PARTITIONS), "--records", str(self.packs if contender.on_packs else number),
        ]  # fmt: skip
        environment = os.environ | {"TMPDIR": str(self._folder)}  # a contender that ends hard leaves its state behind
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=LIMIT_S, check=False
        )  # fmt: skip
        lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
        if done.returncode or not lines:
            raise SystemExit(f"{contender.name} failed:\n{done.stdout[-1000:]}\n{done.stderr[-3000:]}")
        found = json.loads(lines[-1])
        self._forget(f"bench-{contender.name}")
        return Figures(number, found["wall_s"], found["cpu_s"])

    def _forget(self, group: str) -> None:
        """So that the next run begins at the beginning of the topic."""
        admin = admin_client(self._broker.bootstrap)
        while "NonEmptyGroup" in str(admin.delete_groups([group])):
            time.sleep(1)  # a process that ended hard is a member until its session is over
        admin.close()

    def _create(self, topic: str) -> None:
        admin = admin_client(self._broker.bootstrap)
        admin.create_topics([NewTopic(topic, PARTITIONS, 1, topic_configs={"max.message.bytes": str(8 * MIB)})])
        admin.close()

    def _fill(self, topic: str, messages: Iterable[Message], each: int) -> int:
        producer = KafkaProducer(bootstrap_servers=self._broker.bootstrap, compression_type="lz4", linger_ms=20)
        count = 0
        with Progress(console=Console(stderr=True), transient=True) as shown:
            task = shown.add_task(f"filling {topic}", total=self._number)
            for partition, value, headers in messages:
                producer.send(topic, value, partition=partition, headers=headers)
                count += 1
                shown.advance(task, each)
        producer.flush()
        producer.close(30)
        return count

    def _run_worker(self) -> Figures:
        spent = through_worker(self._kafka, self._folder / f"worker-{self._runs}", self.packs)
        self._forget(self._kafka.topic_prefix + STREAMS_GROUP)
        return Figures(spent.share * self._number, spent.wall_s, spent.cpu_s)


def _singles(number: int, start_ms: int) -> Iterator[Message]:
    """The events of the packs, each a record of its own."""
    spool = secrets.token_hex(16)
    for index, event in enumerate(events(number, start_ms, 50_000, Random(1))):
        headers = headers_of(PackHeader(spool, 0, index, index, 1))
        yield partition_of(event, PARTITIONS), encode(event), headers


def table(found: dict[tuple[str, str], list[Figures]]) -> list[dict[str, Any]]:
    """Medians by job and contender, and each one's rate as a multiple of bytewax's at the same job."""
    rates = {key: statistics.median(f.events / f.cpu_s for f in runs) for key, runs in found.items()}
    rows = []
    for (job, name), runs in found.items():
        wall = statistics.median(f.events / f.wall_s for f in runs)
        row = {"job": job, "contender": name, "runs": len(runs), "events_per_s_wall": round(wall)}
        row |= {"events_per_s_cpu": round(rates[job, name]), "cpu_us_per_event": round(1e6 / rates[job, name], 2)}
        if (job, "bytewax") in rates:
            row["times_bytewax_by_cpu"] = round(rates[job, name] / rates[job, "bytewax"], 2)
        rows.append(row)
    return rows


def main(
    number: Annotated[int, typer.Option("--events", min=1000, help="Events in each topic.")] = 200_000,
    rounds: Annotated[int, typer.Option(min=1, help="Runs of each contender, by turns; medians are told.")] = 3,
    only: Annotated[str, typer.Option(help="Names of contenders, with commas between them.")] = "",
) -> None:
    """Print one line of JSON for each contender and job."""
    build()
    names = set(only.split(",")) if only else {each.name for each in CONTENDERS}
    chosen = [each for each in CONTENDERS if each.name in names]
    if not chosen:
        raise typer.BadParameter(f"--only takes some of {', '.join(sorted({each.name for each in CONTENDERS}))}")
    found: dict[tuple[str, str], list[Figures]] = defaultdict(list)
    with tempfile.TemporaryDirectory(prefix="bench-compare-") as folder, Bench(Path(folder), number) as bench:
        for turn in range(rounds):
            for each in chosen:
                figures = bench.run(each)
                found[each.job, each.name].append(figures)
                rate = figures.events / figures.cpu_s
                print(f"round {turn + 1}: {each.job} {each.name}: {rate:,.0f} events/s of CPU", file=sys.stderr)
    for row in table(found):
        print(json.dumps(row), flush=True)


if __name__ == "__main__":
    typer.run(main)
