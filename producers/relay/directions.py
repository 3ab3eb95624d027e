"""The `X-Sendtrail-…` headers of a mail: what its sender asks for. They are taken off before it goes on. Pure."""

from collections.abc import Iterator
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from typing import NamedTuple

from sendtrail.errors import Invalid
from sendtrail.instrument.mime_tree import Field, Part, parse

PREFIX = "x-sendtrail-"
MAX_ATTRIBUTES = 8
MAX_VALUE = 256
_WORDS = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}
_ONCE = ("delivery", "message", "recipient")
_FLAGS = ("seed", "proof", "consent")
_PAIRS = ("attribute", "value")


class Directions(NamedTuple):
    """What the headers say; None where they say nothing."""

    delivery: str | None = None
    message: str | None = None
    recipient: str | None = None
    seed: bool = False
    proof: bool = False
    consent: bool = True
    attributes: dict[str, str] = {}
    values: dict[str, str] = {}


class Received(NamedTuple):
    """A mail without its directions. `message_id` and `hops`: of its headers, empty and 0 without."""

    content: bytes
    directions: Directions
    message_id: str
    hops: int


def receive(content: bytes) -> Received | Invalid:
    """Take the directions off a mail; everything else stays byte for byte. Invalid: `bad_header`, and which."""
    tree = parse(content)
    given: dict[str, str] = {}
    pairs: dict[str, dict[str, str]] = {name: {} for name in _PAIRS}
    for field in _ours(tree):
        name, value = field.name.removeprefix(PREFIX), _value(content, field)
        if name in _PAIRS:
            key, equals, text = value.partition("=")
            if not equals or not key.strip() or len(key.strip()) > MAX_VALUE or len(text.strip()) > MAX_VALUE:
                return _bad(name, f"is name=value, each of at most {MAX_VALUE} characters")
            pairs[name][key.strip()] = text.strip()
        elif name not in _ONCE + _FLAGS:
            return _bad(name, f"is not known; there are {', '.join((*_ONCE, *_FLAGS, *_PAIRS))}")
        elif name in given:
            return _bad(name, "is there twice")
        else:
            given[name] = value
    directions = _read(given, pairs)
    if isinstance(directions, Invalid):
        return directions
    hops = sum(field.name == "received" for field in tree.fields)
    return Received(_without(content, tree), directions, str(tree.headers.get("message-id", "")).strip(), hops)


def _read(given: dict[str, str], pairs: dict[str, dict[str, str]]) -> Directions | Invalid:
    flags = {}
    for name in _FLAGS:
        word = given.get(name)
        if word is not None and word.lower() not in _WORDS:
            return _bad(name, "is yes or no")
        flags[name] = name == "consent" if word is None else _WORDS[word.lower()]
    if len(pairs["attribute"]) > MAX_ATTRIBUTES:
        return _bad("attribute", f"is there more than {MAX_ATTRIBUTES} times")
    return Directions(
        delivery=given.get("delivery") or None,
        message=given.get("message") or None,
        recipient=given.get("recipient") or None,
        seed=flags["seed"],
        proof=flags["proof"],
        consent=flags["consent"],
        attributes=pairs["attribute"],
        values=pairs["value"],
    )


def _ours(tree: Part) -> Iterator[Field]:
    return (field for field in tree.fields if field.name.startswith(PREFIX))


def _value(content: bytes, field: Field) -> str:
    """A field's text, unfolded; encoded words (RFC 2047) are read, and what is not ASCII as UTF-8."""
    raw = content[field.start : field.end].partition(b":")[2]
    text = raw.replace(b"\r", b"").replace(b"\n", b"").decode("utf-8", "replace").strip()
    try:
        return str(make_header(decode_header(text))) if "=?" in text else text
    except (HeaderParseError, UnicodeError, LookupError, ValueError):
        return text


def _without(content: bytes, tree: Part) -> bytes:
    pieces, position = [], 0
    for field in _ours(tree):
        pieces.append(content[position : field.start])
        position = field.end
    return b"".join((*pieces, content[position:]))


def _bad(name: str, why: str) -> Invalid:
    return Invalid("bad_header", f"X-Sendtrail-{name.title()[:60]} {why}")
