"""Something is away: saying so once in a while, and when to try again."""

import random
import time
from collections.abc import Callable

import structlog

_FIRST_S = 0.2
_LONGEST_S = 10.0
_DOUBLINGS = 10  # from the first to the longest wait, and more


def worth_saying(attempt: int) -> bool:
    """True for the attempts (from 1) whose failure is logged: the first, the fifth, and then every twentieth."""
    return attempt in (1, 5) or attempt % 20 == 0


class Outage:
    """Whether `what` answers, as seen by one loop that never blocks on it."""

    def __init__(self, what: str, clock: Callable[[], float] = time.monotonic) -> None:
        self.what = what
        self.text = ""
        self._clock = clock
        self._attempts = 0
        self._until = 0.0
        self._log = structlog.get_logger("loader")

    @property
    def waiting(self) -> bool:
        """True until it is time to try again."""
        return self._clock() < self._until

    def failed(self, error: BaseException) -> None:
        """It did not answer: wait longer than the last time, ten seconds at most."""
        self._attempts += 1
        longest = min(_FIRST_S * 2.0 ** min(self._attempts - 1, _DOUBLINGS), _LONGEST_S)
        self._until = self._clock() + longest * random.uniform(0.7, 1.0)
        self.text = one_line(error)
        if worth_saying(self._attempts):
            self._log.warning(f"{self.what} is not ready; waiting", error=self.text, attempts=self._attempts)

    def over(self) -> None:
        """It answered."""
        if self._attempts:
            self._log.info(f"{self.what} is ready again", attempts=self._attempts)
        self._attempts, self._until, self.text = 0, 0.0, ""


def one_line(error: BaseException) -> str:
    """An error's text for people: its first line, without the server's stack trace."""
    text = str(error).strip() or repr(error)
    return text.split("\n", 1)[0].split(" Stack trace", 1)[0][:500]
