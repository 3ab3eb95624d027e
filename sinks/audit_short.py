"""Spools against topics: segments that never came or came short, and holes in the log, each with what it swallowed."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, Protocol

from sinks.audit import Books
from sinks.audit_findings import (
    UNKNOWN_MINUTE,
    Finding,
    Hole,
    Segment,
    count,
    minutes_of,
    ranges_text,
    span,
)
from sinks.audit_holes import hole_finding
from sinks.audit_log import Log, Tail
from sinks.audit_spool import Pack, Places, Short, assign, missing_indexes, total
from sinks.audit_tables import Tables, chunks

#: A segment whose totals have not come may be on the disk of another machine; its forwarder sends within seconds.
SETTLED_S = 300
#: Segments that are described one by one.
_NAMED = 20
#: How far around a segment packs of its spool are looked for.
_AROUND = 1_000

Step = Callable[[str, int], None]


class Odd(NamedTuple):
    """A segment that does not add up (sinks/sql/audit_segments.sql)."""

    spool: str
    sequence: int
    edge: str
    accepted: int
    whole: bool
    arrived: int
    previous: int
    said: int
    step: int
    first_minute: int
    last_minute: int
    before_minute: int
    seen: int

    @property
    def segment(self) -> Segment:
        return Segment(self.spool, self.sequence)

    @property
    def of(self) -> str:
        """The spool, for people."""
        return f"spool {self.spool}" + (f" of {self.edge}" if self.edge else "")


class RowsThere(Protocol):
    """Knows the rows of events that no row of audit accounts for."""

    def take(self, hole: Hole) -> int:
        """How many there are in a hole; they are said with it."""
        ...


class Shortage:
    """Compares what segments say with what arrived of them."""

    def __init__(self, tables: Tables, books: Books, tail: Tail, log: Log, step: Step) -> None:
        """Lets the driver's errors through."""
        self._tables, self._books, self._tail, self._log = tables, books, tail, log
        step("comparing spool segments with what arrived", 0)
        self._odd = [Odd(*row) for row in tables.ask("audit_segments")]
        self._edges = {odd.spool: odd.edge for odd in self._odd if odd.edge}

    def findings(self, holes: Sequence[Hole], rows: RowsThere) -> Iterator[Finding]:
        """Everything about segments and holes; fills `lost` and `given_up` of the books."""
        short = self._short()
        assigned = assign(short, self._places({segment for segment, _ in short}), holes)
        for odd in self._odd:
            yield from self._of_segment(odd)
        for hole in holes:
            of_hole = assigned.get(hole, {})
            if hole.kind == "accepted":
                self._books.given_up.update(total(of_hole))
            if hole.kind != "empty" or of_hole:
                yield hole_finding(hole, of_hole, rows.take(hole), self._log, self._edges)
        yield from self._short_findings(assigned.get(None, {}))

    def _short(self) -> Short:
        """What was accepted and is neither loaded nor waiting, of segments whose totals are known."""
        on_disk = self._books.on_disk
        wanted = {odd.segment for odd in self._odd if odd.accepted >= 0 and odd.accepted != odd.arrived}
        wanted = {segment for segment in wanted | set(self._tail.totals) if segment not in on_disk}
        found: dict[tuple[Segment, int], Counter[int]] = defaultdict(Counter)
        for some in chunks(sorted(wanted)):
            rows = self._tables.ask("audit_short", segments=[tuple(segment) for segment in some])
            for spool, sequence, partition, minute, number in rows:
                found[Segment(spool, sequence), partition][minute] += number
        for segment in wanted & self._tail.totals.keys() - self._books.totalled.keys():
            for partition, minutes in self._tail.totals[segment].items():
                found[segment, partition].update(minutes)
        for key, minutes in found.items():
            minutes.subtract(self._tail.by_place.get(key, Counter()))
        return {key: left for key, minutes in found.items() if (left := +minutes)}

    def _places(self, segments: set[Segment]) -> Places:
        places: dict[tuple[str, int], list[tuple[int, int, int]]] = defaultdict(list)
        for some in chunks(sorted(segments)):
            sequences = [segment.sequence for segment in some]
            rows = self._tables.ask(
                "audit_spool_places", spools=sorted({segment.spool for segment in some}),
                first=max(0, min(sequences) - _AROUND), last=max(sequences) + _AROUND,
            )  # fmt: skip
            for spool, partition, sequence, first, last in rows:
                places[spool, partition].append((sequence, first, last))
        return {key: sorted(set(found)) for key, found in places.items()}

    def _under_way(self, segment: Segment) -> bool:
        books = self._books
        return segment in books.on_disk or segment in books.tail_by_segment or segment in books.tail_totals

    def _of_segment(self, odd: Odd) -> Iterator[Finding]:
        yield from self._lost_files(odd)
        if odd.segment in self._books.on_disk or odd.segment in self._tail.totals:
            return
        if odd.accepted < 0:
            yield from self._unfinished(odd)
        elif odd.arrived > odd.accepted:
            yield self._segment_finding(
                "arrived_more", odd, odd.arrived - odd.accepted,
                f"{count(odd.arrived - odd.accepted)} more than were accepted arrived of a segment",
                "another tool wrote packs under this spool's name, or rows of audit were changed by hand",
                "`sendtrail spool list` where the file is; compare table audit by spool and segment",
            )  # fmt: skip
        elif odd.said not in (-1, odd.accepted):
            yield self._damaged(odd)
        elif not odd.whole:
            yield self._segment_finding(
                "totals_missing", odd, None, "a part of a segment's totals is missing",
                "a record of totals was lost from the topic", "`sendtrail chain` shows whether offsets are missing",
            )  # fmt: skip

    def _lost_files(self, odd: Odd) -> Iterator[Finding]:
        """Segments between this one and the one before it that nothing was seen of."""
        missing = [
            number for number in range(odd.sequence - odd.step + 1, odd.sequence)
            if not self._under_way(Segment(odd.spool, number))
        ]  # fmt: skip
        if not missing:
            return
        known = odd.previous if missing[-1] == odd.sequence - 1 and odd.previous > 0 else None
        self._books.lost[UNKNOWN_MINUTE] += known or 0
        first, last = missing[0], missing[-1]
        what = f"{count(known)} {'is' if known == 1 else 'are'} missing" if known else "events are missing"
        if len(missing) > 1 and known:
            what = f"at least {what}, those of the last one"
        files = Segment(odd.spool, first).file + (f" to …-{last:012d}.seg" if last > first else "")
        if odd.first_minute:
            minutes = (odd.before_minute or odd.first_minute, odd.first_minute)
        yield Finding(
            "lost_file", f"{what}: {span(first, last, 'spool segment', 'spool segments')} never came",
            f"{odd.of}, file {files}" + (f", indexes 0 to {known - 1}" if known and first == last else ""),
            "the file was removed, or its disk failed, before it was forwarded; the next segment says how many it held",
            "put the file back into its spool directory, or forward a copy: `sendtrail spool forward DIR`; "
            "without the file nothing brings the events back",
            known, minutes if odd.first_minute else None,
            place={"spool": odd.spool, "edge": odd.edge, "first_segment": first, "last_segment": last,
                   "files": [Segment(odd.spool, number).file for number in missing[:100]],
                   "indexes": [[0, known - 1]] if known and first == last else []},
        )  # fmt: skip

    def _unfinished(self, odd: Odd) -> Iterator[Finding]:
        if self._under_way(odd.segment) or self._tables.now_s - odd.seen < SETTLED_S:
            return
        missing = odd.said - odd.arrived if odd.said > odd.arrived else None
        self._books.lost[UNKNOWN_MINUTE] += missing or 0
        what = f"{count(missing)} missing" if missing else "it is not known whether events are missing"
        yield self._segment_finding(
            "unfinished", odd, missing, f"{what}: a segment was never finished, {count(odd.arrived)} of it arrived",
            "its file was lost while it was forwarded, it waits on another machine whose forwarder stands still, or "
            "its totals were lost from the topic",
            "on its edge: `sendtrail spool list DIR`; put the file back, or start the forwarder",
        )  # fmt: skip

    def _damaged(self, odd: Odd) -> Finding:
        missing = odd.said - odd.accepted
        self._books.lost[UNKNOWN_MINUTE] += max(0, missing)
        return self._segment_finding(
            "damaged_segment", odd, missing if missing > 0 else None,
            f"{count(missing)} missing: its edge wrote {odd.said:,} into a segment, {odd.accepted:,} could be read"
            if missing > 0 else f"a segment's totals say {odd.accepted:,} events, the next one's header {odd.said:,}",
            "the file was cut off or damaged before it was forwarded",
            "a file kept aside as .damaged may still be there: `sendtrail spool list DIR`",
        )  # fmt: skip

    def _segment_finding(self, kind: str, odd: Odd, events: int | None, what: str, cause: str, do: str) -> Finding:
        minutes = (odd.first_minute, odd.last_minute) if odd.first_minute else None
        return Finding(
            kind, what, f"{odd.of}, segment {odd.sequence}, file {odd.segment.file}", cause, do, events, minutes,
            place={"spool": odd.spool, "edge": odd.edge, "first_segment": odd.sequence, "last_segment": odd.sequence},
        )  # fmt: skip

    def _short_findings(self, short: Short) -> Iterator[Finding]:
        """Events that arrived nowhere though the log has no hole there."""
        by_segment: dict[Segment, Counter[int]] = defaultdict(Counter)
        partitions: dict[Segment, set[int]] = defaultdict(set)
        for (segment, partition), minutes in short.items():
            by_segment[segment].update(minutes)
            partitions[segment].add(partition)
        for number, (segment, minutes) in enumerate(sorted(by_segment.items())):
            events = sum(minutes.values())
            ranges = self._ranges(segment) if number < _NAMED else []
            where = f"spool {segment.spool}, segment {segment.sequence}"
            if ranges:
                where += f", indexes {ranges_text(ranges)}"
            homes = sorted(partitions[segment])
            where += f"; of tracking.events {span(homes[0], homes[-1], 'partition', 'partitions')}"
            yield Finding(
                "lost_pack",
                f"{count(events)} {'is' if events == 1 else 'are'} missing: accepted, and in no loaded record",
                where, "Kafka lost records that it had acknowledged and gave their offsets to others (a broker without "
                "its disk, unclean leader election), or rows of audit were changed",
                "forward a copy of the spool file if there is one (`sendtrail spool forward DIR`): ids keep it from "
                "counting twice; else nothing brings them back",
                events, minutes_of(minutes),
                place={"spool": segment.spool, "edge": self._edges.get(segment.spool, ""),
                       "first_segment": segment.sequence, "last_segment": segment.sequence,
                       "indexes": [list(each) for each in ranges], "partitions": homes},
            )  # fmt: skip

    def _ranges(self, segment: Segment) -> list[tuple[int, int]]:
        packs = [Pack(*row[2:]) for row in self._tables.ask("audit_packs", segments=[tuple(segment)])]
        events = next((odd.accepted for odd in self._odd if odd.segment == segment), 0)
        return missing_indexes(packs, events)
