"""One partition's state in RocksDB. No write-ahead log: what a crash loses is read again from the source.

Block cache and write buffers are shared by all partitions of the process.
"""

from bisect import bisect_left
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice, takewhile
from pathlib import Path
from typing import cast

from rocksdict import (
    BlockBasedOptions,
    Cache,
    Checkpoint,
    DBCompressionType,
    Options,
    Rdict,
    WriteBatch,
    WriteBufferManager,
    WriteOptions,
)

from streams.errors import Damaged, Stopped
from streams.state.keys import APPLIED, APPLIED_LAST, HITS, IDS

_BLOOM_BITS = 10
_BLOCK_BYTES = 8 * 1024
_BUFFER_SHARE = 2  # write buffers may take half of the cache
_MEMTABLE_BYTES = 8 * 1024 * 1024
_COMPRESSED_LEVEL = 2  # what lies above is small, and soon rewritten
_DAMAGE = "Corruption"
_FAMILIES = (IDS, HITS)
_NAMES = {IDS: "ids", HITS: "opens"}  # as state on disk has it, from when only opens were kept


class SharedMemory:
    """One block cache and write-buffer manager for a process; write buffers are charged to the cache."""

    def __init__(self, cache_bytes: int) -> None:
        self.cache = Cache(cache_bytes)
        self.buffers = WriteBufferManager.new_write_buffer_manager_with_cache(
            cache_bytes // _BUFFER_SHARE, False, self.cache
        )


class Store:
    """Raw bytes in, raw bytes out. Raises Damaged if the directory holds something RocksDB can't make sense of, now
    or when it is read, and Stopped where it can't be opened for another reason.

    Ids and hits have column families of their own, so that the files of ids, whose keys start with a time, hardly
    overlap. Families reach the disk one by one, so each keeps with its entries how far the source is applied to it:
    after a crash the one that is furthest behind counts, and what others know beyond it does no harm. That entry is the
    last of its family: were it the first, each new file of ids would reach from it to the newest id, and be merged with
    all the files between. States from before have it first too, where it stays as it was.
    `applied`: the next source offset this state does not know.
    """

    def __init__(self, directory: Path, memory: SharedMemory) -> None:
        directory.parent.mkdir(parents=True, exist_ok=True)
        self.path = directory
        self._unlogged = WriteOptions()
        self._unlogged.memtable_insert_hint_per_batch = True
        self._unlogged.disable_wal = True  # type: ignore[method-assign,assignment]  # a property; the stub is wrong
        options = {_NAMES[kind]: _options(memory) for kind in _FAMILIES}
        try:
            with self._sound():
                self._db = Rdict(str(directory), _options(memory), options)
        except Damaged:
            raise
        except Exception as error:  # rocksdict raises plain Exception
            raise Stopped(f"{directory} can't be opened ({error}); delete it, the worker rebuilds it") from error
        self._families = {kind[0]: self._db.get_column_family(_NAMES[kind]) for kind in _FAMILIES}
        self._handles = {kind[0]: self._db.get_column_family_handle(_NAMES[kind]) for kind in _FAMILIES}
        with self._sound():
            self.applied = min(map(_applied, (self._db, *self._families.values())))

    def read(self, keys: list[bytes]) -> Sequence[bytes | None]:
        """The values of many keys at once."""
        kinds = {key[0] for key in keys}
        if len(kinds) == 1:
            return self._read(kinds.pop(), keys)
        found: dict[bytes, bytes | None] = {}
        for kind in kinds:
            of_kind = [key for key in keys if key[0] == kind]
            found.update(zip(of_kind, self._read(kind, of_kind), strict=True))
        return [found[key] for key in keys]

    def _read(self, kind: int, keys: list[bytes]) -> Sequence[bytes | None]:
        family = self._families.get(kind, self._db)
        with self._sound():
            values: list[bytes | None] = family.get(keys)  # type: ignore[arg-type,assignment]  # the stub is too narrow
        return values

    def entries(self, prefix: bytes, start: bytes, limit: int) -> list[tuple[bytes, bytes]]:
        """At most `limit` entries whose keys start with `prefix`, from the key `start` on."""
        family = self._families.get(prefix[0], self._db)
        items = cast(Iterator[tuple[bytes, bytes]], family.items(from_key=start))
        found = takewhile(lambda entry: entry[0].startswith(prefix), items)
        with self._sound():
            return list(islice(found, limit))

    def write(
        self,
        written: Mapping[bytes, bytes],
        applied: int,
        ranges: Sequence[tuple[bytes, bytes]] = (),
        gone: Sequence[bytes] = (),
    ) -> None:
        """One atomic batch: deletes (ranges, keys), entries, how far the source is applied (which never goes back).

        While RocksDB has the delete of a range in memory, it asks no Bloom filter of what is in memory, and a read
        takes several times as long. So a batch with ranges is flushed.
        """
        batch, handles = WriteBatch(raw_mode=True), self._handles
        for begin, end in ranges:
            batch.delete_range(begin, end, handles.get(begin[0]))
        for key in gone:
            batch.delete(key, handles.get(key[0]))
        applied = max(applied, self.applied)
        batch.put(APPLIED, applied.to_bytes(8, "big"), None)
        for handle in handles.values():
            batch.put(APPLIED_LAST, applied.to_bytes(8, "big"), handle)
        self._put(batch, written)
        with self._sound():
            self._db.write(batch, self._unlogged)
        self.applied = applied
        if ranges:
            self.flush()

    def _put(self, batch: WriteBatch, written: Mapping[bytes, bytes]) -> None:
        """Each entry to its family, in order: an insert is next to the one before then."""
        keys, done = sorted(written), 0
        while done < len(keys):
            kind = keys[done][0]
            of_kind = keys[done : bisect_left(keys, bytes((kind + 1,)), done)]
            batch.set_default_column_family(self._handles.get(kind))
            deque(map(batch.put, of_kind, map(written.__getitem__, of_kind)), maxlen=0)  # a loop that runs in C
            done += len(of_kind)

    def flush(self, wait: bool = False) -> None:
        """Make what was written so far survive a crash, in the background unless `wait`."""
        for family in (self._db, *self._families.values()):
            family.flush(wait)

    def checkpoint(self, into: Path) -> None:
        """Make `into`, which is not there, a copy of the state: links to its files, beside writes that go on.

        `applied` in it is at least what it is now: everything in memory is flushed first, family by family.
        """
        with self._sound():
            Checkpoint(self._db).create_checkpoint(str(into))

    def close(self, flush: bool = True) -> None:
        """Flush, unless the state is thrown away, and close."""
        if flush:
            self.flush(wait=True)
        for family in self._families.values():
            family.close()
        self._families.clear()
        self._handles.clear()  # while one is left, the database stays open
        self._db.close()

    @contextmanager
    def _sound(self) -> Iterator[None]:
        """RocksDB proves what it reads; rocksdict tells of it by a plain Exception."""
        try:
            yield
        except Exception as error:
            if not str(error).startswith(_DAMAGE):
                raise
            raise Damaged(self.path, str(error)) from error


def _options(memory: SharedMemory) -> Options:
    blocks = BlockBasedOptions()
    blocks.set_block_cache(memory.cache)
    blocks.set_bloom_filter(_BLOOM_BITS, False)
    blocks.set_block_size(_BLOCK_BYTES)
    blocks.set_cache_index_and_filter_blocks(True)
    blocks.set_pin_l0_filter_and_index_blocks_in_cache(True)
    options = Options(raw_mode=True)
    options.create_if_missing(True)
    options.create_missing_column_families(True)
    options.set_block_based_table_factory(blocks)
    options.set_write_buffer_manager(memory.buffers)
    options.set_write_buffer_size(_MEMTABLE_BYTES)
    options.set_memtable_prefix_bloom_ratio(0.1)
    options.set_memtable_whole_key_filtering(True)
    options.set_compression_type(DBCompressionType.lz4())
    options.set_min_level_to_compress(_COMPRESSED_LEVEL)
    options.set_max_background_jobs(2)
    options.set_keep_log_file_num(2)
    return options


def _applied(family: Rdict) -> int:
    values: list[bytes | None] = family.get([APPLIED, APPLIED_LAST])  # type: ignore[assignment]  # as above
    return max(int.from_bytes(value or b"", "big") for value in values)
