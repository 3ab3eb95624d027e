"""Compile a message once, render it for each recipient: segments are joined, nothing is parsed or written anew."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

from sendtrail import naming
from sendtrail.deliveries import DeliveryUrl
from sendtrail.events import FLAG_PROOF, FLAG_SEED, MailFormat
from sendtrail.instrument import html_part, text_part
from sendtrail.instrument.found import Edit, Notice, readable
from sendtrail.instrument.policy import Policy, UrlBook
from sendtrail.instrument.slots import Placed, Slot, SlotMaker
from sendtrail.keyring import Keyring
from sendtrail.links import (
    LETTERS,
    TEXT_POSITION,
    LinkKind,
    ReadLink,
    Signer,
    Unsigned,
    checked_base,
    head_bytes,
    identity_bytes,
    read_token,
)

Name = int | str

_PIXEL = ('<img src="', '" width="1" height="1" border="0" alt="" style="width:1px;height:1px;border:0">')


class Rendered(NamedTuple):
    """One recipient's message. `headers` belong on the message and under its DKIM signature (RFC 8058 §4)."""

    html: str | None
    text: str | None
    headers: list[tuple[str, str]]
    warnings: tuple[Notice, ...]


@dataclass(frozen=True)
class Segments:
    """A part cut at its links. Joined, `pieces` are the part; those a slot names are written for each message."""

    pieces: tuple[str, ...]
    slots: tuple[tuple[int, LinkKind, bytes], ...]  # index of the piece, kind, bytes behind the keys

    def join(self, signer: Signer | Unsigned, heads: dict[LinkKind, bytes]) -> str:
        """The part with a token in each slot; `heads`: the bytes a token of a kind starts with."""
        pieces = list(self.pieces)
        for index, kind, place in self.slots:
            pieces[index] = signer.seal(heads[kind] + place)
        return "".join(pieces)


class Template:
    """A compiled message of one delivery. Made by `compile`; safe to share between threads."""

    def __init__(
        self,
        delivery: Name,
        account: str,
        keyring: Keyring,
        parts: tuple[Segments | None, Segments | None, Segments | None],
        urls: list[DeliveryUrl],
        warnings: list[Notice],
    ) -> None:
        self.delivery = delivery
        self.account = account
        self.delivery_key = naming.key(keyring.naming_key, account, "delivery", delivery)
        #: What to register of the URLs: id, URL, label, category, mode.
        self.urls = urls
        self.warnings = tuple(warnings)
        self._naming_key = keyring.naming_key
        self._signer = Signer(keyring.active)
        self._html, self._text, self._one_click = parts

    @property
    def format(self) -> MailFormat:
        """Which parts the message has."""
        if self._html is None:
            return "text"
        return "html" if self._text is None else "multipart"

    def url_fields(self) -> list[dict[str, Any]]:
        """The URLs as the API takes them with a delivery."""
        names = ("url_id", "url", "label", "category", "mode")
        return [{name: getattr(entry, name) for name in names} for entry in self.urls]

    def contents(self) -> dict[str, str]:
        """The parts as the API keeps them for reports (sendtrail.contents): links say where they stand, unsigned."""
        keys = identity_bytes(self.delivery_key, 0, None)
        heads = {kind: head_bytes(Unsigned.key_id, kind, 0, False) + keys for kind in LETTERS}
        parts = {"html": self._html, "text": self._text}
        return {name: readable(part.join(Unsigned(), heads)) for name, part in parts.items() if part is not None}

    def render(
        self, message: Name, recipient: Name | None = None, *, seed: bool = False, proof: bool = False
    ) -> Rendered:
        """One recipient's message. `message`: the sender's name for it, unique in the delivery.

        `seed` and `proof` mark test recipients, whose hits are stored and not counted. Raises BadName.
        """
        heads = self._heads(message, recipient, FLAG_SEED * seed | FLAG_PROOF * proof)
        html = None if self._html is None else self._html.join(self._signer, heads)
        text = None if self._text is None else self._text.join(self._signer, heads)
        headers = []
        if self._one_click is not None:
            address = self._one_click.join(self._signer, heads)
            headers = [
                ("List-Unsubscribe", f"<{address}>"),
                ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
            ]
        return Rendered(html, text, headers, self.warnings)

    def prepared(
        self, message: Name, time_ms: int, recipient: Name | None = None, *, domain: str = "", seed: bool = False
    ) -> dict[str, Any]:
        """The `prepared` item for the feed API: it tells reports whose message this is, before any provider does.

        `time_ms`: UTC milliseconds; keep the item for a retry, since the time is part of its id.
        """
        item: dict[str, Any] = {
            "kind": "prepared", "time": time_ms, "delivery": self.delivery, "message": message, "format": self.format,
        }  # fmt: skip
        if recipient is not None:
            item["recipient"] = recipient
        if domain:
            item["domain"] = domain
        if seed:
            item["seed"] = True
        return item

    def _heads(self, message: Name, recipient: Name | None, flags: int) -> dict[LinkKind, bytes]:
        message_key = naming.key(self._naming_key, self.account, "message", message)
        recipient_key = None
        if recipient is not None:
            recipient_key = naming.key(self._naming_key, self.account, "recipient", recipient)
        keys = identity_bytes(self.delivery_key, message_key, recipient_key)
        key_id, known = self._signer.key_id, recipient_key is not None
        return {kind: head_bytes(key_id, kind, flags, known) + keys for kind in LETTERS}


def compile(
    *,
    delivery: Name,
    keyring: Keyring,
    base_url: str,
    html: str | None = None,
    text: str | None = None,
    account: str = "",
    policy: Policy | None = None,
    registered: Iterable[DeliveryUrl] = (),
) -> Template:
    """Find the links of a message once.

    `base_url`: the tracking host, e.g. `https://t.example.com`. `registered`: URLs an earlier run put into the
    registry, so that ids stay. Raises BadName for the delivery, BadLink for the base URL, KeysError without an active
    key. What a sender should know of the message is in `warnings`; no message is refused.
    """
    policy = policy or Policy()
    base = checked_base(base_url)
    book = UrlBook(naming.key(keyring.naming_key, account, "delivery", delivery), registered)
    maker = SlotMaker(policy, book, lambda url: _kind_of(keyring, url) is not None)
    html_segments = None if html is None else _html(html, keyring, maker, policy, base)
    text_segments = None if text is None else _segments(text, maker.place(text_part.find(text), TEXT_POSITION), base)
    one_click = _segments("", [Placed(Edit(0, 0), maker.header_optout())], base) if policy.one_click else None
    return Template(
        delivery, account, keyring, (html_segments, text_segments, one_click), book.entries(),
        list(dict.fromkeys(maker.notices + book.notices)),
    )  # fmt: skip


def _kind_of(keyring: Keyring, url: str) -> LinkKind | None:
    """The kind of a link this installation has signed, in its exact form."""
    before, _, token = url.rpartition("/")
    if "?" in before or len(before) < 2 or before[-2] != "/" or before[-1] not in LETTERS.values():
        return None
    read = read_token(keyring, token)
    return read.link.kind if isinstance(read, ReadLink) else None


def _html(source: str, keyring: Keyring, maker: SlotMaker, policy: Policy, base: str) -> Segments:
    found = html_part.find(source)
    placed = maker.place(found, 0)
    if any(_kind_of(keyring, image) == "open" for image in found.images):
        maker.notices.append(Notice("already_tracked", "the HTML has a tracking pixel, no second one is added"))
    elif policy.pixel:
        placed.append(Placed(Edit(found.pixel_at, found.pixel_at, *_PIXEL), Slot("open")))
    return _segments(source, placed, base)


def _segments(source: str, placed: list[Placed], base: str) -> Segments:
    """Cut the source at its edits, which do not overlap."""
    pieces: list[str] = []
    slots: list[tuple[int, LinkKind, bytes]] = []
    fixed, position = "", 0
    for edit, slot in sorted(placed, key=lambda one: (one.edit.start, one.edit.end)):
        fixed += source[position : edit.start] + edit.before
        position = edit.end
        if slot is None:
            continue
        pieces += [f"{fixed}{base}/{LETTERS[slot.kind]}/", ""]
        slots.append((len(pieces) - 1, slot.kind, slot.place))
        fixed = edit.after
    return Segments((*pieces, fixed + source[position:]), tuple(slots))
