"""Files that hold secrets: mode 600, written all or nothing, locked while they are changed."""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Generic, TypeVar

T = TypeVar("T")


class Change(Generic[T]):
    """What a file holds, while it is changed."""

    def __init__(self, now: T) -> None:
        self.now = now


def write(path: Path, content: bytes) -> None:
    """Write a file, mode 600, all or nothing: a crash leaves the old one. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(path.name + ".new")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        os.fchmod(file.fileno(), 0o600)  # a draft left by a crash keeps the mode it had
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(draft, path)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """One change of a file at a time, so that nothing is lost between a read and a write. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = os.open(path.with_name(path.name + ".lock"), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


@contextmanager
def changing(
    path: Path, load: Callable[[], T], save: Callable[[Path, T], None], failed: type[Exception]
) -> Iterator[Change[T]]:
    """A file read under its lock, and written where the block ends well. Raises `failed` in place of an OSError."""
    try:
        with locked(path):
            change = Change(load())
            yield change
            save(path, change.now)
    except OSError as error:
        raise failed(f"{path} can't be changed: {error}") from error
