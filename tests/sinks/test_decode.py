"""Records of Kafka into the queue: what is kept of an overlap, of broken lines, and which months they are."""

from types import SimpleNamespace
from typing import Any

from sendtrail.enriched import EnrichedHeader, EventRow, MinuteCounts, RelabelRow, Row, encode_row, enriched_headers
from sendtrail.errors import Invalid
from sendtrail.events import VERSION
from sendtrail.ids import hit_id, transaction_id
from sendtrail.packs import join
from sinks.blocks import BadLine, LoadedRecord
from sinks.chain import Verdict
from sinks.decode import entry_of, loaded_record, months_in, months_of, offer
from sinks.lines import read_lines
from sinks.partition import Partition

TOPIC = "4f1c2a3e-0000-4000-8000-000000000001"
MARCH_2024, APRIL_2024 = 1_711_843_200_000, 1_711_929_600_000  # 31 March, 1 April


def event(offset: int, time_ms: int = MARCH_2024) -> EventRow:
    return EventRow(
        version=VERSION, event_id=hit_id(time_ms % 2**48), kind="open", event_time_ms=time_ms, source_offset=offset,
        source_index=0,
    )  # fmt: skip


def relabel(target: str) -> RelabelRow:
    return RelabelRow(
        version=VERSION, event_id=hit_id(APRIL_2024), kind="relabel", event_time_ms=APRIL_2024, target_id=target,
        new_class="machine", source_offset=9, source_index=0,
    )  # fmt: skip


def value_of(*rows: Row) -> bytes:
    return join(map(encode_row, rows))


def header(first: int, last: int) -> EnrichedHeader:
    return EnrichedHeader(TOPIC, first, last, {})


def test_lines_that_are_no_rows_come_along_between_those_that_are() -> None:
    first, last = event(1), event(2)
    lines = read_lines(join([encode_row(first), b'{"row":"no', encode_row(last)]))
    assert lines[0] == first
    assert isinstance(lines[1], BadLine)
    assert (lines[1].line, lines[1].number) == (b'{"row":"no', 1)
    assert lines[2] == last


def test_an_overlap_keeps_the_rows_above_the_chain() -> None:
    rows = [event(5), event(6), event(7)]
    kept = loaded_record(3, 40, 1_000, header(5, 7), value_of(*rows), last=5)
    assert [row.event_id for row in kept.rows if isinstance(row, EventRow)] == [row.event_id for row in rows[1:]]
    assert (kept.header.source_from, kept.header.source_offset) == (6, 7)


def test_an_entry_counts_what_the_tables_get() -> None:
    value = value_of(event(9), event(9), relabel(hit_id(MARCH_2024)))
    counts = {"29": MinuteCounts(events_in=2, out=2, relabels=1)}
    record = loaded_record(3, 40, 1_000, EnrichedHeader(TOPIC, 9, 9, counts), value, last=8)
    entry = entry_of(record, 777, 5.0)
    assert (entry.offset, entry.rows, entry.size, entry.arrived) == (40, 5, 777, 5.0)
    assert entry_of(loaded_record(3, 41, 1_000, header(10, 10), b"", last=9), 0, 5.0).rows == 1


def test_months_are_read_from_the_header_where_it_knows_them() -> None:
    def months(value: bytes, **counts: MinuteCounts) -> frozenset[int]:
        minutes = {minute.removeprefix("m"): count for minute, count in counts.items()}
        return months_in(loaded_record(3, 40, 1_000, EnrichedHeader(TOPIC, 9, 9, minutes), value, last=8))

    march, april = f"m{MARCH_2024 // 60_000}", f"m{APRIL_2024 // 60_000}"
    one = MinuteCounts(events_in=1, out=1)
    assert months(b"never read", **{march: one, april: one}) == {2024 * 12 + 3, 2024 * 12 + 4}
    relabels = MinuteCounts(relabels=1)
    assert months(value_of(relabel(hit_id(MARCH_2024))), **{april: relabels}) == {2024 * 12 + 3}
    assert months(value_of(event(9, MARCH_2024)), m0=one) == {2024 * 12 + 3}
    assert months(value_of(event(9, MARCH_2024)), mx=one) == {2024 * 12 + 3}


def test_months_are_those_of_calendars() -> None:
    assert months_of([event(1, MARCH_2024), event(1, APRIL_2024 - 1)]) == {2024 * 12 + 3}
    assert len(months_of([event(1, MARCH_2024), event(1, APRIL_2024)])) == 2
    assert months_of([relabel(hit_id(MARCH_2024))]) == {2024 * 12 + 3}
    assert months_of([event(1, 2**62)]) == {9999 * 12 + 12}


def test_relabels_of_unknown_months_are_months_of_their_own() -> None:
    orders = [relabel(transaction_id("", "shop", str(n))) for n in range(3)]
    assert len(months_of([event(1), *orders])) == 4
    assert months_of([relabel("no id" * 6 + "xx")]) == frozenset()


def kafka_record(offset: int, headers: list[tuple[str, bytes]], value: bytes | None = b"") -> Any:
    return SimpleNamespace(offset=offset, headers=headers, value=value, timestamp=1_000)


def test_records_are_judged_before_they_are_decoded() -> None:
    partition: Partition[LoadedRecord] = Partition(TOPIC, 4, committed=10)
    assert offer(partition, 0, kafka_record(10, enriched_headers(header(2, 3)), b"never read"), 0.0) is Verdict.REPLAY
    assert offer(partition, 0, kafka_record(11, enriched_headers(header(5, 5)), None), 0.0) is Verdict.NEXT
    assert isinstance(offer(partition, 0, kafka_record(12, [("v", b"1")]), 0.0), Invalid)
    assert (partition.last, partition.position, len(partition.entries)) == (5, 13, 1)
