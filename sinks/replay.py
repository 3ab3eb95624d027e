"""Source offsets -> what ClickHouse lacks of them, from tracking.enriched, while the loaders hold.

Rows are told by where they came from, so what is there stays and what is missing is inserted; views take it to the
aggregates, and what these still lack is inserted as a difference at the end. Killed anywhere, the next run finds what
is left: rows of `audit` come last of a piece, so a record is never said to be loaded before it is.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from clickhouse_driver import Client

from sendtrail.kafka_admin import physical_name, topic_id
from sendtrail.settings import ClickHouseSettings, KafkaSettings
from sendtrail.topics import ENRICHED
from sinks.addresses import IN_FULL, Keep
from sinks.again import Begin, records_again
from sinks.blocks import Block, Blocks, LoadedRecord
from sinks.control import paused
from sinks.erased import Erased
from sinks.gaps import Span
from sinks.places import column, missing_rows, part_of
from sinks.plan import Plan
from sinks.queries import query
from sinks.rows import build
from sinks.standing import Standing
from sinks.stored import ClickHouseLookup
from sinks.unknown import deliveries_of, settle_aggregates, settle_rows

#: Tables that are loaded from tracking.enriched.
LOADED = ("events", "rejects", "audit")
#: Rows that are looked at in one go: the loaders hold that long.
ROWS_AT_ONCE = 50_000
_DELIVERIES_AT_ONCE = 100
#: A back-up is not of one moment: what was loaded shortly before its end is looked at too.
_MARGIN_S = 600


class Slice(NamedTuple):
    """Source offsets of one partition."""

    standing: Standing
    span: Span


@dataclass
class Outcome:
    """What was missing: rows by table, keys of aggregates; put right unless it was a dry run."""

    rows: dict[str, int] = field(default_factory=lambda: dict.fromkeys(LOADED, 0))
    keys: int = 0


class Tools(NamedTuple):
    """What a replay works with. `keep_addresses` and `erased` as the loader's."""

    kafka: KafkaSettings
    settings: ClickHouseSettings
    client: Client
    erased: Erased
    keep_addresses: Keep = IN_FULL


#: Gets how many source offsets are done with since the last call.
Progress = Callable[[int], None]


def lost(standings: Sequence[Standing]) -> list[Slice]:
    """What commits say is loaded and ClickHouse has not, and holes in table `audit`."""
    spans = ((one, span) for one in standings for span in (one.lost, *one.holes) if span is not None)
    return [Slice(one, span) for one, span in spans]


def replay(
    tools: Tools, slices: Sequence[Slice], progress: Progress, *, tables: Sequence[str] = LOADED, dry_run: bool = False
) -> Outcome:
    """Insert what `tables` lack of some source offsets, then what aggregates lack of the deliveries met.

    Raises TooMany if there are more rows than belong, PauseError, KafkaError, and lets the driver's errors through.
    """
    outcome, deliveries = Outcome(), set[int]()
    for one in slices:
        absent: list[Span] = []
        for records in _pieces(records_again(*_where(tools.kafka, tools.client, one), absent)):
            deliveries |= _replay_piece(tools, one.standing, records, tables, outcome, dry_run)
            progress(sum(_covered(record, one.span) for record in records))
        progress(sum(span.records for span in absent))
    if not dry_run and "events" in tables:
        outcome.keys = _settle(tools, sorted(deliveries))
    return outcome


def absent_spans(kafka: KafkaSettings, client: Client, slices: Sequence[Slice]) -> dict[int, list[Span]]:
    """What of some source offsets no record of tracking.enriched covers any more, by partition. Raises KafkaError."""
    found: dict[int, list[Span]] = {}
    for one in slices:
        absent = found.setdefault(one.standing.partition, [])
        for _ in records_again(*_where(kafka, client, one), absent):
            pass
    return {partition: spans for partition, spans in found.items() if spans}


def with_margin(client: Client, one: Slice) -> Slice:
    """A slice that begins right behind what is loaded, with what was loaded last before it."""
    standing, span = one
    if span.first != standing.loaded + 1 or standing.loaded < 0:
        return one
    parameters = {"topic": standing.topic_id, "partition": standing.partition, "seconds": _MARGIN_S}
    return one._replace(span=Span(int(client.execute(query("replay_margin"), parameters)[0][0]), span.last))


def _where(kafka: KafkaSettings, client: Client, one: Slice) -> tuple[KafkaSettings, str, int, Span, Begin | None]:
    standing, span = one
    parameters = {"topic": standing.topic_id, "partition": standing.partition, "first": span.first}
    rows = client.execute(query("replay_start"), parameters) if span.first else []
    begin = Begin(int(rows[0][0]) + 1, int(rows[0][1])) if rows else None
    return kafka, standing.topic_id, standing.partition, span, begin


def _pieces(records: Iterator[LoadedRecord]) -> Iterator[list[LoadedRecord]]:
    piece: list[LoadedRecord] = []
    rows = 0
    for record in records:
        piece.append(record)
        rows += 1 + sum(minute.out + minute.rejected for minute in record.header.counts.values())
        if rows >= ROWS_AT_ONCE:
            yield piece
            piece, rows = [], 0
    if piece:
        yield piece


def _covered(record: LoadedRecord, span: Span) -> int:
    header = record.header
    return max(0, min(header.source_offset, span.last) - max(header.source_from, span.first) + 1)


def _replay_piece(
    tools: Tools,
    standing: Standing,
    records: list[LoadedRecord],
    tables: Sequence[str],
    outcome: Outcome,
    dry_run: bool,
) -> set[int]:
    """Returns the deliveries met."""
    if dry_run:
        blocks = _blocks(tools, records, tables)
        for block in (blocks.events, blocks.rejects, blocks.audit):
            missing = missing_rows(
                tools.client, block, standing.topic_id, strict=False
            )  # of late re-labels some seem so
            outcome.rows[block.table] += len(missing)
        return set()
    with paused(tools.settings, "replay") as pause:
        blocks = _blocks(tools, records, tables)
        plan = _plan(tools.kafka, standing, records)
        for name in LOADED:
            pause.check()
            outcome.rows[name] += settle_rows(tools.client, plan, _only(blocks, (name,)))
    return set(deliveries_of(blocks.events))


def _blocks(tools: Tools, records: list[LoadedRecord], tables: Sequence[str]) -> Blocks:
    """The rows as they are to be stored: without purged deliveries, erased recipients under their pseudonyms."""
    blocks = build(records, ClickHouseLookup(tools.client), keep_addresses=tools.keep_addresses)
    tools.erased.refresh(tools.client)
    blocks = tools.erased.blocks(blocks)
    purged = {delivery for (delivery,) in tools.client.execute(query("purged"))}
    if purged and blocks.events.rows:
        kept = [number for number, one in enumerate(column(blocks.events, "delivery_id")) if one not in purged]
        blocks = blocks._replace(events=part_of(blocks.events, kept))
    return _only(blocks, tables)


def _only(blocks: Blocks, tables: Sequence[str]) -> Blocks:
    events, rejects, audit = (
        block if block.table in tables else _none(block) for block in (blocks.events, blocks.rejects, blocks.audit)
    )
    return blocks._replace(events=events, rejects=rejects, audit=audit)


def _none(block: Block) -> Block:
    return block._replace(data=[[] for _ in block.columns], rows=0)


def _plan(kafka: KafkaSettings, standing: Standing, records: Sequence[LoadedRecord]) -> Plan:
    """A name for the inserts; their tokens end in something random, for a replay counts what is there instead."""
    log_id = topic_id(kafka.bootstrap, physical_name(kafka, ENRICHED))
    return Plan(standing.topic_id, log_id, {standing.partition: (records[0].offset, records[-1].offset + 1)})


def _settle(tools: Tools, deliveries: list[int]) -> int:
    keys = 0
    for start in range(0, len(deliveries), _DELIVERIES_AT_ONCE):
        with paused(tools.settings, "replay"):
            keys += settle_aggregates(tools.client, deliveries[start : start + _DELIVERIES_AT_ONCE])
    return keys
