"""Checkpoints of a partition's state: taken beside writes, proved before use, restored where they are further."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from streams.errors import Damaged
from streams.state.checkpoints import FILES, Checkpoint, Checkpoints
from streams.state.recover import condemn, open_state, take
from streams.state.store import SharedMemory, Store
from tests.streams.running import Line, wait_for

MEMORY = SharedMemory(16 * 1024 * 1024)
TOPIC = "4f1c2a3e-0000-4000-8000-000000000001"


@pytest.fixture
def checkpoints(tmp_path: Path) -> Checkpoints:
    return Checkpoints(tmp_path / "shared", kept=2)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path / "state" / "0", MEMORY)
    yield store
    store.close()


def fill(store: Store, first: int, end: int) -> None:
    """Entries of both column families and the rest, one batch per offset."""
    for offset in range(first, end):
        entries = {b"i%06d" % offset: b"id", b"o%06d" % offset: b"open", b"s%06d" % offset: b"mark"}
        store.write(entries, offset + 1)


def holds(store: Store, end: int) -> bool:
    keys = [prefix + b"%06d" % offset for offset in range(end) for prefix in (b"i", b"o", b"s")]
    return None not in store.read(keys)


def checkpoint(checkpoints: Checkpoints, store: Store) -> Checkpoint:
    taken = checkpoints.take(TOPIC, 0, store)
    assert taken is not None
    return taken


def test_a_fresh_directory_begins_with_what_was_applied(tmp_path: Path, checkpoints: Checkpoints, store: Store) -> None:
    fill(store, 0, 50)
    assert checkpoint(checkpoints, store).applied == 50
    fill(store, 50, 60)
    other = open_state(tmp_path / "elsewhere" / "0", MEMORY, checkpoints, TOPIC, 0, committed=60)
    assert other.applied == 50
    assert holds(other, 50)
    other.close()
    assert sorted(path.name for path in (tmp_path / "elsewhere").iterdir()) == ["0"]


def test_nothing_new_is_no_checkpoint_and_old_ones_go(checkpoints: Checkpoints, store: Store) -> None:
    for end in (10, 20, 30):
        fill(store, end - 10, end)
        checkpoint(checkpoints, store)
        assert checkpoints.take(TOPIC, 0, store) is None
    assert [one.applied for one in checkpoints.of(TOPIC, 0)] == [30, 20]


def test_tables_are_linked_where_the_last_checkpoint_has_them(checkpoints: Checkpoints, store: Store) -> None:
    fill(store, 0, 50)
    first = checkpoint(checkpoints, store)
    fill(store, 50, 51)
    second = checkpoint(checkpoints, store)
    tables = {path.name for path in first.path.glob("*.sst")}
    assert tables
    assert all(os.path.samefile(first.path / name, second.path / name) for name in tables)


@pytest.mark.parametrize("damage", ["flip", "cut", "gone", "list gone", "list cut"])
def test_a_damaged_checkpoint_gives_way_to_an_older_one(
    tmp_path: Path, checkpoints: Checkpoints, store: Store, damage: str
) -> None:
    fill(store, 0, 50)
    checkpoint(checkpoints, store)
    fill(store, 50, 100)
    newest = checkpoint(checkpoints, store).path
    own = next(path for path in sorted(newest.glob("*.sst")) if path.stat().st_nlink == 1)
    match damage:
        case "flip":
            data = bytearray(own.read_bytes())
            data[len(data) // 2] ^= 1
            own.write_bytes(data)
        case "cut":
            own.write_bytes(own.read_bytes()[:-1])
        case "gone":
            own.unlink()
        case "list gone":
            (newest / FILES).unlink()
        case "list cut":
            (newest / FILES).write_bytes((newest / FILES).read_bytes()[:-3])
    other = open_state(tmp_path / "elsewhere" / "0", MEMORY, checkpoints, TOPIC, 0, committed=100)
    assert other.applied == 50
    assert holds(other, 50)
    other.close()


def test_a_draft_of_a_worker_that_died_is_no_checkpoint(
    tmp_path: Path, checkpoints: Checkpoints, store: Store
) -> None:  # fmt: skip
    fill(store, 0, 10)
    taken = checkpoint(checkpoints, store)
    taken.path.rename(taken.path.with_name(taken.path.name + ".new"))
    other = open_state(tmp_path / "elsewhere" / "0", MEMORY, checkpoints, TOPIC, 0, committed=10)
    assert other.applied == 0
    other.close()


def test_state_that_is_further_than_its_checkpoint_stays(tmp_path: Path, checkpoints: Checkpoints) -> None:
    path = tmp_path / "further" / "0"
    store = Store(path, MEMORY)
    fill(store, 0, 20)
    checkpoint(checkpoints, store)
    fill(store, 20, 30)
    store.close()
    again = open_state(path, MEMORY, checkpoints, TOPIC, 0, committed=40)
    assert again.applied == 30
    again.close()


def damaged_table(path: Path) -> None:
    """Flip a byte in the middle of each table, where RocksDB's own checksums notice it."""
    for table in path.glob("*.sst"):
        data = bytearray(table.read_bytes())
        data[len(data) // 3] ^= 0xFF
        table.write_bytes(data)


def test_state_that_can_t_be_opened_is_set_aside(tmp_path: Path, checkpoints: Checkpoints) -> None:
    path = tmp_path / "damaged" / "0"
    store = Store(path, MEMORY)
    fill(store, 0, 30)
    checkpoint(checkpoints, store)
    store.close()
    next(path.glob("*.sst")).unlink()
    again = open_state(path, MEMORY, checkpoints, TOPIC, 0, committed=30)
    assert again.applied == 30
    assert holds(again, 30)
    again.close()
    assert (tmp_path / "damaged" / "0.damaged").is_dir()


def test_state_that_turns_out_damaged_while_it_is_read_is_not_opened_again(
    tmp_path: Path, checkpoints: Checkpoints
) -> None:
    path = tmp_path / "damaged" / "0"
    store = Store(path, MEMORY)
    fill(store, 0, 3000)
    checkpoint(checkpoints, store)
    store.close()
    damaged_table(path)
    with pytest.raises(Damaged) as raised:  # opening reads no data blocks; reading all of them meets the flipped one
        _read_all(Store(path, SharedMemory(16 * 1024 * 1024)))
    condemn(raised.value.path)
    again = open_state(path, MEMORY, checkpoints, TOPIC, 0, committed=3000)
    assert again.applied == 3000
    assert holds(again, 3000)
    again.close()
    assert not (tmp_path / "damaged" / "0.condemned").exists()


def _read_all(store: Store) -> None:
    try:
        holds(store, 3000)
        for prefix in (b"i", b"o", b"s"):
            store.entries(prefix, prefix, 10_000)
    finally:
        store.close(flush=False)


def test_a_checkpoint_that_can_t_be_taken_does_not_end_the_worker(tmp_path: Path, store: Store) -> None:
    fill(store, 0, 10)
    checkpoints = Checkpoints(tmp_path / "shared", kept=2)
    (tmp_path / "shared" / TOPIC).write_text("a file where a folder should be")
    take(checkpoints, TOPIC, 0, store)
    assert checkpoints.of(TOPIC, 0) == []


def test_a_worker_on_a_fresh_machine_restores_catches_up_and_knows_what_came_before(line: Line) -> None:
    shared: dict[str, Any] = {"checkpoint_dir": line.directory / "shared", "checkpoint_every_s": 1}
    some = line.send_some(40, packs=4)
    first = line.worker(name="one", **shared)
    line.wait_enriched()
    wait_for(lambda: line.committed() == line.ends(), explain=line.logs)
    taken = line.directory / "shared" / line.source_id()
    wait_for(lambda: {folder.name for folder in taken.glob("*") if any(folder.glob("*[0-9a-f]"))} == {"0", "1"})
    line.send_some(10)
    line.wait_enriched()
    wait_for(lambda: line.committed() == line.ends(), explain=line.logs)
    first.kill()
    line.send(some, remember=False)
    line.send_some(10)
    second = line.worker(name="two", **shared)
    line.assert_ledger()
    assert second.said("state restored from a checkpoint")
