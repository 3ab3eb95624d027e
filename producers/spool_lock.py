"""Who owns a spool: its writer, while it lives, by a file lock that the kernel drops when the process dies."""

import fcntl
import os
from pathlib import Path

from sendtrail.spool_files import lock_path


class SpoolLock:
    """Held by the writer of one spool id. Segments of a spool whose lock is free have lost their writer."""

    def __init__(self, directory: Path, spool: str) -> None:
        """Take the lock. Raises OSError where the file can't be made.

        The file gets its name only once it is locked: nobody ever sees it unlocked while the writer lives.
        """
        self._path = lock_path(directory, spool)
        draft = directory / f"{spool}.lock-new"
        self._descriptor = os.open(draft, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.replace(draft, self._path)
        except OSError:
            os.close(self._descriptor)
            raise

    def release(self) -> None:
        """Give the lock back and remove its file."""
        self._path.unlink(missing_ok=True)
        os.close(self._descriptor)


def is_held(lock: Path) -> bool:
    """True where a living process holds this lock file. Raises OSError other than a missing file."""
    try:
        descriptor = os.open(lock, os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def is_orphan(directory: Path, spool: str) -> bool:
    """True where no live process writes to `spool`. Raises OSError other than a missing file."""
    return not is_held(lock_path(directory, spool))


def remove_lock(directory: Path, spool: str) -> None:
    """Forget an orphan's lock file, once none of its segments is left."""
    lock_path(directory, spool).unlink(missing_ok=True)
