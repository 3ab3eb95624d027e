"""The secret that signs sessions, and what is derived from it."""

import hashlib
import hmac
import os
import secrets
from pathlib import Path

from sendtrail.errors import SettingsError

_BYTES = 32


class Secret:
    """32 random bytes; each purpose has a key of its own."""

    def __init__(self, value: bytes) -> None:
        self._value = value

    def key(self, purpose: str) -> bytes:
        """The key of one purpose, 32 bytes."""
        return hmac.digest(self._value, purpose.encode(), hashlib.sha256)

    def proof(self, purpose: str, *parts: str) -> str:
        """A text only the holder of the secret can make of these parts, 128 bits in hexadecimal."""
        told_apart = b"".join(len(part.encode()).to_bytes(4, "big") + part.encode() for part in parts)
        return hmac.digest(self.key(purpose), told_apart, hashlib.sha256)[:16].hex()


def load_secret(path: Path) -> Secret:
    """Read the secret file, or make it with mode 600. Raises SettingsError if neither can be done."""
    try:
        if not path.exists():
            _make(path)
        mode = path.stat().st_mode & 0o777
        if mode & 0o077:
            raise SettingsError(f"web.secret_file {path} is open to others (mode {mode:03o}): chmod 600 {path}")
        value = bytes.fromhex(path.read_text())
    except (OSError, ValueError) as error:
        raise SettingsError(f"web.secret_file {path} can't be read or made: {error}") from error
    if len(value) != _BYTES:
        raise SettingsError(f"web.secret_file {path} holds {_BYTES} bytes in hexadecimal: remove it for a new one")
    return Secret(value)


def _make(path: Path) -> None:
    """Whole or not at all, and where two processes start at once, one secret for both."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}.new")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_hex(_BYTES))
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)
    except FileExistsError:
        pass  # the other process was first
    finally:
        draft.unlink()
