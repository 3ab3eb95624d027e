"""Loaders as a state machine: whatever arrives, whoever dies or is rebalanced at whatever step, each offset is one row.

Chain, partition, plan, planner, resume and redo are the real ones; Kafka and ClickHouse are on paper.
"""

from __future__ import annotations

from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from sendtrail.settings import Config, KafkaSettings, LoaderSettings
from sinks import planner as planner_module
from sinks.chain import NOTHING
from sinks.loader import Loader
from sinks.owned import Owned
from sinks.planner import Planner
from tests.sinks.paper import ANEW, TOPIC, Group, GroupSource, Pending, Tables, TablesServer

PARTITIONS = 2
MEMBERS = ("left", "right")
NEVER_S = 1e9

partitions = st.integers(0, PARTITIONS - 1)
members = st.sampled_from(MEMBERS)
owners = st.lists(members, min_size=PARTITIONS, max_size=PARTITIONS)


class Life:
    """One process of a loader, from its start to its end."""

    def __init__(self, group: Group, tables: Tables, member: str, clock: Any) -> None:
        config = Config({})
        chosen = config.section(LoaderSettings, batch_rows=3, batch_wait_ms=1, gap_timeout_s=NEVER_S)
        source: Any = GroupSource(group, member)
        server: Any = TablesServer(tables)
        worker: Any = Pending(tables)
        self.worker: Pending = worker
        self.owned = Owned(source, server, chosen, clock)
        kafka = config.section(KafkaSettings)
        planner = Planner(
            kafka, chosen, source, server, self.owned, worker, lambda step: None, replicated=True, clock=clock
        )
        self.loader = Loader(self.owned, planner, server, worker, clock)
        self.loader._collected = NEVER_S  # a search for cycles takes longer than an example


class Protocol(RuleBasedStateMachine):
    """The model: of each partition, how far the chain reaches by what is in the log."""

    def __init__(self) -> None:
        super().__init__()
        self.patch = pytest.MonkeyPatch()
        self.now = 0.0
        self.group, self.tables = Group(PARTITIONS), Tables()
        self.patch.setattr(planner_module, "read_ranges", self.group.read_ranges)
        self.reached = dict.fromkeys(range(PARTITIONS), NOTHING)
        self.gaps: set[int] = set()  # partitions where a record ran ahead and the missing one did not come yet
        self.anew: set[int] = set()
        self.lives = {member: self._born(member) for member in MEMBERS}
        self.group.assign(dict.fromkeys(range(PARTITIONS), MEMBERS[0]))

    def _born(self, member: str) -> Life:
        return Life(self.group, self.tables, member, lambda: self.now)

    # what arrives

    @rule(partition=partitions, records=st.lists(st.integers(0, 2), min_size=1, max_size=4))
    def deliver(self, partition: int, records: list[int]) -> None:
        """The owner's records: each goes on where the last ended, some over an empty range."""
        for more in records:
            self._append(partition, self.reached[partition] + 1, self.reached[partition] + 1 + more)

    @rule(records=st.integers(1, 2))
    def deliver_to_all(self, records: int) -> None:
        for partition in self.reached:
            self.deliver(partition, [0] * records)

    @rule(partition=partitions, back=st.integers(0, 5), more=st.integers(0, 1))
    def replay(self, partition: int, back: int, more: int) -> None:
        first = max(0, self.reached[partition] - back)
        if first + more <= self.reached[partition]:
            self._append(partition, first, first + more)

    @rule(partition=partitions, back=st.integers(0, 2), more=st.integers(1, 3))
    def overlap(self, partition: int, back: int, more: int) -> None:
        if self.reached[partition] >= back:
            self._append(partition, self.reached[partition] - back, self.reached[partition] + more)

    @rule(partition=partitions, skipped=st.integers(1, 3))
    def ahead(self, partition: int, skipped: int) -> None:
        first = self.reached[partition] + 1 + skipped
        self._append(partition, first, first)

    @rule(partition=partitions)
    def of_another_tool(self, partition: int) -> None:
        self.group.append_foreign(partition)

    @rule(partition=partitions, rare=st.integers(0, 5))
    def topic_made_anew(self, partition: int, rare: int) -> None:
        """From here on nothing of the partition may be loaded until an operator agrees. A gap would stop it before."""
        if rare == 0 and self.reached[partition] > NOTHING and partition not in self.gaps:
            self.anew.add(partition)
            self.group.append(partition, ANEW, 0, 1)

    def _append(self, partition: int, first: int, last: int) -> None:
        self.group.append(partition, TOPIC, first, last)
        if partition in self.anew or last <= self.reached[partition]:
            return
        if first <= self.reached[partition] + 1:
            self.reached[partition] = last
            self.gaps.discard(partition)
        else:
            self.gaps.add(partition)

    # what loaders do, and what is done to them

    @rule(member=members, inserts=st.lists(st.booleans(), min_size=2, max_size=9))
    def work(self, member: str, inserts: list[bool]) -> None:
        """Turn after turn of its loop, with the insert under way a table further, or not."""
        for insert in inserts:
            self._turn(member)
            if insert:
                self.lives[member].worker.step()

    @rule(member=members)
    def begin_too_late(self, member: str) -> None:
        self.lives[member].worker.too_late()

    @rule(member=members, tables=st.integers(0, 2), owners=owners)
    def crash_in_an_insert(self, member: str, tables: int, owners: list[str]) -> None:
        """Before it began, between two tables, or before the commit of its end."""
        life = self.lives[member]
        for _ in range(6):
            self._turn(member)
            if life.worker.order is not None:
                break
        for _ in range(tables):
            life.worker.step()
        self.crash(member, owners)

    @rule(member=members, owners=owners)
    def crash(self, member: str, owners: list[str]) -> None:
        """Whatever it was doing. It starts again, and owns what it is given."""
        self.lives[member] = self._born(member)
        self.group.assign(dict(enumerate(owners)))

    @rule(owners=owners)
    def rebalance(self, owners: list[str]) -> None:
        """A loader that has lost partitions may have an insert under way."""
        self.group.assign(dict(enumerate(owners)))

    def _turn(self, member: str) -> None:
        self.now += 1
        self.lives[member].loader.turn()

    @rule(how=st.sampled_from(["before", "after"]))
    def commit_without_answer(self, how: str) -> None:
        self.group.failing = [how]

    # what must hold

    @invariant()
    def nothing_is_loaded_twice_or_beyond_the_chain(self) -> None:
        for (topic_id, partition, offset), times in self.tables.events.items():
            assert times == 1
            assert topic_id == TOPIC
            assert offset <= self.reached[partition]

    @invariant()
    def what_a_commit_says_is_loaded_is(self) -> None:
        for partition, (_, metadata) in self.group.commits.items():
            if metadata is not None:
                loaded = [(TOPIC, partition, offset) for offset in range(metadata.src + 1)]
                assert all(self.tables.events[place] for place in loaded)

    def teardown(self) -> None:
        """In the end, once both work undisturbed, everything the chain reaches is loaded and committed."""
        try:
            self.group.failing.clear()
            self._undisturbed()
            self.nothing_is_loaded_twice_or_beyond_the_chain()
            for partition, reached in self.reached.items():
                assert self._loaded(partition) == list(range(reached + 1))
                commit = self.group.commits.get(partition)
                src = commit.metadata.src if commit is not None and commit.metadata is not None else NOTHING
                assert src == reached
            self.crash(MEMBERS[0], [MEMBERS[0]] * PARTITIONS)
            self._undisturbed()
            self.nothing_is_loaded_twice_or_beyond_the_chain()
            owned = self.lives[MEMBERS[0]].owned
            assert owned.stopped.keys() == self.anew
            open_gaps = {number for number, each in owned.partitions.items() if each.gap is not None}
            assert open_gaps == self.gaps  # a commit never passes one, so the next to come sees it
        finally:
            self.patch.undo()

    def _undisturbed(self) -> None:
        for _ in range(12 + 4 * sum(map(len, self.group.log.values()))):
            self.now += 11
            for life in self.lives.values():
                life.loader.turn()
                life.worker.step()

    def _loaded(self, partition: int) -> list[int]:
        return sorted(offset for _, number, offset in self.tables.events if number == partition)


TestProtocol = Protocol.TestCase
TestProtocol.settings = settings(max_examples=120, stateful_step_count=50)
