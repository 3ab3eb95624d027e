"""Compile a message once, render it for each recipient: segments are joined, nothing is parsed or written anew."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from sendtrail import naming
from sendtrail.deliveries import DeliveryUrl
from sendtrail.events import FLAG_NO_COOKIE, FLAG_PROOF, FLAG_SEED, MailFormat
from sendtrail.instrument.attributes import checked_attributes
from sendtrail.instrument.found import Edit, Notice, readable
from sendtrail.instrument.parts import as_template, heads, make_html, make_text
from sendtrail.instrument.pieces import Part, Placed, Rendering
from sendtrail.instrument.placeholders import Values
from sendtrail.instrument.policy import Policy
from sendtrail.instrument.providers import ForProvider, Provider, headers_for
from sendtrail.instrument.slots import SlotMaker
from sendtrail.instrument.url_book import UrlBook
from sendtrail.keyring import Keyring
from sendtrail.links import LETTERS, LinkKind, ReadLink, Signer, checked_base, read_token
from sendtrail.provider_metadata import MessageIdentity

Name = int | str


class Rendered(NamedTuple):
    """One recipient's message. `headers` belong on the message and under its DKIM signature (RFC 8058 §4)."""

    html: str | None
    text: str | None
    headers: list[tuple[str, str]]
    warnings: tuple[Notice, ...]


class Template:
    """A compiled message of one delivery. Made by `compile`; safe to share between threads."""

    def __init__(
        self,
        delivery: Name,
        account: str,
        keyring: Keyring,
        policy: Policy,
        parts: tuple[Part | None, Part | None, Part | None],
        urls: list[DeliveryUrl],
        warnings: list[Notice],
    ) -> None:
        self.delivery = delivery
        self.account = account
        self.policy = policy
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

    @property
    def placeholders(self) -> tuple[str, ...]:
        """Names of the placeholders that `render` fills, each once, in order."""
        parts = (part for part in (self._html, self._text) if part is not None)
        return tuple(dict.fromkeys(name for part in parts for name in part.names()))

    def url_fields(self) -> list[dict[str, Any]]:
        """The URLs as the API takes them with a delivery."""
        names = ("url_id", "url", "label", "category", "mode")
        return [{name: getattr(entry, name) for name in names} for entry in self.urls]

    def contents(self) -> dict[str, str]:
        """The parts as the API keeps them for reports (sendtrail.contents): links say where they stand, unsigned."""
        shown = as_template(MessageIdentity(self.delivery_key, 0))
        parts = {"html": self._html, "text": self._text}
        return {name: readable(part.tracked.join(shown)) for name, part in parts.items() if part is not None}

    def render(
        self,
        message: Name,
        recipient: Name | None = None,
        *,
        values: Mapping[str, object] | None = None,
        consent: bool = True,
        seed: bool = False,
        proof: bool = False,
    ) -> Rendered:
        """One recipient's message. `message`: the sender's name for it, unique in the delivery.

        `values`: for the placeholders, by name; a list has one for each item of a loop. A placeholder without a value
        is left empty and named in the warnings. `consent` False: no pixel, and links lead to their destinations; only
        opt-out links are ours. `seed` and `proof` mark test recipients, whose hits are stored and not counted. Raises
        BadName.
        """
        identity = self.identity(message, recipient, seed=seed, proof=proof)
        starts = heads(self._signer.key_id, identity, 0 if consent else FLAG_NO_COOKIE)
        filled = Values(values, lambda: self._signer.seal(starts["web"]))
        rendering = Rendering(self._signer, starts, filled)
        html, text, one_click = (
            None if part is None else (part.tracked if consent else part.untracked).join(rendering)
            for part in (self._html, self._text, self._one_click)
        )
        return Rendered(html, text, self._list_headers(one_click), self.warnings + _notices(filled))

    def prepared(
        self,
        message: Name,
        time_ms: int,
        recipient: Name | None = None,
        *,
        domain: str = "",
        seed: bool = False,
        proof: bool = False,
        attributes: Mapping[str, object] | None = None,
    ) -> dict[str, Any]:
        """The `prepared` item for the feed API: it tells reports whose message this is, before any provider does.

        `time_ms`: UTC milliseconds; keep the item for a retry, since the time is part of its id. `attributes`: up to 8
        of the sender's own, returned with every event of the message; raises BadAttributes.
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
        if proof:
            item["proof"] = True
        if attributes:
            item["attributes"] = checked_attributes(attributes)
        return item

    def identity(
        self, message: Name, recipient: Name | None = None, *, seed: bool = False, proof: bool = False
    ) -> MessageIdentity:
        """The keys of a message, as its links hold them. Raises BadName."""
        return MessageIdentity(
            self.delivery_key,
            naming.key(self._naming_key, self.account, "message", message),
            None if recipient is None else naming.key(self._naming_key, self.account, "recipient", recipient),
            self.account,
            FLAG_SEED * seed | FLAG_PROOF * proof,
        )

    def headers_for(
        self,
        provider: Provider,
        message: Name,
        recipient: Name | None = None,
        *,
        seed: bool = False,
        proof: bool = False,
    ) -> ForProvider:
        """What to give a provider with a message, so that its webhook says whose it is. Raises BadName, ValueError."""
        return headers_for(provider, self.identity(message, recipient, seed=seed, proof=proof))

    def _list_headers(self, one_click: str | None) -> list[tuple[str, str]]:
        addresses = [f"<{address}>" for address in (one_click, self.policy.unsubscribe_mailto) if address]
        headers = [("List-Unsubscribe", ", ".join(addresses))] if addresses else []
        if one_click is not None:
            headers.append(("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"))
        return headers


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
    maker = SlotMaker(policy, book, lambda url: _kind_of(keyring, url))
    parts = (
        None if html is None else make_html(html, maker, policy, base),
        None if text is None else make_text(text, maker, policy, base),
        Part("", [Placed(Edit(0, 0), maker.header_optout())], base, in_html=False) if policy.one_click else None,
    )
    notices = list(dict.fromkeys(maker.notices + book.notices))
    return Template(delivery, account, keyring, policy, parts, book.entries(), notices)


def _notices(values: Values) -> tuple[Notice, ...]:
    return (
        *(Notice("unresolved_placeholder", f"{name!r} has no value") for name in values.missing),
        *(Notice("too_long", f"{url[:200]!r} is not tracked") for url in values.too_long),
    )


def _kind_of(keyring: Keyring, url: str) -> LinkKind | None:
    """The kind of a link this installation has signed, in its exact form."""
    before, _, token = url.rpartition("/")
    if "?" in before or len(before) < 2 or before[-2] != "/" or before[-1] not in LETTERS.values():
        return None
    read = read_token(keyring, token)
    return read.link.kind if isinstance(read, ReadLink) else None
