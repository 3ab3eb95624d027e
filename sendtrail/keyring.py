"""The key file: link keys with their states, and the naming key. Read at start, never committed, mode 600."""

import secrets
import tomllib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import tomli_w

from sendtrail import private_file
from sendtrail.errors import KeysError

KeyState = Literal["active", "retired", "revoked"]
STATES: tuple[KeyState, ...] = ("active", "retired", "revoked")
SECRET_BYTES = 32
MAX_KEY_ID = 255


@dataclass(frozen=True)
class LinkKey:
    """A key that signs links. active: mints and verifies; retired: verifies for ever; revoked: no redirect."""

    key_id: int
    secret: bytes
    state: KeyState

    def __repr__(self) -> str:
        return f"LinkKey({self.key_id}, {self.state})"


@dataclass(frozen=True)
class Keyring:
    """Every link key by id, and the naming key (32 bytes, made once, never rotated)."""

    naming_key: bytes
    links: dict[int, LinkKey]

    def __repr__(self) -> str:
        return f"Keyring({list(self.links.values())})"

    @property
    def active(self) -> LinkKey:
        """The newest active key, which mints. Raises KeysError where none is."""
        active = [key for key in self.links.values() if key.state == "active"]
        if not active:
            raise KeysError("no active link key: make one with `sendtrail keys new`")
        return max(active, key=lambda key: key.key_id)

    def with_new_key(self) -> "Keyring":
        """A further active key, with the next free id. Raises KeysError when all 256 ids are used."""
        key_id = max(self.links, default=-1) + 1
        if key_id > MAX_KEY_ID:
            raise KeysError("all 256 key ids are used")
        return replace(self, links=self.links | {key_id: LinkKey(key_id, secrets.token_bytes(SECRET_BYTES), "active")})

    def with_state(self, key_id: int, state: KeyState) -> "Keyring":
        """The keyring with one key in another state. Raises KeysError for an id it does not hold."""
        if key_id not in self.links:
            raise KeysError(f"no link key {key_id}: `sendtrail keys list` shows those there are")
        return replace(self, links=self.links | {key_id: replace(self.links[key_id], state=state)})


def new_keyring() -> Keyring:
    """A fresh keyring with a naming key and one active link key."""
    return Keyring(secrets.token_bytes(SECRET_BYTES), {}).with_new_key()


def load(path: Path) -> Keyring:
    """Read a key file. Raises KeysError naming what is missing or malformed."""
    try:
        table = tomllib.loads(path.read_text())
        keys = [
            LinkKey(int(entry["id"]), _secret(entry["secret"]), _state(entry["state"])) for entry in table["link_keys"]
        ]
        _check_ids([key.key_id for key in keys])
        return Keyring(_secret(table["naming_key"]), {key.key_id: key for key in keys})
    except FileNotFoundError as error:
        raise KeysError(f"no key file at {path}: make one with `sendtrail keys new`") from error
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise KeysError(f"the key file {path} can't be read: {error}") from error


def save(path: Path, keyring: Keyring) -> None:
    """Write a key file, mode 600, all or nothing: a crash leaves the old one. Raises OSError."""
    table = {
        "naming_key": keyring.naming_key.hex(),
        "link_keys": [
            {"id": key.key_id, "state": key.state, "secret": key.secret.hex()}
            for key in sorted(keyring.links.values(), key=lambda key: key.key_id)
        ],
    }
    private_file.write(path, tomli_w.dumps(table).encode())


def _check_ids(ids: list[int]) -> None:
    if any(not 0 <= key_id <= MAX_KEY_ID for key_id in ids) or len(set(ids)) != len(ids):
        raise ValueError(f"key ids are different numbers from 0 to {MAX_KEY_ID}, not {ids}")


def _secret(text: str) -> bytes:
    secret = bytes.fromhex(text)
    if len(secret) != SECRET_BYTES:
        raise ValueError(f"a secret has {SECRET_BYTES} bytes in hexadecimal")
    return secret


def _state(text: str) -> KeyState:
    for state in STATES:
        if text == state:
            return state
    raise ValueError(f"a key is {', '.join(STATES)}, not {text!r}")
