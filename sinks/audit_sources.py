"""Reads the audit's books: ClickHouse's tables, the tail of tracking.events, the segments on this machine's disk."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
from clickhouse_driver import Client
from kafka import TopicPartition

from sendtrail import packs
from sendtrail.ids import id_time_ms, is_event_id
from sendtrail.kafka_admin import physical_name, topic_id
from sendtrail.kafka_read import read_to_end
from sendtrail.segments import Stream
from sendtrail.settings import KafkaSettings
from sendtrail.spool_files import damaged_files, read_lost, read_segments
from sendtrail.topics import EVENTS
from sinks.audit import Books, Minutes, Segment
from sinks.queries import query

_LIMIT = 100
WHOLE = (0, 2**63)


class _Id(msgspec.Struct):
    id: str


_decoder = msgspec.json.Decoder(_Id)


def minute_of_line(line: bytes, record_time_ms: int) -> int:
    """Minute of an event's id; of the record where the line can't be decoded (FORMATS)."""
    try:
        event_id = _decoder.decode(line).id
    except (msgspec.DecodeError, UnicodeDecodeError):
        return packs.minute_of(record_time_ms)
    return packs.minute_of(id_time_ms(event_id) if is_event_id(event_id) else record_time_ms)


def read_books(client: Client, kafka: KafkaSettings, spool_dirs: Sequence[Path], window: tuple[int, int]) -> Books:
    """Everything the audit compares, for epoch minutes `[since, until)`.

    Events move on while it is read. So the loaded positions come first and bound what is read of the tables; then the
    disk, then the topic from those positions on, so that an event on its way is seen at least once.
    Raises KafkaError and clickhouse-driver's errors.
    """
    books = Books()
    name = physical_name(kafka, EVENTS)
    topic = topic_id(kafka.bootstrap, name)
    positions = dict(client.execute(query("audit_positions"), {"topic": topic}))
    for directory in spool_dirs:
        books.on_disk.update(read_spool(directory))
    _read_tail(kafka, name, positions, books)
    loaded = [positions.get(partition, -1) + 1 for partition in range(max(positions, default=-1) + 1)]
    bounds = {"topic": topic, "loaded": loaded}
    _read_tables(client, books, {"since": window[0], "until": window[1], **bounds})
    _read_segments(client, books, bounds)
    books.problems += _problems(client, books, bounds)
    for directory in spool_dirs:
        books.problems += spool_problems(directory, window)
    _keep_window(books, window)
    return books


def read_spool(directory: Path) -> Iterator[tuple[Segment, Minutes]]:
    """The event segments of a spool directory, finished and open, with their events by minute."""
    for _, header, payloads in read_segments(directory):
        if header.stream is Stream.EVENTS:
            minutes = Counter(minute_of_line(line, 0) for line in payloads)
            yield Segment(header.spool_id.hex(), header.sequence), minutes


def spool_problems(directory: Path, window: tuple[int, int]) -> Iterator[str]:
    """What a spool directory on this machine could not take, or can't be read in it any more."""
    lost = read_lost(directory)
    if lost.events and packs.minute_of(lost.last_ms) >= window[0]:
        at = datetime.fromtimestamp(lost.last_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")
        yield f"{lost.events} events of spool {directory} are lost, the last at {at}: its disk was full or failed"
    damaged = len(damaged_files(directory))
    if damaged:
        yield f"{damaged} segments kept aside in {directory} hold bytes that can't be read: `sendtrail spool list` them"


def _read_tables(client: Client, books: Books, parameters: dict[str, Any]) -> None:
    for minute, events_in, direct, resent, duplicate, rejected, enriched in client.execute(
        query("audit_minutes"), parameters
    ):
        books.events_in[minute] += events_in
        books.direct[minute] += direct
        books.resent[minute] += resent
        books.duplicate[minute] += duplicate
        books.rejected[minute] += rejected
        books.enriched[minute] += enriched
    books.stored.update(dict(client.execute(query("audit_stored"), parameters)))
    books.accepted_totals.update(dict(client.execute(query("audit_accepted"), parameters)))


def _read_segments(client: Client, books: Books, bounds: dict[str, Any]) -> None:
    """Of the segments that are on disk or in the tail: what of them is loaded."""
    wanted = [tuple(segment) for segment in {*books.on_disk, *books.tail_by_segment, *books.tail_totals}]
    if not wanted:
        return
    for name, found in (("audit_arrived", books.arrived), ("audit_totalled", books.totalled)):
        for spool, sequence, minute, count in client.execute(query(name), {"segments": wanted, **bounds}):
            found.setdefault(Segment(spool, sequence), Counter())[minute] += count


def _read_tail(kafka: KafkaSettings, name: str, positions: dict[int, int], books: Books) -> None:
    """Records of tracking.events beyond the loaded ones."""

    def behind_loaded(_: Any, partitions: list[TopicPartition]) -> dict[TopicPartition, int]:
        return {each: positions.get(each.partition, -1) + 1 for each in partitions}

    for record in read_to_end(kafka.bootstrap, name, behind_loaded):
        _enter(books, record)


def _enter(books: Books, record: Any) -> None:
    header = packs.read_headers(record.headers)
    lines = packs.split(record.value or b"")
    minutes = Counter(minute_of_line(line, record.timestamp) for line in lines)
    books.tail += minutes
    if not isinstance(header, packs.PackHeader):
        books.tail_direct += minutes
        return
    segment = Segment(header.spool, header.segment)
    books.tail_by_segment.setdefault(segment, Counter()).update(minutes)
    totals = packs.read_totals(record.headers)
    if totals is not None:
        flat: Minutes = Counter()
        for by_minute in totals.counts.values():
            flat.update({int(minute): count for minute, count in by_minute.items()})
        books.tail_totals.setdefault(segment, Counter()).update(flat)


def _problems(client: Client, books: Books, bounds: dict[str, Any]) -> Iterable[str]:
    under_way = {*books.on_disk, *books.tail_by_segment, *books.tail_totals}
    for spool, sequence, edge, accepted, arrived, said, step in client.execute(
        query("audit_segments"), {"limit": _LIMIT, **bounds}
    ):
        coming = sum(spool == one.spool and sequence - step < one.sequence < sequence for one in under_way)
        if step - 1 > coming:
            missing = f"segments {sequence - step + 1} to {sequence - 1}" if step > 2 else f"segment {sequence - 1}"
            yield f"{missing} of spool {spool} ({edge}) never arrived"
        if Segment(spool, sequence) in under_way:
            continue
        if accepted < 0:
            yield f"segment {sequence} of spool {spool} was never finished: {arrived} events arrived, no totals"
        elif accepted != arrived:
            yield f"segment {sequence} of spool {spool} ({edge}) accepted {accepted} events, {arrived} arrived"
        elif said >= 0 and said != accepted:
            yield f"segment {sequence} of spool {spool} ({edge}): totals say {accepted} events, the next segment {said}"
    for topic, partition, first, last in client.execute(query("audit_chain"), {"limit": _LIMIT}):
        yield f"source offsets {first} to {last} of partition {partition} (topic {topic}) are in no loaded record"


def _keep_window(books: Books, window: tuple[int, int]) -> None:
    since, until = window

    def within(minutes: Minutes) -> Minutes:
        return Counter({minute: count for minute, count in minutes.items() if since <= minute < until})

    books.tail, books.tail_direct = within(books.tail), within(books.tail_direct)
    for by_segment in (books.on_disk, books.arrived, books.totalled, books.tail_by_segment, books.tail_totals):
        for segment, minutes in by_segment.items():
            by_segment[segment] = within(minutes)
