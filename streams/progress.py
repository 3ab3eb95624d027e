"""How far each partition is, and which offsets may be committed. Pure."""

from dataclasses import dataclass

from streams.state.expiry import Expiry
from streams.state.store import Store


@dataclass
class Part:
    """One partition under one assignment. `next`: the offset expected next; `done`: all below it is acknowledged."""

    partition: int
    assignment: int
    store: Store
    expiry: Expiry
    next: int
    done: int
    committed: int


class Progress:
    """The partitions this worker has opened. Faust's own acks are not asked: only `done` may be committed."""

    def __init__(self) -> None:
        self.parts: dict[int, Part] = {}

    def part(self, partition: int, assignment: int) -> Part | None:
        """The partition as opened under this assignment; None if that is still to be done."""
        part = self.parts.get(partition)
        return part if part is not None and part.assignment == assignment else None

    def committable(self, assignment: int, rebalancing: bool) -> dict[int, int]:
        """Offsets by partition that lie beyond the commit. None during a rebalance: a commit then could reset the
        member's generation and open a second assignment under the same number."""
        if rebalancing:
            return {}
        return {
            part.partition: part.done
            for part in self.parts.values()
            if part.assignment == assignment and part.done > part.committed
        }

    def committed(self, offsets: dict[int, int]) -> None:
        """The broker took them."""
        for partition, offset in offsets.items():
            if (part := self.parts.get(partition)) is not None:
                part.committed = max(part.committed, offset)
