"""Copies of a partition's state: a worker that has lost it, or never had it, need not read the whole window again.

`<directory>/<topic id>/<partition>/<applied, 20 digits>-<8 hex digits>/` holds RocksDB's files and `files.json`, which
names each with its size and digest. A checkpoint is whole once it has its name, and no file of one is used unproved.
The directory may be a volume that several workers share: only a partition's owner has anything new to put there.
"""

import os
import secrets
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from hashlib import blake2b, file_digest
from pathlib import Path
from typing import BinaryIO, NamedTuple

import msgspec
import structlog

from sendtrail.metrics import counter
from streams.state.store import Store

FILES = "files.json"
_STALE_DRAFT_S = 3600.0  # a draft nobody has worked on for so long has lost its worker
_CHUNK_BYTES = 1 << 20
_TABLES = ".sst"  # these never change; RocksDB's other files do

#: A table as it lies on the disk: name, inode, time of its last change in ns.
_Table = tuple[str, int, int]

_log = structlog.stdlib.get_logger(__name__)


class Sealed(msgspec.Struct, frozen=True):
    """What a file of a checkpoint must be. `digest`: BLAKE2b, 16 bytes, in hexadecimal digits."""

    size: int
    digest: str


class Checkpoint(NamedTuple):
    """A whole checkpoint. `applied`: at least so far the source is applied to it."""

    path: Path
    applied: int

    def files(self) -> dict[str, Sealed]:
        """Its files by name. Raises OSError or msgspec.DecodeError where the list itself is damaged."""
        return msgspec.json.decode((self.path / FILES).read_bytes(), type=dict[str, Sealed])


class Checkpoints:
    """The checkpoints in one directory. Raises OSError where that can't be used."""

    def __init__(self, directory: Path, kept: int) -> None:
        """`kept`: how many of each partition stay."""
        directory.mkdir(parents=True, exist_ok=True)
        self._directory = directory
        self._kept = kept
        self._digests: dict[Path, dict[_Table, str]] = {}  # by state: of the tables its last checkpoint had

    def of(self, topic_id: str, partition: int) -> list[Checkpoint]:
        """Those of a partition, the one that is furthest first."""
        folder = self._directory / topic_id / str(partition)
        named = sorted(folder.glob(f"{'[0-9]' * 20}-*"), reverse=True)
        return [Checkpoint(path, int(path.name[:20])) for path in named if path.suffix != ".new"]

    def take(self, topic_id: str, partition: int, store: Store) -> Checkpoint | None:
        """Copy a state; None if nothing was applied since the last time. Raises OSError.

        May run beside the owner's writes. Tables the last checkpoint has are linked, not copied.
        """
        applied, earlier = store.applied, self.of(topic_id, partition)
        if earlier and earlier[0].applied >= applied:
            return None
        folder = self._directory / topic_id / str(partition)
        folder.mkdir(parents=True, exist_ok=True)
        name = f"{applied:020d}-{secrets.token_hex(4)}"
        draft, links = folder / f"{name}.new", store.path.with_name(f"{store.path.name}.checkpoint")
        shutil.rmtree(links, ignore_errors=True)
        try:
            store.checkpoint(links)
            draft.mkdir()
            self._copy(links, draft, earlier[0] if earlier else None)
            os.replace(draft, folder / name)
        finally:
            shutil.rmtree(links, ignore_errors=True)
            shutil.rmtree(draft, ignore_errors=True)
        self._clear(folder, topic_id, partition)
        return Checkpoint(folder / name, applied)

    def restore(self, topic_id: str, partition: int, into: Path, beyond: int) -> Checkpoint | None:
        """Make `into`, which is not there, of the furthest sound checkpoint that is beyond an offset; None if none is.

        Raises OSError where `into` can't be written.
        """
        for checkpoint in self.of(topic_id, partition):
            if checkpoint.applied <= beyond:
                break
            draft = into.with_name(f"{into.name}.restored")
            shutil.rmtree(draft, ignore_errors=True)
            fault = _copy_proved(checkpoint, draft)
            if fault is None:
                os.replace(draft, into)
                return checkpoint
            shutil.rmtree(draft, ignore_errors=True)
            counter("sendtrail_streams_checkpoints_total").labels(outcome="damaged").inc()
            _log.error("a checkpoint is damaged", path=str(checkpoint.path), fault=fault)
        return None

    def _copy(self, links: Path, draft: Path, last: Checkpoint | None) -> None:
        known: dict[str, Sealed] = {}
        if last is not None:
            with suppress(OSError, msgspec.DecodeError):
                known = last.files()
        before = self._digests.get(links, {})
        tables = self._digests[links] = {}
        sealed = {}
        for path in sorted(links.iterdir()):
            seal = Sealed(path.stat().st_size, _digest_once(path, before, tables))
            sealed[path.name] = seal
            if last is None or known.get(path.name) != seal or not _linked(last.path / path.name, draft / path.name):
                _copy_synced(path, draft / path.name)
        (draft / FILES).write_bytes(msgspec.json.encode(sealed))
        _sync(draft / FILES)
        _sync(draft)

    def _clear(self, folder: Path, topic_id: str, partition: int) -> None:
        for old in self.of(topic_id, partition)[self._kept :]:
            shutil.rmtree(old.path, ignore_errors=True)
        for draft in folder.glob("*.new"):
            with suppress(FileNotFoundError):
                if time.time() - draft.stat().st_mtime > _STALE_DRAFT_S:
                    shutil.rmtree(draft, ignore_errors=True)


def _digest_once(path: Path, before: Mapping[_Table, str], tables: dict[_Table, str]) -> str:
    """A table never changes, so one that was there at the last checkpoint is not read again."""
    if path.suffix != _TABLES:
        return _digest(path)
    status = path.stat()
    table = (path.name, status.st_ino, status.st_mtime_ns)
    tables[table] = before.get(table) or _digest(path)
    return tables[table]


def _copy_proved(checkpoint: Checkpoint, into: Path) -> str | None:
    """Copy a checkpoint; what is wrong with it, or None. Errors of the place it is copied to are let through."""
    into.mkdir()
    try:
        files = checkpoint.files()
    except (OSError, msgspec.DecodeError) as error:
        return f"{FILES}: {error}"
    for name, seal in files.items():
        if "/" in name or name.startswith("."):
            return f"{name!r} is no file of a checkpoint"
        try:
            with (into / name).open("wb") as target:
                digest = _copy(checkpoint.path / name, target)
        except _Unreadable as error:
            return f"{name}: {error}"
        if digest != seal.digest:
            return f"{name} is not what it was"
    return None


class _Unreadable(Exception):
    """A file of a checkpoint can't be read: the checkpoint's fault, not the worker's."""


def _copy(path: Path, target: BinaryIO) -> str:
    """Copy a file; returns the digest of what was copied."""
    found = blake2b(digest_size=16)
    for chunk in _chunks(path):
        found.update(chunk)
        target.write(chunk)
    return found.hexdigest()


def _chunks(path: Path) -> Iterator[bytes]:
    try:
        with path.open("rb") as source:
            while chunk := source.read(_CHUNK_BYTES):
                yield chunk
    except OSError as error:
        raise _Unreadable(str(error)) from error


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return file_digest(file, lambda: blake2b(digest_size=16)).hexdigest()


def _linked(source: Path, target: Path) -> bool:
    """Not every shared volume has hard links."""
    try:
        os.link(source, target)
    except OSError:
        return False
    return True


def _copy_synced(source: Path, target: Path) -> None:
    shutil.copyfile(source, target)
    _sync(target)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
