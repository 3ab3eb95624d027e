"""Registers the demo's deliveries, renders a message for every recipient, and feeds what became of each."""

import random
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from html import unescape
from importlib.resources import files
from itertools import islice
from typing import Any

import httpx

from sendtrail.local.demo.audience import Recipient
from sendtrail.local.demo.traffic import Letter

BATCH = 1_000
_HREF = re.compile(r'(?:href|src)="([^"]+)"')
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


def letter_of(html: str, base_url: str, delivery: int, message: int, recipient: Recipient) -> Letter:
    """What a mail program finds in a rendered message: the pixel, the links, the pages to leave and to mirror."""
    urls = [unescape(url) for url in _HREF.findall(html) if url.startswith(base_url)]
    by_letter: dict[str, list[str]] = {}
    for url in urls:
        by_letter.setdefault(url[len(base_url) + 1], []).append(url)
    return Letter(
        delivery, message, recipient,
        pixel=by_letter["o"][0], links=tuple(by_letter["c"]), opt_out=by_letter["u"][0], mirror=by_letter["m"][0],
    )  # fmt: skip


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


class Api:
    """The feed API as a sender uses it. Raises httpx.HTTPError for an answer that is not 2xx."""

    def __init__(self, base_url: str) -> None:
        self._client = httpx.Client(base_url=base_url, timeout=30, trust_env=False)

    def put_delivery(self, name: str, fields: dict[str, Any]) -> int:
        """Register a delivery; returns its key."""
        answer = self._client.put(f"/v1/deliveries/{name}", json=fields).raise_for_status().json()
        return int(answer["delivery"])

    def feed(self, items: Iterable[dict[str, Any]]) -> int:
        """Post items in batches; returns how many were taken. Raises RuntimeError if one is refused."""
        taken = 0
        waiting = iter(items)
        while batch := list(islice(waiting, BATCH)):
            answer = self._client.post("/v1/events", json=batch).raise_for_status().json()
            refused = [result for result in answer["results"] if result["status"] != "accepted"]
            if refused:
                raise RuntimeError(f"the API refused an item of the demo: {refused[0]}")
            taken += len(batch)
        return taken

    def close(self) -> None:
        self._client.close()
