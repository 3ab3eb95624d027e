"""A data directory that one stack at a time may use."""

import fcntl
import os
from pathlib import Path

from sendtrail.errors import SettingsError


class DataDir:
    """Holds the lock of a data directory until `release` or the end of the process."""

    def __init__(self, path: Path) -> None:
        """Make the directory (mode 700) and lock it. Raises SettingsError naming who holds it."""
        self.path = path.absolute()
        self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._file = (self.path / "lock").open("a+")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._file.seek(0)
            holder = self._file.read().strip() or "unknown"
            self._file.close()
            raise SettingsError(
                f"a stack already runs on {self.path} (process {holder}): stop it with Ctrl-C there, "
                "or give another directory with --data"
            ) from None
        self._file.truncate(0)
        self._file.write(str(os.getpid()))
        self._file.flush()

    def release(self) -> None:
        """Let another stack have the directory."""
        self._file.close()
