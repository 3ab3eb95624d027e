"""Reads the audit's books: ClickHouse's tables, the tail of tracking.events, the segments on this machine's disk."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
from clickhouse_driver import Client
from kafka import KafkaConsumer, TopicPartition

from sendtrail import packs, segments
from sendtrail.ids import id_time_ms, is_event_id
from sendtrail.kafka_admin import physical_name, topic_id
from sendtrail.settings import KafkaSettings
from sendtrail.topics import EVENTS
from sinks.audit import Books, Minutes, Segment

_SQL = Path(__file__).parent / "sql"
_LIMIT = 100
_POLL_MS = 2_000
WHOLE = (0, 2**63)


class _Id(msgspec.Struct):
    id: str


_decoder = msgspec.json.Decoder(_Id)


@cache
def _query(name: str) -> str:
    return (_SQL / f"{name}.sql").read_text()


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
    positions = dict(client.execute(_query("audit_positions"), {"topic": topic}))
    for directory in spool_dirs:
        books.on_disk.update(read_spool(directory))
    _read_tail(kafka, name, positions, books)
    loaded = [positions.get(partition, -1) + 1 for partition in range(max(positions, default=-1) + 1)]
    bounds = {"topic": topic, "loaded": loaded}
    _read_tables(client, books, {"since": window[0], "until": window[1], **bounds})
    _read_segments(client, books, bounds)
    books.problems += _problems(client, books, bounds)
    _keep_window(books, window)
    return books


def read_spool(directory: Path) -> Iterator[tuple[Segment, Minutes]]:
    """The event segments of a spool directory, finished and open, with their events by minute."""
    for path in sorted([*directory.glob("*.seg"), *directory.glob("*.open")]):
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            continue  # forwarded and deleted a moment ago
        found = segments.decode_header(data)
        if found is None or found[0].stream is not segments.Stream.EVENTS:
            continue
        header, start = found
        lines = (frame.payload for frame in segments.frames(data, start))
        yield Segment(header.spool_id.hex(), header.sequence), Counter(minute_of_line(line, 0) for line in lines)


def _read_tables(client: Client, books: Books, parameters: dict[str, Any]) -> None:
    for minute, events_in, direct, resent, duplicate, rejected, enriched in client.execute(
        _query("audit_minutes"), parameters
    ):
        books.events_in[minute] += events_in
        books.direct[minute] += direct
        books.resent[minute] += resent
        books.duplicate[minute] += duplicate
        books.rejected[minute] += rejected
        books.enriched[minute] += enriched
    books.stored.update(dict(client.execute(_query("audit_stored"), parameters)))
    books.accepted_totals.update(dict(client.execute(_query("audit_accepted"), parameters)))


def _read_segments(client: Client, books: Books, bounds: dict[str, Any]) -> None:
    """Of the segments that are on disk or in the tail: what of them is loaded."""
    wanted = [tuple(segment) for segment in {*books.on_disk, *books.tail_by_segment, *books.tail_totals}]
    if not wanted:
        return
    for name, found in (("audit_arrived", books.arrived), ("audit_totalled", books.totalled)):
        for spool, sequence, minute, count in client.execute(_query(name), {"segments": wanted, **bounds}):
            found.setdefault(Segment(spool, sequence), Counter())[minute] += count


def _read_tail(kafka: KafkaSettings, name: str, positions: dict[int, int], books: Books) -> None:
    """Records of tracking.events beyond the loaded ones."""
    consumer = KafkaConsumer(bootstrap_servers=kafka.bootstrap.split(","), enable_auto_commit=False, group_id=None)
    try:
        for record in _records(consumer, name, positions):
            _enter(books, record)
    finally:
        consumer.close()


def _records(consumer: Any, name: str, positions: dict[int, int]) -> Iterator[Any]:
    partitions = [TopicPartition(name, number) for number in sorted(consumer.partitions_for_topic(name) or ())]
    consumer.assign(partitions)
    ends = consumer.end_offsets(partitions)
    starts = consumer.beginning_offsets(partitions)
    for partition in partitions:
        consumer.seek(partition, max(positions.get(partition.partition, -1) + 1, starts[partition]))
    open_ones = {partition for partition in partitions if consumer.position(partition) < ends[partition]}
    while open_ones:
        for partition, records in consumer.poll(_POLL_MS).items():
            yield from (record for record in records if record.offset < ends[partition])
        open_ones = {partition for partition in open_ones if consumer.position(partition) < ends[partition]}


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
        _query("audit_segments"), {"limit": _LIMIT, **bounds}
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
    for topic, partition, first, last in client.execute(_query("audit_chain"), {"limit": _LIMIT}):
        yield f"source offsets {first} to {last} of partition {partition} (topic {topic}) are in no loaded record"


def _keep_window(books: Books, window: tuple[int, int]) -> None:
    since, until = window

    def within(minutes: Minutes) -> Minutes:
        return Counter({minute: count for minute, count in minutes.items() if since <= minute < until})

    books.tail, books.tail_direct = within(books.tail), within(books.tail_direct)
    for by_segment in (books.on_disk, books.arrived, books.totalled, books.tail_by_segment, books.tail_totals):
        for segment, minutes in by_segment.items():
            by_segment[segment] = within(minutes)
