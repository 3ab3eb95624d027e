"""Which rows of a plan are not in the tables, by where they came from."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from clickhouse_driver import Client

from sendtrail.errors import SendtrailError
from sinks.blocks import Block
from sinks.queries import query

_IDS_PER_QUERY = 1_000

Place = tuple[int, int]  # source partition, source offset
Revision = tuple[bytes, int]  # event id, rev


class TooMany(SendtrailError):
    """The tables hold more rows of a plan than the plan has: something else inserted them."""


def missing_rows(client: Client, block: Block, topic_id: str) -> list[int]:
    """Indexes of the block's rows that its table lacks. Raises TooMany, and the driver's errors.

    A row of `events` is not missing where merging has taken it away together with its opposite.
    """
    if not block.rows:
        return []
    places = list(zip(column(block, "src_partition"), column(block, "src_offset"), strict=True))
    expected, found = Counter(places), _counted(client, block.table, topic_id, places)
    for place, rows in expected.items():
        if found[place] > rows:
            raise TooMany(f"{block.table} holds {found[place]} rows of source {place} where {rows} belong")
    short = {place for place, rows in expected.items() if found[place] < rows}
    suspects = [index for index, place in enumerate(places) if place in short]
    return _absent_events(client, block, suspects) if block.table == "events" else suspects


def column(block: Block, name: str) -> Sequence[Any]:
    """A column's values; one of defaults only is not in the block."""
    return block.data[block.columns.index(name)] if name in block.columns else [0] * block.rows


def part_of(block: Block, indexes: Sequence[int]) -> Block:
    """A block of some of the rows."""
    data = [[values[index] for index in indexes] for values in block.data]
    return Block(block.table, block.columns, data, len(indexes))


def _counted(client: Client, table: str, topic_id: str, places: Sequence[Place]) -> Counter[Place]:
    found: Counter[Place] = Counter()
    for partition in sorted({partition for partition, _ in places}):
        offsets = [offset for each, offset in places if each == partition]
        parameters = {
            "table": table, "topic": topic_id, "partition": partition, "first": min(offsets), "last": max(offsets)
        }  # fmt: skip
        for offset, rows in client.execute(query("rows_by_offset"), parameters):
            found[partition, offset] = rows
    return found


def _absent_events(client: Client, block: Block, suspects: Sequence[int]) -> list[int]:
    """Of some rows of `events`, those without which their revision does not come out as it should."""
    deliveries, ids = column(block, "delivery_id"), column(block, "event_id")
    revs, signs = column(block, "rev"), column(block, "sign")
    doubted = {ids[index] for index in suspects}
    revisions: dict[Revision, dict[int, int]] = {}  # sign -> index
    for index, event_id in enumerate(ids):
        if event_id in doubted:
            revisions.setdefault((event_id, revs[index]), {})[signs[index]] = index
    net = _net(client, sorted({deliveries[index] for index in suspects}), sorted(doubted))
    lacking = (
        by_sign.get((0 if -1 in by_sign else 1) - net.get(revision, 0)) for revision, by_sign in revisions.items()
    )
    return sorted(index for index in lacking if index is not None)


def _net(client: Client, deliveries: Sequence[int], ids: Sequence[bytes]) -> dict[Revision, int]:
    net: dict[Revision, int] = {}
    for some in _chunks(ids):
        parameters = {"deliveries": deliveries, "ids": [each.hex() for each in some]}
        rows = client.execute(query("events_net"), parameters, settings={"strings_as_bytes": True})
        net |= {(event_id, rev): signs for event_id, rev, signs in rows}
    return net


def _chunks(ids: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
    for start in range(0, len(ids), _IDS_PER_QUERY):
        yield ids[start : start + _IDS_PER_QUERY]
