"""What a plan that was not begun in time leaves behind, with Kafka and ClickHouse played by hand."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future
from types import SimpleNamespace
from typing import Any

from sendtrail.enriched import EnrichedHeader, enriched_headers
from sendtrail.settings import Config, KafkaSettings, LoaderSettings
from sinks.blocks import LoadedRecord
from sinks.decode import offer
from sinks.owned import Owned
from sinks.partition import Partition
from sinks.plan import CommitMetadata
from sinks.planner import Planner
from sinks.resume import Facts
from sinks.worker import Order, Outcome, State, Step

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
