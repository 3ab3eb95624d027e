"""A partition's state: what a checkpoint costs, and how long a restore takes, per GB of state.

    python -m bench.restore [--ids N] [--directory PATH]

The state is filled with ids as the steps write them, a batch of 6,400 at a time. Then: the first checkpoint, which
copies every table; a second one after 1 % more ids, which links what is there; and the restore of the newest into an
empty directory, which proves every file by its digest and opens the store. Files are read from the page cache where it
holds them: a disk that is read cold adds its own time.
"""

import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, TypeVar

import typer
from rich.console import Console
from rich.progress import track

from sendtrail.ids import hit_id
from streams.state.checkpoints import Checkpoints
from streams.state.directory import size_bytes
from streams.state.keys import id_key, places
from streams.state.recover import open_state
from streams.state.store import SharedMemory, Store

BATCH = 6_400
TOPIC_ID = "00000000-0000-4000-8000-000000000001"
CACHE_BYTES = 256 * 1024 * 1024
T = TypeVar("T")


def fill(store: Store, ids: int, start_ms: int) -> None:
    """Ids of 50,000 hits a second, as they come: time first, 80 random bits."""
    batches = range(store.applied, store.applied + max(1, ids // BATCH))
    for number in track(batches, "filling the state", console=Console(stderr=True), transient=True):
        now = start_ms + number * BATCH // 50
        entries = {id_key(hit_id(now, os.urandom)): place for place in places(number, BATCH)}
        store.write(entries, number + 1)
    store.flush(wait=True)


def timed(act: Callable[[], T]) -> tuple[T, float, float]:
    """What it returned, and seconds of wall and of processor time."""
    wall, cpu = time.perf_counter(), time.process_time()
    done = act()
    return done, time.perf_counter() - wall, time.process_time() - cpu


def measure(ids: int, folder: Path) -> dict[str, float]:
    """Fill, checkpoint twice, restore."""
    memory, checkpoints = SharedMemory(CACHE_BYTES), Checkpoints(folder / "checkpoints", kept=2)
    store = Store(folder / "state" / "0", memory)
    start_ms = time.time_ns() // 1_000_000
    fill(store, ids, start_ms)
    _, first_s, _ = timed(lambda: checkpoints.take(TOPIC_ID, 0, store))
    fill(store, ids // 100, start_ms)
    taken, second_s, _ = timed(lambda: checkpoints.take(TOPIC_ID, 0, store))
    applied = store.applied
    store.close()
    if taken is None:
        raise SystemExit("the second checkpoint was not taken")
    gigabytes = size_bytes(taken.path) / 1e9
    elsewhere = folder / "elsewhere" / "0"
    restored, restore_s, restore_cpu_s = timed(
        lambda: open_state(elsewhere, memory, checkpoints, TOPIC_ID, 0, committed=applied)
    )
    if restored.applied != applied:
        raise SystemExit(f"restored up to {restored.applied}, not {applied}")
    restored.close()
    return {
        "ids": ids,
        "state_mb": round(gigabytes * 1000, 1),
        "first_checkpoint_s_per_gb": round(first_s / gigabytes, 2),
        "next_checkpoint_s": round(second_s, 2),
        "restore_s": round(restore_s, 2),
        "restore_s_per_gb": round(restore_s / gigabytes, 2),
        "restore_cpu_s_per_gb": round(restore_cpu_s / gigabytes, 2),
    }


def main(
    ids: Annotated[int, typer.Option(min=BATCH, help="Ids in the state; 10 M are about 0.35 GB.")] = 10_000_000,
    directory: Annotated[
        Path | None, typer.Option(help="Where to work; a new directory in it is removed again.")
    ] = None,
) -> None:
    """Print the figures as one line of JSON."""
    folder = Path(tempfile.mkdtemp(prefix="bench-restore-", dir=directory))
    try:
        print(json.dumps(measure(ids, folder)), flush=True)
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    typer.run(main)
