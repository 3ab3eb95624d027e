"""Store, overlay, keys, expiry and directory: on a real RocksDB."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from rocksdict import Options, Rdict

from streams.errors import Damaged, Stopped
from streams.state import expiry as expiry_module
from streams.state.directory import StateDirectory
from streams.state.expiry import NOTHING_EXPIRED, Expiry, expired_ranges
from streams.state.keys import (
    APPLIED,
    DAY_MS,
    hits_key,
    id_key,
    mark_value,
    read_mark,
    read_time,
    spool_key,
    time_bytes,
    transaction_key,
)
from streams.state.overlay import Overlay
from streams.state.store import SharedMemory, Store
from tests.streams.making import NOW, SPOOL, hit

MEMORY = SharedMemory(16 * 1024 * 1024)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path / "topic" / "0", MEMORY)
    yield store
    store.close()


def test_what_is_written_is_read_and_survives_a_close(tmp_path: Path) -> None:
    store = Store(tmp_path / "0", MEMORY)
    assert store.applied == 0
    store.write({b"ib": b"2", b"ia": b"1"}, 17)
    assert list(store.read([b"ia", b"ic", b"ib"])) == [b"1", None, b"2"]
    store.close()
    again = Store(tmp_path / "0", MEMORY)
    assert again.applied == 17
    assert list(again.read([b"ia"])) == [b"1"]
    again.close()


def test_applied_never_goes_back(store: Store) -> None:
    store.write({}, 9)
    store.write({}, 4)
    assert store.applied == 9


def test_a_state_of_an_earlier_release_is_gone_on_with(tmp_path: Path) -> None:
    """There the first entry of each family says how far it is applied; the family furthest behind counts."""
    options = Options(raw_mode=True)
    options.create_missing_column_families(True)
    families = {"ids": Options(raw_mode=True), "opens": Options(raw_mode=True)}
    old = Rdict(str(tmp_path / "0"), options, families)
    ids, hits = old.get_column_family("ids"), old.get_column_family("opens")
    for family, applied in ((old, 9), (ids, 8), (hits, 7)):
        family[APPLIED] = applied.to_bytes(8, "big")
    ids[b"ia"], hits[b"oa"], old[b"sa"] = b"1", b"2", b"3"
    for family in (ids, hits, old):
        family.close()
    store = Store(tmp_path / "0", MEMORY)
    assert store.applied == 7
    store.write({b"ib": b"4"}, 12)
    store.close()
    again = Store(tmp_path / "0", MEMORY)
    assert again.applied == 12
    assert list(again.read([b"ia", b"ib", b"oa", b"sa"])) == [b"1", b"4", b"2", b"3"]
    assert again.entries(b"i", b"i", 9) == [(b"ia", b"1"), (b"ib", b"4")]
    again.close()


def test_a_directory_that_holds_something_else_is_said_to(tmp_path: Path) -> None:
    (tmp_path / "0").mkdir()
    (tmp_path / "0" / "CURRENT").write_text("no manifest\n")
    with pytest.raises(Damaged, match="CURRENT"):
        Store(tmp_path / "0", MEMORY)
    (tmp_path / "1").write_text("no directory")
    with pytest.raises(Stopped, match="delete it"):
        Store(tmp_path / "1", MEMORY)


KILLED = """
import os, sys
from pathlib import Path
from streams.state.store import SharedMemory, Store
size = int(sys.argv[2])
store = Store(Path(sys.argv[1]), SharedMemory(64 << 20 if size == 1 else 4 << 20))
for number in range(2000):
    store.write({b"i%d" % number: b"x" * size, b"o%d" % number: b"x" * size, b"s%d" % number: b"x"}, number + 1)
    if number == 1000 and size == 1:
        store.flush(wait=True)
os.kill(os.getpid(), 9)
"""


@pytest.mark.parametrize("size", [1, 20_000])
def test_after_a_crash_the_state_knows_all_that_it_says_is_applied(tmp_path: Path, size: int) -> None:
    """Flushed by hand, or again and again because the write buffers are full."""
    subprocess.run([sys.executable, "-c", KILLED, str(tmp_path / "0"), str(size)], check=False, timeout=60)
    store = Store(tmp_path / "0", MEMORY)
    assert store.applied >= (1001 if size == 1 else 1)
    for kind in (b"i%d", b"o%d", b"s%d"):
        assert None not in store.read([kind % number for number in range(store.applied)])
    store.close()


def test_expired_ids_and_opens_go_and_the_rest_stays(store: Store) -> None:
    window = 8 * DAY_MS
    log_day = NOW // DAY_MS
    kept = [
        id_key(hit(1, at=NOW - window - DAY_MS).event_id),
        id_key(hit(2).event_id),
        hits_key(log_day - 2, 1, 1),
        transaction_key("0" * 32),
        spool_key(SPOOL),
    ]
    gone = [
        id_key(hit(3, at=NOW - window - DAY_MS - 1).event_id),
        id_key(hit(4, at=946_684_800_000).event_id),
        hits_key(log_day - 3, 1, 1),
    ]
    store.write(dict.fromkeys(kept + gone, b"x"), 1)
    store.write({}, 2, expired_ranges(NOW, window))
    assert list(store.read(kept)) == [b"x"] * len(kept)
    assert list(store.read(gone)) == [None] * len(gone)
    assert store.applied == 2


def test_only_ranges_that_hold_something_are_deleted(store: Store) -> None:
    window, old = 8 * DAY_MS, id_key(hit(1, at=NOW - 10 * DAY_MS).event_id)
    young = [id_key(hit(2).event_id), hits_key(NOW // DAY_MS, 1, 1)]
    store.write(dict.fromkeys(young, b"x"), 1)
    expiry = Expiry(store, window)
    assert expiry.due(NOW) == NOTHING_EXPIRED
    store.write({old: b"x"}, 2)
    later = NOW + expiry_module.EVERY_MS
    ranges, keys = expiry.due(later)
    assert (ranges, keys) == (expired_ranges(later, window)[:1], [])
    store.write({}, 3, ranges)
    assert list(store.read([old, *young])) == [None, b"x", b"x"]
    assert expiry.due(later + expiry_module.EVERY_MS) == NOTHING_EXPIRED


def test_marks_and_transactions_are_looked_through_and_go_with_their_windows(store: Store) -> None:
    window, later = 8 * DAY_MS, NOW + 401 * DAY_MS + 1
    old = {spool_key(SPOOL): mark_value((1, 1), later - window - DAY_MS - 1)}
    old |= {transaction_key(f"{n:032x}"): bytes(12) + time_bytes(NOW) for n in range(50)}
    young = {spool_key("cd" * 16): mark_value((1, 1), later - window)}
    young |= {transaction_key(f"{n:032x}"): bytes(12) + time_bytes(NOW + DAY_MS) for n in range(50, 60)}
    store.write(old | young, 1)
    expiry = Expiry(store, window)
    store.write({}, 2, *expiry.due(later))
    assert list(store.read(list(young))) == list(young.values())
    assert list(store.read(list(old))) == [None] * len(old)
    assert expiry.due(later + 1) == NOTHING_EXPIRED


def test_looking_through_goes_on_where_it_stopped(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(expiry_module, "LOOKED_THROUGH", 20)
    written = {transaction_key(f"{n:032x}"): bytes(12) + time_bytes(0) for n in range(50)}
    store.write(written, 1)
    expiry, gone = Expiry(store, DAY_MS), []
    for hour in range(1, 4):
        _, keys = expiry.due(NOW + hour * expiry_module.EVERY_MS)
        gone += keys
    assert gone == sorted(written)


def test_expiry_early_in_time_has_nothing_to_delete() -> None:
    assert all(begin <= end for begin, end in expired_ranges(0, 8 * DAY_MS))


def test_a_mark_comes_back_with_its_time() -> None:
    value = mark_value((3, 2**63 - 1), NOW)
    assert read_mark(value) == (3, 2**63 - 1)
    assert read_time(value) == NOW
    assert read_mark(None) < (0, 0)


@pytest.mark.parametrize("real", [True, False])
def test_an_overlay_reads_through_and_keeps_writes(real: bool, store: Store) -> None:
    held = {b"i1": b"one"}
    store.write(held, 1)
    overlay = Overlay(store.read if real else lambda keys: [held.get(key) for key in keys])
    overlay.load([b"i1", b"i2", b"i1"])
    assert (overlay.get(b"i1"), overlay.get(b"i2")) == (b"one", None)
    overlay.put(b"i2", b"two")
    overlay.load([b"i2"])
    assert overlay.get(b"i2") == b"two"
    assert overlay.written == {b"i2": b"two"}
    assert overlay.get(b"i3") is None


def test_one_worker_at_a_time_has_a_state_directory(tmp_path: Path) -> None:
    first = StateDirectory(tmp_path)
    with pytest.raises(Stopped, match="another worker"):
        StateDirectory(tmp_path)
    member = first.member_id()
    first.close()
    second = StateDirectory(tmp_path)
    assert second.member_id() == member
    second.close()


def test_a_directory_works_on_one_topic_until_an_operator_says_otherwise(tmp_path: Path) -> None:
    directory = StateDirectory(tmp_path)
    directory.claim_topic("tracking.events", "id-1")
    directory.claim_topic("tracking.events", "id-1")
    with pytest.raises(Stopped, match=r"id-2.*delete .*tracking\.events\.id"):
        directory.claim_topic("tracking.events", "id-2")
    (tmp_path / "tracking.events.id").unlink()
    directory.claim_topic("tracking.events", "id-2")
    assert directory.partition("id-1", 0) != directory.partition("id-2", 0)
    directory.close()
