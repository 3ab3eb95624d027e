"""Files that change while the edge runs -> what it knows: link keys and link overrides."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from producers.edge.server import EdgeServer
from sendtrail import keyring, overrides
from sendtrail.errors import SendtrailError
from sendtrail.process import Log
from sendtrail.settings import AnswerSettings, Config, KeySettings

POLL_S = 1.0

Files = dict[str, tuple[Path, Callable[[Path], Any]]]  # field of Known -> file, and what reads it


def files_of(config: Config) -> Files:
    """What is read again."""
    return {
        "keyring": (config.section(KeySettings).file, keyring.load),
        "overrides": (config.section(AnswerSettings).overrides_file, overrides.load),
    }


async def keep_current(server: EdgeServer, files: Files, log: Log) -> None:
    """A change counts within a second or two; a file that can't be read changes nothing and is told once."""
    seen: dict[str, tuple[int, int] | None] = {}
    while True:
        await asyncio.sleep(POLL_S)
        for field, (path, read) in files.items():
            stamp = _stamp(path)
            if field in seen and seen[field] == stamp:
                continue
            seen[field] = stamp
            try:
                value = read(path)
            except SendtrailError as error:
                log.error(f"{field}_unreadable", error=str(error))
                continue
            if value != getattr(server.known, field):
                server.known = msgspec.structs.replace(server.known, **{field: value})
                log.info(f"{field}_reloaded")


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_ino
