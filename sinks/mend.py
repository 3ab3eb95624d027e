"""Mending a gap in the chain: workers enrich source records again, or the chain goes on without those that are gone.

Nothing but a worker can judge a record as it was judged, so none is made here: the workers' group is set back to the
first missing record. A group with members can't be set back by others; its members are removed, and come back within
seconds to go on from there. What they enrich a second time is dropped by the chain.
"""

import getpass
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from typing import Any

from clickhouse_driver import Client
from kafka import KafkaAdminClient, OffsetAndMetadata, TopicPartition
from kafka.admin import MemberToRemove
from kafka.errors import NoError, UnknownMemberIdError

from sendtrail.errors import SendtrailError
from sendtrail.kafka_admin import admin_client, physical_name
from sendtrail.settings import ClickHouseSettings, KafkaSettings
from sendtrail.topics import EVENTS, STREAMS_GROUP
from sinks.chain import NOTHING
from sinks.control import paused
from sinks.gaps import Span
from sinks.queries import query
from sinks.standing import Standing, loaded_offset
from sinks.write import INSERT_SETTINGS

_TRIES = 20
_BETWEEN_S = 0.25
#: Why a member was removed, as its broker logs it.
_WHY = "sendtrail chain repair"


class MendError(SendtrailError):
    """The chain can't be mended like this; the text says what would help."""


def set_back(kafka: KafkaSettings, firsts: Mapping[int, int]) -> int:
    """Have the workers enrich partitions again, each from its first missing source offset on.

    Returns how many members of the group were removed for it; a partition whose commit is not beyond the offset stays
    as it is. Raises MendError if members come back faster than the group can be set back, and KafkaError.
    """
    group = kafka.topic_prefix + STREAMS_GROUP
    topic = physical_name(kafka, EVENTS)
    with closing(admin_client(kafka.bootstrap)) as admin:
        removed = 0
        for _ in range(_TRIES):
            committed = _committed(admin, group)
            wanted = {
                TopicPartition(topic, number): OffsetAndMetadata(first, "", -1)
                for number, first in firsts.items()
                if committed.get(TopicPartition(topic, number), NOTHING) > first
            }
            if not wanted:
                return removed
            removed += _remove_members(admin, group)
            answers = admin.alter_group_offsets(group, wanted)
            if all(answer is NoError for answer in answers.values()):
                return removed
            for answer in answers.values():
                if answer is not NoError and not issubclass(answer, (UnknownMemberIdError,)) and not answer.retriable:
                    raise answer("the workers' group can't be set back")
            time.sleep(_BETWEEN_S)
    raise MendError("the workers' group can't be set back: its members come back at once. Stop the workers first")


def _committed(admin: KafkaAdminClient, group: str) -> dict[TopicPartition, int]:
    offsets = admin.list_group_offsets(group)
    if group in offsets:
        offsets = offsets[group]
    return {each: found.offset for each, found in offsets.items() if found.offset >= 0}


def _remove_members(admin: KafkaAdminClient, group: str) -> int:
    described: dict[str, Any] = admin.describe_groups([group])[group]
    members = [
        MemberToRemove(group_instance_id=member["group_instance_id"], reason=_WHY)
        if member.get("group_instance_id")
        else MemberToRemove(member_id=member["member_id"], reason=_WHY)
        for member in described["members"]
    ]
    if members:
        admin.remove_group_members(group, members)
    return len(members)


def wait_loaded(
    client: Client, wanted: Mapping[int, tuple[Standing, int]], progress: Callable[[int], None], timeout_s: float
) -> bool:
    """Wait until partitions are loaded up to a source offset. `progress` gets how many records are loaded so far.

    False when the time is over. Lets the driver's errors through.
    """
    end = time.monotonic() + timeout_s
    while True:
        done = 0
        for standing, last in wanted.values():
            done += min(loaded_offset(client, standing), last) - standing.loaded
        progress(done)
        if done >= sum(last - standing.loaded for standing, last in wanted.values()):
            return True
        if time.monotonic() > end:
            return False
        time.sleep(_BETWEEN_S)


def accept(settings: ClickHouseSettings, client: Client, standing: Standing, span: Span, reason: str) -> None:
    """Have the chain go on behind `span`, of which nothing is loaded, and say so in table `audit`.

    The loaders hold meanwhile. Raises MendError if the chain moved since it was looked at, PauseError, and lets the
    driver's errors through.
    """
    with paused(settings, "accept-gap") as pause:
        now = loaded_offset(client, standing)
        where = {
            "topic": standing.topic_id, "partition": standing.partition, "first": span.first, "last": span.last
        }  # fmt: skip
        if now < span.first - 1 or client.execute(query("chain_covered"), where)[0][0]:
            raise MendError(
                f"partition {standing.partition} is loaded up to source offset {now} by now: look at it again with "
                "sendtrail chain show"
            )
        pause.check()
        token = f"accept-gap-{standing.topic_id}-{standing.partition}-{span.first}-{span.last}"
        parameters = where | {"accepted": f"{reason} ({getpass.getuser()})"}
        client.execute(
            query("chain_accept"), parameters, settings=INSERT_SETTINGS | {"insert_deduplication_token": token}
        )
