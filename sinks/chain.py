"""Which enriched records extend what is loaded, and where loading goes on (pure).

The source offsets of one partition of tracking.events form a chain: a record of tracking.enriched covers
`[source_from, source_offset]` of it. The first record that covers an offset is the truth; workers that start again or
lag behind the owner emit others, and the chain tells them apart.
"""

from enum import StrEnum
from typing import NamedTuple

from sendtrail.enriched import EnrichedHeader

#: The chain position before the first source record.
NOTHING = -1


class Verdict(StrEnum):
    """What a record is to a chain whose last loaded source offset is `last`."""

    NEXT = "next"  # begins right after `last`
    OVERLAP = "overlap"  # begins earlier and ends later: only rows above `last` count
    REPLAY = "replay"  # ends at or before `last`
    AHEAD = "ahead"  # begins later: a stale worker ahead of the owner, or a loss
    FOREIGN = "foreign"  # of another source topic


def judge(topic_id: str, last: int, header: EnrichedHeader) -> Verdict:
    """Accept a record only where `source_from <= last + 1 <= source_offset` (DESIGN §7, step 1)."""
    if header.topic_id != topic_id:
        return Verdict.FOREIGN
    if header.source_offset <= last:
        return Verdict.REPLAY
    if header.source_from > last + 1:
        return Verdict.AHEAD
    return Verdict.OVERLAP if header.source_from <= last else Verdict.NEXT


class Position(NamedTuple):
    """A chain position: the source topic's id and the last loaded source offset."""

    topic_id: str
    last: int


class Lost(NamedTuple):
    """ClickHouse lacks source offsets `first..last` that a commit says are loaded."""

    topic_id: str
    first: int
    last: int


def resolve(commit: Position | None, planned: bool, audit: Position | None) -> Position | Lost | None:
    """Where the chain stands, from the group's commit and the rows of `audit` for the same topic id.

    The commit wins; `audit` is used only without a commit, or where a commit without a plan is behind it. A commit
    ahead of the audit means that ClickHouse lost data. None: nothing was ever loaded.
    """
    if commit is None:
        return audit
    stored = audit.last if audit is not None else NOTHING
    if stored < commit.last:
        return Lost(commit.topic_id, stored + 1, commit.last)
    if stored > commit.last and not planned:
        return audit
    return commit
