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


def missing_rows(client: Client, block: Block, topic_id: str, *, strict: bool = True) -> list[int]:
    """Indexes of the block's rows that its table lacks. Raises TooMany (if `strict`), and the driver's errors.

    A row of `events` is not missing where merging has taken it away together with its opposite.
    """
    if not block.rows:
        return []
    places = list(zip(column(block, "src_partition"), column(block, "src_offset"), strict=True))
    expected, found = Counter(places), _counted(client, block.table, topic_id, places)
    for place, rows in expected.items():
        if found[place] > rows and strict:
            raise TooMany(f"{block.table} holds {found[place]} rows of source {place} where {rows} belong")
    short = {place for place, rows in expected.items() if found[place] < rows}
    suspects = [index for index, place in enumerate(places) if place in short]
    if block.table == "events":
        return _absent_events(client, block, suspects)
    return _absent_rejects(client, block, topic_id, suspects) if block.table == "rejects" else suspects


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
    newest: dict[bytes, int] = {}
    for event_id, rev in net:
        newest[event_id] = max(rev, newest.get(event_id, 0))

    def lacks(revision: Revision, by_sign: dict[int, int]) -> int | None:
        """A revision was taken back by this plan, or later: then it comes out as 0, else as 1."""
        found = net.get(revision, 0)
        taken_back = -1 in by_sign or found < 0 or newest.get(revision[0], 0) > revision[1]
        return by_sign.get((0 if taken_back else 1) - found)

    lacking = (lacks(revision, by_sign) for revision, by_sign in revisions.items())
    return sorted(index for index in lacking if index is not None)


def _absent_rejects(client: Client, block: Block, topic_id: str, suspects: Sequence[int]) -> list[int]:
    """Of some rows of `rejects`, those whose line has none."""
    places = list(zip(*(column(block, name) for name in ("src_partition", "src_offset", "src_index")), strict=True))
    there: Counter[tuple[int, int, int]] = Counter()
    for partition in sorted({places[index][0] for index in suspects}):
        offsets = sorted({places[index][1] for index in suspects if places[index][0] == partition})
        parameters = {"topic": topic_id, "partition": partition, "offsets": offsets}
        for offset, line, rows in client.execute(query("reject_places"), parameters):
            there[partition, offset, line] = rows
    absent = []
    for index in suspects:
        if there[places[index]] > 0:
            there[places[index]] -= 1
        else:
            absent.append(index)
    return absent


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
