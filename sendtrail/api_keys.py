"""The keys of the feed API: who may feed, into which account.

[keys."shop mailer"]
account = "shop"                       # "" is the default account
digest = "…"                           # SHA-256 of the key
created = "2026-11-24T09:30:00Z"
requests_per_minute = 600              # without this line: api.requests_per_minute
"""

import hashlib
import hmac
import os
import re
import secrets
import tomllib
import unicodedata
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import tomli_w

from sendtrail import private_file
from sendtrail.errors import ApiKeysError, BadName
from sendtrail.naming import name_bytes

KEY_PREFIX = "stak_"
MAX_NAME = 64
MAX_PER_MINUTE = 10_000_000
_KEY_BYTES = 32
_FIELDS = {"account", "digest", "created", "requests_per_minute"}
_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class ApiKey:
    """One key as the file has it. `digest`: SHA-256 of the key, hexadecimal. `created`: RFC 3339.

    `requests_per_minute` 0: the setting decides.
    """

    name: str
    account: str
    digest: str
    created: str
    requests_per_minute: int = 0


def new_key() -> str:
    """A key: 256 random bits behind a prefix by which secret scanners know it."""
    return KEY_PREFIX + secrets.token_urlsafe(_KEY_BYTES)


def digest_of(key: str) -> str:
    """What is stored of a key. Its bits are random, so a plain SHA-256 can't be turned back."""
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


class ApiKeys:
    """The keys of one version of the file."""

    def __init__(self, keys: tuple[ApiKey, ...] = ()) -> None:
        self.by_name = {key.name: key for key in keys}
        self._by_digest = {key.digest: key for key in keys}

    def find(self, key: str) -> ApiKey | None:
        """The entry of a key that was sent. What is looked up is a digest, which tells nothing of the key."""
        digest = digest_of(key)
        found = self._by_digest.get(digest)
        return found if found is not None and hmac.compare_digest(found.digest, digest) else None

    def with_key(self, key: ApiKey) -> "ApiKeys":
        """Raises ApiKeysError where the name is taken."""
        if key.name in self.by_name:
            raise ApiKeysError(f"there is a key {key.name!r} already: choose another name, or revoke it first")
        return ApiKeys((*self.by_name.values(), key))

    def without(self, name: str) -> "ApiKeys":
        """Raises ApiKeysError where there is no such key."""
        if name not in self.by_name:
            raise ApiKeysError(f"no API key {name!r}: `sendtrail api-keys list` shows those there are")
        return ApiKeys(tuple(key for key in self.by_name.values() if key.name != name))


def check_name(name: str) -> str:
    """The name of a key without spaces around it. Raises ApiKeysError for one that can't be shown on a line."""
    normal = unicodedata.normalize("NFC", name.strip())
    if not 0 < len(normal) <= MAX_NAME or any(unicodedata.category(letter)[0] == "C" for letter in normal):
        raise ApiKeysError(f"the name of a key has 1 to {MAX_NAME} visible characters, unlike {name!r}")
    return normal


def check_account(account: str) -> str:
    """The account as given. Raises ApiKeysError for one that no key of a name can be made with."""
    try:
        return name_bytes(account).decode() if account else ""
    except BadName as error:
        raise ApiKeysError(f"account: {error}") from error


def load(path: Path) -> ApiKeys:
    """Read a keys file. Raises ApiKeysError naming what is missing, malformed or readable by others."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
        with os.fdopen(descriptor, "rb") as file:
            mode = os.fstat(descriptor).st_mode & 0o777
            if mode & 0o077:
                raise ApiKeysError(f"the API keys file {path} is open to others (mode {mode:03o}): chmod 600 {path}")
            table = tomllib.load(file)
        return _parse(table)
    except (OSError, ValueError) as error:
        raise ApiKeysError(f"the API keys file {path} can't be read: {error}") from error


def save(path: Path, keys: ApiKeys) -> None:
    """Write a keys file, mode 600, all or nothing: a crash leaves the old one. Raises OSError."""
    table = {"keys": {name: _entry(key) for name, key in sorted(keys.by_name.items())}}
    private_file.write(path, tomli_w.dumps(table).encode())


def _entry(key: ApiKey) -> dict[str, Any]:
    fields = asdict(key)
    del fields["name"]
    return {name: value for name, value in fields.items() if name != "requests_per_minute" or value}


def _parse(table: dict[str, Any]) -> ApiKeys:
    """Raises ValueError for what is no table of keys."""
    entries = table.get("keys", {})
    if set(table) - {"keys"} or not isinstance(entries, dict):
        raise ValueError('it holds tables [keys."NAME"] and nothing else')
    keys = tuple(_key(name, entry) for name, entry in entries.items())
    if len({key.name for key in keys}) != len(keys) or len({key.digest for key in keys}) != len(keys):
        raise ValueError("two keys have the same name or the same digest")
    return ApiKeys(keys)


def _key(name: str, entry: Any) -> ApiKey:
    if not isinstance(entry, dict) or set(entry) - _FIELDS:
        raise ValueError(f"key {name!r} has {', '.join(sorted(_FIELDS))} and nothing else")
    account, digest, created = (entry.get(field, "") for field in ("account", "digest", "created"))
    limit = entry.get("requests_per_minute", 0)
    if not all(isinstance(text, str) for text in (account, digest, created)) or not _DIGEST.fullmatch(digest):
        raise ValueError(f"key {name!r}: digest is a SHA-256 in hexadecimal, made by `sendtrail api-keys new`")
    if isinstance(limit, bool) or not isinstance(limit, int) or not 0 <= limit <= MAX_PER_MINUTE:
        raise ValueError(f"key {name!r}: requests_per_minute is a whole number up to {MAX_PER_MINUTE}")
    try:
        return ApiKey(check_name(name), check_account(account), digest, created, limit)
    except ApiKeysError as error:
        raise ValueError(f"key {name!r}: {error}") from error
