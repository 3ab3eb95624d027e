"""Kills an engine right before it renames a part into place: its token is remembered by then, its rows are not there.

By strace, which stops the system call itself (FACTS D); tests on machines without strace are skipped, in CI they fail.
"""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

import pytest
from clickhouse_driver import Client

needs_strace = pytest.mark.skipif(
    shutil.which("strace") is None and not os.environ.get("CI"), reason="strace is not installed"
)


class Running(Protocol):
    """An engine, whoever started it."""

    @property
    def pid(self) -> int | None:
        """Process id while it runs."""


@contextmanager
def killed_at_rename(engine: Running, client: Client, table: str) -> Iterator[None]:
    """The next insert into `table` (of this month, where it is partitioned) kills the engine at that rename.

    `client`: of the table's database. Leaves when the block does; the engine is to be started again by the caller.
    """
    [(folder, partition, newest)] = client.execute(
        "SELECT any(data_paths[1]), argMax(partition_id, modification_time), max(max_block_number) "
        "FROM system.parts AS p JOIN system.tables AS t ON t.database = p.database AND t.name = p.table "
        "WHERE p.database = currentDatabase() AND p.table = {table:String}",
        {"table": table},
    )
    # A part's number while it is written may be another than in place, e.g. after the engine was started again.
    numbers = range(max(1, newest - 20), newest + 20)
    paths = [f"{folder}tmp_insert_{partition}_{number}_{number}_0/" for number in numbers]
    command = ["strace", "-f", "-qq", "-o", "/dev/null", "-p", str(engine.pid)]
    command += ["-e", "trace=rename,renameat,renameat2", "-e", "inject=rename,renameat,renameat2:signal=SIGKILL"]
    for path in paths:
        command += ["-P", path]
    tracer = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait_until_traced(engine.pid)
        yield
    finally:
        tracer.terminate()
        tracer.wait(10)


def _wait_until_traced(pid: int | None) -> None:
    deadline = time.monotonic() + 10
    while "TracerPid:\t0\n" in _status(pid):
        assert time.monotonic() < deadline, "strace does not attach"
        time.sleep(0.02)


def _status(pid: int | None) -> str:
    with open(f"/proc/{pid}/status") as file:
        return file.read()
