"""Consecutive payloads of one segment -> parcels, a batch at a time. Pure.

A batch is a run of payloads that is cut where one of its packs is full, or has waited long enough (the caller's
clock). It is the unit of progress: a batch is acknowledged as a whole or sent again with the same cut.
"""

from collections import defaultdict
from itertools import islice
from typing import Protocol

import msgspec
import structlog

from producers.forward.parcel import Owner, Parcel, pack_parcel
from producers.forward.route import UNDATED, Route
from producers.forward.tally import Tally
from sendtrail.deliveries import RegistryRecord
from sendtrail.metrics import counter
from sendtrail.packs import MAX_BYTES, MAX_EVENTS, PackHeader, headers_of
from sendtrail.segments import SegmentHeader
from sendtrail.topics import MIB

#: A batch of keyed records is cut once it has so many bytes: a content may have a million.
KEYED_BYTES = 2 * MIB


class Packer(Protocol):
    """Gathers payloads into a batch. `index` is that of the next payload, `full` asks for a cut."""

    index: int
    full: bool

    @property
    def empty(self) -> bool: ...

    def take(self, payloads: list[bytes], start: int, end: int) -> int:
        """Gather `payloads[start:end]` until full; how many were taken."""

    def skip(self, payloads: list[bytes]) -> None:
        """Pass over payloads that were acknowledged before a restart."""

    def cut(self, batch: int) -> list[Parcel]:
        """The parcels of what was gathered."""

    def date(self, minutes: dict[int, int]) -> None:
        """Count events that can't be decoded in the minutes of their records."""

    def closing(self, batch: int) -> list[Parcel]:
        """What is sent when all batches are acknowledged."""


class _Lane:
    """The pack of one partition in the making."""

    __slots__ = ("indexes", "lines", "minutes", "size")

    def __init__(self) -> None:
        self.lines: list[bytes] = []
        self.indexes: list[int] = []
        self.minutes: dict[int, int] = defaultdict(int)
        self.size = 0


class EventPacker:
    """Event lines -> packs of tracking.events, one per partition and batch, and the segment's totals."""

    def __init__(self, topic: str, partitions: int, route: Route, header: SegmentHeader, owner: Owner) -> None:
        self.index = 0
        self.full = False
        self._topic = topic
        self._route = route
        self._header = header
        self._owner = owner
        self._stray = route(b"")[0]
        self._source = PackHeader(header.spool_id.hex(), header.sequence, 0, 0, 0)
        self._lanes = [_Lane() for _ in range(partitions)]
        self._tally = Tally()
        self._empty = True

    @property
    def empty(self) -> bool:
        return self._empty

    def take(self, payloads: list[bytes], start: int, end: int) -> int:
        route, lanes, index = self._route, self._lanes, self.index
        for line in islice(payloads, start, end):
            partition, minute = route(line)
            lane = lanes[partition]
            size = lane.size + len(line) + 1
            if size > MAX_BYTES and lane.lines:
                self.full = True
                break
            lane.lines.append(line if b"\n" not in line else one_line(line))
            lane.indexes.append(index)
            lane.minutes[minute] += 1
            lane.size = size
            index += 1
            if len(lane.lines) == MAX_EVENTS:
                self.full = True
                break
        taken, self.index = index - self.index, index
        self._empty = self._empty and not taken
        return taken

    def skip(self, payloads: list[bytes]) -> None:
        for line in payloads:
            partition, minute = self._route(line)
            self._tally.add(partition, {minute: 1})
        self.index += len(payloads)

    def cut(self, batch: int) -> list[Parcel]:
        parcels = []
        for partition, lane in enumerate(self._lanes):
            if not lane.lines:
                continue
            self._tally.add(partition, lane.minutes)
            parcel = pack_parcel(self._topic, partition, lane.lines, lane.indexes, self._owner, batch, self._source)
            parcel.undated = lane.minutes.get(UNDATED, 0)
            parcels.append(parcel)
            self._lanes[partition] = _Lane()
        self.full, self._empty = False, True
        return parcels

    def date(self, minutes: dict[int, int]) -> None:
        for minute, count in minutes.items():
            self._tally.date(self._stray, minute, count)

    def closing(self, batch: int) -> list[Parcel]:
        last = max(self._tally.events - 1, 0)
        header = self._source._replace(first=0, last=last, events=0)
        return [
            Parcel(self._topic, self._stray, b"", self._owner, batch, None, headers_of(header, totals), header)
            for totals in self._tally.totals(self._header)
        ]


class KeyedPacker:
    """Records of a registry or contents segment -> the same, keyed, in order. No packs, no totals."""

    def __init__(self, topic: str, owner: Owner) -> None:
        self.index = 0
        self.full = False
        self._topic = topic
        self._owner = owner
        self._payloads: list[bytes] = []
        self._size = 0

    @property
    def empty(self) -> bool:
        return not self._payloads

    def take(self, payloads: list[bytes], start: int, end: int) -> int:
        taken = 0
        for payload in islice(payloads, start, end):
            self._payloads.append(payload)
            self._size += len(payload)
            taken += 1
            self.full = len(self._payloads) >= MAX_EVENTS or self._size >= KEYED_BYTES
            if self.full:
                break
        self.index += taken
        return taken

    def skip(self, payloads: list[bytes]) -> None:
        self.index += len(payloads)

    def cut(self, batch: int) -> list[Parcel]:
        payloads, self._payloads, self._size, self.full = self._payloads, [], 0, False
        return [parcel for payload in payloads if (parcel := self._parcel(payload, batch)) is not None]

    def date(self, minutes: dict[int, int]) -> None:
        """Keyed records are in no minute."""

    def closing(self, batch: int) -> list[Parcel]:
        return []

    def _parcel(self, payload: bytes, batch: int) -> Parcel | None:
        try:
            record = msgspec.json.decode(payload, type=RegistryRecord)
        except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
            counter("sendtrail_forward_errors_total").labels("bad_registry").inc()
            structlog.stdlib.get_logger("forward").error("bad_registry_record", error=str(error), bytes=len(payload))
            return None
        return Parcel(self._topic, 0, bytes(record.value), self._owner, batch, record.key.encode())


def one_line(payload: bytes) -> bytes:
    """A payload that holds newlines as one line: in a pack it would pass for several. JSON means the same with blanks.

    No event written by `encode` holds one.
    """
    return payload.replace(b"\n", b" ")
