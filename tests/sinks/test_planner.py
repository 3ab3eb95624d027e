"""Plans that were not begun in time or ended during a rebalance, with Kafka and ClickHouse played by hand."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future
from types import SimpleNamespace
from typing import Any

import pytest
from msgspec.structs import replace

from sendtrail.enriched import EnrichedHeader, enriched_headers
from sendtrail.settings import Config, KafkaSettings, LoaderSettings
from sinks import planner as planner_module
from sinks.blocks import LoadedRecord
from sinks.chain import NOTHING
from sinks.decode import offer
from sinks.loader import Loader
from sinks.owned import Owned
from sinks.partition import Partition
from sinks.plan import Commit, CommitMetadata
from sinks.planner import Planner
from sinks.resume import Facts
from sinks.worker import Order, Outcome, State, Step
from tests.sinks.paper import TOPIC as PAPER_TOPIC
from tests.sinks.paper import Group as OnPaper
from tests.sinks.paper import GroupSource, Pending, Tables, TablesServer

TOPIC = "4f1c2a3e-0000-4000-8000-000000000001"
RECORD: Any = SimpleNamespace(
    offset=10, headers=enriched_headers(EnrichedHeader(TOPIC, 5, 5, {})), value=b"", timestamp=1_000
)
Commits = Mapping[int, tuple[int, CommitMetadata]]


class Group(SimpleNamespace):
    """Keeps what the group has committed."""

    def commit(self, commits: Commits, assignment: int) -> None:
        self.made.update(commits)


class NeverBegins(SimpleNamespace):
    """A worker that says of every order that it came too late."""

    def submit(self, order: Order) -> Future[Outcome]:
        ended: Future[Outcome] = Future()
        ended.set_result(Outcome(State.LATE))
        return ended


def unobserved(step: Step) -> None:
    """Nobody looks."""


def test_an_intent_is_forgotten_for_a_partition_that_was_stopped_meanwhile_too() -> None:
    config = Config({})
    settings = config.section(LoaderSettings, batch_wait_ms=1)
    source: Any = Group(made={})
    server: Any = SimpleNamespace(may_insert=lambda: True, facts=lambda: Facts(1, 1, 1), lookup=None, held_by=())
    owned = Owned(source, server, settings)
    for number in range(2):
        owned.partitions[number] = Partition[LoadedRecord](TOPIC, 4, 10)
        offer(owned.partitions[number], number, RECORD, 0.0)
    worker: Any = NeverBegins()
    planner = Planner(
        config.section(KafkaSettings), settings, source, server, owned, worker, unobserved, replicated=False
    )
    planner.begin()
    owned.stop(0, "a gap that lasts")
    planner.end()
    assert {number: (offset, made.src, made.plan) for number, (offset, made) in source.made.items()} == {
        0: (10, 4, None),
        1: (10, 4, None),
    }


@pytest.fixture
def disturbed(monkeypatch: pytest.MonkeyPatch) -> Disturbed:
    """A loader whose plan is inserted while the group is rebalanced, which gives it its partition back."""
    return Disturbed(monkeypatch)


class Disturbed:
    """Kafka and ClickHouse on paper (tests/sinks/paper.py)."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        config = Config({})
        settings = config.section(LoaderSettings, batch_wait_ms=1)
        self.group, self.now, self.facts = OnPaper(1), 0.0, Facts(50_000, 100, 1)
        monkeypatch.setattr(planner_module, "read_ranges", self.group.read_ranges)
        tables = Tables()
        source: Any = GroupSource(self.group, "one")
        server: Any = TablesServer(tables)
        server.facts = lambda: self.facts
        worker: Any = Pending(tables)
        self.worker: Pending = worker
        self.owned = Owned(source, server, settings, self._clock)
        planner = Planner(
            config.section(KafkaSettings), settings, source, server, self.owned, worker, unobserved,
            replicated=False, clock=self._clock,
        )  # fmt: skip
        self.loader = Loader(self.owned, planner, server, worker, self._clock)
        self.group.append(0, PAPER_TOPIC, 0, 3)
        self.group.assign({0: "one"})
        self._until_an_order()
        self.rebalanced_while_it_ends()

    def _clock(self) -> float:
        self.now += 1
        return self.now

    def _until_an_order(self) -> None:
        while self.worker.order is None:
            self.loader.turn()

    def rebalanced_while_it_ends(self) -> None:
        """The order under way is done, and its loader hears of the rebalance first."""
        for _ in Pending.TABLES:
            self.worker.step()
        self.group.assign({0: "one"})
        assert self._committed() == NOTHING

    def turns(self) -> None:
        for _ in range(3):
            self.loader.turn()

    def _committed(self) -> int:
        commit = self.group.commits[0]
        assert commit.metadata is not None
        return commit.metadata.src

    @property
    def ended(self) -> bool:
        """The plan's end is committed, and nothing is being inserted."""
        return self.worker.order is None and self._committed() == 3

    @property
    def is_redone(self) -> bool:
        return self.worker.order is not None and self.worker.order.redo


def test_a_plan_that_was_inserted_while_the_group_was_rebalanced_is_not_redone(disturbed: Disturbed) -> None:
    disturbed.turns()
    assert disturbed.ended


@pytest.mark.parametrize("facts", [Facts(90_000, 100, 1), Facts(50_000, 100, 2), Facts(50_000, 100_000, 1)])
def test_it_is_redone_where_the_tables_may_not_be_as_they_were(disturbed: Disturbed, facts: Facts) -> None:
    """The engine died, or tables were changed, or so much was inserted that an insert may have been forgotten."""
    disturbed.facts = facts
    disturbed.turns()
    assert disturbed.is_redone


def test_a_redo_that_ended_while_the_group_was_rebalanced_is_not_redone_again(disturbed: Disturbed) -> None:
    disturbed.facts = Facts(90_000, 100, 1)
    disturbed.turns()
    disturbed.rebalanced_while_it_ends()
    disturbed.turns()
    assert disturbed.ended


def test_another_intent_for_the_same_ranges_is_redone(disturbed: Disturbed) -> None:
    """The group's offsets were set back meanwhile: what was inserted may be gone since."""
    offset, metadata = disturbed.group.commits[0]
    assert metadata is not None
    disturbed.group.commits[0] = Commit(offset, replace(metadata, at=metadata.at + 1))
    disturbed.turns()
    assert disturbed.is_redone
