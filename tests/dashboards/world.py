"""A random set of deliveries, feeds and hits with everything that must not confuse a count."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from random import Random

from tests.dashboards.happenings import EXPIRED, FLOOD, FOREIGN, LATE, Happening, Judgement, Numbered, Registered
from tests.dashboards.recount import Recount

T0 = 1_790_000_000_000
HOUR = 3_600_000
DOMAINS = ["gmail.com", "outlook.com", "Gmail.com", "example.org", "example.net", ""]
BIG = (1 << 63) + 12345
URLS = {11: ("https://shop.example/a", "Shop", "shop"), 12: ("https://shop.example/b", "Shop", "shop"),
        13: ("https://news.example/", "", ""), 14: ("https://share.example/f", "Tell a friend", "Facebook"),
        15: ("https://share.example/x", "Post it", "x")}  # fmt: skip
UNREGISTERED = [99, 98]
NETWORK_OF = {14: "Facebook", 15: "x"}
SITES = ["shop.example", "www.books.example"]
PAGES = ["/", "/basket?item=1", "/basket?item=2", "https://shop.example/pay/card#now", "/thanks", ""]
REFERRERS = ["", "https://www.search.example/?q=1", "https://shop.example/", "https://books.example/x", "android-app"]

DELIVERIES = [
    Registered(1, "june", label="June letter", campaign="Summer", contact_ms=T0, to_deliver=800, targeted=900,
               excluded={"blocked": 60, "no consent": 40}, tags=("letter",)),
    Registered(2, "july", label="July letter", campaign="Summer", contact_ms=T0 + 5 * HOUR, tags=("letter",)),
    Registered(3, "no-feed", label="Only prepared", success=150, to_deliver=200, targeted=210),
    Registered(4, "", label=""),  # no entry in the registry at all
    Registered(BIG, "autumn", label="Autumn", to_deliver=40),
]  # fmt: skip
REGISTERED = [one for one in DELIVERIES if one.delivery != 4]


@dataclass
class World:
    """Deliveries with what happened to them."""

    happenings: list[Happening] = field(default_factory=list)
    deliveries: list[Registered] = field(default_factory=lambda: list(DELIVERIES))
    _recounts: dict[tuple[int, bool], Recount] = field(default_factory=dict)

    def recount(self, delivery: Registered, people: bool) -> Recount:
        """The delivery counted again, once per cut."""
        key = (delivery.delivery, people)
        if key not in self._recounts:
            self._recounts[key] = Recount(self.happenings, delivery, people)
        return self._recounts[key]


def make(seed: int, hits: int, scale: int = 1) -> World:
    """The same world for the same seed. `scale`: how many times as many messages."""
    random, numbered = Random(seed), Numbered()
    happenings = [numbered(one) for delivery in DELIVERIES for one in _feed(random, delivery, scale)]
    happenings += [numbered(_on_site(_hit(random, 900 * scale))) for _ in range(hits)]
    return World(happenings)


def _feed(random: Random, delivery: Registered, scale: int) -> Iterator[Happening]:
    messages = {1: 800, 2: 600, 3: 200, 4: 300, BIG: 40}[delivery.delivery] * scale
    for message in range(messages):
        same = {
            "seed": message % 41 == 0,
            "domain": random.choice(DOMAINS),
            "format": random.choices(["html", "multipart", "text"], [5, 4, 1])[0],
            "recipient": message + 1_000_000,
            "recipient_name": f"r{message}",
        }
        if random.random() < 0.9:
            yield _fed(random, delivery.delivery, message, "prepared", same)
        for kind in [] if delivery.delivery == 3 else random.choices(_STORIES, [60, 10, 8, 5, 5, 4, 4, 4])[0]:
            yield _fed(random, delivery.delivery, message, kind, same)


_STORIES = [
    ["sent", "delivered"], ["sent"], ["sent", "bounced"], ["deferred"], ["sent", "deferred", "delivered"],
    ["sent", "delivered", "complained"], ["sent", "delivered", "bounced", "unsubscribed"], ["rejected", "bounced"],
]  # fmt: skip


def _fed(random: Random, delivery: int, message: int, kind: str, same: dict[str, object]) -> Happening:
    reason = random.choice(["unknown_user", "mailbox_full", "spam", "other", "invalid_domain"])
    told = reason if kind in ("bounced", "rejected", "deferred") else ""
    when = T0 + random.randrange(6) * 600_000  # few moments, so that many are equal
    return Happening(delivery, message, kind, when, reason=told, judgements=(Judgement("unknown"),), **same)  # type: ignore[arg-type]


def _hit(random: Random, messages: int) -> Happening:
    delivery = random.choices([one.delivery for one in DELIVERIES], [10, 6, 2, 3, 1])[0]
    message = int(random.paretovariate(0.6)) % messages
    kind = random.choices(["open", "click", "optout", "mirror", "web", "transaction"], [50, 30, 5, 5, 6, 4])[0]
    url_id = random.choice([*URLS, *UNREGISTERED]) if kind in ("click", "optout", "mirror") else 0
    money = kind == "transaction"
    return Happening(
        delivery, message, kind,
        time_ms=T0 - HOUR + int(random.expovariate(1 / (20 * HOUR))),
        judgements=tuple(_judge(random, kind, rev) for rev in range(random.choices([1, 2, 3], [80, 15, 5])[0])),
        recipient=message + 1_000_000 if random.random() < 0.8 else None,
        person=random.choice([message, message, message + 5_000, random.randrange(1 << 100)]),
        seed=message % 41 == 0,
        marks=random.choices([0, LATE, FLOOD, FOREIGN, EXPIRED], [80, 5, 5, 5, 5])[0],
        how=random.choice(["view", "form", "one_click"]) if kind == "optout" else "",
        url_id=url_id,
        position=random.choice([1, 2, 32769]) if url_id else 0,
        destination=f"https://shop.example/?m={message}" if url_id else "",
        currency=random.choice(["EUR", "JPY"]) if money else "",
        amount=random.randrange(10_000) if money else 0,
        articles=random.randrange(5) if money else 0,
        client=random.choice(["Gmail", "Outlook", "Gmail image proxy", ""]),
        client_version=["", "7", "8"][message % 3],
        os=["iOS", "Android", "Windows", ""][message % 4],
        device=["", "iPhone"][message % 2],
        network=["", "private"][message % 7 == 0],
        country="" if delivery == 2 else ["", "ES", "FR"][message % 3],
    )  # fmt: skip


def _on_site(one: Happening) -> Happening:
    if one.kind not in ("web", "transaction"):
        return one
    number = one.time_ms // 1000
    return replace(one, site=SITES[number % 3 == 0], page=PAGES[number % len(PAGES)],
                   referrer=REFERRERS[number // 7 % len(REFERRERS)])  # fmt: skip


def _judge(random: Random, kind: str, rev: int) -> Judgement:
    class_ = random.choices(["human", "unknown", "machine"], [5, 2, 3])[0]
    reasons = random.choice(["known_bot", "burst", "known_bot,prefetch"]) if class_ == "machine" else ""
    repeat = kind == "open" and random.random() < 0.2
    return Judgement(class_, repeat, reasons, ruleset=f"v{rev + 1}", run=f"run-{rev}" if rev else "")
