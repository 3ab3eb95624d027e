"""A part cut at its places: joined for each recipient, nothing is parsed or written anew."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from html import escape
from typing import Literal, NamedTuple, Protocol

from sendtrail.instrument.found import Edit
from sendtrail.instrument.placeholders import Field, Pattern, Values
from sendtrail.links import LETTERS, MAX_DESTINATION_BYTES, Signer, Unsigned, place_bytes
from sendtrail.mirror import is_stored

#: What begins a token: the kind of link, or a honeypot's flag on a click.
HeadName = Literal["open", "click", "optout", "mirror", "web", "honeypot"]
HowFilled = Literal["html", "text", "url", "address"]


class Slot(NamedTuple):
    """A link to sign: what its token says of its place.

    `untracked`: where it leads for those who do not consent; None for what the source has.
    """

    head: HeadName
    url_id: int = 0
    position: int = 0
    destination: Pattern = Pattern("")
    untracked: Pattern | None = None


class Plain(NamedTuple):
    """A link that is not tracked, where its destination is not what the source has."""

    destination: Pattern


class Fill(NamedTuple):
    """A placeholder outside links. `how`: as text of HTML, as plain text, as part of a URL, or of a mail address."""

    field: Field
    how: HowFilled


class Placed(NamedTuple):
    """An edit of a part, with what is written anew in its place for each recipient."""

    edit: Edit
    slot: Slot | Plain | Fill | None = None


class Rendering(NamedTuple):
    """What one recipient's message is made with. `heads`: the bytes a token starts with."""

    signer: Signer | Unsigned
    heads: dict[HeadName, bytes]
    values: Values


class _Writer(Protocol):
    def write(self, rendering: Rendering) -> str: ...


@dataclass(frozen=True)
class Pieces:
    """A part cut at its slots. Joined, `pieces` are the part; those that a slot names are written for each message.

    `tokens`: index of the piece, what the token starts with, and its bytes behind the keys; the link's address stands
    in the piece before. `others`: index, and what writes the piece.
    """

    pieces: tuple[str, ...]
    tokens: tuple[tuple[int, HeadName, bytes], ...]
    others: tuple[tuple[int, _Writer], ...]

    def join(self, rendering: Rendering) -> str:
        """The part with everything written."""
        pieces = list(self.pieces)
        seal, heads = rendering.signer.seal, rendering.heads
        for index, head, place in self.tokens:
            pieces[index] = seal(heads[head] + place)
        for index, other in self.others:
            pieces[index] = other.write(rendering)
        return "".join(pieces)


class Part:
    """A part of a template: with every link signed, and as one gets it who does not consent."""

    def __init__(self, source: str, placed: list[Placed], base: str, in_html: bool) -> None:
        self._source = source
        self._placed = placed
        self._base = base
        self._in_html = in_html
        self.tracked = _cut(source, placed, base, in_html)

    @cached_property
    def untracked(self) -> Pieces:
        """Without pixel; links lead to their destinations. Opt-out links and own pages stay ours: they must work."""
        return _cut(self._source, list(_without_tracking(self._placed)), self._base, self._in_html)

    def names(self) -> list[str]:
        """The placeholders that need values, in order."""
        return [field.name for _, slot in self._placed for field in _fields(slot) if field.name]


class _Personalised(NamedTuple):
    """A link with the recipient's values in its destination; a longer one than a token holds is left unsigned."""

    address: str
    head: HeadName
    place: bytes
    destination: Pattern
    in_html: bool

    def write(self, rendering: Rendering) -> str:
        url = rendering.values.url(self.destination)
        raw = url.encode()
        if len(raw) > MAX_DESTINATION_BYTES:
            rendering.values.too_long.append(self.destination.raw)
            return escape(url) if self.in_html else url
        return self.address + rendering.signer.seal(rendering.heads[self.head] + self.place + raw)


class _Unsigned(NamedTuple):
    destination: Pattern
    in_html: bool

    def write(self, rendering: Rendering) -> str:
        url = rendering.values.url(self.destination)
        return escape(url) if self.in_html else url


class _Value(NamedTuple):
    field: Field
    how: HowFilled

    def write(self, rendering: Rendering) -> str:
        match self.how:
            case "html":
                return rendering.values.in_html(self.field)
            case "text":
                return rendering.values.in_text(self.field)
            case "url":
                return rendering.values.in_url(self.field)
            case "address":
                return rendering.values.in_address(self.field)


def _cut(source: str, placed: list[Placed], base: str, in_html: bool) -> Pieces:
    """Cut the source at its edits, which do not overlap."""
    pieces: list[str] = []
    tokens: list[tuple[int, HeadName, bytes]] = []
    others: list[tuple[int, _Writer]] = []
    fixed, position = "", 0
    for edit, slot in sorted(placed, key=lambda one: (one.edit.start, one.edit.end)):
        fixed += source[position : edit.start] + edit.before
        position = edit.end
        if slot is None:
            continue
        if isinstance(slot, Slot) and not slot.destination.rest:
            fixed += _address(base, slot.head)
            tokens.append((len(pieces) + 1, slot.head, _place(slot)))
        else:
            others.append((len(pieces) + 1, _writer(slot, base, in_html)))
        pieces += [fixed, ""]
        fixed = edit.after
    return Pieces((*pieces, fixed + source[position:]), tuple(tokens), tuple(others))


def _address(base: str, head: HeadName) -> str:
    return f"{base}/{LETTERS['click' if head == 'honeypot' else head]}/"


def _place(slot: Slot) -> bytes:
    return b"" if slot.head == "open" else place_bytes(slot.url_id, slot.position, slot.destination.first)


def _writer(slot: Slot | Plain | Fill, base: str, in_html: bool) -> _Writer:
    if isinstance(slot, Fill):
        return _Value(slot.field, slot.how)
    if isinstance(slot, Plain):
        return _Unsigned(slot.destination, in_html)
    place = place_bytes(slot.url_id, slot.position, "")
    return _Personalised(_address(base, slot.head), slot.head, place, slot.destination, in_html)


def _without_tracking(placed: Iterable[Placed]) -> Iterator[Placed]:
    for one in placed:
        slot = one.slot
        own_page = isinstance(slot, Slot) and slot.head == "mirror" and is_stored(slot.destination.raw)
        if not isinstance(slot, Slot) or slot.head == "optout" or own_page:
            yield one
        elif slot.untracked is not None:
            yield Placed(one.edit, Plain(slot.untracked))


def _fields(slot: Slot | Plain | Fill | None) -> list[Field]:
    if isinstance(slot, Fill):
        return [slot.field]
    return [] if slot is None else [field for field, _ in slot.destination.rest]
