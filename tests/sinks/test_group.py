"""The loaders' group on a real broker: who may commit when members come, go and are removed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from kafka import KafkaAdminClient
from kafka.admin import MemberToRemove

from sendtrail.kafka_admin import ensure_topics
from sendtrail.settings import Config, KafkaSettings, LoaderSettings, TrackingSettings
from sendtrail.topics import LOADER_GROUP
from sinks.consume import NotOwner, Source
from sinks.owned import Owned
from sinks.partition import Partition
from sinks.plan import Commit, CommitMetadata
from tests.streams.running import wait_for
from tests.support.enriched import Emitter

TOPIC = "4f1c2a3e-0000-4000-8000-000000000001"
PARTITIONS = 2
LONG_S = 20


@pytest.fixture
def settings(kafka: str, topic_prefix: str) -> KafkaSettings:
    config = Config({})
    made = config.section(KafkaSettings, bootstrap=kafka, topic_prefix=topic_prefix, partitions=PARTITIONS)
    ensure_topics(made, config.section(TrackingSettings))
    return made


@pytest.fixture
def join(settings: KafkaSettings) -> Iterator[Callable[[str], Source]]:
    """Makes members of the group."""
    sources: list[Source] = []

    def make(member: str) -> Source:
        sources.append(Source(settings, member, LONG_S, one_owner=False))
        return sources[-1]

    yield make
    for source in sources:
        source.close()


def poll_until(condition: Callable[[], bool], *sources: Source) -> None:
    def met() -> bool:
        for source in sources:
            source.poll(50, 10)
        return condition()

    wait_for(met)


def test_a_commit_for_an_assignment_that_is_over_is_refused(join: Callable[[str], Source]) -> None:
    """Also for a partition that the member has again: another may have loaded more of it in between."""
    one = join("one")
    poll_until(lambda: len(one.assigned()) == PARTITIONS, one)
    before = one.assignment
    one.commit({0: (3, CommitMetadata(TOPIC, 2))}, before)
    two = join("two")
    poll_until(lambda: len(one.assigned()) == len(two.assigned()) == 1, one, two)
    kept = next(iter(one.assigned()))
    with pytest.raises(NotOwner):
        one.commit({kept: (9, CommitMetadata(TOPIC, 8))}, before)
    assert one.committed(0) == Commit(3, CommitMetadata(TOPIC, 2))
    assert one.committed(1) is None
    one.commit({kept: (4, CommitMetadata(TOPIC, 3))}, one.assignment)
    assert one.committed(kept) == Commit(4, CommitMetadata(TOPIC, 3))


def test_a_member_that_was_removed_has_lost_its_partitions_and_commits_nothing(
    settings: KafkaSettings, join: Callable[[str], Source]
) -> None:
    """As one is whose session was over while it was stopped: the partitions are not revoked but lost."""
    one = join("one")
    poll_until(lambda: len(one.assigned()) == PARTITIONS, one)
    before = one.assignment
    admin = KafkaAdminClient(bootstrap_servers=settings.bootstrap)
    admin.remove_group_members(settings.topic_prefix + LOADER_GROUP, [MemberToRemove(group_instance_id="one")])
    admin.close()
    poll_until(lambda: one.assignment > before and len(one.assigned()) == PARTITIONS, one)
    with pytest.raises(NotOwner):
        one.commit({0: (3, CommitMetadata(TOPIC, 2))}, before)
    assert one.committed(0) is None


def test_a_rebalance_makes_a_loader_forget_and_what_was_polled_with_it_is_dropped(
    settings: KafkaSettings, join: Callable[[str], Source]
) -> None:
    emitter = Emitter(settings.bootstrap, f"{settings.topic_prefix}tracking.enriched", TOPIC)
    one = join("one")
    server: Any = SimpleNamespace()
    owned = Owned(one, server, Config({}).section(LoaderSettings))
    wait_for(lambda: owned.poll(50) and len(one.assigned()) == PARTITIONS)
    for number in one.assigned():
        owned.partitions[number] = Partition(None, -1, 0)
    emitter.emit(0)
    emitter.flush()
    wait_for(lambda: not owned.poll(50) and bool(owned.partitions[0].entries))
    two = join("two")
    emitter.emit(0)
    emitter.emit(1)
    emitter.flush()

    def rebalanced() -> bool:
        two.poll(10, 10)
        return owned.poll(10)

    wait_for(rebalanced)
    assert (owned.partitions, owned.opens, owned.rows_waiting()) == ({}, {}, 0)
    poll_until(lambda: len(one.assigned()) == len(two.assigned()) == 1, one, two)
    assert owned.unknown() == one.assigned()
    emitter.close()
