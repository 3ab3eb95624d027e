"""Password hashes (Argon2id) and hashes of API tokens."""

import hashlib
import secrets
import unicodedata
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from sendtrail.errors import UsersError

MIN_LENGTH = 12
#: Longer ones are refused unhashed: hashing megabytes would be a way to keep the server busy.
MAX_BYTES = 1024
TOKEN_PREFIX = "strt_"
_TOKEN_BYTES = 32

_HASHER = PasswordHasher()


def hash_password(password: str) -> str:
    """The hash to store. Raises UsersError for a password that is too short or too long."""
    if len(password) < MIN_LENGTH:
        raise UsersError(f"a password has {MIN_LENGTH} characters or more")
    if len(_bytes(password)) > MAX_BYTES:
        raise UsersError(f"a password has {MAX_BYTES} bytes at most")
    return _HASHER.hash(_bytes(password))


def is_hash(text: str) -> bool:
    """True for an Argon2id hash."""
    try:
        _HASHER.check_needs_rehash(text)
    except InvalidHashError:
        return False
    return text.startswith("$argon2id$")


def verify(stored: str, password: str) -> bool:
    """True for the password of that hash; "" (no such user, or one without a password) takes as long and never is."""
    given = _bytes(password)
    if len(given) > MAX_BYTES:
        return False
    try:
        _HASHER.verify(stored or nobodys_hash(), given)
    except (VerificationError, InvalidHashError):
        return False
    return stored != ""


@cache
def nobodys_hash() -> str:
    """A hash of no password. Made before the first log-in, so that this one takes no longer than others."""
    return _HASHER.hash(secrets.token_bytes(16))


def new_token() -> str:
    """An API token: 256 random bits."""
    return TOKEN_PREFIX + secrets.token_urlsafe(_TOKEN_BYTES)


def hash_token(token: str) -> str:
    """What is stored of a token. Its bits are random, so a plain SHA-256 can't be turned back."""
    return hashlib.sha256(token.encode()).hexdigest()


def _bytes(password: str) -> bytes:
    """The same bytes however a keyboard composed the letters; a lone surrogate can't be typed, but can be sent."""
    return unicodedata.normalize("NFC", password).encode("utf-8", "replace")
