"""The state directory: one worker at a time, its member id, and which topic its state belongs to."""

import fcntl
import os
import uuid
from contextlib import suppress
from pathlib import Path

from streams.errors import Stopped


class StateDirectory:
    """Holds the lock of a state directory until the process ends. Raises Stopped if another worker holds it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir(parents=True, exist_ok=True)
        self._lock = os.open(path / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(self._lock)
            raise Stopped(f"another worker uses {path}: give each its own streams.state_dir") from error

    def member_id(self) -> str:
        """The static member id of this directory, made at its first use: a restart is the same group member."""
        path = self.path / "member"
        if not path.exists():
            _write(path, f"worker-{uuid.uuid4().hex}")
        return path.read_text().strip()

    def claim_topic(self, name: str, topic_id: str) -> None:
        """State of one topic only. Raises Stopped where this directory worked on another topic of that name."""
        path = self.path / f"{name}.id"
        known = path.read_text().strip() if path.exists() else ""
        if not known:
            # A member that saw the topic go was given no partitions. The broker hands a static member that comes
            # back what it had and balances nothing, so one that begins anew must be another member.
            (self.path / "member").unlink(missing_ok=True)
            _write(path, topic_id)
        elif known != topic_id:
            raise Stopped(recreated(name, known, topic_id, path))

    def partition(self, topic_id: str, partition: int) -> Path:
        """Where the state of one partition of one topic lives."""
        return self.path / topic_id / str(partition)

    def close(self) -> None:
        """Let another worker have the directory."""
        os.close(self._lock)


def size_bytes(path: Path) -> int:
    """Bytes of the files in a partition's state directory; those that vanish meanwhile are none."""
    total = 0
    with suppress(FileNotFoundError):
        for entry in os.scandir(path):
            with suppress(FileNotFoundError):
                total += entry.stat().st_size
    return total


def recreated(name: str, known: str, found: str, path: Path) -> str:
    """What an operator is told of a topic that is not the one the state belongs to."""
    return (
        f"topic {name} was made anew: its id is {found}, this worker's state belongs to {known}. What was in the old "
        f"topic and not processed is gone. To go on with the new one, delete {path}"
    )


def _write(path: Path, text: str) -> None:
    draft = path.with_name(path.name + ".new")
    draft.write_text(text)
    os.replace(draft, path)
