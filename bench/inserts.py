"""What the shape of inserts costs ClickHouse: rows, parts and merges by block size, interval and months in a block.

    python -m bench.inserts [--seconds N] [--rate N]

Inserts are the loader's own: all views, tokens, settings. Under load a block follows the one before at once; else one
is sent every so often, with what came meanwhile at a steady rate. CPU is the engine's own, merges included; everything
else on the machine only lengthens waiting.
"""

import json
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import psutil
import typer
from clickhouse_driver import Client

from bench.rows import KEEP, START_MS, records, values
from sendtrail.clickhouse import connect
from sendtrail.local.engine import Engine
from sinks.blocks import Block
from sinks.native import BlockClient
from sinks.places import part_of
from sinks.rows import build
from sinks.stored import ClickHouseLookup
from sinks.write import insert
from tests.support.line import clickhouse_settings, migrated
from tests.support.stack import ClickHouse

MONTH_MS = 31 * 86_400_000
POOL_ROWS = 100_000
_COUNTERS = ("MergeTreeDataWriterBlocks", "Merge", "MergedRows", "MergeTotalMilliseconds", "DelayedInserts")


class Shape(NamedTuple):
    """Rows of a block, milliseconds between blocks (0: none), months of its rows."""

    rows: int
    every_ms: int = 0
    months: int = 1


def shapes(rate: int) -> list[Shape]:
    """What is measured. `rate`: rows per second that arrive where the loader is not at its limit."""
    under_load = [Shape(rows) for rows in (1_000, 5_000, 20_000, 50_000, 100_000)]
    spread = [Shape(50_000, months=months) for months in (3, 12)]
    paced = [Shape(rate * every // 1_000, every) for every in (100, 250, 500, 1_000, 2_000)]
    return [*under_load, *spread, *paced, Shape(rate // 2, 500, 12)]


def pool(client: Client, months: int) -> Block:
    """A block of `events` to cut from, its months one after the other row by row."""
    loaded = records(values(POOL_ROWS, START_MS), 0)
    for record in loaded:
        for number, row in enumerate(record.rows):
            row.event_time_ms -= number % months * MONTH_MS  # type: ignore[union-attr]
    return build(loaded, ClickHouseLookup(client), keep_addresses=KEEP).events


def cut(whole: Block, rows: int) -> Iterator[Block]:
    """Blocks of so many rows, over and over; their tokens tell them apart."""
    pieces = [part_of(whole, range(start, start + rows)) for start in range(0, POOL_ROWS - rows + 1, rows)][:20]
    while True:
        yield from pieces


def run(client: Client, engine: psutil.Process, shape: Shape, seconds: float) -> dict[str, Any]:
    """Insert for so long; what it came to."""
    blocks, waits = cut(pool(client, shape.months), shape.rows), []
    before, cpu, began = _counters(client), sum(engine.cpu_times()[:2]), time.monotonic()
    for number in count(1):
        asked = time.monotonic()
        insert(client, next(blocks), f"{shape}-{number}")
        waits.append(time.monotonic() - asked)
        if time.monotonic() - began >= seconds:
            break
        time.sleep(max(0.0, began + number * shape.every_ms / 1_000 - time.monotonic()))
    took, rows = time.monotonic() - began, len(waits) * shape.rows
    spent, after = sum(engine.cpu_times()[:2]) - cpu, _counters(client)
    gone = {name: after[name] - before[name] for name in _COUNTERS}
    return {
        **shape._asdict(),
        "rows_per_s": round(rows / took),
        "insert_ms_p50": round(statistics.median(waits) * 1_000),
        "insert_ms_max": round(max(waits) * 1_000),
        "engine_us_per_row": round(spent / rows * 1e6, 2),
        "parts_per_s": round(gone["MergeTreeDataWriterBlocks"] / took, 1),
        "rows_merged_per_row": round(gone["MergedRows"] / rows, 2),
        "merging_s_per_s": round(gone["MergeTotalMilliseconds"] / took / 1_000, 2),
        "delayed_inserts": gone["DelayedInserts"],
        "most_parts_of_a_partition": _most_parts(client),
    }


def _counters(client: Client) -> dict[str, int]:
    found = dict(client.execute("SELECT event, value FROM system.events WHERE event IN {names:Array(String)}", {
        "names": list(_COUNTERS)
    }))  # fmt: skip
    return {name: found.get(name, 0) for name in _COUNTERS}


def _most_parts(client: Client) -> int:
    most = client.execute(
        "SELECT max(parts) FROM (SELECT count() AS parts FROM system.parts"
        " WHERE active AND database = currentDatabase() GROUP BY table, partition)"
    )
    return int(most[0][0])


def main(
    seconds: Annotated[float, typer.Option(help="Time for each shape.")] = 20.0,
    rate: Annotated[
        int, typer.Option(min=10, max=POOL_ROWS // 2, help="Rows per second where the loader is not at its limit.")
    ] = 5_000,
) -> None:
    """Print one JSON line per shape, each in a database of its own."""
    told = shapes(rate)
    with tempfile.TemporaryDirectory(prefix="bench-inserts-") as place, Engine(Path(place)) as engine:
        server, process = ClickHouse.of(engine), psutil.Process(engine.pid)
        for number, shape in enumerate(told):
            print(f"{number + 1} of {len(told)}: {shape}", file=sys.stderr)
            name = f"bench{number}"
            migrated(server, name).disconnect()
            with connect(clickhouse_settings(server, name), kind=BlockClient) as client:
                print(json.dumps(run(client, process, shape, seconds)), flush=True)
                client.execute(f"DROP DATABASE {name} SYNC")


if __name__ == "__main__":
    typer.run(main)
