"""Aggregates against a recount from `events`: what differs, and inserting the difference.

Each aggregate is what a materialized view makes of `events`, so the view's own text is the recount. Sums take the
difference; maxima, bit sets and rows that replace each other take the recount itself.
"""

import re
from collections.abc import Iterator, Sequence
from string import Template
from typing import NamedTuple

from clickhouse_driver import Client

from sinks.queries import query

DELIVERIES_PER_QUERY = 200

#: Aggregates that say when something happened here, not what the events say.
_CLOCKS = frozenset({"touched"})
_FUNCTION = re.compile(r"SimpleAggregateFunction\((\w+), ")
_EVENTS = re.compile(r"\bFROM `?\w+`?\.`?events`?(?=\s|$)")
_OF_DELIVERIES = "FROM (SELECT * FROM events WHERE delivery_id IN {deliveries:Array(UInt64)}) AS events"
#: Repairs are counted, not remembered: two equal differences are two.
_SETTINGS = {"insert_deduplicate": 0, "deduplicate_insert": "disable", "async_insert": 0}


class Aggregate(NamedTuple):
    """One view's target: its key columns, and its other columns with how values of one key come together."""

    target: str
    select: str
    keys: tuple[str, ...]
    values: tuple[tuple[str, str], ...]  # column, aggregate function


def aggregates(client: Client) -> list[Aggregate]:
    """Every aggregate that inserts into `events` feed. Lets the driver's errors through."""
    found = []
    for _, select, target in client.execute(query("view_targets")):
        if target not in _CLOCKS:
            columns = client.execute(query("columns_of"), {"table": target})
            keys = tuple(name for name, _, in_key, _ in columns if in_key)
            values = tuple((name, _function(kind, engine)) for name, kind, in_key, engine in columns if not in_key)
            found.append(Aggregate(target, select, keys, values))
    return found


def _function(column_type: str, engine: str) -> str:
    """How rows of one key merge: as the column says, else summed, or replaced by an equal one."""
    match = _FUNCTION.match(column_type)
    if match:
        return "sum" if match.group(1) == "sumWithOverflow" else match.group(1)
    return "sum" if engine.endswith("SummingMergeTree") else "any"


def differing(client: Client, aggregate: Aggregate, deliveries: Sequence[int]) -> int:
    """Keys of an aggregate that differ from the recount, over some deliveries. Lets the driver's errors through."""
    return sum(differing_by_delivery(client, aggregate, deliveries).values())


def differing_by_delivery(client: Client, aggregate: Aggregate, deliveries: Sequence[int]) -> dict[int, int]:
    """How many keys differ of each delivery that differs."""
    text = f"SELECT delivery_id, count() FROM ({_difference(aggregate)}) GROUP BY delivery_id"
    return {
        delivery: keys for some in _chunks(deliveries) for delivery, keys in client.execute(text, {"deliveries": some})
    }


def insert_difference(client: Client, aggregate: Aggregate, deliveries: Sequence[int]) -> None:
    """Make an aggregate equal to the recount, over some deliveries; nothing may be inserted meanwhile.

    Lets the driver's errors through: whatever of it was done, the next difference is what is left.
    """
    columns = ", ".join((*aggregate.keys, *(name for name, _ in aggregate.values)))
    text = f"INSERT INTO {aggregate.target} ({columns}) {_difference(aggregate)}"
    for some in _chunks(deliveries):
        client.execute(text, {"deliveries": some}, settings=_SETTINGS)


def surplus(client: Client, aggregate: Aggregate, deliveries: Sequence[int]) -> int:
    """Keys of an aggregate with something that no insert takes away: a maximum that is too high, a row too many.

    Sums are never among them. Lets the driver's errors through.
    """
    sums = [name for name, function in aggregate.values if function == "sum"]
    too_much = [_too_much(name, function) for name, function in aggregate.values if function not in ("sum", "any")]
    alone = "countIf(recount = 1) = 0" if not sums else "0"
    differs = " OR ".join([alone, f"(countIf(recount = 1) > 0 AND ({' OR '.join(too_much) or '0'}))"])
    text = f"SELECT count() FROM ({_difference(aggregate, differs)})"
    return sum(client.execute(text, {"deliveries": some})[0][0] for some in _chunks(deliveries))


def of_deliveries(aggregate: Aggregate) -> str:
    """The recount of some deliveries (parameter `deliveries`), not yet added up by key."""
    counted, replaced = _EVENTS.subn(_OF_DELIVERIES, aggregate.select)
    if replaced != 1:
        raise ValueError(f"the view behind {aggregate.target} reads events {replaced} times, one was expected")
    return counted


def touch(client: Client, deliveries: Sequence[int]) -> None:
    """Have the indicators of some deliveries calculated again."""
    for some in _chunks(deliveries):
        client.execute(query("touch"), {"deliveries": some}, settings=_SETTINGS)


def _difference(aggregate: Aggregate, differs: str = "") -> str:
    values = [_value(name, function) for name, function in aggregate.values]
    return Template(query("recount")).substitute(
        keys=", ".join(aggregate.keys),
        values="".join(f", {value}" for value in values),
        columns=", ".join((*aggregate.keys, *(name for name, _ in aggregate.values))),
        counted=of_deliveries(aggregate),
        target=aggregate.target,
        differs=differs or " OR ".join(_differs(name, function) for name, function in aggregate.values) or _ABSENT,
    )


def _too_much(name: str, function: str) -> str:
    return f"toString(tuple({function}({name}))) != toString(tuple({function}If({name}, recount = 1)))"


_ABSENT = "countIf(recount = 0) = 0"


def _value(name: str, function: str) -> str:
    if function == "sum":
        return f"sumIf(toInt64({name}), recount = 1) - sumIf(toInt64({name}), recount = 0)"
    return f"{function}If({name}, recount = 1)"


def _differs(name: str, function: str) -> str:
    if function == "sum":
        return f"{_value(name, function)} != 0"
    if function == "any":
        return _ABSENT
    return f"toString(tuple({function}({name}))) != toString(tuple({function}If({name}, recount = 0)))"


def _chunks(deliveries: Sequence[int]) -> Iterator[list[int]]:
    for start in range(0, len(deliveries), DELIVERIES_PER_QUERY):
        yield list(deliveries[start : start + DELIVERIES_PER_QUERY])
