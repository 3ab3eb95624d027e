"""How many rows per second one loader process can prepare and send: decode, transpose, encode, insert with all views.

    python -m bench.rows [--rows N] [--block N]

"loader" is the process's own CPU time, which is what a core of its own would give; "insert" is the time until the
engine answered, all views done, on the same machine.
"""

import gc
import json
import random
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from sendtrail.clickhouse import connect
from sendtrail.enriched import EnrichedHeader, EventRow, MinuteCounts, encode_row
from sendtrail.ids import hit_id
from sendtrail.local.engine import Engine
from sendtrail.packs import join, minute_of
from sinks.addresses import keeping
from sinks.blocks import LoadedRecord
from sinks.lines import read_lines
from sinks.native import BlockClient
from sinks.rows import build
from sinks.stored import ClickHouseLookup
from sinks.write import insert
from tests.support.line import clickhouse_settings, migrated
from tests.support.stack import ClickHouse

T = TypeVar("T")
LINES = 200
START_MS = 1_790_000_000_000
TOPIC = "00000000-0000-4000-8000-000000000001"
KEEP = keeping("truncated", bytes(32))  # as by default
AGENT = "Mozilla/5.0 (iPhone; CPU iPhone OS {} like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148"


def values(rows: int, first_ms: int) -> list[bytes]:
    """Values of enriched records: two thirds opens, a third clicks, 20 deliveries, 600 bytes a line."""
    pick = random.Random(first_ms)
    lines = [encode_row(_hit(pick, first_ms + number // 50, number)) for number in range(rows)]
    return [join(lines[start : start + LINES]) for start in range(0, rows, LINES)]


def _hit(pick: random.Random, time_ms: int, number: int) -> EventRow:
    machine = pick.random() < 0.2
    row = EventRow(
        version=1, event_id=hit_id(time_ms), kind="open", event_time_ms=time_ms, index=number % 5000, source="edge",
        delivery=pick.randrange(20), message=pick.randrange(200_000), user_agent=AGENT.format(pick.randrange(300)),
        address=f"10.{pick.randrange(256)}.{pick.randrange(256)}.{pick.randrange(256)}",
        source_offset=number // LINES, source_index=number % LINES, class_="machine" if machine else "human",
        class_reasons=["known_bot"] if machine else [], class_ruleset="1", client="Safari",
        client_version=f"17.{pick.randrange(5)}", os="iOS", device="phone", delivery_label="Weekly news",
        campaign="spring", category="shop", type="newsletter",
    )  # fmt: skip
    row.recipient, row.person = 1_000_000 + row.message, f"{row.message:032x}"
    if number % 3 == 0:
        row.kind, row.url_id, row.position = "click", pick.randrange(30), pick.randrange(30)
        row.destination = f"https://shop.example/products/{pick.randrange(40)}?from=newsletter"
    return row


def records(raw: list[bytes], first: int) -> list[LoadedRecord]:
    """Decoded, as the loader queues them, over four partitions."""
    found = []
    for number, value in enumerate(raw, start=first):
        rows = read_lines(value)
        counts = {str(minute_of(START_MS)): MinuteCounts(events_in=LINES, out=LINES)}
        header = EnrichedHeader(TOPIC, number, number, counts)
        found.append(LoadedRecord(number % 4, number, header, rows, START_MS))
    return found


class Stopwatch:
    """CPU and wall seconds by step."""

    def __init__(self) -> None:
        self.cpu: dict[str, float] = {}
        self.wall: dict[str, float] = {}

    def __call__(self, step: str, work: Callable[[], T]) -> T:
        cpu, wall = time.process_time(), time.perf_counter()
        result = work()
        self.cpu[step] = self.cpu.get(step, 0.0) + time.process_time() - cpu
        self.wall[step] = self.wall.get(step, 0.0) + time.perf_counter() - wall
        return result


def run(client: Any, rows: int, block: int) -> Stopwatch:
    """Load so many rows in blocks; the first block is not timed."""
    lookup, timed = ClickHouseLookup(client), Stopwatch()
    gc.disable()
    for number, start in enumerate(range(0, rows + block, block)):
        watch = timed if number else Stopwatch()
        raw = values(block, START_MS + start)
        loaded = watch("decode", partial(records, raw, start // LINES))
        blocks = watch("build", partial(build, loaded, lookup, keep_addresses=KEEP))
        watch("insert", partial(insert, client, blocks.events, f"events-{start}"))
        watch("insert", partial(insert, client, blocks.audit, f"audit-{start}"))
    return timed


def main(
    rows: Annotated[int, typer.Option(help="Rows to load.")] = 500_000,
    block: Annotated[int, typer.Option(help="Rows in one insert.")] = 50_000,
) -> None:
    """Print JSON: microseconds per row by step, rows per second of loader CPU and of waiting for the engine."""
    with tempfile.TemporaryDirectory() as data, Engine(Path(data)) as engine:
        engine.wait_ready()
        server = ClickHouse.of(engine)
        migrated(server, "bench").disconnect()
        with connect(clickhouse_settings(server, "bench"), kind=BlockClient) as client:
            watch = run(client, rows, block)
    loaded = -(-rows // block) * block
    print(
        json.dumps(
            {
                "rows": loaded,
                "block": block,
                "loader_us_per_row": {step: round(seconds / loaded * 1e6, 2) for step, seconds in watch.cpu.items()},
                "loader_rows_per_s": round(loaded / sum(watch.cpu.values())),
                "insert_rows_per_s": round(loaded / watch.wall["insert"]),
                "all_rows_per_s": round(loaded / sum(watch.wall.values())),
            }
        )
    )


if __name__ == "__main__":
    typer.run(main)
