"""Reads the audit's books: tables, topics beyond what is loaded, and the segments on this machine's disk."""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from clickhouse_driver import Client

from sendtrail import packs
from sendtrail.kafka_admin import physical_name, topic_id
from sendtrail.segments import Stream
from sendtrail.settings import KafkaSettings, RetentionSettings
from sendtrail.spool_files import damaged_files, read_lost, read_segments
from sendtrail.topics import EVENTS
from sinks import audit_rows, audit_short, audit_tables
from sinks.audit import Books, Minutes
from sinks.audit_findings import Finding, Segment, count
from sinks.audit_log import Log, loader_commits, minute_of_line
from sinks.audit_tables import WHOLE, Window

Step = Callable[[str, int], None]


class Place(NamedTuple):
    """Where the books are: tables, topics, spool directories on this machine, and how long tables are kept."""

    client: Client
    kafka: KafkaSettings
    spool_dirs: Sequence[Path]
    retention: RetentionSettings


def read_books(place: Place, window: tuple[int, int] = WHOLE, step: Step = lambda what, number: None) -> Books:
    """Everything the audit compares, for epoch minutes `[since, until)`.

    Events move on while it is read. So the loaders' commits come first; then the loaded positions, which are not behind
    those and bound what is read of the tables; then the disk, and the topics from the commits and positions on. So an
    event on its way is seen at least once, and no record is passed over that was loaded meanwhile.
    `step` is told what is done, and how far it is where that is known. Raises KafkaError and the driver's errors.
    """
    step("asking what is loaded", 0)
    name = physical_name(place.kafka, EVENTS)
    topic = topic_id(place.kafka.bootstrap, name)
    commits = loader_commits(place.kafka)
    tables = audit_tables.Tables(place.client, topic, window, place.retention)
    log = Log(place.kafka, topic, commits, tables.positions)
    books = Books(kept_from=tables.window.kept_from)
    for directory in place.spool_dirs:
        step(f"reading {directory}", 0)
        books.on_disk.update(read_spool(directory))
    tail, holes = log.read(step)
    books.tail, books.tail_direct, books.tail_by_segment = tail.events, tail.direct, tail.by_segment()
    books.tail_totals = {segment: _flat(of) for segment, of in tail.totals.items()}
    chain = tables.read_chain(log, step)
    tables.read_minutes(books, step)
    rows = audit_rows.Rows(tables, books, chain, place.kafka, step)
    books.findings += audit_short.Shortage(tables, books, tail, log, step).findings([*chain.holes, *holes], rows)
    books.findings += rows.findings()
    for directory in place.spool_dirs:
        books.findings += spool_findings(directory, window)
    _keep_window(books, tables.window)
    return books


def read_spool(directory: Path) -> Iterator[tuple[Segment, Minutes]]:
    """The event segments of a spool directory, finished and open, with their events by minute."""
    for _, header, payloads in read_segments(directory):
        if header.stream is Stream.EVENTS:
            minutes = Counter(minute_of_line(line, 0) for line in payloads)
            yield Segment(header.spool_id.hex(), header.sequence), minutes


def spool_findings(directory: Path, window: tuple[int, int]) -> Iterator[Finding]:
    """What a spool directory on this machine could not take, or can't be read in it any more."""
    lost = read_lost(directory)
    if lost.events and window[0] <= packs.minute_of(lost.last_ms) < window[1]:
        at = datetime.fromtimestamp(lost.last_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")
        yield Finding(
            "disk_full",
            f"{lost.events} events of spool {directory} are lost, the last at {at}: its disk was full or failed",
            cause="they were answered and never written; the edge counted them in the file `lost`, in no minute",
            next="nothing brings them back; give the disk room (alert SendtrailDiskFull), then remove the file",
            events=lost.events, place={"directory": str(directory)},
        )  # fmt: skip
    damaged = damaged_files(directory)
    if damaged:
        yield Finding(
            "damaged", f"{count(len(damaged), 'segment')} kept aside in {directory} hold bytes that can't be read",
            where=", ".join(file.path.name for file in damaged[:3]), cause="the disk gave back other bytes than it got",
            next=f"`sendtrail spool list {directory}`; the sound events of them were forwarded",
            place={"directory": str(directory), "files": [file.path.name for file in damaged]},
        )  # fmt: skip


def since_hours(since_h: float, until_h: float) -> tuple[int, int]:
    """Epoch minutes of the last so many hours; 0 = everything there is."""
    now = time.time()
    return (
        int(now - since_h * 3600) // 60 if since_h else WHOLE[0],
        int(now - until_h * 3600) // 60 if until_h else WHOLE[1],
    )


def _flat(by_partition: dict[int, Minutes]) -> Minutes:
    flat: Minutes = Counter()
    for minutes in by_partition.values():
        flat.update(minutes)
    return flat


def _keep_window(books: Books, window: Window) -> None:
    def within(minutes: Minutes) -> Minutes:
        return Counter({minute: n for minute, n in minutes.items() if window.since <= minute < window.until})

    books.tail, books.tail_direct = within(books.tail), within(books.tail_direct)
    for by_segment in (
        books.on_disk, books.arrived, books.totalled, books.unfinished, books.tail_by_segment, books.tail_totals,
    ):  # fmt: skip
        for segment, minutes in by_segment.items():
            by_segment[segment] = within(minutes)
