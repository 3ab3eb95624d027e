"""Why a worker ends before it is asked to.

StreamsError
├── Restart      something this process can't heal and a new one does: exit code 1, the supervisor starts it again
└── Stopped      going on would lose or mix data: exit code 4, an operator decides; the text says what and how
"""

from sendtrail.errors import SendtrailError

EXIT_RESTART = 1
EXIT_STOPPED = 4


class StreamsError(SendtrailError):
    """Base of what ends a worker."""


class Restart(StreamsError):
    """A lost delivery, a failed send: nothing is lost, since nothing was committed; start again from the commit."""


class Stopped(StreamsError):
    """The log no longer holds what the group committed, the topic is another one, or the state is in use."""
