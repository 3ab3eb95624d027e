"""Why a worker ends before it is asked to.

StreamsError
├── Restart      something this process can't heal and a new one does: exit code 1, the supervisor starts it again
│   └── Damaged  a partition's state is not what was written: the next start does without it
└── Stopped      going on would lose or mix data: exit code 4, an operator decides; the text says what and how
"""

from pathlib import Path

from sendtrail.errors import SendtrailError

EXIT_RESTART = 1
EXIT_STOPPED = 4


class StreamsError(SendtrailError):
    """Base of what ends a worker."""


class Restart(StreamsError):
    """A lost delivery, a failed send: nothing is lost, since nothing was committed; start again from the commit."""


class Damaged(Restart):
    """The state in `path` is damaged. It is marked, so that the next start throws it away and restores or rebuilds."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(f"the state in {path} is damaged: {why}")
        self.path = path


class Stopped(StreamsError):
    """The log no longer holds what the group committed, the topic is another one, or the state is in use."""
