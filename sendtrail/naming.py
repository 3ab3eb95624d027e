"""Names people use -> 64-bit keys used inside (FORMATS, Keys)."""

import hashlib
import re
from typing import Literal, get_args

from sendtrail.errors import BadName

KeyKind = Literal["delivery", "message", "recipient"]
KINDS: tuple[KeyKind, ...] = get_args(KeyKind)

HASHED = 1 << 63
MAX_NAME_BYTES = 128
_DECIMAL = re.compile(rb"(?:0|[1-9][0-9]{0,18})")


def length_prefixed(*parts: bytes) -> bytes:
    """Join parts so that no two different lists give the same bytes: 4 bytes big-endian length before each."""
    return b"".join([len(part).to_bytes(4, "big") + part for part in parts])


def name_bytes(name: object) -> bytes:
    """The UTF-8 bytes of a name: an integer in its decimal form, a string as given.

    Raises BadName for booleans, floats, other types, empty or over-long names, lone surrogates and
    integers outside [0, 2^63).
    """
    if isinstance(name, bool) or not isinstance(name, (int, str)):
        raise BadName(f"a name is an integer or a string of 1-128 bytes, not {type(name).__name__}")
    if isinstance(name, int):
        if not 0 <= name < HASHED:
            raise BadName("an integer name is between 0 and 2^63 - 1; give a longer one as a string")
        return str(name).encode()
    try:
        raw = name.encode()
    except UnicodeEncodeError as error:
        raise BadName("a name must be valid Unicode") from error
    if not 1 <= len(raw) <= MAX_NAME_BYTES:
        raise BadName(f"a name has 1-{MAX_NAME_BYTES} bytes in UTF-8, this one has {len(raw)}")
    return raw


def key(naming_key: bytes, account: str, kind: KeyKind, name: int | str) -> int:
    """The 64-bit key of a name. Small decimal names of the default account are their own number.

    Raises BadName as `name_bytes` does, for the account's name too.
    """
    raw = name_bytes(name)
    owner = name_bytes(account) if account else b""
    if account == "" and _DECIMAL.fullmatch(raw):
        number = int(raw)
        if number < HASHED:
            return number
    digest = hashlib.blake2b(length_prefixed(owner, raw), key=naming_key, person=kind.encode()).digest()
    return HASHED + (int.from_bytes(digest[:8], "big") >> 1)


class KeyMaker:
    """Keys of many names of one account: those of `key`, for half the time."""

    def __init__(self, naming_key: bytes, account: str) -> None:
        """Raises BadName for an account that can't be one."""
        owner = name_bytes(account) if account else b""
        self._plain = not owner
        begin = length_prefixed(owner)
        self._begun = {kind: hashlib.blake2b(begin, key=naming_key, person=kind.encode()) for kind in KINDS}

    def key(self, kind: KeyKind, name: object) -> int:
        """As `key`. Raises BadName."""
        raw = name_bytes(name)
        if self._plain and _DECIMAL.fullmatch(raw) and (number := int(raw)) < HASHED:
            return number
        hashing = self._begun[kind].copy()
        hashing.update(len(raw).to_bytes(4, "big") + raw)
        return HASHED + (int.from_bytes(hashing.digest()[:8], "big") >> 1)
