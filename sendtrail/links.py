"""Link tokens: signed, self-contained, unforgeable (FORMATS, Link token; DESIGN §4).

`mint` makes a token, `read_token` proves one. What gateways do to links on the way is undone in `sendtrail.gateways`.
"""

import binascii
import hashlib
import hmac
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
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
_HEAD_BYTES = 4
_WITHOUT_URL: frozenset[LinkKind] = frozenset(("open", "web"))
_ALPHABET = re.compile(r"[A-Za-z0-9_-]+")
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
    if len(raw) > MAX_DESTINATION_BYTES:
        raise BadLink(f"a destination has at most {MAX_DESTINATION_BYTES} bytes, this one has {len(raw)}")


def url_id_of(template_url: str) -> int:
    """The url id of a template URL: BLAKE2b-32, so that a second run over the same message agrees."""
    return int.from_bytes(hashlib.blake2b(template_url.encode(), digest_size=4).digest(), "big")


class Signer:
    """Seals token bodies with one key. The keyed hash state is made once and copied: that makes a link cheap."""

    def __init__(self, key: LinkKey) -> None:
        self.key_id = key.key_id
        self._state = hashlib.blake2b(key=key.secret, person=b"link", digest_size=MAC_BYTES)

    def mac(self, body: bytes) -> bytes:
        """The truncated MAC over everything before it."""
        state = self._state.copy()
        state.update(body)
        return state.digest()

    def seal(self, body: bytes) -> str:
        """The token of a body."""
        return urlsafe_b64encode(body + self.mac(body)).rstrip(b"=").decode()


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
    """The bytes of a token; None unless it is canonical base64url without padding."""
    if not _ALPHABET.fullmatch(token):
        return None
    try:
        raw = urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except (binascii.Error, ValueError):
        return None
    return raw if urlsafe_b64encode(raw).rstrip(b"=").decode() == token else None


def read_token(keyring: Keyring, token: str) -> ReadLink | Invalid:
    """Prove a token and say what it holds; never raises.

    Reasons: `malformed`, `unknown_version`, `unknown_key`, `bad_mac`. A revoked key still proves: the caller decides.
    """
    raw = decode_token(token)
    if raw is None or len(raw) < _HEAD_BYTES + 16 + MAC_BYTES:
        return Invalid("malformed", "not a canonical token")
    if raw[0] != FORMAT:
        return Invalid("unknown_version", f"token format {raw[0]}")
    key = keyring.links.get(raw[1])
    if key is None:
        return Invalid("unknown_key", f"key {raw[1]} is not in the key file")
    body, mac = raw[:-MAC_BYTES], raw[-MAC_BYTES:]
    if not hmac.compare_digest(Signer(key).mac(body), mac):
        return Invalid("bad_mac", "the signature does not hold")
    link = _parse(body)
    return ReadLink(link, key.key_id, key.state) if link else Invalid("malformed", "fields do not fit the kind")


def _parse(body: bytes) -> Link | None:
    kind = KINDS.get(body[2])
    flags, position = body[3], _HEAD_BYTES + 16
    if kind is None:
        return None
    delivery, message = int.from_bytes(body[4:12], "big"), int.from_bytes(body[12:20], "big")
    recipient = None
    if not flags & FLAG_NO_RECIPIENT:
        recipient = int.from_bytes(body[position : position + 8], "big")
        position += 8
    need = position + (0 if kind in _WITHOUT_URL else 6)
    if len(body) < need or (kind in _WITHOUT_URL and len(body) != need):
        return None
    if kind in _WITHOUT_URL:
        return Link(kind, delivery, message, recipient, flags=flags)
    url_id = int.from_bytes(body[position : position + 4], "big")
    place = int.from_bytes(body[position + 4 : position + 6], "big")
    try:
        destination = body[position + 6 :].decode()
    except UnicodeDecodeError:
        return None
    return Link(kind, delivery, message, recipient, url_id, place, destination, flags)


def url_of(base: str, kind: LinkKind, token: str) -> str:
    """The address a message carries: `<base>/<letter>/<token>`."""
    return f"{base.rstrip('/')}/{LETTERS[kind]}/{token}"
