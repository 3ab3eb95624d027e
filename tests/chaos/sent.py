"""What the harness has sent and how it was answered: one side of the ledger. Shared by the threads that send."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class Sent:
    """By number or name, what was answered so that it must be stored, and what got no answer at all.

    `hits` and `silent_hits`: which edge. `off`: edges whose disk is full or whose clock is far ahead just now.
    """

    hits: dict[int, str] = field(default_factory=dict)
    silent_hits: dict[int, str] = field(default_factory=dict)
    ahead: set[int] = field(default_factory=set)
    items: set[int] = field(default_factory=set)
    silent_items: set[int] = field(default_factory=set)
    told: set[int] = field(default_factory=set)
    silent_told: set[int] = field(default_factory=set)
    orders: set[str] = field(default_factory=set)
    silent_orders: set[str] = field(default_factory=set)
    poisons: dict[str, str] = field(default_factory=dict)
    silent_poisons: set[str] = field(default_factory=set)
    repeats: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)
    clocks_ahead: set[str] = field(default_factory=set)
    _off: Counter[str] = field(default_factory=Counter)
    _lock: threading.Condition = field(default_factory=threading.Condition)
    _ordering: Counter[str] = field(default_factory=Counter)

    @property
    def total(self) -> int:
        """Everything that must be somewhere."""
        return len(self.hits) + len(self.items) + len(self.told) + len(self.orders) + len(self.poisons)

    @contextmanager
    def without_orders(self, edge: str) -> Iterator[None]:
        """While the block runs, no order is sent to this edge: which of an order's repeats was lost can't be told."""
        with self._lock:
            self._off[edge] += 1
            self._lock.wait_for(lambda: not self._ordering[edge])
        try:
            yield
        finally:
            with self._lock:
                self._off[edge] -= 1

    @contextmanager
    def ordering(self, edge: str) -> Iterator[bool]:
        """False where no order may go to this edge now."""
        with self._lock:
            allowed = not self._off[edge]
            self._ordering[edge] += allowed
        try:
            yield allowed
        finally:
            with self._lock:
                self._ordering[edge] -= allowed
                self._lock.notify_all()
