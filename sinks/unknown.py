"""A plan whose outcome is unknown -> every row once, every aggregate equal to a recount.

A token proves nothing after the engine died: plain MergeTree remembers it before the part is in place (FACTS D). So
after the inserts were repeated, what is there is counted, what is missing inserted under a further token, and the
difference inserted into each aggregate, until nothing differs. It needs quiet: nobody else may insert meanwhile. So a
loader that does it holds the others, and asks before each insert whether it may go on (`check` raises if not): a plan's
former owner may still be at it.
"""

import secrets
from collections.abc import Callable
from typing import NamedTuple

import structlog
from clickhouse_driver import Client

from sendtrail.errors import SendtrailError
from sinks.blocks import Block, Blocks
from sinks.mutations import let_end
from sinks.places import column, missing_rows, part_of
from sinks.plan import Plan, token
from sinks.recount import aggregates, differing, insert_difference, touch
from sinks.write import insert

_ROUNDS = 5


class Unsettled(SendtrailError):
    """Tables and aggregates could not be made equal: somebody else inserts, or the schema is not this release's."""


class Repaired(NamedTuple):
    """What had to be put right: rows inserted, and keys of aggregates that differed."""

    rows: int
    keys: int


def unchecked() -> None:
    """Nobody else can be there."""


def settle_rows(client: Client, plan: Plan, blocks: Blocks, check: Callable[[], None] = unchecked) -> int:
    """Insert what the tables lack of a plan; returns the number of rows.

    Raises Unsettled or TooMany, and lets the driver's errors through: the next call finds what is left.
    """
    repaired = 0
    for block in (blocks.events, blocks.rejects, blocks.audit):
        for _ in range(_ROUNDS):
            missing = missing_rows(client, block, plan.topic_id)
            if not missing:
                break
            check()
            insert(client, part_of(block, missing), token(block.table, plan, repair=secrets.token_hex(4)))
            repaired += len(missing)
        else:
            raise Unsettled(f"rows of {block.table} are missing again after {_ROUNDS} repairs")
    return repaired


def settle(client: Client, plan: Plan, blocks: Blocks, check: Callable[[], None] = unchecked) -> Repaired:
    """Make rows and aggregates of a plan what they must be. Raises as `settle_rows` does."""
    rows = settle_rows(client, plan, blocks, check)
    keys = settle_aggregates(client, deliveries_of(blocks.events), check)
    if rows or keys:
        structlog.get_logger("loader").warning("an insert was cut off; put right", rows=rows, aggregate_keys=keys)
    return Repaired(rows, keys)


def settle_aggregates(client: Client, deliveries: list[int], check: Callable[[], None] = unchecked) -> int:
    """Make every aggregate of some deliveries equal to a recount; returns how many keys differed.

    Raises Unsettled, and lets the driver's errors through.
    """
    if not deliveries:
        return 0
    differed = 0
    let_end(client)
    for aggregate in aggregates(client):
        for _ in range(_ROUNDS):
            keys = differing(client, aggregate, deliveries)
            if not keys:
                break
            check()
            insert_difference(client, aggregate, deliveries)
            differed += keys
        else:
            raise Unsettled(f"{aggregate.target} differs from a recount after {_ROUNDS} repairs")
    if differed:
        touch(client, deliveries)
    return differed


def deliveries_of(events: Block) -> list[int]:
    """The deliveries whose aggregates a block of `events` changes."""
    return sorted(set(column(events, "delivery_id"))) if events.rows else []
