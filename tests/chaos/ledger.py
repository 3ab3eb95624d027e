"""Sent against stored: every single hit, item, order and poison record, once, or the reason why not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from clickhouse_driver import Client

from tests.chaos.feeding import FED, TOLD
from tests.chaos.sent import Sent
from tests.chaos.traffic import DELIVERIES
from tests.line.running import SITE

_SHOWN = 10
_HITS = (
    "SELECT toUInt64OrZero(extract(user_agent, 'chaos/([0-9]+)$')) AS hit, sum(sign), uniqExact(event_id) FROM events "
    "WHERE delivery_id IN {deliveries:Array(UInt64)} GROUP BY hit HAVING sum(sign) != 0"
)
_FED = (
    "SELECT message_id, sum(sign), uniqExact(event_id) FROM events WHERE delivery_id = {delivery:UInt64} "
    "GROUP BY message_id HAVING sum(sign) != 0"
)
_ORDERS = (
    "SELECT order_id, sum(sign), uniqExact(event_id) FROM events WHERE site = {site:String} AND kind = 'transaction' "
    "GROUP BY order_id HAVING sum(sign) != 0"
)
_LATE_HITS = (
    "SELECT toUInt64OrZero(extract(original, 'chaos/([0-9]+)')) AS hit, count() FROM rejects "
    "WHERE reason = 'bad_time' AND position(original, 'chaos/') > 0 GROUP BY hit"
)
_POISONS = (
    "SELECT extract(original, 'poison-[0-9a-f]{16}') AS mark, any(reason), count() FROM rejects GROUP BY mark "
    "HAVING mark != ''"
)
_OTHER_REJECTS = (
    "SELECT reason, count() FROM rejects WHERE position(original, 'poison-') = 0 AND position(original, 'chaos/') = 0 "
    "GROUP BY reason"
)
_POISONED = "SELECT count() FROM events WHERE delivery_id = 77"

Found = Mapping[Any, int]


@dataclass
class Stored:
    """How often each thing is there, as a row of `events` or of `rejects`."""

    hits: Found
    rejected_hits: Found
    items: Found
    told: Found
    orders: Found
    poisons: Mapping[str, tuple[str, int]]
    strangers: list[str] = field(default_factory=list)


def read_stored(client: Client) -> Stored:
    """What the tables hold."""

    def counted(query: str, **parameters: Any) -> dict[Any, int]:
        return {name: max(net, ids) for name, net, ids in client.execute(query, parameters)}

    [(poisoned,)] = client.execute(_POISONED)
    strangers = [
        f"{count} rejects ({reason}) of nothing that was sent" for reason, count in client.execute(_OTHER_REJECTS)
    ]
    return Stored(
        hits=counted(_HITS, deliveries=list(DELIVERIES)),
        rejected_hits=dict(client.execute(_LATE_HITS)),
        items=counted(_FED, delivery=FED),
        told=counted(_FED, delivery=TOLD),
        orders=counted(_ORDERS, site=SITE),
        poisons={mark: (reason, count) for mark, reason, count in client.execute(_POISONS)},
        strangers=[*strangers, *([f"{poisoned} poison events are stored"] if poisoned else [])],
    )


@dataclass
class Line:
    """One kind of thing. `sent` had to be stored; `counted`: hits that an edge counted as lost on a full disk."""

    name: str
    sent: int = 0
    stored: int = 0
    rejected: int = 0
    counted: int = 0
    silent: int = 0
    silent_stored: int = 0
    missing: list[Any] = field(default_factory=list)
    twice: list[Any] = field(default_factory=list)
    invented: list[Any] = field(default_factory=list)

    @property
    def lost(self) -> int:
        """Missing, and not counted as lost."""
        return len(self.missing) - self.counted


@dataclass
class Ledger:
    """The result. `even` where nothing is lost, doubled or made up, and loss on full disks is exact."""

    lines: list[Line]
    problems: list[str]

    def total(self, name: str) -> int:
        """The sum of a column of numbers."""
        return sum(int(getattr(line, name)) for line in self.lines)

    @property
    def lost(self) -> int:
        """Missing things that nothing explains."""
        return sum(max(0, line.lost) for line in self.lines)

    @property
    def twice(self) -> int:
        """Things stored more often than once."""
        return sum(len(line.twice) for line in self.lines)

    @property
    def even(self) -> bool:
        return not (self.lost or self.twice or self.problems)

    def last_line(self, faults: int) -> str:
        """What the run ends with."""
        sent, stored = self.total("sent") - self.total("counted"), self.total("stored") + self.total("rejected")
        return f"ledger: {sent} sent, {stored} stored, {self.lost} lost, {self.twice} twice, {faults} faults"


def settle(sent: Sent, stored: Stored, counted: Mapping[str, int]) -> Ledger:
    """Compare. `counted`: what each edge says it has lost on a full disk."""
    hits = _hits(sent, stored, counted)
    lines = [
        hits,
        _line("fed items", sent.items, sent.silent_items, stored.items),
        _line("webhook events", sent.told, sent.silent_told, stored.told),
        _line("orders", sent.orders, sent.silent_orders, stored.orders),
        _poisons(sent, stored),
    ]
    problems = [*sent.problems[:_SHOWN], *stored.strangers, *_edges(sent, hits, counted)]
    for line in lines:
        problems += _named(line)
    return Ledger(lines, problems)


def _line(name: str, sent: Collection[Any], silent: Collection[Any], found: Found) -> Line:
    return Line(
        name,
        sent=len(sent),
        stored=sum(1 for one in sent if found.get(one)),
        silent=len(set(silent) - set(sent)),
        silent_stored=sum(1 for one in set(silent) - set(sent) if found.get(one)),
        missing=[one for one in sent if not found.get(one)],
        twice=[one for one, times in found.items() if times > 1],
        invented=[one for one in found if one not in sent and one not in silent],
    )


def _hits(sent: Sent, stored: Stored, counted: Mapping[str, int]) -> Line:
    everywhere = Counter(stored.hits)
    everywhere.update(stored.rejected_hits)
    line = _line("hits", sent.hits, sent.silent_hits, everywhere)
    line.rejected = sum(1 for hit in sent.hits if stored.rejected_hits.get(hit))
    line.stored -= line.rejected
    line.counted = sum(counted.values())
    line.invented += [f"{hit} rejected, its clock was right" for hit in stored.rejected_hits if hit not in sent.ahead]
    return line


def _poisons(sent: Sent, stored: Stored) -> Line:
    line = _line(
        "poison", sent.poisons, sent.silent_poisons, {mark: count for mark, (_, count) in stored.poisons.items()}
    )
    line.rejected, line.stored = line.stored, 0
    wrong = [(mark, stored.poisons[mark][0]) for mark, why in sent.poisons.items() if mark in stored.poisons]
    line.invented += [f"{mark}: {why}, not {sent.poisons[mark]}" for mark, why in wrong if why != sent.poisons[mark]]
    return line


def _edges(sent: Sent, hits: Line, counted: Mapping[str, int]) -> Iterable[str]:
    """What an edge counted as lost is what is missing of its hits, to the hit."""
    missing = Counter(sent.hits[hit] for hit in hits.missing)
    for edge in sorted({*missing, *counted}):
        if missing[edge] != counted.get(edge, 0):
            yield f"{missing[edge]} answered hits of {edge} are missing, it counted {counted.get(edge, 0)} as lost"


def _named(line: Line) -> Iterable[str]:
    if line.twice:
        yield f"{line.name} stored more than once: {line.twice[:_SHOWN]}"
    if line.lost > 0:
        yield f"{line.name} lost: {line.missing[:_SHOWN]}"
    if line.invented:
        yield f"{line.name} that were never sent so: {line.invented[:_SHOWN]}"
