"""Which hits are part of a flood: one link asked for by one address far more often than a person would.

And, where that is wanted, what an address asks for altogether past a limit.
"""

import socket
from collections.abc import Callable

from sendtrail.events import Event

#: Links of addresses remembered at once, at most twice as many; about 20 MB.
MAX_KEYS = 65_536
WINDOW_S = 60.0
_CONFIRMED = ("form", "one_click")


class Floods:
    """Counts hits by address and link. Its memory is bounded: with too many keys the oldest are forgotten.

    A key is a hash, so two could fall together: once in some 10^9 windows. What is forgotten begins anew at 0, so the
    bound never makes a flood of what is none. Half of a window's count goes into the next: a flood stays one until it
    has ebbed for some minutes.
    """

    def __init__(
        self, per_link: int, clock: Callable[[], float], *, per_address: int = 0, max_keys: int = MAX_KEYS
    ) -> None:
        """Hits a minute that are no flood yet, of one link from one address and of one address; 0: any number.

        `clock`: seconds, monotonic.
        """
        self._per_link = per_link
        self._per_address = per_address
        self._clock = clock
        self._max_keys = max_keys
        self._now: dict[int, int] = {}
        self._before: dict[int, int] = {}
        self._halved = False  # whether what is in `_before` is of an earlier window
        self._until = clock() + WINDOW_S

    def holds(self, event: Event) -> bool:
        """Count a hit; True where it is past a limit. Confirmed opt-outs never are: each is honoured and counted."""
        if event.how is not None and event.how in _CONFIRMED:
            return False
        address = event.address
        source = source_of(address) if ":" in address else address
        over = False
        if self._per_link and (event.message or event.delivery):  # visits of nobody known: see web_limit.py
            key = hash((source, event.message, event.delivery, event.url_id, event.kind))
            over = self._count(key) > self._per_link
        if self._per_address and self._count(hash(source)) > self._per_address:
            over = True
        return over

    def turn(self) -> None:
        """To be called now and then: begins a new window when it is time."""
        if self._clock() >= self._until:
            self._until = self._clock() + WINDOW_S
            self._rotate(halved=True)

    @property
    def keys(self) -> int:
        """How many are remembered."""
        return len(self._now) + len(self._before)

    def _count(self, key: int) -> int:
        count = self._now.get(key)
        if count is None:
            count = self._remembered(key)
        self._now[key] = count = count + 1
        return count

    def _remembered(self, key: int) -> int:
        if len(self._now) >= self._max_keys:
            self._rotate(halved=False)
        count = self._before.get(key, 0)
        return count // 2 if self._halved else count

    def _rotate(self, *, halved: bool) -> None:
        self._before, self._now, self._halved = self._now, {}, halved


def source_of(address: str) -> str | bytes:
    """What stands for one client: its address, of IPv6 the /64 that is usually all its own."""
    if ":" not in address:
        return address
    try:
        return socket.inet_pton(socket.AF_INET6, address)[:8]
    except OSError:
        return address
