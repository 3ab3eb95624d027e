"""Builders for tests of the forwarder: spools on disk, an owner that counts, a run without Kafka."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from producers.forward.pack import EventPacker
from producers.forward.parcel import Parcel
from producers.forward.route import router
from producers.forward.transit import Target, Transit
from sendtrail.events import Event
from sendtrail.ids import hit_id
from sendtrail.segments import SegmentHeader, Stream, encode_frame, encode_header
from sendtrail.spool_files import SegmentFile, segment_path

PARTITIONS = 4
SPOOL = "000102030405060708090a0b0c0d0e0f"
TIME_MS = 1_767_225_600_000
TARGET = Target("events", "deliveries", "contents", "consents", PARTITIONS, router(PARTITIONS))


class Clock:
    """Seconds that pass only when told."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class CountingOwner:
    """Owner of parcels that only counts."""

    def __init__(self) -> None:
        self.acks: list[Parcel] = []
        self.replacements: list[int] = []

    def acked(self, parcel: Parcel, log_time_ms: int) -> None:
        self.acks.append(parcel)

    def replaced(self, parcel: Parcel, by: int) -> None:
        self.replacements.append(by)


def header(sequence: int = 0, previous: int = 0, stream: Stream = Stream.EVENTS) -> SegmentHeader:
    return SegmentHeader(bytes.fromhex(SPOOL), "test", sequence, previous, stream)


def hit(number: int, time_ms: int = TIME_MS) -> Event:
    """An open of message `number`."""
    return Event(
        version=1,
        event_id=hit_id(time_ms),
        kind="open",
        event_time_ms=time_ms,
        index=number,
        delivery=7,
        message=number,
    )


def write_segment(
    directory: Path,
    payloads: Sequence[bytes],
    *,
    sequence: int = 0,
    state: str = "seg",
    tail: bytes = b"",
    stream: Stream = Stream.EVENTS,
    spool: str = SPOOL,
) -> SegmentFile:
    """A segment file as a writer leaves it, with `tail` behind its last frame."""
    directory.mkdir(parents=True, exist_ok=True)
    path = segment_path(directory, spool, sequence, "seg" if state == "seg" else "open")
    head = header(sequence, stream=stream)._replace(spool_id=bytes.fromhex(spool))
    data = encode_header(head) + b"".join(map(encode_frame, payloads)) + tail
    path.write_bytes(data)
    return SegmentFile(path, spool, sequence, state == "seg", len(data))


def packer(owner: CountingOwner | None = None) -> EventPacker:
    return EventPacker("events", PARTITIONS, router(PARTITIONS), header(), owner or CountingOwner())


def everything(transit: Transit) -> list[Parcel]:
    """The parcels of all batches of a finished segment."""
    parcels: list[Parcel] = []
    while not transit.read_out:
        parcels += transit.advance()
    return parcels


def wire(parcels: Sequence[Parcel]) -> list[tuple[str, int, bytes | None, bytes, list[tuple[str, bytes]]]]:
    """What Kafka would get."""
    return [(parcel.topic, parcel.partition, parcel.key, parcel.value, parcel.headers) for parcel in parcels]
