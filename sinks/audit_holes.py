"""A hole in the log or in the chain -> what it says to a person (pure but for the log's facts it is given)."""

from collections.abc import Mapping
from typing import NamedTuple

from sinks.audit_findings import Finding, Hole, count, minutes_of, offsets_text, span
from sinks.audit_log import Log
from sinks.audit_spool import Short, total
from sinks.gaps import Held, remedy

#: Spools that are named in a line; the place for machines has all.
_NAMED = 3


class _Words(NamedTuple):
    what: str
    cause: str
    next: str


def hole_finding(hole: Hole, short: Short, rows: int, log: Log, edges: Mapping[str, str]) -> Finding:
    """`short`: what of spools' segments it swallowed; `rows`: events of it that are rows all the same."""
    minutes = total(short)
    events = sum(minutes.values()) or (rows or None)
    words = _words(hole, short, rows, log)
    where = offsets_text("tracking.events", hole.partition, hole.first, hole.last)
    spools = _spools(short, edges)
    for one in spools[:_NAMED]:
        where += f"; {one['text']}"
    if len(spools) > _NAMED:
        where += f"; and {len(spools) - _NAMED} more spools"
    place = {
        "topic_id": hole.topic, "partition": hole.partition, "first_offset": hole.first, "last_offset": hole.last,
        "packs": [{name: value for name, value in one.items() if name != "text"} for one in spools],
    }  # fmt: skip
    weight = "note" if hole.kind == "accepted" else "difference"
    return Finding(
        hole.kind if not rows else "audit_row_gone", words.what, where, words.cause, words.next, events,
        minutes_of(minutes), "note" if weight == "note" else "difference", place,
    )  # fmt: skip


def _spools(short: Short, edges: Mapping[str, str]) -> list[dict[str, object]]:
    found: dict[str, list[int]] = {}
    events: dict[str, int] = {}
    for (segment, _), minutes in sorted(short.items()):
        found.setdefault(segment.spool, []).append(segment.sequence)
        events[segment.spool] = events.get(segment.spool, 0) + sum(minutes.values())
    return [
        {
            "spool": spool, "edge": edges.get(spool, ""), "first_segment": min(sequences),
            "last_segment": max(sequences), "events": events[spool],
            "text": f"spool {spool}" + (f" of {edges[spool]}" if edges.get(spool) else "")
            + f", {span(min(sequences), max(sequences), 'segment', 'segments')}: {count(events[spool])}",
        }
        for spool, sequences in found.items()
    ]  # fmt: skip


def _words(hole: Hole, short: Short, rows: int, log: Log) -> _Words:
    known = sum(total(short).values())
    number = f"{count(known)} {'is' if known == 1 else 'are'} missing" if known else "events may be missing"
    held = Held(*log.events.get(hole.partition, (0, 0)))
    do = _remedy(hole, held)
    if hole.kind == "accepted":
        return _Words(f"{number}, and an operator accepted it: {hole.detail}", "", "")
    if hole.kind == "empty":
        return _Words(
            f"{number}: the log had no record there any more when a worker came",
            "a segment file of the broker was lost or removed, or records were deleted by a tool",
            "nothing brings them back, unless a copy of the spool files exists: `sendtrail spool forward DIR`",
        )
    if hole.kind == "log_gone":
        return _Words(
            f"{number}: deleted from tracking.events before a worker read them",
            "retention passed while workers were down, a broker's segment was lost, or records were deleted by a tool",
            "a copy of the spool files brings them back (`sendtrail spool forward DIR`), else nothing. Let the workers "
            f"go on: set their group's offset of this partition to {held.begin}, as the stopped worker says. {do}",
        )
    records = count(hole.last - hole.first + 1, "record")
    if hole.kind == "enriched_gone":
        return _Words(
            f"{records} can't be loaded: deleted from tracking.enriched before a loader read them",
            "retention passed while loaders were down, a broker's segment was lost, or records were deleted by a tool",
            do,
        )
    if hole.kind == "never_sent":
        return _Words(
            f"{records} can't be loaded: processed, and not in tracking.enriched",
            "a worker's send was lost, the workers' commit was moved by hand, or records were deleted by a tool",
            do,
        )
    return _uncovered(hole, number, rows)


def _remedy(hole: Hole, held: Held) -> str:
    """As the loader says it, with the commands."""
    text = remedy(hole.partition, hole.first, hole.last, held)
    return text[0].upper() + text[1:]


def _uncovered(hole: Hole, number: str, rows: int) -> _Words:
    replay = f"`sendtrail replay --partition {hole.partition} --from {hole.first} --to {hole.last}`"
    if rows:
        return _Words(
            f"table audit lacks the row of {count(rows)} that {'is' if rows == 1 else 'are'} stored: the proof is "
            "gone, not the events",
            "rows of audit were deleted by hand, or a part of the table was lost",
            f"{replay} writes it again while Kafka has the records",
        )
    return _Words(
        f"{number}: no loaded record covers {span(hole.first, hole.last, 'a source offset', 'source offsets')}",
        "ClickHouse lost rows that were loaded: a back-up was put back, or parts of tables were dropped",
        f"{replay} loads them again while Kafka has the records",
    )
