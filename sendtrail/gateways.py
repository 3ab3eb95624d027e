"""Links as they come back from mail gateways and mangled clients -> links as they were minted.

The exact form `/<letter>/<token>` is the fast path. Anything else is undone step by step, and only what a token's MAC
proves is ever returned, so a wrong guess costs a little time and nothing more. Undone: text appended after the token,
percent-encoding up to four times over, character references, quoted-printable and folded lines, doubled or inserted
slashes, an upper-cased route letter, and a URL carried inside another path or query. A token whose own letters were
changed (lower-cased, cut short) is lost: `bad_mac` or `malformed`.
"""

import re
from collections.abc import Iterator
from itertools import islice
from urllib.parse import unquote

from sendtrail.errors import Invalid
from sendtrail.keyring import Keyring
from sendtrail.links import LETTERS, ReadLink, read_token

#: Bounds of the work for one request, whatever it holds: tokens tried, characters of them, layers of encoding undone,
#: places looked at. The costliest forged target of 32 KB takes about four milliseconds, a usual one ten microseconds.
MAX_TRIES = 40
MAX_TRIED_CHARACTERS = 96 * 1024
MAX_LAYERS = 4
MAX_PLACES = 6
MAX_PIECES = 6
MAX_TARGET = 64 * 1024

_KIND_OF = {letter: kind for kind, letter in LETTERS.items()}
_ROUTE = re.compile(r"[/\\]([ocumwOCUMW])(?=[/\\])")
_LETTERS = re.compile(r"[A-Za-z0-9_-]+")
_SLASHES = re.compile(r"[/\\]+")

# Bytes that mean nothing inside a URL, in a latin-1 view of the request: white space, soft line breaks, and the UTF-8
# bytes of no-break space, soft hyphen, zero-width characters and byte order mark.
_FOLD = re.compile(r"=?\s+|=$|\xc2[\xa0\xad]|\xe2\x80[\x8b-\x8f]|\xef\xbb\xbf|[\x00-\x1f\u00ad\u200b-\u200f\ufeff]")
_QUOTED_PRINTABLE = re.compile(r"=([0-9A-Fa-f]{2})")
_REFERENCE = re.compile(r"&(?:#([0-9]{1,5})|#[xX]([0-9A-Fa-f]{1,4})|([A-Za-z]{2,14}));?")
_NAMED = {
    "amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'", "nbsp": " ", "shy": "\u00ad", "sol": "/", "bsol": "\\",
    "lowbar": "_", "percnt": "%", "quest": "?", "equals": "=", "NewLine": "\n", "Tab": "\t", "ZeroWidthSpace": "\u200b",
}  # fmt: skip


def resolve(keyring: Keyring, target: str) -> ReadLink | Invalid:
    """The link a request target (path and query as received, latin-1) stands for; never raises.

    Reasons: `not_a_link` (no route in it), `wrong_kind` (a sound token under another kind's letter), and those of
    `read_token` for the likeliest candidate. A revoked key still proves: the caller looks at `key_state`.
    """
    if len(target) > 3 and target[0] == "/" == target[2] and (kind := _KIND_OF.get(target[1])) is not None:
        exact = read_token(keyring, target[3:])
        if isinstance(exact, ReadLink):
            return exact if exact.link.kind == kind else _of_kind(exact, target[1])
    return _search(keyring, target[:MAX_TARGET])


def _of_kind(read: ReadLink | Invalid, letter: str) -> ReadLink | Invalid:
    if isinstance(read, ReadLink) and LETTERS[read.link.kind] != letter:
        return Invalid("wrong_kind", f"a token of kind {read.link.kind} under /{letter}/")
    return read


def _search(keyring: Keyring, target: str) -> ReadLink | Invalid:
    first: Invalid | None = None
    tried: set[str] = set()
    characters = 0
    for letter, token in _candidates(target):
        if token in tried:
            continue
        tried.add(token)
        characters += len(token)
        if len(tried) > MAX_TRIES or characters > MAX_TRIED_CHARACTERS:
            break
        read = _of_kind(read_token(keyring, token), letter)
        if isinstance(read, ReadLink) or read.reason == "wrong_kind":
            return read
        if first is None or (first.reason == "malformed" and read.reason != "malformed"):
            first = read
    return first or Invalid("not_a_link", "no link in the request target")


def _candidates(target: str) -> Iterator[tuple[str, str]]:
    """Route letter and possible token, likeliest first."""
    for view in _views(target):
        for route in islice(_ROUTE.finditer(view), MAX_PLACES):
            letter, rest = route[1].lower(), view[route.end() :].lstrip("/\\=")
            for token in _tokens(rest):
                yield letter, token


def _views(target: str) -> Iterator[str]:
    """The target with ever more layers of encoding taken off; behind each, the same with folds taken out."""
    view = target
    for _ in range(MAX_LAYERS + 1):
        yield view
        unfolded = _FOLD.sub("", view)
        if unfolded != view:
            yield unfolded
        if "=" in unfolded:
            yield _QUOTED_PRINTABLE.sub(_from_hex, unfolded)
        peeled = unquote(_REFERENCE.sub(_referred, view), encoding="latin-1")
        if peeled == view:
            return
        view = peeled


def _tokens(rest: str) -> Iterator[str]:
    """What the token at the start of `rest` may be: up to the first foreign character, then across breaks."""
    pieces = _pieces(rest)
    whole = next(pieces, "")
    if whole:
        yield whole
        bare = whole.rstrip("_-")
        # Emphasis marks of plain text and dashes are letters of the alphabet too: take them off one by one.
        yield from (whole[:end] for end in range(len(whole) - 1, max(len(bare), len(whole) - 4) - 1, -1))
    for piece in islice(pieces, MAX_PIECES):
        whole += piece
        yield whole


def _pieces(rest: str) -> Iterator[str]:
    """Runs of the token alphabet with only folds and slashes between them."""
    position = 0
    while found := _LETTERS.match(rest, position):
        yield found[0]
        position = found.end()
        while gap := _FOLD.match(rest, position) or _SLASHES.match(rest, position):
            if gap.end() == position:
                return
            position = gap.end()


def _from_hex(match: re.Match[str]) -> str:
    return chr(int(match[1], 16))


def _referred(match: re.Match[str]) -> str:
    decimal, hexadecimal, name = match.groups()
    if name is not None:
        return _NAMED.get(name, match[0])
    return chr(int(decimal) if decimal else int(hexadecimal, 16))
