"""One record on its way to Kafka, and what is done when it is too large for the broker."""

from dataclasses import dataclass, field
from typing import Protocol

from sendtrail.packs import PackHeader, headers_of, join, split

Headers = list[tuple[str, bytes]]

#: A line is not shortened below this to make it fit: a broker that refuses so little has another trouble.
MIN_LINE_BYTES = 1024


class Owner(Protocol):
    """Who is told when a parcel is acknowledged, or replaced by smaller ones."""

    def acked(self, parcel: "Parcel", log_time_ms: int) -> None: ...
    def replaced(self, parcel: "Parcel", by: int) -> None: ...


@dataclass(slots=True, eq=False)
class Parcel:
    """A record: topic, partition, key, value, headers; whose it is and which batch of the segment it belongs to.

    `indexes`: those of its events in the segment, one per line of the value. `undated`: how many of them can't be
    decoded, so that their minute is the record's. `totals`: the record ends its segment.
    """

    topic: str
    partition: int
    value: bytes
    owner: Owner
    batch: int
    key: bytes | None = None
    headers: Headers = field(default_factory=list)
    source: PackHeader | None = None
    indexes: list[int] = field(default_factory=list)
    undated: int = 0

    @property
    def size(self) -> int:
        """Bytes it takes on the way, about."""
        return len(self.value) + sum(len(value) for _, value in self.headers) + 128

    @property
    def events(self) -> int:
        return len(self.indexes)


def pack_parcel(
    topic: str, partition: int, lines: list[bytes], indexes: list[int], owner: Owner, batch: int, source: PackHeader
) -> Parcel:
    """The parcel of a pack; `source` gives spool and segment, the rest comes from the indexes."""
    header = source._replace(first=indexes[0], last=indexes[-1], events=len(indexes))
    return Parcel(topic, partition, join(lines), owner, batch, None, headers_of(header), header, indexes)


def smaller(parcel: Parcel) -> list[Parcel]:
    """What is sent instead of a parcel that the broker finds too large; empty where nothing can be.

    A pack becomes two. A pack of one event has its line cut in half: no event is that large, so it becomes a reject
    in streams, and its neighbours pass.
    """
    if parcel.source is None or not parcel.indexes:
        return []
    lines, indexes = split(parcel.value), parcel.indexes
    if len(indexes) > 1:
        half = len(indexes) // 2
        parts = [(lines[:half], indexes[:half]), (lines[half:], indexes[half:])]
    elif len(parcel.value) >= 2 * MIN_LINE_BYTES:
        parts = [([parcel.value[: len(parcel.value) // 2]], indexes)]
    else:
        return []
    made = [
        pack_parcel(parcel.topic, parcel.partition, *part, parcel.owner, parcel.batch, parcel.source) for part in parts
    ]
    made[0].undated = parcel.undated
    return made
