"""Workers of one partition as a state machine: whoever dies or takes over, the chain holds the same rows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from sendtrail.events import FLAG_HONEYPOT, Event
from sinks.chain import NOTHING, Verdict, judge
from streams.items import SourceRecord
from tests.streams.making import NOW, TOPIC_ID, Line, Output, constants, hit, source

ANEW = "4f1c2a3e-0000-4000-8000-000000000002"
SECOND_MS = 1_000
MEMBERS = ("one", "two")

members = st.sampled_from(MEMBERS)
#: (number of the event, kind, link): small numbers meet each other, as duplicates, in bursts and as opens of a message.
hits = st.tuples(st.integers(0, 9), st.sampled_from(["open", "click", "click", "click"]), st.integers(1, 5))


@dataclass
class Worker:
    """What a worker has on its disk of one partition, and how far the source is applied to it."""

    line: Line
    applied: int = 0
    checkpoints: list[tuple[int, dict[bytes, bytes]]] = field(default_factory=list)


class Lives(RuleBasedStateMachine):
    """The model is a worker that never dies and reads the log once; the chain must hold what that one emits."""

    def __init__(self) -> None:
        super().__init__()
        self.topic_id = TOPIC_ID
        self._begin()

    def _begin(self) -> None:
        self.log: list[SourceRecord] = []
        self.committed = 0
        self.model, self.expected = self._line(), list[Output]()
        self.emitted: list[Output] = []
        self.workers = {member: Worker(self._line()) for member in MEMBERS}

    def _line(self) -> Line:
        return Line(constants(topic_id=self.topic_id))

    @rule(packs=st.lists(st.lists(hits, min_size=0, max_size=5), min_size=1, max_size=3))
    def deliver(self, packs: list[list[tuple[int, Any, int]]]) -> None:
        """More of tracking.events; now and then what was sent before."""
        for pack in packs:
            record = source(len(self.log), [self._event(*one) for one in pack], time_ms=self._log_time())
            self.log.append(record)
            self.expected += self.model.feed(record)

    def _event(self, number: int, kind: Any, link: int) -> Event:
        at = NOW + number * 100
        if kind == "open":
            return hit(number, kind=kind, at=at, message=number % 2)
        trap = FLAG_HONEYPOT if link == 5 else 0
        return hit(100 + number * 10 + link, kind=kind, at=at, message=number % 2, url_id=link, flags=trap)

    def _log_time(self) -> int:
        return NOW + SECOND_MS * (1 + len(self.log))

    @rule(member=members, records=st.integers(1, 6), batches=st.integers(1, 3), again=st.integers(0, 3))
    def work(self, member: str, records: int, batches: int, again: int) -> None:
        """As the owner: open at the commit, then batch after batch. `again`: its last commits did not get through."""
        next_offset = self._open(member)
        for _ in range(batches):
            end = min(len(self.log), next_offset + records)
            self._emit(member, next_offset, end, keep=True)
            next_offset = end
        self.committed = max(self.committed, next_offset - again)

    @rule(member=members, records=st.integers(1, 6), written=st.booleans())
    def die_in_a_batch(self, member: str, records: int, written: bool) -> None:
        """With its outputs in the broker; its state written, or not."""
        first = self._open(member)
        self._emit(member, first, min(len(self.log), first + records), keep=written)

    @rule(member=members, records=st.integers(1, 6))
    def wake_up_as_a_zombie(self, member: str, records: int) -> None:
        """It goes on from where it stood, though another has the partition: outputs come late, commits fail."""
        first = self.workers[member].applied
        self._emit(member, first, min(len(self.log), first + records), keep=True)

    @rule(member=members)
    def lose_what_was_not_flushed(self, member: str) -> None:
        """Back to the last checkpoint, or to nothing."""
        worker = self.workers[member]
        worker.applied, stored = worker.checkpoints[-1] if worker.checkpoints else (0, {})
        worker.line.stored = dict(stored)

    @rule(member=members)
    def take_a_checkpoint(self, member: str) -> None:
        worker = self.workers[member]
        worker.checkpoints.append((worker.applied, dict(worker.line.stored)))

    @rule(taker=members, of=members)
    def restore_the_other_s_checkpoint(self, taker: str, of: str) -> None:
        """From a volume they share; only where it is further."""
        worker, theirs = self.workers[taker], self.workers[of].checkpoints
        if theirs and theirs[-1][0] > worker.applied:
            worker.applied, worker.line.stored = theirs[-1][0], dict(theirs[-1][1])

    @rule(member=members)
    def lose_everything(self, member: str) -> None:
        self.workers[member] = Worker(self._line())

    @rule(rare=st.integers(0, 9))
    def make_the_topic_anew(self, rare: int) -> None:
        """Offsets begin at 0 again, and no state of the old one is used."""
        if rare == 0:
            self.topic_id = ANEW if self.topic_id == TOPIC_ID else TOPIC_ID
            self._begin()

    def _open(self, member: str) -> int:
        """Bring the state up to the commit, emitting nothing."""
        worker = self.workers[member]
        if worker.applied < self.committed:
            worker.line.feed(*self.log[worker.applied : self.committed])
            worker.applied = self.committed
        return self.committed

    def _emit(self, member: str, first: int, end: int, *, keep: bool) -> None:
        worker = self.workers[member]
        self.emitted += worker.line.feed(*self.log[first:end], keep=keep)
        if keep:
            worker.applied = max(worker.applied, end)

    @invariant()
    def the_chain_holds_what_one_worker_would_have_emitted(self) -> None:
        last, accepted = NOTHING, list[Output]()
        for output in self.emitted:
            if judge(self.topic_id, last, output.header) is Verdict.NEXT:
                accepted.append(output)
                last = output.header.source_offset
        assert [output.rows for output in accepted] == [output.rows for output in self.expected[: len(accepted)]]
        assert len(accepted) >= self.committed


TestLives = Lives.TestCase
TestLives.settings = settings(max_examples=60, stateful_step_count=30)
