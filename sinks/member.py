"""Who a loader is: one static member id per data directory, held by a lock; and who owns the partitions."""

import fcntl
import uuid
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import IO, Any

from kafka.coordinator.assignors.abstract import AbstractPartitionAssignor
from kafka.protocol.consumer.metadata import ConsumerProtocolAssignment, ConsumerProtocolSubscription

from sendtrail.errors import SendtrailError

_OWNER = b"owner"


class DataDirInUse(SendtrailError):
    """Another loader runs on the same data directory."""


class Member:
    """A loader's identity for as long as the process lives: `id` is kept in the directory, the lock is not."""

    def __init__(self, data_dir: Path) -> None:
        """Raises DataDirInUse if another process holds the directory, OSError if it can't be written."""
        data_dir.mkdir(parents=True, exist_ok=True)
        self._lock: IO[str] = (data_dir / "lock").open("a")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            self._lock.close()
            raise DataDirInUse(f"another loader runs on {data_dir}: give each a loader.data_dir of its own") from error
        file = data_dir / "member"
        if not file.exists():
            file.write_text(f"loader-{uuid.uuid4().hex}\n")
        self.id = file.read_text().strip()

    def close(self) -> None:
        """Give the directory free."""
        self._lock.close()


class OneOwner(AbstractPartitionAssignor):  # type: ignore[misc]  # kafka-python has no type hints
    """Gives every partition to one member: without replication exactly one loader inserts (DESIGN §7).

    The present owner keeps them; without one, the first by id. The others wait and take over when it is gone.
    """

    name = "one-owner"

    def __init__(self) -> None:
        self.owns = False

    def metadata(self, topics: Iterable[str]) -> ConsumerProtocolSubscription:
        return ConsumerProtocolSubscription(0, list(topics), _OWNER if self.owns else b"")

    def assign(self, cluster: Any, members: Sequence[Any]) -> dict[str, ConsumerProtocolAssignment]:
        owner = choose_owner(
            [
                (member.metadata.user_data == _OWNER, member.group_instance_id or "", member.member_id)
                for member in members
            ]
        )
        topics = sorted({topic for member in members for topic in member.metadata.topics})
        everything = [(topic, sorted(cluster.partitions_for_topic(topic) or ())) for topic in topics]
        return {
            member.member_id: ConsumerProtocolAssignment(0, everything if member.member_id == owner else [], b"")
            for member in members
        }

    def on_assignment(self, assignment: ConsumerProtocolAssignment, generation: Any) -> None:
        self.owns = any(partitions for _, partitions in assignment.assigned_partitions)


def choose_owner(members: Sequence[tuple[bool, str, str]]) -> str:
    """The member that gets everything, of (owns now, static id, member id)."""
    return min(members, key=lambda member: (not member[0], member[1], member[2]))[2]
