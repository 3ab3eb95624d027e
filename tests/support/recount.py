"""What the tables must hold, counted one event at a time from a list: METRICS written down a second time, for tests."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sendtrail.enriched import EventRow, RelabelRow
from sendtrail.events import HITS

FINAL = {"delivered": 3, "rejected": 2, "bounced": 1}
HARD = {"unknown_user", "invalid_domain"}
Key = tuple[Any, ...]


@dataclass
class Truth:
    """An event with its present judgement."""

    row: EventRow
    class_: str
    repeat: bool
    reasons: Sequence[str]
    ruleset: str

    @property
    def is_hit(self) -> bool:
        marks = {"flood", "foreign", "expired"}
        return self.row.kind in HITS and not (self.repeat or self.row.flags & 3 or marks & set(self.row.marks))

    @property
    def people(self) -> bool:
        return self.class_ != "machine"


def truths(rows: Iterable[EventRow | RelabelRow]) -> list[Truth]:
    """Events as they are after all re-labels, in the order they came."""
    found: dict[str, Truth] = {}
    for row in rows:
        if isinstance(row, EventRow):
            found[row.event_id] = Truth(row, row.class_, row.repeat, row.class_reasons, row.class_ruleset)
            continue
        truth = found[row.target_id or ""]
        truth.class_, truth.reasons, truth.ruleset = str(row.new_class), row.reasons, row.ruleset
        truth.repeat = truth.repeat if row.new_repeat is None else row.new_repeat
    return list(found.values())


def url_activity(events: Iterable[Truth]) -> Counter[Key]:
    """Hits by link."""
    return Counter(
        (e.row.delivery, e.row.kind, e.row.how or "", e.row.url_id or 0, e.row.position, e.class_)
        for e in events
        if e.is_hit
    )


def stat_minute(events: Iterable[Truth]) -> Counter[Key]:
    """Hits, and feed events of messages that are no seeds, by minute."""
    return Counter(
        (e.row.delivery, e.row.kind, e.row.how or "", e.row.event_time_ms // 60_000, e.row.url_id or 0, e.class_)
        for e in events
        if e.is_hit or (e.row.kind not in HITS and not e.row.flags & 3)
    )


def breakdown(events: Iterable[Truth]) -> Counter[Key]:
    """Hits and failed deliveries by one dimension at a time."""
    counts: Counter[Key] = Counter()
    for e in events:
        day = datetime.fromtimestamp(e.row.event_time_ms / 1000, UTC).date()
        for dim, value in _dimensions(e):
            counts[e.row.delivery, e.row.kind, dim, day, e.class_, value] += 1
    return counts


def _dimensions(e: Truth) -> list[tuple[str, str]]:
    if e.row.kind in ("bounced", "rejected", "deferred") and not e.row.flags & 3:
        return [("bounce", e.row.reason)]
    if not e.is_hit:
        return []
    version = f"{e.row.client} {e.row.client_version}".rstrip()
    plain = [("client", e.row.client), ("version", version), ("os", e.row.os), ("device", e.row.device)]
    plain += [("network", e.row.network), ("country", e.row.country), ("ruleset", e.ruleset)]
    return plain + [("reason", reason) for reason in e.reasons or [""]]


def transactions(events: Iterable[Truth]) -> dict[Key, tuple[int, int, int]]:
    """Transactions with their money."""
    sums: dict[Key, tuple[int, int, int]] = {}
    for e in events:
        if e.is_hit and e.row.kind == "transaction":
            key = (e.row.delivery, e.row.currency, e.row.site, e.class_)
            n, amount, articles = sums.get(key, (0, 0, 0))
            sums[key] = (n + 1, amount + e.row.amount, articles + e.row.articles)
    return sums


def state_of(feed: Sequence[EventRow]) -> str:
    """METRICS, message state."""
    finals = [row for row in feed if row.kind in FINAL]
    if finals:
        last = max(finals, key=lambda row: (row.event_time_ms, FINAL[row.kind], row.reason in HARD))
        if last.kind != "bounced":
            return last.kind
        return "bounced_hard" if last.reason in HARD else "bounced_soft"
    others = [row for row in feed if row.kind in ("sent", "deferred")]
    return max(others, key=lambda row: (row.event_time_ms, row.kind == "deferred")).kind if others else ""


def indicators(events: Sequence[Truth], delivery: int) -> dict[str, int]:
    """The base numbers of one delivery, all and people."""
    own = [e for e in events if e.row.delivery == delivery]
    return _feed(own) | _hits(own, "") | _hits([e for e in own if e.people or e.row.kind not in HITS], "_p")


def _feed(own: Sequence[Truth]) -> dict[str, int]:
    feed: dict[int, list[EventRow]] = {}
    for e in own:
        if e.row.kind not in HITS:
            feed.setdefault(e.row.message, []).append(e.row)
    real = [rows for rows in feed.values() if not any(row.flags & 3 for row in rows)]
    states = Counter(state_of(rows) for rows in real)
    names = ("sent", "deferred", "bounced_soft", "bounced_hard", "rejected", "delivered")
    return {name: states[name] for name in names} | {
        "messages": len(real),
        "text": sum(max(row.format or "" for row in rows) == "text" for rows in real),
        "processed": sum(count for state, count in states.items() if state),
        "success": states["sent"] + states["delivered"],
        "complained": sum(any(row.kind == "complained" for row in rows) for rows in real),
    }


def _hits(own: Sequence[Truth], cut: str) -> dict[str, int]:
    hits = [e.row for e in own if e.is_hit]
    seeds = {e.row.message for e in own if e.row.kind not in HITS and e.row.flags & 3}
    told = {e.row.message for e in own if e.row.kind == "unsubscribed"}
    confirmed = {row.message for row in hits if row.how in ("form", "one_click")}
    visits = [row for row in hits if row.kind in ("web", "transaction")]
    of = Counter(row.kind for row in hits)
    counts = {
        "recipient_open": len({row.message for row in hits if row.how != "one_click"}),
        "recipient_click": len({row.message for row in hits if row.kind == "click"}),
        "opt_outs": len(confirmed),
        "unsubscribed": len((confirmed | told) - seeds),
        "person_click": len({row.person for row in hits if row.kind == "click"}),
        "visitors": len({row.person for row in visits}),
        "hits": len(hits),
        "total_open": of["open"],
        "total_click": of["click"],
        "opt_out_clicks": sum(row.how == "view" for row in hits),
        "mirror": of["mirror"],
        "visits": len(visits),
        "transactions": of["transaction"],
        "articles": sum(row.articles for row in hits if row.kind == "transaction"),
    }
    return {name + cut: count for name, count in counts.items()}
