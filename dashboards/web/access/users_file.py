"""The users file as a running server sees it: read again when it changes."""

from pathlib import Path
from typing import NamedTuple

import structlog

from dashboards.web.access.users import Users, load
from sendtrail.errors import UsersError

_log = structlog.stdlib.get_logger("access")


class _Stamp(NamedTuple):
    """What changes with a file; its mode too, so that a `chmod` is noticed."""

    inode: int
    changed_ns: int
    size: int


class UsersFile:
    """The users of a file, those of its last good version where the present one can't be read."""

    def __init__(self, path: Path | None) -> None:
        """None: there are no users. Raises UsersError for a file that can't be read now."""
        self._path = path
        self._stamp = self._look()
        self._users = Users() if path is None else load(path)

    def now(self) -> Users:
        """The users, after a look at whether the file changed."""
        stamp = self._look()
        if self._path is not None and stamp != self._stamp:
            self._stamp = stamp  # a bad version is read and complained of once
            try:
                self._users = load(self._path)
                _log.info("users file read again", users=len(self._users.by_name))
            except UsersError as error:
                _log.error("the users file is bad, the users before its change remain", error=str(error))
        return self._users

    def _look(self) -> _Stamp | None:
        if self._path is None:
            return None
        try:
            found = self._path.stat()
        except OSError:
            return None
        return _Stamp(found.st_ino, found.st_ctime_ns, found.st_size)
