"""The users file: who may log in, with which role, to which accounts.

[users."ana"]
role = "analyst"                 # or "viewer"
accounts = ["", "shop"]          # without this line: all; "" is the default account
password = "$argon2id$…"         # without this line: only by proxy or token
token = "…"                      # SHA-256 of the API token, if there is one
"""

import os
import re
import tomllib
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import tomli_w

from dashboards.roles import ROLES, Role
from dashboards.web.access.passwords import is_hash
from dashboards.web.access.reader import Reader
from sendtrail import private_file
from sendtrail.errors import UsersError

MAX_NAME = 128
_FIELDS = {"role", "accounts", "password", "token"}
_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class User:
    """One entry of the users file; `password` and `token` are hashes, empty where there is none."""

    name: str
    role: Role
    accounts: frozenset[str] | None = None
    password: str = ""
    token: str = ""

    def __repr__(self) -> str:
        return f"User({self.name!r}, {self.role})"

    def reader(self) -> Reader:
        return Reader(self.name, self.role, self.accounts)


class Users:
    """The users of one version of the file."""

    def __init__(self, users: Iterable[User] = ()) -> None:
        self.by_name = {user.name: user for user in users}
        self.by_token = {user.token: user for user in self.by_name.values() if user.token}

    def get(self, name: str) -> User:
        """Raises UsersError where there is no such user."""
        try:
            return self.by_name[normal_name(name)]
        except KeyError:
            raise UsersError(f"no user {name!r}: `sendtrail users list` shows those there are") from None

    def with_user(self, user: User) -> "Users":
        return Users({**self.by_name, user.name: user}.values())

    def without(self, name: str) -> "Users":
        """Raises UsersError where there is no such user."""
        gone = self.get(name)
        return Users(user for user in self.by_name.values() if user != gone)


def normal_name(name: str) -> str:
    """A user name in one form, however its letters were composed."""
    return unicodedata.normalize("NFC", name.strip())


def check_name(name: str) -> str:
    """The name in its normal form. Raises UsersError for one that is empty, too long or has control characters."""
    normal = normal_name(name)
    if not 0 < len(normal) <= MAX_NAME or any(unicodedata.category(letter)[0] == "C" for letter in normal):
        raise UsersError(f"a user name has 1 to {MAX_NAME} visible characters, unlike {name!r}")
    return normal


def load(path: Path) -> Users:
    """Read a users file. Raises UsersError naming what is missing, malformed or readable by others."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
        with os.fdopen(descriptor, "rb") as file:
            mode = os.fstat(descriptor).st_mode & 0o777
            if mode & 0o077:
                raise UsersError(f"the users file {path} is open to others (mode {mode:03o}): chmod 600 {path}")
            table = tomllib.load(file)
    except FileNotFoundError as error:
        raise UsersError(f"no users file at {path}: make one with `sendtrail users add NAME`") from error
    except (OSError, ValueError) as error:
        raise UsersError(f"the users file {path} can't be read: {error}") from error
    try:
        return _parse(table)
    except UsersError as error:
        raise UsersError(f"the users file {path}: {error}") from error


def save(path: Path, users: Users) -> None:
    """Write a users file, mode 600, all or nothing: a crash leaves the old one. Raises OSError."""
    table = {"users": {name: _entry(user) for name, user in sorted(users.by_name.items())}}
    private_file.write(path, tomli_w.dumps(table).encode())


def _entry(user: User) -> dict[str, Any]:
    entry: dict[str, Any] = {"role": user.role}
    if user.accounts is not None:
        entry["accounts"] = sorted(user.accounts)
    return entry | {key: value for key in ("password", "token") if (value := getattr(user, key))}


def _parse(table: dict[str, Any]) -> Users:
    entries = table.get("users", {})
    if set(table) - {"users"} or not isinstance(entries, dict):
        raise UsersError('it holds tables [users."NAME"] and nothing else')
    users = [_user(name, entry) for name, entry in entries.items()]
    tokens = [user.token for user in users if user.token]
    if len({user.name for user in users}) != len(users) or len(set(tokens)) != len(tokens):
        raise UsersError("two users have the same name or the same token")
    return Users(users)


def _user(name: str, entry: Any) -> User:
    if not isinstance(entry, dict) or set(entry) - _FIELDS:
        raise UsersError(f"user {name!r} has {', '.join(sorted(_FIELDS))} and nothing else")
    user = User(check_name(name), _role(name, entry.get("role")), _accounts(name, entry.get("accounts")))
    password, token = entry.get("password", ""), entry.get("token", "")
    if not isinstance(password, str) or (password and not is_hash(password)):
        raise UsersError(f"user {name!r}: password is an Argon2id hash, made by `sendtrail users passwd`")
    if not isinstance(token, str) or (token and not _DIGEST.fullmatch(token)):
        raise UsersError(f"user {name!r}: token is a SHA-256 in hexadecimal, made by `sendtrail users token`")
    return replace(user, password=password, token=token)


def _role(name: str, value: Any) -> Role:
    for role in ROLES:
        if value == role:
            return role
    raise UsersError(f"user {name!r}: role is one of {', '.join(ROLES)}, not {value!r}")


def _accounts(name: str, value: Any) -> frozenset[str] | None:
    if value is None:
        return None
    if not isinstance(value, list) or not all(isinstance(account, str) for account in value):
        raise UsersError(f"user {name!r}: accounts is a list of texts")
    return frozenset(value)
