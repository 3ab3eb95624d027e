"""Random bytes for ids, fetched from the kernel some kilobytes at a time: a call per hit costs more than the id."""

import os

POOL_BYTES = 8192


class RandomPool:
    """Gives random bytes once each. Not for keys, and not across a fork."""

    def __init__(self) -> None:
        self._pool = b""
        self._position = 0

    def take(self, count: int) -> bytes:
        """`count` fresh bytes, at most POOL_BYTES."""
        start = self._position
        end = start + count
        if end > len(self._pool):
            self._pool = os.urandom(POOL_BYTES)
            start, end = 0, count
        self._position = end
        return self._pool[start:end]
