"""A commit and the audit's positions -> where a partition goes on (pure)."""

from collections.abc import Sequence
from typing import NamedTuple

from sinks.blocks import LoadedRecord
from sinks.chain import NOTHING, Lost, Position, resolve
from sinks.partition import Partition
from sinks.plan import Commit, CommitMetadata, Plan, plan_of

#: A server's start is told by its uptime in whole seconds.
START_TOLERANCE_MS = 1_000


class Open(NamedTuple):
    """A partition whose commit is an intent: its plan is redone before anything else."""

    commit: Commit
    plan: Plan
    metadata: CommitMetadata


class Facts(NamedTuple):
    """What an intent remembers of the server: its start, blocks given to `events`, the last migration (epoch ms)."""

    started: int
    blocks: int
    schema: int


class Stop(NamedTuple):
    """A partition that only an operator can set going again, and what to do."""

    reason: str


def resume(
    number: int, commit: Commit | None, audits: Sequence[Position], log_id: str, beginning: int
) -> Partition[LoadedRecord] | Open | Stop:
    """Where partition `number` goes on.

    `audits`: its positions in table `audit`, the topic loaded last at the end. `log_id`: of tracking.enriched as it
    is now; a commit made for another one counts other offsets. `beginning`: the oldest offset there.
    """
    audit = {position.topic_id: position for position in audits}
    metadata = commit.metadata if commit else None
    if metadata is not None and metadata.log and metadata.log != log_id:
        if metadata.plan and audit.get(metadata.topic, Position("", NOTHING)).last <= metadata.src:
            return Stop(_recreated(number, metadata))
        commit = metadata = None
    if commit is None or metadata is None:
        found = audits[-1] if audits else Position("", NOTHING)
        return Partition(found.topic_id or None, found.last, beginning if commit is None else commit.offset)
    plan = plan_of(metadata)
    position = resolve(Position(metadata.topic, metadata.src), plan is not None, audit.get(metadata.topic))
    if isinstance(position, Lost):
        return Stop(_lost(number, position))
    if plan is not None:
        return Open(commit, plan, metadata)
    last = position.last if position is not None else NOTHING
    return Partition(metadata.topic, last, commit.offset)


def _lost(number: int, lost: Lost) -> str:
    return (
        f"ClickHouse lost data: source offsets {lost.first} to {lost.last} of partition {number} are committed as "
        f"loaded and table audit does not have them. Load them again: sendtrail replay --partition {number} "
        f"--from {lost.first} --to {lost.last}"
    )


def _recreated(number: int, metadata: CommitMetadata) -> str:
    return (
        f"tracking.enriched was deleted and made anew while a plan of partition {number} was being inserted: what of "
        f"it is in ClickHouse is unknown. Check source offsets from {metadata.src + 1} on: sendtrail audit"
    )


def standing(commit: Commit | None, plan: Plan, partition: int) -> str:
    """How a partition of an open plan stands: `open`, `past` (its plan was inserted whole), or `odd`."""
    first, end = plan.ranges[partition]
    if commit is None:
        return "odd"
    if commit.offset >= end:
        return "past"
    own = plan_of(commit.metadata) if commit.metadata is not None else None
    return "open" if commit.offset == first and own == plan else "odd"


def is_doubtful(intent: CommitMetadata, now: Facts, *, window: int, replicated: bool) -> bool:
    """True if the tokens of an open plan's inserts prove nothing.

    The engine died since the intent (with replication a token and its part are one), a quarter of the insert window
    (`window` blocks) went by, or tables were changed.
    """
    died = abs(now.started - intent.engine) > START_TOLERANCE_MS and not replicated
    aged = not 0 <= now.blocks - intent.blocks <= window // 4
    return died or aged or now.schema != intent.schema
