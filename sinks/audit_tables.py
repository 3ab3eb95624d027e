"""The audit's side of ClickHouse: what is compared is compared there, and only what does not add up comes over."""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from clickhouse_driver import Client

from sendtrail.settings import RetentionSettings
from sinks.audit import Books
from sinks.audit_findings import Hole, Segment
from sinks.audit_log import Log
from sinks.queries import query

#: Rows of one answer at most: what is beyond is counted in the balance, not described.
LIMIT = 10_000
SEGMENTS_AT_ONCE = 500
WHOLE = (0, 2**63)
_DAY_S = 86_400
_SETTINGS = {
    "max_bytes_before_external_group_by": 1_000_000_000,
    "max_bytes_before_external_sort": 1_000_000_000,
    "max_execution_time": 0,
}
#: Where rows of audit are there twice: each record once.
_ONCE = "FROM (SELECT * FROM audit LIMIT 1 BY src_topic, src_partition, src_offset) AS audit"

Step = Callable[[str, int], None]


class Window(NamedTuple):
    """Epoch minutes `[since, until)` that are looked at. Before `kept_from` nothing can be proved; 0 = all can.

    `log_since`: Kafka times (seconds since 1970) of the records that can hold them; `is_old`: what is before the first
    record of a partition or spool may have been swept, or is left out.
    """

    since: int
    until: int
    kept_from: int
    log_since: int
    is_old: bool


class Place(NamedTuple):
    """A source record."""

    topic: str
    partition: int
    offset: int


class Chain(NamedTuple):
    """What the chain of loaded records says: holes in it, and records that are there twice."""

    holes: list[Hole]
    twice: list[Place]


class Tables:
    """One audit's queries. `positions`: last loaded source offset by partition, when it began."""

    def __init__(self, client: Client, topic: str, window: tuple[int, int], retention: RetentionSettings) -> None:
        self.client = client
        self.now_s = int(time.time())
        self._doubled = False
        self.topic = topic
        self.retention = retention
        self.positions: dict[int, int] = {}
        self.window = Window(0, 0, 0, 0, False)
        self.window = self._window(*window)
        self.positions.update(self.ask("audit_positions"))

    def ask(self, name: str, **parameters: Any) -> list[Any]:
        """The rows of a query. Lets the driver's errors through."""
        return list(self.client.execute(self._text(name), self._all(parameters), settings=_SETTINGS))

    def stream(self, name: str, **parameters: Any) -> Iterator[Any]:
        """The rows of a query, as they come."""
        return iter(self.client.execute_iter(self._text(name), self._all(parameters), settings=_SETTINGS))

    def _text(self, name: str) -> str:
        text = query(name)
        return text.replace("FROM audit\n", f"{_ONCE}\n") if self._doubled and name != "audit_chain" else text

    def _all(self, parameters: dict[str, Any]) -> dict[str, Any]:
        last, window = self.positions, self.window
        bounds = {
            "topic": self.topic, "limit": LIMIT, "since": window.since, "until": window.until,
            "log_since": window.log_since,
            "loaded": [last.get(partition, -1) + 1 for partition in range(max(last, default=-1) + 1)],
        }  # fmt: skip
        return bounds | parameters

    def _window(self, since: int, until: int) -> Window:
        oldest, installed_s = self.ask("audit_facts")[0]
        now_s = self.now_s
        kept_days = min((d for d in (self.retention.events_days, self.retention.audit_days) if d), default=0)
        kept_from = (now_s - kept_days * _DAY_S) // 60 + 60 if kept_days else 0
        if not oldest or oldest >= kept_from:
            kept_from = 0
        audit_days = self.retention.audit_days
        swept = bool(audit_days and now_s - installed_s > audit_days * _DAY_S)
        log_since = since * 60 - _DAY_S if since else 0
        if swept:
            log_since = max(log_since, now_s - (audit_days - 2) * _DAY_S)
        return Window(
            max(since, kept_from), until, kept_from if kept_from > since else 0, max(0, log_since), log_since > 0
        )

    def read_minutes(self, books: Books, step: Step) -> None:
        """What audit says of each minute, and of the segments that are under way."""
        step("adding up table audit", 0)
        for minute, events_in, direct, resent, duplicate, rejected, enriched in self.ask("audit_minutes"):
            books.events_in[minute] += events_in
            books.direct[minute] += direct
            books.resent[minute] += resent
            books.duplicate[minute] += duplicate
            books.rejected[minute] += rejected
            books.enriched[minute] += enriched
        books.accepted_totals.update(dict(self.ask("audit_accepted")))
        for spool, sequence, minute, arrived in self.ask("audit_unfinished"):
            books.unfinished.setdefault(Segment(spool, sequence), Counter())[minute] += arrived
        under_way = sorted({*books.on_disk, *books.tail_by_segment, *books.tail_totals})
        for some in chunks(under_way):
            wanted = [tuple(segment) for segment in some]
            for name, found in (("audit_arrived", books.arrived), ("audit_totalled", books.totalled)):
                for spool, sequence, minute, number in self.ask(name, segments=wanted):
                    found.setdefault(Segment(spool, sequence), Counter())[minute] += number

    def read_chain(self, log: Log, step: Step) -> Chain:
        """Where loaded records are missing, twice, or cover more than a record. `log` says what is committed."""
        step("following the chain of loaded records", 0)
        chain = Chain([], [])
        for topic, partition, before, first, last, log_time, accepted in self.ask("audit_chain"):
            if first <= before:
                chain.twice.append(Place(topic, partition, last))
                continue
            if first > before + 1 and not (before < 0 and self.window.is_old):
                chain.holes.append(Hole(topic, partition, before + 1, first - 1, "uncovered"))
            if accepted:
                when = log_time.strftime("%Y-%m-%d %H:%M:%S UTC")
                chain.holes.append(Hole(topic, partition, first, last, "accepted", f"{accepted}, {when}"))
            elif last > first:
                chain.holes.append(Hole(topic, partition, first, last - 1, "empty"))
        committed = {
            number: meta.src
            for number, (_, meta) in log.commits.items()
            if meta is not None and meta.topic == self.topic
        }
        if any(src > self.positions.get(number, -1) for number, src in committed.items()):
            now = dict(self.ask("audit_positions"))
            for number, src in sorted(committed.items()):
                if src > now.get(number, -1):
                    chain.holes.append(Hole(self.topic, number, now.get(number, -1) + 1, src, "uncovered"))
        self._doubled = bool(chain.twice)
        return chain


def chunks(segments: Sequence[Segment], size: int = SEGMENTS_AT_ONCE) -> Iterator[Sequence[Segment]]:
    """Some at a time: parameters of a query are limited."""
    for start in range(0, len(segments), size):
        yield segments[start : start + size]
