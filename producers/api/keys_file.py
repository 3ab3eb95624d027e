"""The keys file as a running API sees it: read again when it changes."""

from pathlib import Path
from typing import NamedTuple

import structlog

from sendtrail.api_keys import ApiKeys, load
from sendtrail.errors import ApiKeysError

_log = structlog.stdlib.get_logger("api")


class _Stamp(NamedTuple):
    """What changes with a file; its mode too, so that a `chmod` is noticed."""

    inode: int
    changed_ns: int
    size: int


class KeysFile:
    """The keys of a file, those of its last good version where the present one can't be read."""

    def __init__(self, path: Path) -> None:
        """Raises ApiKeysError for a file that is there and can't be read."""
        self._path = path
        self._stamp = self._look()
        self._keys = None if self._stamp is None else load(path)

    def now(self) -> ApiKeys | None:
        """The keys, after a look at whether the file changed; None where there never was one.

        A file that goes away does not open the API: its last keys remain.
        """
        stamp = self._look()
        if stamp is not None and stamp != self._stamp:
            self._stamp = stamp  # a bad version is read and complained of once
            try:
                self._keys = load(self._path)
                _log.info("API keys read again", keys=len(self._keys.by_name))
            except ApiKeysError as error:
                self._keys = self._keys or ApiKeys()
                _log.error("the API keys file is bad, the keys before its change remain", error=str(error))
        return self._keys

    def _look(self) -> _Stamp | None:
        try:
            found = self._path.stat()
        except OSError:
            return None
        return _Stamp(found.st_ino, found.st_ctime_ns, found.st_size)
