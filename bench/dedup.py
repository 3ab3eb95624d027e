"""The index of ids alone: look-ups and inserts per second with many ids really in it, and the memory that takes.

python -m bench.dedup [--ids N] [--days D] [--directory DIR]

The ids fill the window of `--days`; a tenth come up to an hour late, one in a hundred comes twice. They go through the
worker's own store and overlay, in batches as a worker's. Making them is not counted. `--ids 100000000` takes about
3 GB of disk, which are freed at the end, and ten minutes of a core.
"""

import json
import os
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import psutil
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from sendtrail.process import collect_seldom
from sendtrail.settings import StreamSettings
from streams.state.directory import size_bytes
from streams.state.keys import DAY_MS, HOUR_MS, IDS, places
from streams.state.overlay import Overlay
from streams.state.store import SharedMemory, Store

PACK, PACKS = 200, 32
LATE, TWICE = 0.1, 0.01
START_MS = 1_790_000_000_000


def batches(ids: int, span_ms: int, rnd: random.Random) -> Iterator[list[bytes]]:
    """Keys of ids in the order they come."""
    size = PACK * PACKS
    for first in range(0, ids, size):
        count = min(size, ids - first)
        tails = rnd.randbytes(10 * count)
        keys = []
        for number in range(count):
            at = START_MS + (first + number) * span_ms // ids
            chance = rnd.random()
            if chance < LATE:
                at -= rnd.randrange(HOUR_MS)
            keys.append(IDS + at.to_bytes(6, "big") + tails[10 * number : 10 * number + 10])
            if chance > 1 - TWICE:
                keys[-1] = keys[number // 2]
        yield keys


def look_up_and_insert(store: Store, keys: list[bytes], offset: int) -> int:
    """As the worker does; returns how many were known."""
    overlay, known = Overlay(store.read), 0
    for at in range(0, len(keys), 2 * PACK):
        few = keys[at : at + 2 * PACK]
        overlay.turn()
        overlay.load(few)
        for key, place in zip(few, places(offset + at // PACK, len(few)), strict=True):
            if overlay.get(key) is None:
                overlay.put(key, place)
            else:
                known += 1
    store.write(overlay.written, offset + PACKS)
    return known


class Figures:
    """Of a stretch of the run. CPU of all threads, RocksDB's own included, without that of making ids."""

    def __init__(self) -> None:
        self.ids = self.known = 0
        self.main_s = self.wall_s = self.made_s = 0.0
        self._cpu = time.process_time()

    def add(self, store: Store, keys: list[bytes], offset: int) -> None:
        """One batch."""
        cpu, wall = time.thread_time(), time.perf_counter()
        self.known += look_up_and_insert(store, keys, offset)
        self.main_s += time.thread_time() - cpu
        self.wall_s += time.perf_counter() - wall
        self.ids += len(keys)

    def shown(self, made_s: float) -> dict[str, object]:
        """`made_s`: CPU time that making the ids took."""
        all_s = time.process_time() - self._cpu - made_s
        return {
            "ids": self.ids,
            "known": self.known,
            "per_s_wall": round(self.ids / self.wall_s),
            "per_s_cpu": round(self.ids / self.main_s),
            "per_s_cpu_all_threads": round(self.ids / all_s),
            "us": round(self.main_s / self.ids * 1e6, 2),
            "us_all_threads": round(all_s / self.ids * 1e6, 2),
            "resident_mb": psutil.Process().memory_info().rss // 1_000_000,
        }


def run(ids: int, days: float, directory: Path, cache_bytes: int, progress: Progress) -> None:
    """Print figures ten times on the way; the last tenth is the one that finds all ids but its own there."""
    store = Store(directory / "0", SharedMemory(cache_bytes))
    task = progress.add_task("ids", total=ids)
    figures, made_s, offset = Figures(), 0.0, 0
    done, tenth = 0, max(1, ids // 10)
    clock = time.thread_time()
    for keys in batches(ids, round(days * DAY_MS), random.Random(1)):
        made_s += time.thread_time() - clock
        figures.add(store, keys, offset)
        clock = time.thread_time()
        offset, done = offset + PACKS, done + len(keys)
        progress.update(task, completed=done)
        if figures.ids >= tenth or done == ids:
            shown = {"loaded": done, **figures.shown(made_s), "disk_mb": size_bytes(store.path) // 1_000_000}
            print(json.dumps(shown), flush=True)
            figures, made_s, clock = Figures(), 0.0, time.thread_time()
    store.close()


def main(
    ids: Annotated[int, typer.Option(min=1, help="Ids to load.")] = 100_000_000,
    days: Annotated[float, typer.Option(help="Of log time that they fill.")] = 8.0,
    directory: Annotated[Path | None, typer.Option(help="Where the state goes for the time of the run.")] = None,
    cache_mb: Annotated[int, typer.Option(help="As streams.state_cache_bytes, in MiB.")] = 0,
) -> None:
    """Print JSON: a line for every tenth of the ids."""
    collect_seldom()  # as the worker does
    cache_bytes = cache_mb * 1024 * 1024 or StreamSettings.model_fields["state_cache_bytes"].default
    before = os.getloadavg()[0]
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    with (
        tempfile.TemporaryDirectory(dir=directory) as folder,
        Progress(*columns, console=Console(file=sys.stderr)) as progress,
    ):
        run(ids, days, Path(folder), cache_bytes, progress)
    print(json.dumps({"cache_mb": cache_bytes >> 20, "load_before": before, "load_after": os.getloadavg()[0]}))


if __name__ == "__main__":
    typer.run(main)
