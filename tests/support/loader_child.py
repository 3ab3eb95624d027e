"""A loader in a process of its own that can be told to die: `python -m tests.support.loader_child [step [times]]`.

It kills itself (SIGKILL) right at the given step of its protocol, when it is there for the given time (default 1).
With SENDTRAIL_TEST_SEVERAL it takes plain tables for replicated ones: the embedded engine has no Keeper.
"""

import os
import signal
import sys
from collections import Counter

from sendtrail.settings import load
from sinks import main as stage
from sinks.main import main
from sinks.worker import Step


class DieAt:
    """An observer that ends the process, as kill -9 does."""

    def __init__(self, step: str, times: int) -> None:
        self._step, self._times = step, times
        self._seen: Counter[str] = Counter()

    def __call__(self, step: Step) -> None:
        self._seen[step] += 1
        if step == self._step and self._seen[step] == self._times:
            os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    if os.environ.pop("SENDTRAIL_TEST_SEVERAL", ""):
        vars(stage)["check_replicated"] = lambda client, settings: None
    at, times = [*sys.argv[1:], "", "1"][:2]
    sys.exit(main(load(), DieAt(at, int(times or 1))))
