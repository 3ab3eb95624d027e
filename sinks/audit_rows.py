"""Rows of `events` and `rejects` against what table `audit` says of every source record."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

import msgspec
from kafka.errors import KafkaError

from sendtrail.settings import KafkaSettings
from sinks.audit import Books
from sinks.audit_findings import (
    Finding,
    Hole,
    count,
    minutes_of,
    offsets_text,
    ranges_text,
    runs,
    span,
)
from sinks.audit_log import read_pack
from sinks.audit_tables import LIMIT, Chain, Tables
from sinks.recount import aggregates, differing_by_delivery

#: Events that are looked for one by one, and runs of records that are described.
_NAMED = 20
_RECOUNTED = 50
_DAY_S = 86_400

Step = Callable[[str, int], None]


@dataclass
class Run:
    """Neighbouring source records of one partition that are wrong in one way; events by minute."""

    kind: str
    topic: str
    partition: int
    first: int
    last: int
    minutes: Counter[int] = field(default_factory=Counter)
    deliveries: set[int] = field(default_factory=set)
    ids: list[str] = field(default_factory=list)

    @property
    def events(self) -> int:
        return sum(self.minutes.values())

    def within(self, hole: Hole) -> bool:
        """True if all of it lies in a hole."""
        return (self.topic, self.partition) == (
            hole.topic,
            hole.partition,
        ) and hole.first <= self.first <= self.last <= hole.last


class Rows:
    """Compares in ClickHouse; what comes over is what differs."""

    def __init__(self, tables: Tables, books: Books, chain: Chain, kafka: KafkaSettings, step: Step) -> None:
        """Also fills `books.stored`. Lets the driver's errors through."""
        self._tables, self._kafka, self._step = tables, kafka, step
        self._twice_in_audit = chain.twice
        step("comparing events with what was enriched", 0)
        self.runs = list(_joined(self._differing(books)))
        step("looking for events that are there twice", 0)
        self.runs += _joined(self._twice(books))
        self._purged = tables.ask("audit_purged")[0]

    def take(self, hole: Hole) -> int:
        """Events that are rows though no row of audit covers their place; they are of the hole then."""
        taken = [run for run in self.runs if run.kind == "too_many" and run.within(hole)]
        self.runs = [run for run in self.runs if run not in taken]
        return sum(run.events for run in taken)

    def findings(self) -> Iterator[Finding]:
        """What differs, and what is noted. Raises KafkaError only where the pack of a lost event is looked at."""
        yield from self._audit_twice()
        for number, run in enumerate(self.runs):
            yield self._of(run, closely=number < _NAMED)
        yield from self._rejects()
        events, deletions = self._purged
        if events:
            of = "a deleted delivery" if deletions == 1 else f"{deletions:,} deleted deliveries"
            yield Finding(
                "purged", f"{count(events)} of {of} were purged, as asked", cause="they count as stored in the balance",
                events=events, weight="note",
            )  # fmt: skip

    def _differing(self, books: Books) -> Iterator[Run]:
        rows = self._tables.stream("audit_rows")
        for (topic, partition, offset, whole), some in groupby(rows, key=lambda row: (*row[:3], row[7])):
            if whole:
                for _, _, _, minute, must, purged, there, _ in some:
                    books.stored[minute] += there + max(0, min(purged, must - there))
                continue
            missing: Counter[int] = Counter()
            extra: Counter[int] = Counter()
            for _, _, _, minute, must, purged, there, _ in some:
                if there > must:
                    extra[minute] += there - must
                else:
                    missing[minute] += must - purged - there
            if missing and sum(missing.values()) == sum(extra.values()):
                missing.update(dict.fromkeys(extra, 0))  # the minutes, not the number once more
                yield Run("moved", topic, partition, offset, offset, missing)
                continue
            if missing:
                yield Run("missing", topic, partition, offset, offset, missing)
            if extra:
                yield Run("too_many", topic, partition, offset, offset, extra)

    def _twice(self, books: Books) -> Iterator[Run]:
        for topic, partition, offset, minute, _, more, deliveries, ids in self._tables.ask(
            "audit_twice", limit=1_000_000
        ):
            books.stored[minute] += more
            kind = "twice" if more > 0 else "unpaired"
            yield Run(kind, topic, partition, offset, offset, Counter({minute: abs(more)}), set(deliveries), list(ids))

    def _of(self, run: Run, closely: bool) -> Finding:
        where, place = self._where(run, closely)
        what, cause, do = _TEXTS[run.kind]
        said = what.format(count(run.events), "is" if run.events == 1 else "are")
        if run.kind == "twice":
            cause, do = self._aggregates(run, closely)
        if run.kind == "missing" and place.get("ids"):
            do = f"`sendtrail trace {place['ids'][0]}` shows what is left of it; {do}"
        do = do.format(partition=run.partition, first=run.first, last=run.last)
        return Finding(run.kind, said, where, cause, do, run.events, minutes_of(run.minutes), place=place)

    def _where(self, run: Run, closely: bool) -> tuple[str, dict[str, Any]]:
        """The source records, and the spool's segments they were packs of."""
        text = offsets_text("tracking.events", run.partition, run.first, run.last)
        place: dict[str, Any] = {
            "topic_id": run.topic, "partition": run.partition, "first_offset": run.first, "last_offset": run.last,
        }  # fmt: skip
        if not closely:
            return text, place
        packs = self._tables.ask(
            "audit_places", topic=run.topic, partition=run.partition, first=run.first, last=run.last
        )
        indexes = self._indexes(run, packs, place)
        place["packs"] = [
            {"spool": spool, "first_segment": a, "last_segment": b, "first_index": i, "last_index": j}
            for spool, a, b, i, j, *_ in packs if spool
        ]  # fmt: skip
        for spool, a, b, i, j, *_ in packs[:3]:
            if spool:
                text += f"; spool {spool}, {span(a, b, 'segment', 'segments')}, {span(i, j, 'index', 'indexes')}"
        return text + indexes, place

    def _indexes(self, run: Run, packs: Sequence[Any], place: dict[str, Any]) -> str:
        """Of a single record, which of its events are missing: exactly, or among which if others were duplicates."""
        if run.ids:
            place["ids"] = run.ids
            return f"; event {run.ids[0]}" if run.events == 1 else f"; events {', '.join(run.ids)} …"
        if run.first != run.last or run.kind != "missing" or not packs:
            return ""
        there = {number for (number,) in self._tables.ask(
            "audit_indexes", topic=run.topic, partition=run.partition, offset=run.first
        )}  # fmt: skip
        absent = [number for number in range(int(packs[0][5])) if number not in there]
        place["record_indexes"] = absent
        text = f"; {'at' if len(absent) == run.events else 'among'} place {ranges_text(runs(absent))} of the record"
        ids = self._ids(run, absent) if len(absent) == run.events else []
        if ids:
            place["ids"] = ids
            text += f": event{'s' if len(ids) > 1 else ''} {', '.join(ids[:3])}{' …' if len(ids) > 3 else ''}"
        return text

    def _ids(self, run: Run, indexes: Sequence[int]) -> list[str]:
        """The ids of some events of a record, while Kafka still has it."""
        if run.topic != self._tables.topic:
            return []
        try:
            lines = read_pack(self._kafka, run.partition, run.first)
        except KafkaError:
            return []
        return [found for number in indexes if number < len(lines) and (found := _id_of(lines[number]))]

    def _aggregates(self, run: Run, closely: bool) -> tuple[str, str]:
        """Whether reports count what `events` holds twice: they do if aggregates equal a recount of it."""
        if not closely or not run.deliveries:
            return _TWICE
        some = sorted(run.deliveries)[:_RECOUNTED]
        self._step("comparing aggregates with events", 0)
        client = self._tables.client
        differ = sorted({each.target for each in aggregates(client) if differing_by_delivery(client, each, some)})
        if differ:
            return (
                f"only rows of `events` were inserted again, reports count them once ({', '.join(differ[:3])} differ)",
                _TWICE[1],
            )
        return "a whole insert was applied again: reports count them twice too", _TWICE[1]

    def _audit_twice(self) -> Iterator[Finding]:
        ordered = sorted(self._twice_in_audit)
        for (topic, partition), some in groupby(ordered, key=lambda place: (place.topic, place.partition)):
            offsets = sorted({place.offset for place in some})
            records = f"{count(len(offsets), 'record')} {'is' if len(offsets) == 1 else 'are'}"
            place = {"topic_id": topic, "partition": partition, "first_offset": offsets[0], "last_offset": offsets[-1]}
            yield Finding(
                "audit_twice", f"{records} in table audit twice",
                offsets_text("tracking.events", partition, offsets[0], offsets[-1]),
                "an insert was applied twice, or a back-up was put back over rows; the balance counts each once",
                "events of the same offsets may be twice too; if none are, only the proof is: delete one copy by hand",
                place=place,
            )  # fmt: skip

    def _rejects(self) -> Iterator[Finding]:
        self._step("comparing rejects", 0)
        days, window = self._tables.retention.rejects_days, self._tables.window
        oldest = self._tables.now_s - (days - 1) * _DAY_S if days else 0
        rows = self._tables.ask(
            "audit_rejects", log_since=max(0, oldest, window.log_since), log_until=min(window.until * 60, 2**31)
        )
        kinds = ((row, "reject_missing" if row[3] > row[4] else "reject_too_many") for row in rows)
        found = _joined(
            Run(kind, topic, partition, offset, offset, Counter({minute: abs(must - there)}))
            for (topic, partition, offset, must, there, minute), kind in kinds
        )
        for number, run in enumerate(found):
            yield self._of(run, closely=number < _NAMED)


def _joined(places: Iterable[Run]) -> Iterator[Run]:
    """Neighbours that are wrong in the same way are one run. `places` in order of topic, partition, offset."""
    latest: dict[str, Run] = {}
    number = 0
    for place in places:
        run = latest.get(place.kind)
        if (
            run is not None
            and (run.topic, run.partition) == (place.topic, place.partition)
            and place.first <= run.last + 1
        ):
            run.last = place.last
            run.minutes.update(place.minutes)
            run.deliveries |= place.deliveries
            run.ids = (run.ids + place.ids)[:3]
            continue
        if run is not None and number < LIMIT:
            yield run
            number += 1
        latest[place.kind] = place
    yield from latest.values()


def _id_of(line: bytes) -> str:
    try:
        decoded = msgspec.json.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ""
    return str(decoded.get("id", "")) if isinstance(decoded, dict) else ""


_TWICE = (
    "an insert was applied twice, or rows were inserted by hand",
    "take one copy back (docs/operate.md, Rows that are there twice), then `sendtrail verify --repair`",
)
_AGAIN = (
    "`sendtrail replay --partition {partition} --from {first} --to {last}` loads them again while Kafka has them, and "
    "brings aggregates level"
)
#: Kind -> what ({0}: how many events, {1}: is or are), likely cause, what to do.
_TEXTS = {
    "missing": (
        "{0} {1} missing in table events", "deleted by hand, or a partition or part of the table was dropped or lost",
        _AGAIN,
    ),
    "too_many": (
        "{0} {1} too many in table events", "inserted by hand, or loaded from another installation's topic",
        "look at them by their source offset; `sendtrail verify` says whether reports count them",
    ),
    "moved": (
        "{0} {1} in other minutes than they were accepted in", "their rows were written anew with other ids",
        "delete those rows by hand; then `sendtrail replay --partition {partition} --from {first} --to {last}`",
    ),
    "twice": ("{0} {1} stored twice", *_TWICE),
    "unpaired": (
        "{0} {1} in table events without a row that counts",
        "one row of a re-label was deleted, its counterpart was not",
        _AGAIN,
    ),
    "reject_missing": (
        "{0} {1} missing in table rejects", "deleted by hand, or a part of the table was lost",
        "the original bytes are in tracking.rejects and tracking.enriched while Kafka keeps them; "
        "`sendtrail replay --partition {partition} --from {first} --to {last}`",
    ),
    "reject_too_many": (
        "{0} {1} too many in table rejects", "an insert was applied twice, or rows were inserted by hand",
        "counts of events are not touched; delete the surplus rows by hand",
    ),
}  # fmt: skip
