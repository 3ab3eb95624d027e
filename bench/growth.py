"""How the cost of an event grows with what is there already: from 1 M to 100 M.

    python -m bench.growth worker [--marks 1000000,10000000,100000000] [--events N]
    python -m bench.growth tables [--marks 1000000,10000000] [--rows N]

`worker`: the state is filled with so many ids, as the steps write them (bench.restore); then N events of
bench.streams go through all steps and into that state: CPU per event.
`tables`: a fresh engine with all tables and views is filled with so many events (bench.report_data, made inside the
engine, about 20 minutes for 100 M); then a loader process loads N rows of its own (bench.loader): CPU per row of the
loader and of the engine.
"""

import json
import shutil
import tempfile
import time
from pathlib import Path
from random import Random
from typing import Annotated

import typer

from bench import loader, report_data, restore
from bench.streams import known_to_all, packs, through_steps
from sendtrail.clickhouse import connect
from sendtrail.kafka_admin import ensure_topics
from sendtrail.local.engine import Engine
from sendtrail.local.kafka import KafkaBroker
from sendtrail.process import collect_seldom
from sendtrail.settings import ClickHouseSettings, KafkaSettings, TrackingSettings
from sinks.migrate import migrate
from streams.items import SourceRecord
from streams.pipeline import Timing
from streams.state.keys import DAY_MS
from streams.state.store import SharedMemory, Store

PACK, BATCH, PARTITIONS = 200, 32, 4
app = typer.Typer(help=__doc__, no_args_is_help=True, add_completion=False, rich_markup_mode=None)

Directory = Annotated[Path | None, typer.Option(help="Where to work, in a directory that is removed.")]


def _numbers(text: str) -> list[int]:
    try:
        marks = sorted(int(mark) for mark in text.split(","))
    except ValueError as error:
        raise typer.BadParameter(f"--marks: {error}") from error
    if marks[0] < restore.BATCH:
        raise typer.BadParameter(f"--marks are numbers of {restore.BATCH} at least")
    return marks


def _through_the_steps(store: Store, events: int, start_ms: int, seed: int) -> float:
    """µs of processor time per event, state included."""
    constants, timing = known_to_all(), Timing(lambda: 0.0)
    made = enumerate(packs(events, PACK, 1, Random(seed), start_ms), store.applied)
    sources = [SourceRecord(offset, start_ms, value, headers) for offset, (_, value, headers) in made]
    began = time.process_time()
    through_steps(store, sources, BATCH, constants, timing)
    return (time.process_time() - began) / events * 1e6


@app.command()
def worker(
    marks: Annotated[str, typer.Option(help="Ids in the state, with commas.")] = "1000000,10000000,100000000",
    events: Annotated[int, typer.Option(min=PACK, help="Events measured at each mark.")] = 200_000,
    directory: Directory = None,
) -> None:
    """CPU per event of the steps with so many ids in the state."""
    collect_seldom()  # as the worker does
    folder = Path(tempfile.mkdtemp(prefix="bench-growth-", dir=directory))
    store, held = Store(folder / "0", SharedMemory(restore.CACHE_BYTES)), 0
    start_ms = time.time_ns() // 1_000_000 - DAY_MS
    try:
        for seed, mark in enumerate(_numbers(marks)):
            restore.fill(store, mark - held, start_ms)
            now_ms = start_ms + mark // 50
            cpu_us = _through_the_steps(store, events, now_ms, seed)
            print(json.dumps({"ids": mark, "events": events, "cpu_us_per_event": round(cpu_us, 2)}), flush=True)
            held = mark + events
        store.close()
    finally:
        shutil.rmtree(folder)


@app.command()
def tables(
    marks: Annotated[str, typer.Option(help="Events in the tables, with commas.")] = "1000000,10000000",
    rows: Annotated[int, typer.Option(min=100_000, help="Rows loaded at each mark.")] = 500_000,
    directory: Directory = None,
) -> None:
    """CPU per row of loader and engine with so many events in the tables."""
    for mark in _numbers(marks):
        folder = Path(tempfile.mkdtemp(prefix="bench-growth-", dir=directory))
        try:
            print(json.dumps({"events": mark, **_loaded(folder, mark, rows)}), flush=True)
        finally:
            shutil.rmtree(folder)


def _loaded(folder: Path, mark: int, rows: int) -> dict[str, float]:
    with KafkaBroker(folder / "kafka") as broker, Engine(folder / "engine") as engine:
        kafka = KafkaSettings(bootstrap=broker.bootstrap, topic_prefix="bench.", partitions=PARTITIONS)
        clickhouse = ClickHouseSettings(address=engine.native, password=engine.password, database="bench")
        ensure_topics(kafka, TrackingSettings())
        with connect(clickhouse, database="default") as client:
            migrate(client, clickhouse)
        with connect(clickhouse) as client:
            report_data.fill(client, folder, mark)
            report_data.settle(client)
        loader.fill(kafka, rows)
        return loader.run(kafka, clickhouse, engine.pid or 0, rows, 50_000)


if __name__ == "__main__":
    app()
