"""Link tokens: signed, self-contained, unforgeable (FORMATS, Link token; DESIGN §4).

`mint` makes a token, `read_token` proves one. What gateways do to links on the way is undone in `sendtrail.gateways`.
"""

import binascii
import hashlib
import hmac
import re
import struct
from base64 import urlsafe_b64encode
from functools import lru_cache
from typing import Literal, NamedTuple
from urllib.parse import urlsplit

from sendtrail.errors import BadLink, Invalid
from sendtrail.events import FLAG_NO_RECIPIENT
from sendtrail.keyring import Keyring, KeyState, LinkKey

LinkKind = Literal["open", "click", "optout", "mirror", "web"]
KINDS: dict[int, LinkKind] = {1: "open", 2: "click", 3: "optout", 4: "mirror", 5: "web"}
CODES: dict[LinkKind, int] = {kind: code for code, kind in KINDS.items()}
LETTERS: dict[LinkKind, str] = {"open": "o", "click": "c", "optout": "u", "mirror": "m", "web": "w"}

FORMAT = 1
MAC_BYTES = 10
MAX_DESTINATION_BYTES = 8192
TEXT_POSITION = 32768  # positions in the text part start here
_WITHOUT_URL: frozenset[LinkKind] = frozenset(("open", "web"))
_TO_STANDARD = bytes.maketrans(b"-_+/=", b"+/\0\0\0")  # base64url -> base64, whose own letters and padding are foreign
_PADDING = (b"", b"===", b"==", b"=")  # by the token's length modulo 4
_FIXED = struct.Struct(">BBBBQQ")  # version, key id, kind, flags, delivery, message
_KEY = struct.Struct(">Q")
_PLACE = struct.Struct(">IH")  # url id, position
_BASE = re.compile(r"https?://[A-Za-z0-9.:/\[\]_~%-]+", re.IGNORECASE)
_NO_HOST = re.compile(r"[<>^|]")  # what browsers open no host with: mostly a quote is missing before it
_CONTROL = re.compile(r"[\x00-\x20\x7f-\x9f\u2028\u2029]")


class Link(NamedTuple):
    """What a token says. Keys are 64-bit, `recipient` None where the token holds none, positions as in FORMATS."""

    kind: LinkKind
    delivery: int
    message: int
    recipient: int | None = None
    url_id: int = 0
    position: int = 0
    destination: str = ""
    flags: int = 0


class ReadLink(NamedTuple):
    """A token whose MAC holds, and the key that proved it."""

    link: Link
    key_id: int
    key_state: KeyState


def check_destination(destination: str) -> None:
    """Raise BadLink unless this is an http or https URL with a host, without control characters or spaces."""
    if _CONTROL.search(destination):
        raise BadLink("a destination has no spaces or control characters; escape them as %20 and the like")
    try:
        raw = destination.encode()
        parts = urlsplit(destination)
        host = parts.hostname
    except ValueError as error:
        raise BadLink(f"the destination can't be read as a URL: {error}") from error
    if parts.scheme.lower() not in ("http", "https") or not host:
        raise BadLink("only http and https destinations with a host are minted")
    if _NO_HOST.search(host):
        raise BadLink(f"{host[:80]!r} is no host")
    if len(raw) > MAX_DESTINATION_BYTES:
        raise BadLink(f"a destination has at most {MAX_DESTINATION_BYTES} bytes, this one has {len(raw)}")


def checked_base(base_url: str) -> str:
    """The address of a tracking host as links begin with it. Raises BadLink for what no mail client would open."""
    base = base_url.rstrip("/")
    if not _BASE.fullmatch(base):
        raise BadLink(f"the tracking host {base_url!r} is not an http or https address without query and fragment")
    check_destination(base)
    return base


def url_id_of(template_url: str) -> int:
    """The url id of a template URL: BLAKE2b-32, so that a second run over the same message agrees."""
    return int.from_bytes(hashlib.blake2b(template_url.encode(), digest_size=4).digest(), "big")


@lru_cache(maxsize=512)
def _keyed_state(secret: bytes) -> hashlib.blake2b:
    """The hash that has taken in the key, to be copied for each token: a third of the price of beginning anew."""
    return hashlib.blake2b(key=secret, person=b"link", digest_size=MAC_BYTES)


def _mac(keyed_state: hashlib.blake2b, body: bytes) -> bytes:
    state = keyed_state.copy()
    state.update(body)
    return state.digest()


class Signer:
    """Seals token bodies with one key. The keyed hash state is made once and copied: that makes a link cheap."""

    def __init__(self, key: LinkKey) -> None:
        self.key_id = key.key_id
        self._state = _keyed_state(key.secret)

    def mac(self, body: bytes) -> bytes:
        """The truncated MAC over everything before it."""
        return _mac(self._state, body)

    def seal(self, body: bytes) -> str:
        """The token of a body."""
        return urlsafe_b64encode(body + self.mac(body)).rstrip(b"=").decode()


class Unsigned:
    """Seals token bodies with zeros: what a template's links carry. No key proves them, so nobody can follow one."""

    key_id = 0

    def seal(self, body: bytes) -> str:
        """The token of a body."""
        return urlsafe_b64encode(body + bytes(MAC_BYTES)).rstrip(b"=").decode()


def head_bytes(key_id: int, kind: LinkKind, flags: int, has_recipient: bool) -> bytes:
    """The first four bytes of a token: version, key id, kind, flags. Raises ValueError for a number above 255."""
    flags = flags & ~FLAG_NO_RECIPIENT if has_recipient else flags | FLAG_NO_RECIPIENT
    return bytes((FORMAT, key_id, CODES[kind], flags))


def identity_bytes(delivery: int, message: int, recipient: int | None) -> bytes:
    """The keys of a token; no recipient, no bytes. Raises OverflowError for a key outside 64 bits."""
    keys = delivery.to_bytes(8, "big") + message.to_bytes(8, "big")
    return keys if recipient is None else keys + recipient.to_bytes(8, "big")


def place_bytes(url_id: int, position: int, destination: str) -> bytes:
    """What a token of a kind with a URL holds behind the keys. Raises OverflowError for a number that does not fit."""
    return url_id.to_bytes(4, "big") + position.to_bytes(2, "big") + destination.encode()


def mint(key: LinkKey, link: Link) -> str:
    """The token of a link, signed with `key`.

    Raises BadLink for a destination `check_destination` refuses and for fields that do not fit their bytes.
    """
    if link.destination and link.kind not in _WITHOUT_URL:
        check_destination(link.destination)
    if link.kind == "click" and not link.destination:
        raise BadLink("a click link needs a destination")
    try:
        body = head_bytes(key.key_id, link.kind, link.flags, link.recipient is not None)
        body += identity_bytes(link.delivery, link.message, link.recipient)
        if link.kind not in _WITHOUT_URL:
            body += place_bytes(link.url_id, link.position, link.destination)
    except (OverflowError, ValueError) as error:
        raise BadLink(f"a field of the link is out of range: {error}") from error
    return Signer(key).seal(body)


def decode_token(token: str) -> bytes | None:
    """The bytes of a token; None unless it is canonical base64url without padding.

    Encoding them again must give the token: that refuses foreign letters, padding and stray bits at the end alike.
    """
    try:
        standard = token.encode("ascii").translate(_TO_STANDARD) + _PADDING[len(token) % 4]
        raw = binascii.a2b_base64(standard)
    except ValueError:
        return None
    return raw if token and binascii.b2a_base64(raw, newline=False) == standard else None


def read_token(keyring: Keyring, token: str) -> ReadLink | Invalid:
    """Prove a token and say what it holds; never raises.

    Reasons: `malformed`, `unknown_version`, `unknown_key`, `bad_mac`. A revoked key still proves: the caller decides.
    """
    raw = decode_token(token)
    if raw is None or len(raw) < _FIXED.size + MAC_BYTES:
        return Invalid("malformed", "not a canonical token")
    if raw[0] != FORMAT:
        return Invalid("unknown_version", f"token format {raw[0]}")
    key = keyring.links.get(raw[1])
    if key is None:
        return Invalid("unknown_key", f"key {raw[1]} is not in the key file")
    body, mac = raw[:-MAC_BYTES], raw[-MAC_BYTES:]
    if not hmac.compare_digest(_mac(_keyed_state(key.secret), body), mac):
        return Invalid("bad_mac", "the signature does not hold")
    link = _parse(body)
    return ReadLink(link, key.key_id, key.state) if link else Invalid("malformed", "fields do not fit the kind")


def read_unproved(token: str) -> Link | None:
    """What a token says, whoever made it: to show where a link of a template stands, never to follow it."""
    raw = decode_token(token)
    if raw is None or len(raw) < _FIXED.size + MAC_BYTES or raw[0] != FORMAT:
        return None
    return _parse(raw[:-MAC_BYTES])


def _parse(body: bytes) -> Link | None:
    """The fields of a body of at least _FIXED.size bytes; None where they don't fit the kind."""
    _, _, code, flags, delivery, message = _FIXED.unpack_from(body)
    kind = KINDS.get(code)
    if kind is None:
        return None
    recipient, position = None, _FIXED.size
    try:
        if not flags & FLAG_NO_RECIPIENT:
            (recipient,) = _KEY.unpack_from(body, position)
            position += _KEY.size
        if kind in _WITHOUT_URL:
            return Link(kind, delivery, message, recipient, 0, 0, "", flags) if len(body) == position else None
        url_id, place = _PLACE.unpack_from(body, position)
        destination = body[position + _PLACE.size :].decode()
    except (struct.error, UnicodeDecodeError):
        return None
    return Link(kind, delivery, message, recipient, url_id, place, destination, flags)


def url_of(base: str, kind: LinkKind, token: str) -> str:
    """The address a message carries: `<base>/<letter>/<token>`."""
    return f"{base.rstrip('/')}/{LETTERS[kind]}/{token}"
