"""Registers the demo's deliveries, renders a message for every recipient, and feeds what became of each."""

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from html import unescape
from importlib.resources import files
from typing import Any

from sendtrail.instrument import Template, compile
from sendtrail.instrument.api import Api
from sendtrail.keyring import Keyring
from sendtrail.local.demo.audience import Recipient
from sendtrail.local.demo.traffic import Letter

_URL = re.compile(r"https?://[^\s\"<>]+")
_BOUNCES = ("unknown_user", "mailbox_full", "invalid_domain", "policy", "unreachable")


@dataclass(frozen=True)
class Newsletter:
    """One delivery of the demo."""

    template: str
    name: str
    label: str
    campaign: str
    tags: tuple[str, ...]
    subject: str

    def part(self, kind: str) -> str:
        """The HTML or text part as the sender wrote it."""
        return (files("sendtrail.local.demo") / "newsletters" / f"{self.template}.{kind}").read_text("utf-8")


def newsletters(stamp: str) -> list[Newsletter]:
    """The three newsletters; `stamp` tells one run of the demo from another."""
    return [
        Newsletter("garden", f"garden-{stamp}", "The garden in November", "Garden letter", ("garden", "monthly"),
                   "Plant tulips before the first hard frost"),
        Newsletter("cycling", f"cycling-{stamp}", "Two wheels, one city", "City letter", ("cycling", "weekly"),
                   "The river lane opens on Friday"),
        Newsletter("reading", f"reading-{stamp}", "Read this weekend", "Weekend letter", ("reading", "weekly"),
                   "The books to give this year"),
    ]  # fmt: skip


def outcomes(
    newsletter: str, audience: Sequence[Recipient], sent_ms: int, dice: random.Random
) -> Iterator[dict[str, Any]]:
    """What the mail server reports: every message sent, then delivered, or bounced, or deferred."""
    for recipient in audience:
        item = {
            "delivery": newsletter, "message": recipient.name, "recipient": recipient.name, "domain": recipient.domain,
            "seed": recipient.seed,
        }  # fmt: skip
        left_ms = sent_ms + dice.randrange(60_000)
        yield {**item, "kind": "sent", "time": left_ms}
        luck = dice.random()
        if luck < 0.965:
            yield {**item, "kind": "delivered", "time": left_ms + dice.randrange(500, 30_000)}
        elif luck < 0.99:
            yield {**item, "kind": "bounced", "time": left_ms + 2_000, "reason": dice.choice(_BOUNCES)}
        else:
            yield {**item, "kind": "deferred", "time": left_ms + 2_000, "reason": "unreachable"}


class Mailing:
    """A newsletter compiled for its audience: readers of HTML get both parts, readers of text the text alone."""

    def __init__(self, newsletter: Newsletter, keys: Keyring, base_url: str) -> None:
        self.newsletter = newsletter
        self._base_url = base_url
        html, text = newsletter.part("html"), newsletter.part("txt")
        compiled = partial(compile, delivery=newsletter.name, keyring=keys, base_url=base_url, text=text)
        self.full = compiled(html=html)
        self.text_only = compiled(registered=self.full.urls)

    def register(self, api: Api, size: int, contact_ms: int) -> None:
        """Tell the API of the delivery and its URLs."""
        newsletter = self.newsletter
        api.register(
            self.full, label=newsletter.label, code=newsletter.template, campaign=newsletter.campaign,
            tags=list(newsletter.tags), subject=newsletter.subject, contact_date=contact_ms, to_deliver=size,
        )  # fmt: skip

    def letter(self, recipient: Recipient) -> Letter:
        """The recipient's message, as their mail program sees it."""
        template = self._template(recipient)
        rendered = template.render(recipient.name, recipient.name, seed=recipient.seed)
        links = _URL.findall(unescape(rendered.html or rendered.text or ""))
        by_letter: dict[str, list[str]] = {}
        for url in links:
            if url.startswith(self._base_url):
                by_letter.setdefault(url[len(self._base_url) + 1], []).append(url)
        return Letter(
            template.delivery_key, recipient,
            pixel=by_letter.get("o", [""])[0], links=tuple(by_letter["c"]),
            mirror=by_letter.get("m", [""])[0], opt_out=dict(rendered.headers)["List-Unsubscribe"].strip("<>"),
        )  # fmt: skip

    def prepared(self, recipient: Recipient, time_ms: int) -> dict[str, Any]:
        """The item that tells reports whose message this is."""
        return self._template(recipient).prepared(
            recipient.name, time_ms, recipient.name, domain=recipient.domain, seed=recipient.seed
        )

    def _template(self, recipient: Recipient) -> Template:
        return self.text_only if recipient.text_only else self.full
