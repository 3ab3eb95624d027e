"""Events as a test thinks of them, and how they become rows of `events`: signed, shuffled, in repeated inserts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from random import Random
from secrets import token_hex
from typing import Any

from clickhouse_driver import Client

LATE, FLOOD, FOREIGN, EXPIRED = 1, 2, 4, 8
_UNMARKED = LATE
CLASSES = {"human": 1, "machine": 2, "unknown": 3}
_BLOCK = 4000


@dataclass(frozen=True)
class Judgement:
    """What a re-label may change."""

    class_: str = "human"
    repeat: bool = False
    reasons: str = ""
    ruleset: str = ""
    run: str = ""


@dataclass(frozen=True)
class Happening:
    """One event and every judgement of it, first to last."""

    delivery: int
    message: int
    kind: str
    time_ms: int
    event_id: bytes = b""
    judgements: tuple[Judgement, ...] = (Judgement(),)
    recipient: int | None = None
    person: int = 0
    seed: bool = False
    marks: int = 0
    how: str = ""
    url_id: int = 0
    position: int = 0
    destination: str = ""
    domain: str = ""
    format: str = ""
    reason: str = ""
    recipient_name: str = ""
    currency: str = ""
    amount: int = 0
    articles: int = 0
    client: str = ""
    client_version: str = ""
    os: str = ""
    device: str = ""
    network: str = ""
    country: str = ""
    site: str = ""
    page: str = ""
    referrer: str = ""
    attributes: dict[str, str] = field(default_factory=dict)

    @property
    def final(self) -> Judgement:
        """The judgement that holds."""
        return self.judgements[-1]

    def is_hit(self, judgement: Judgement) -> bool:
        """METRICS: a hit is neither a repeat nor of a seed nor marked flood, foreign or expired."""
        is_kind = self.kind in ("open", "click", "optout", "mirror", "web", "transaction")
        return is_kind and not judgement.repeat and not self.seed and not self.marks & (FLOOD | FOREIGN | EXPIRED)

    @property
    def hit(self) -> bool:
        """Whether it counts."""
        return self.is_hit(self.final)

    def in_cut(self, people: bool) -> bool:
        """Whether it counts in the cut."""
        return self.hit and not (people and self.final.class_ == "machine")


@dataclass
class Numbered:
    """Gives each happening an id: its time, then a number of its own."""

    last: int = 0

    def __call__(self, happening: Happening) -> Happening:
        self.last += 1
        return replace(happening, event_id=happening.time_ms.to_bytes(6, "big") + self.last.to_bytes(10, "big"))


@dataclass(frozen=True)
class Registered:
    """A delivery as a sender registers it."""

    delivery: int
    name: str = ""
    account: str = ""
    label: str = ""
    campaign: str = ""
    channel: str = "email"
    type: str = "newsletter"
    tags: Sequence[str] = ()
    status: str = ""
    contact_ms: int | None = None
    targeted: int | None = None
    excluded: dict[str, int] = field(default_factory=dict)
    to_deliver: int | None = None
    success: int | None = None


_COLUMNS = (
    "delivery_id, event_id, rev, sign, kind, event_time, message_id, recipient_key, hit, class, repeat, reasons, "
    "marks, seed, url_id, position, destination, how, person, domain, format, reason, recipient_name, currency, "
    "amount, articles, client, client_version, os, device, network, country, ruleset, run, history, log_time, "
    "site, page, referrer, attributes"
)


def at(time_ms: int) -> datetime:
    """UTC milliseconds as the driver takes them."""
    return datetime.fromtimestamp(time_ms / 1000, UTC)


def rows(happening: Happening) -> list[tuple[Any, ...]]:
    """Its rows: +1 as first judged, and -1 / +1 for each re-label."""
    signed = [(0, 1, 0)]
    for rev in range(1, len(happening.judgements)):
        signed += [(rev - 1, -1, rev), (rev, 1, rev)]
    return [_row(happening, *one) for one in signed]


def logged_ms(happening: Happening, rev: int) -> int:
    """Kafka's time of the record that brought a judgement: each re-label comes seven hours after the one before."""
    return happening.time_ms + 1_000 + rev * 7 * 3_600_000


def _row(h: Happening, rev: int, sign: int, by: int) -> tuple[Any, ...]:
    """`by`: the judgement whose record holds the row."""
    judged = h.judgements[rev]
    history = [
        ("topic", 0, 0, CLASSES[one.class_], int(h.is_hit(one)), int(one.repeat), one.reasons, one.ruleset, one.run)
        for one in h.judgements[:rev]
    ]
    return (
        h.delivery, h.event_id, rev, sign, h.kind, at(h.time_ms), h.message, h.recipient, int(h.is_hit(judged)),
        judged.class_, int(judged.repeat), judged.reasons, h.marks, int(h.seed), h.url_id, h.position, h.destination,
        h.how, h.person, h.domain, h.format, h.reason, h.recipient_name, h.currency, h.amount, h.articles, h.client,
        h.client_version, h.os, h.device, h.network, h.country, judged.ruleset, judged.run, history,
        at(logged_ms(h, by)), h.site, h.page, h.referrer, h.attributes,
    )  # fmt: skip


def insert(client: Client, happenings: Sequence[Happening], random: Random | None = None) -> None:
    """Insert as a loader might: in blocks with a token, in any order, some blocks twice."""
    everything = [row for happening in happenings for row in rows(happening)]
    if random is not None:
        random.shuffle(everything)
    call = token_hex(8)
    blocks = [everything[start : start + _BLOCK] for start in range(0, len(everything), _BLOCK)]
    for number, block in enumerate(blocks):
        for _ in range(2 if random is not None and random.random() < 0.4 else 1):
            client.execute(f"INSERT INTO events ({_COLUMNS}) VALUES", block, settings=_once(f"{call}:{number}"))


def _once(token: str) -> dict[str, Any]:
    return {
        "insert_deduplication_token": token,
        "insert_deduplicate": 1,
        "deduplicate_blocks_in_dependent_materialized_views": 1,
        "async_insert": 0,
    }


def register(client: Client, deliveries: Sequence[Registered]) -> None:
    """Put deliveries into the registry."""
    client.execute(
        "INSERT INTO deliveries (delivery_id, name, account, label, campaign, channel, type, tags, status, "
        "contact_date, targeted, excluded, to_deliver, success, updated) VALUES",
        [
            (d.delivery, d.name, d.account, d.label, d.campaign, d.channel, d.type, list(d.tags), d.status,
             None if d.contact_ms is None else at(d.contact_ms), d.targeted, d.excluded, d.to_deliver, d.success,
             at(1_700_000_000_000))
            for d in deliveries
        ],
    )  # fmt: skip


def register_urls(client: Client, urls: Sequence[tuple[int, int, str, str, str]]) -> None:
    """Put links into the registry: delivery, url id, URL, label, category."""
    client.execute(
        "INSERT INTO delivery_urls (delivery_id, url_id, url, label, category, mode, updated) VALUES",
        [(*url, "tracked", at(1_700_000_000_000)) for url in urls],
    )


def store_indicators(client: Client) -> None:
    """Calculate the stored indicators now, as the refreshed view does every few seconds."""
    names = [row[0] for row in client.execute("DESCRIBE TABLE indicators_live")]
    columns = ", ".join(names)
    client.execute(
        f"INSERT INTO indicators ({columns}, calculated) SELECT {columns}, now64(3) FROM indicators_live",
        settings={"insert_deduplicate": 0, "async_insert": 0},
    )
