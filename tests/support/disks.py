"""Small disks that fill up or can't be written. Without the right to mount one, limits on file sizes stand for it."""

from __future__ import annotations

import resource
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

SIZE = 2 * 1024 * 1024
Pids = Callable[[], list[int]]


class Disk(NamedTuple):
    """A directory, and how to take away the room of processes that write there, and to give it back."""

    path: Path
    fill: Callable[[Pids], None]
    free: Callable[[Pids], None]


@contextmanager
def small_disk(path: Path, size: int = SIZE) -> Iterator[Disk]:
    """A disk of so many bytes at `path`, two megabytes unless told otherwise."""
    path.mkdir()
    if not _mount(path, size):
        yield Disk(path, lambda pids: _limit(pids, 0), lambda pids: _limit(pids, resource.RLIM_INFINITY))
        return
    filler = path / "filler"
    try:
        yield Disk(path, lambda _: _fill(filler), lambda _: filler.unlink())
    finally:
        subprocess.run(["umount", "--lazy", str(path)], check=True)


@contextmanager
def read_only_disk(path: Path) -> Iterator[Disk]:
    """A disk that can't be written until it is freed; before that processes are to be filled by `fill`."""
    path.mkdir()
    if not _mount(path):
        yield Disk(path, lambda pids: _limit(pids, 0), lambda pids: _limit(pids, resource.RLIM_INFINITY))
        return
    try:
        _remount(path, "ro")
        yield Disk(path, lambda _: None, lambda _: _remount(path, "rw"))
    finally:
        subprocess.run(["umount", "--lazy", str(path)], check=True)


def _mount(path: Path, size: int = SIZE) -> bool:
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(path)]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def _remount(path: Path, mode: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{mode}", str(path)], check=True)


def _fill(filler: Path) -> None:
    with filler.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(4096))


def _limit(pids: Pids, size: int) -> None:
    for pid in pids():
        _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, hard))
