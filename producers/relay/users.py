"""Who may log in at the relay: a private file of names and Argon2id hashes.

[users]
"shop" = "$argon2id$…"
"""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path

import tomli_w
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from sendtrail import private_file
from sendtrail.errors import UsersError

MIN_PASSWORD = 12
MAX_PASSWORD = 1024
MAX_NAME = 128

_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)  # OWASP's least: mail has many log-ins
#: Checked where there is no such user, so that a name can't be told from the time the answer takes.
_NOBODY = _hasher.hash("nobody has this password")


def read(path: Path) -> dict[str, str]:
    """Names and hashes. Raises UsersError for a file that others may read, or that is not as above."""
    try:
        if os.stat(path).st_mode & 0o077:
            raise UsersError(f"{path} may be read by others: chmod 600 {path}")
        content = tomllib.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise UsersError(f"relay.users_file {path} can't be read: {error}") from error
    users = content.get("users", {})
    if set(content) - {"users"} or not isinstance(users, dict):
        raise UsersError(f'{path} has one table, [users], with name = "hash"')
    bad = next((name for name, value in users.items() if not str(value).startswith("$argon2id$")), None)
    if bad is not None:
        raise UsersError(f"{path}: {bad} has no Argon2id hash: `sendtrail relay-users add {bad}`")
    return users


def write(path: Path, users: Mapping[str, str]) -> None:
    """Write the file anew, mode 600. Raises OSError."""
    private_file.write(path, tomli_w.dumps({"users": dict(users)}).encode())


def hash_password(password: str) -> str:
    """Raises UsersError for a password that is too short or too long."""
    if not MIN_PASSWORD <= len(password) <= MAX_PASSWORD:
        raise UsersError(f"a password has {MIN_PASSWORD} to {MAX_PASSWORD} characters")
    return _hasher.hash(password)


class Users:
    """The users of a file, read again where it has changed: who is removed can log in no more."""

    def __init__(self, path: Path) -> None:
        """Raises UsersError."""
        self._path = path
        self._stamp = _stamp(path)
        self._users = read(path)

    def may(self, name: str, password: str) -> bool:
        """Whether this is a user's password. A file that can't be read any more lets nobody in."""
        stamp = _stamp(self._path)
        if stamp != self._stamp:
            self._stamp = stamp
            try:
                self._users = read(self._path)
            except UsersError:
                self._users = {}
        stored = self._users.get(name)
        try:
            _hasher.verify(stored or _NOBODY, password[:MAX_PASSWORD])
        except (VerificationError, InvalidHashError):
            return False
        return stored is not None


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
