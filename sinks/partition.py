"""What the loader knows of one partition it owns: the chain position, and what waits to be loaded (pure)."""

from collections import deque
from typing import Generic, NamedTuple, TypeVar

from sendtrail.enriched import EnrichedHeader
from sinks.chain import NOTHING, Verdict, judge
from sinks.plan import Entry, Range

R = TypeVar("R")  # a loaded record


class Gap(NamedTuple):
    """Source offsets `first..last` are missing before the record at `offset`.

    `since`: monotonic seconds, moved on while nothing is read.
    """

    offset: int
    first: int
    last: int
    since: float


class Turn(NamedTuple):
    """At `offset` the records of another source topic begin."""

    offset: int
    topic_id: str


class Share(NamedTuple, Generic[R]):
    """What a plan takes of one partition: the range, the records in it, and the chain position before and after it."""

    range: Range
    records: list[R]
    since: int
    last: int


class Partition(Generic[R]):
    """One partition between two commits. Offsets are of tracking.enriched, `last` is of tracking.events."""

    def __init__(self, topic_id: str | None, last: int, committed: int) -> None:
        self.topic_id = topic_id
        self.last = last
        self.committed = committed
        self.committed_last = last
        self.position = committed
        self._taken = (committed, last)  # where the next share begins
        self.entries: deque[Entry] = deque()
        self.rows = self.size = 0  # of the entries
        self.gap: Gap | None = None
        self.turn: Turn | None = None
        self._records: deque[tuple[R, int]] = deque()

    def judge(self, offset: int, header: EnrichedHeader, now: float) -> Verdict:
        """What the record at `offset` is; moves the position past it. NEXT and OVERLAP are to be `accept`ed."""
        if self.topic_id is None and header.source_from <= NOTHING + 1:
            self.topic_id = header.topic_id
        verdict = judge(self.topic_id or header.topic_id, self.last, header)
        if self.turn is not None:
            return Verdict.FOREIGN
        if verdict is Verdict.FOREIGN:
            self.turn = Turn(offset, header.topic_id)
            return verdict
        if verdict is Verdict.AHEAD and self.gap is None:
            self.gap = Gap(offset, self.last + 1, header.source_from - 1, now)
        self.position = offset + 1
        return verdict

    def skip(self, offset: int) -> None:
        """Pass a record that is none of streams."""
        if self.turn is None:
            self.position = offset + 1

    def read_nothing(self, now: float) -> None:
        """Said while nothing is fetched: a gap that can't close does not age."""
        if self.gap is not None:
            self.gap = self.gap._replace(since=now)

    def accept(self, record: R, entry: Entry, last: int) -> None:
        """Queue a record that extends the chain up to source offset `last`."""
        self._records.append((record, last))
        self.entries.append(entry)
        self.rows += entry.rows
        self.size += entry.size
        self.last = last
        self.gap = None

    def take(self, count: int) -> Share[R]:
        """Remove the first `count` records for a plan; `commit` follows once they are loaded, in order of the plans."""
        taken = [self._records.popleft() for _ in range(count)]
        for _ in range(count):
            entry = self.entries.popleft()
            self.rows -= entry.rows
            self.size -= entry.size
        first, since = self._taken
        self._taken = self._end(), taken[-1][1] if taken else since
        return Share((first, self._taken[0]), [record for record, _ in taken], since, self._taken[1])

    def _end(self) -> int:
        """Where a range ends when everything taken is out of the queue.

        Never past a record that ran ahead unless one after it was accepted: a restart must see the gap again.
        """
        if self.entries:
            return self.entries[0].offset
        return self.gap.offset if self.gap else self.position

    def commit(self, end: int, last: int) -> None:
        """Note what is loaded and committed."""
        self.committed, self.committed_last = end, last
        self._taken = max(self._taken, (end, last))

    @property
    def advance(self) -> int | None:
        """The offset to commit where nothing waits but dropped records were passed."""
        end = self._end()
        return end if not self.entries and self._taken[0] == self.committed < end else None
