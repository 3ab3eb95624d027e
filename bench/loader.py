"""How fast a loader process empties tracking.enriched into ClickHouse: rows per second, and per second of its own CPU.

    python -m bench.loader [--rows N] [--partitions N] [--batch-rows N]

The topic is filled beforehand; broker, engine and loader share the machine. Two runs: `whole`, all tables and views,
and `loader alone`, where `events` keeps nothing, so that the engine leaves the processor to the loader. Every insert
has its tokens and is waited for, every plan its two commits.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, NamedTuple

import psutil
import typer
from clickhouse_driver import Client
from kafka import KafkaProducer

from bench.rows import START_MS, values
from sendtrail import keyring
from sendtrail.clickhouse import connect
from sendtrail.enriched import EnrichedHeader, MinuteCounts, enriched_headers
from sendtrail.kafka_admin import ensure_topics, physical_name
from sendtrail.local.engine import Engine
from sendtrail.local.kafka import KafkaBroker
from sendtrail.packs import minute_of
from sendtrail.settings import ClickHouseSettings, KafkaSettings, TrackingSettings
from sendtrail.topics import ENRICHED
from sinks.migrate import migrate

TOPIC = "00000000-0000-4000-8000-000000000001"


def fill(kafka: KafkaSettings, rows: int) -> None:
    """Enriched records as a stream worker emits them, an equal share in each partition."""
    producer = KafkaProducer(bootstrap_servers=kafka.bootstrap, compression_type="zstd", linger_ms=20)
    name, share = physical_name(kafka, ENRICHED), rows // kafka.partitions
    for partition in range(kafka.partitions):
        first_ms = START_MS + partition * 3_600_000
        for offset, value in enumerate(values(share, first_ms)):
            lines = value.count(b"\n") + 1
            counts = {str(minute_of(first_ms)): MinuteCounts(lines, lines)}
            headers = enriched_headers(EnrichedHeader(TOPIC, offset, offset, counts))
            producer.send(name, value, headers=headers, partition=partition)
        producer.flush()
    producer.close()


class Sample(NamedTuple):
    """Rows in the tables at a moment, and CPU seconds of loader and engine until then."""

    at_s: float
    loader_s: float
    engine_s: float
    rows: int


def keep_nothing(client: Client) -> None:
    """Have `events` throw rows away and no view look at them; `audit` still tells what came."""
    views = client.execute(
        "SELECT name FROM system.tables WHERE database = currentDatabase() AND engine = 'MaterializedView'"
    )
    for (view,) in views:
        client.execute(f"DROP TABLE {view} SYNC")
    client.execute("CREATE TABLE nothing AS events ENGINE = Null")
    client.execute("DROP TABLE events SYNC")
    client.execute("RENAME TABLE nothing TO events")


def run(
    kafka: KafkaSettings, clickhouse: ClickHouseSettings, engine_pid: int, rows: int, batch: int
) -> dict[str, float]:
    """Load a filled topic with a loader process of its own; its figures from the first plan to the last."""
    with (
        tempfile.TemporaryDirectory(prefix="bench-loader-") as place,
        connect(clickhouse) as client,
        subprocess.Popen(
            [sys.executable, "-m", "sinks.main"],
            env=_environment(kafka, clickhouse, place, batch),
            stderr=subprocess.DEVNULL,
        ) as loader,
    ):
        usage = psutil.Process(loader.pid), psutil.Process(engine_pid)
        try:
            first, last = _wait(client, usage, 1), _wait(client, usage, rows)
            memory = usage[0].memory_info().rss
        finally:
            loader.terminate()
    moved = last.rows - first.rows
    return {
        "rows": rows,
        "batch_rows": batch,
        "partitions": kafka.partitions,
        "rows_per_s": round(moved / (last.at_s - first.at_s)),
        "rows_per_loader_cpu_s": round(moved / (last.loader_s - first.loader_s)),
        "rows_per_engine_cpu_s": round(moved / (last.engine_s - first.engine_s)),
        "loader_resident_mb": round(memory / 1e6),
    }


def _environment(kafka: KafkaSettings, clickhouse: ClickHouseSettings, place: str, batch: int) -> Mapping[str, str]:
    keyring.save(Path(place) / "keys.toml", keyring.new_keyring())
    return os.environ | {
        "SENDTRAIL_KEYS_FILE": f"{place}/keys.toml",
        "SENDTRAIL_KAFKA_BOOTSTRAP": kafka.bootstrap,
        "SENDTRAIL_KAFKA_TOPIC_PREFIX": kafka.topic_prefix,
        "SENDTRAIL_CLICKHOUSE_ADDRESS": clickhouse.address,
        "SENDTRAIL_CLICKHOUSE_PASSWORD": clickhouse.secret(),
        "SENDTRAIL_CLICKHOUSE_DATABASE": clickhouse.database,
        "SENDTRAIL_LOADER_DATA_DIR": place,
        "SENDTRAIL_LOADER_ADMIN_PORT": "0",
        "SENDTRAIL_LOADER_BATCH_ROWS": str(batch),
    }


def _wait(client: Client, usage: tuple[psutil.Process, psutil.Process], at_least: int) -> Sample:
    """Sample until so many rows are loaded. Raises psutil.NoSuchProcess where a process ended."""
    while True:
        rows = client.execute("SELECT sum(event_rows) FROM audit")[0][0]
        if rows >= at_least:
            loader, engine = (sum(process.cpu_times()[:2]) for process in usage)
            return Sample(time.monotonic(), loader, engine, rows)
        time.sleep(0.05)


def main(
    rows: Annotated[int, typer.Option(help="Rows in the topic.")] = 1_000_000,
    partitions: Annotated[int, typer.Option(help="Partitions of tracking.enriched.")] = 4,
    batch_rows: Annotated[int, typer.Option(help="Rows of one insert.")] = 50_000,
) -> None:
    """Print the figures of each run as one JSON line."""
    with tempfile.TemporaryDirectory(prefix="bench-loader-") as place:
        for name in ("whole", "loader alone"):
            with KafkaBroker(Path(place) / name / "kafka") as broker, Engine(Path(place) / name / "engine") as engine:
                kafka = KafkaSettings(bootstrap=broker.bootstrap, topic_prefix="bench.", partitions=partitions)
                clickhouse = ClickHouseSettings(address=engine.native, password=engine.password, database="bench")
                ensure_topics(kafka, TrackingSettings())
                with connect(clickhouse, database="default") as client:
                    migrate(client, clickhouse)
                if name != "whole":
                    with connect(clickhouse) as client:
                        keep_nothing(client)
                fill(kafka, rows)
                figures = run(kafka, clickhouse, engine.pid or 0, rows, batch_rows)
                print(json.dumps({"run": name, **figures}), flush=True)


if __name__ == "__main__":
    typer.run(main)
