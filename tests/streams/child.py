"""A worker in a process of its own that can be told to die: `python -m tests.streams.child [moment [times [how]]]`.

It kills itself (`how` KILL, the default) or freezes (STOP) right at the given moment of a batch, when it is there for
the given time (default 1). It flushes its state after every batch, so that what comes after a crash finds some, and
does not take long to stop.
"""

import os
import signal
import sys
from collections import Counter

from sendtrail.settings import load
from streams import main, worker
from streams.worker import Moment


class DieAt:
    """An observer that ends or freezes the process, as kill -9 or -STOP does."""

    def __init__(self, moment: str, times: int, how: str) -> None:
        self._moment, self._times, self._signal = moment, times, signal.Signals[f"SIG{how}"]
        self._seen: Counter[str] = Counter()

    def __call__(self, moment: Moment) -> None:
        self._seen[moment] += 1
        if moment == self._moment and self._seen[moment] == self._times:
            os.kill(os.getpid(), self._signal)


if __name__ == "__main__":
    worker.FLUSH_EVERY_S = 0.0
    main.STOP_LIMIT_S = 5.0
    at, times, how = sys.argv[1:] + ["", "1", "KILL"][len(sys.argv) - 1 :]
    sys.exit(main.main(load(), DieAt(at, int(times), how)))
