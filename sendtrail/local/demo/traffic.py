"""What the audience's programs ask of the edge once a message has arrived."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field

from sendtrail.local.demo.audience import (
    APPLE_PROXY,
    GMAIL_PROXY,
    MAILBOX_PROVIDER,
    SCANNER,
    Recipient,
)

ONE_CLICK = b"List-Unsubscribe=One-Click"
_LOOKING_S = 0.6  # between two links; faster than any person, slower than a sweep
FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class Letter:
    """A rendered message as a mail program sees it: where its pixel and its links point."""

    delivery: int
    recipient: Recipient
    pixel: str
    links: tuple[str, ...]
    opt_out: str
    mirror: str


@dataclass(frozen=True)
class Request:
    """One HTTP request to the edge. `counts`: the link is valid, so its answer goes into the ledger.

    `after_s`: how long the reader looks at something before.
    """

    url: str
    address: str
    user_agent: str
    method: str = "GET"
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    counts: bool = True
    after_s: float = 0.0


def sweep(letter: Letter, dice: random.Random) -> Iterator[Request]:
    """What a scanner in front of the mailbox asks for, long before anybody reads. Same dice, same requests."""
    recipient = letter.recipient
    if recipient.scanner and dice.random() < 0.7:
        for link in letter.links:
            yield Request(link, recipient.scanner, SCANNER)


def visits(letter: Letter, dice: random.Random) -> Iterator[Request]:
    """Everything else that happens to one letter, in order. The same dice give the same requests."""
    recipient = letter.recipient
    if recipient.reader == "apple" and letter.pixel and dice.random() < 0.9:
        yield Request(letter.pixel, "17.58.0." + recipient.address.rpartition(".")[2], APPLE_PROXY)
    if recipient.text_only:
        if dice.random() < 0.1:
            yield from _clicks(letter, dice)
        return
    if dice.random() < 0.42:
        yield from _reading(letter, dice)


def _reading(letter: Letter, dice: random.Random) -> Iterator[Request]:
    """Opens, sometimes twice in a minute, then perhaps clicks, the mirror page, or an unsubscribe."""
    recipient = letter.recipient
    agent = GMAIL_PROXY if recipient.reader == "gmail" else recipient.user_agent
    address = "66.249.84." + recipient.address.rpartition(".")[2] if recipient.reader == "gmail" else recipient.address
    for _ in range(1 + (dice.random() < 0.2)):
        yield Request(letter.pixel, address, agent)
    if dice.random() < 0.03:
        yield Request(letter.mirror, recipient.address, recipient.user_agent)
    if dice.random() < 0.3:
        yield from _clicks(letter, dice)
    if dice.random() < 0.02:
        yield from _unsubscribe(letter, dice)


def _clicks(letter: Letter, dice: random.Random) -> Iterator[Request]:
    recipient = letter.recipient
    chosen = dice.choices(letter.links, _popularity(len(letter.links)), k=dice.choice((1, 1, 1, 2, 3)))
    for number, link in enumerate(chosen):
        after_s = _LOOKING_S if number else 0.0
        if dice.random() < 0.05:
            yield Request(link, recipient.address, recipient.user_agent, method="HEAD", after_s=after_s)
        yield Request(link, recipient.address, recipient.user_agent, after_s=after_s)


def _popularity(count: int) -> list[float]:
    return [1 / (place + 2) for place in range(count)]


def _unsubscribe(letter: Letter, dice: random.Random) -> Iterator[Request]:
    recipient = letter.recipient
    form = {"Content-Type": FORM}
    if dice.random() < 0.5:
        yield Request(letter.opt_out, "64.233.160.1", MAILBOX_PROVIDER, "POST", ONE_CLICK, form)
        return
    yield Request(letter.opt_out, recipient.address, recipient.user_agent)
    yield Request(letter.opt_out, recipient.address, recipient.user_agent, "POST", b"confirm=yes", form)


def forged(letter: Letter) -> Request:
    """A link somebody tampered with: its last character is another."""
    link = letter.links[0]
    other = "A" if link[-1] != "A" else "Q"
    return Request(link[:-1] + other, "192.0.2.66", "curl/8.5.0", counts=False)
