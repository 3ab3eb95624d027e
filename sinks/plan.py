"""Plans: which ranges one insert loads, how commits remember them, and the tokens made of them (pure)."""

import hashlib
from collections.abc import Iterable, Mapping
from heapq import heapify, heappop, heapreplace
from itertools import islice
from typing import NamedTuple

import msgspec

from sendtrail.clickhouse import MAX_BLOCK_ROWS
from sendtrail.errors import Invalid, SendtrailError

#: Kafka's default limit for the metadata of one commit (`offset.metadata.max.bytes`).
METADATA_BYTES = 4096
#: ClickHouse's default limit of partitions in one block (`max_partitions_per_insert_block`).
MAX_MONTHS = 100
#: Enriched bytes in one block: well below `min_insert_block_size_bytes`, from which the server splits (FACTS 4.2).
MAX_BLOCK_BYTES = 64 * 1024 * 1024

Range = tuple[int, int]  # [first, end): offsets of tracking.enriched

_WIDEST = 2**63 - 1
_encoder = msgspec.json.Encoder()


class Plan(NamedTuple):
    """What one insert per table loads: ranges by partition, of one source topic and one enriched topic."""

    topic_id: str
    log_id: str  # of tracking.enriched, whose offsets the ranges are: a recreated topic counts from 0 again
    ranges: dict[int, Range]


class CommitMetadata(msgspec.Struct, omit_defaults=True, frozen=True):
    """What a commit says beside its offset (FORMATS, Loader's intent); with `plan` it is an intent.

    `src`: last loaded source offset of the partition. `at`: epoch milliseconds. `blocks`: blocks that `events` had
    been given. `engine`: when ClickHouse was started, `schema`: when a migration was applied last, epoch milliseconds.
    """

    topic: str
    src: int
    plan: dict[int, Range] | None = None
    at: int = 0
    blocks: int = 0
    map: int = 0
    log: str = ""
    engine: int = 0
    schema: int = 0


class Commit(NamedTuple):
    """What the group has committed for a partition; `metadata` is None where another tool committed."""

    offset: int
    metadata: CommitMetadata | None


class RangeGone(SendtrailError):
    """Records of an open plan are not in tracking.enriched any more."""


_decoder = msgspec.json.Decoder(CommitMetadata)


def encode_metadata(metadata: CommitMetadata) -> str:
    """The text of a commit's metadata."""
    return _encoder.encode(metadata).decode("ascii")


def decode_metadata(text: str) -> CommitMetadata | Invalid:
    """The metadata of a commit; never raises. A commit made by another tool has none."""
    try:
        return _decoder.decode(text)
    except (msgspec.DecodeError, UnicodeError) as error:
        return Invalid("bad_metadata", str(error))


def plan_of(metadata: CommitMetadata) -> Plan | None:
    """The open plan of an intent."""
    if not metadata.plan:
        return None
    return Plan(metadata.topic, metadata.log, dict(sorted(metadata.plan.items())))


def digest(plan: Plan) -> str:
    """A plan as 32 hexadecimal digits: a function of topics and sorted ranges, and of nothing else."""
    ranges = [(partition, *plan.ranges[partition]) for partition in sorted(plan.ranges)]
    return hashlib.blake2b(_encoder.encode((plan.topic_id, plan.log_id, ranges)), digest_size=16).hexdigest()


def token(table: str, plan: Plan, repair: str = "") -> str:
    """The `insert_deduplication_token` of a plan's insert into one table.

    `repair` names a further insert, of rows that the first left out.
    """
    return "-".join(part for part in (table, digest(plan), repair) if part)


class Entry(NamedTuple):
    """One accepted record that waits to be loaded. `months`: of its rows, as ClickHouse partitions them."""

    offset: int
    rows: int
    size: int
    months: frozenset[int]
    arrived: float  # seconds of a monotonic clock


class Limits(NamedTuple):
    """When a block is large enough, and what it must not exceed."""

    rows: int = 50_000
    most_rows: int = MAX_BLOCK_ROWS
    size: int = MAX_BLOCK_BYTES
    months: int = MAX_MONTHS
    metadata: int = METADATA_BYTES


Waiting = Mapping[int, Iterable[Entry]]  # by partition, in order of offset


def is_due(oldest: float | None, rows: int, now: float, limits: Limits, wait_s: float) -> bool:
    """True if there are enough rows or the oldest record, which arrived at `oldest`, has waited long enough."""
    return oldest is not None and (rows >= limits.rows or now - oldest >= wait_s)


def cut(waiting: Waiting, limits: Limits) -> dict[int, int]:
    """How many entries of each partition the next plan takes: the longest waiting first, whole records.

    One record is always taken, whatever its size. A partition whose next record does not fit is left there, so that
    what is taken is always the head of its queue; partitions that the metadata has no room for wait for the next plan.
    """
    block = _Block(limits)
    queues = {partition: iter(entries) for partition, entries in waiting.items()}
    heads = [(entry.arrived, partition, entry) for partition, queue in queues.items() for entry in islice(queue, 1)]
    heapify(heads)
    taken: dict[int, int] = {}
    while heads and block.rows < limits.rows:
        _, partition, entry = heads[0]
        if not block.add(partition, entry):
            heappop(heads)
            continue
        taken[partition] = taken.get(partition, 0) + 1
        following = next(queues[partition], None)
        if following is None:
            heappop(heads)
        else:
            heapreplace(heads, (following.arrived, partition, following))
    return taken


class _Block:
    """What a block holds so far, and whether a record still fits."""

    def __init__(self, limits: Limits) -> None:
        self.limits, self.rows, self.size = limits, 0, 0
        self.months: frozenset[int] = frozenset()
        self.partitions: set[int] = set()
        self.metadata = _EMPTY_INTENT_BYTES

    def add(self, partition: int, entry: Entry) -> bool:
        metadata = self.metadata + (0 if partition in self.partitions else _range_bytes(partition))
        months = self.months | entry.months
        rows, size = self.rows + entry.rows, self.size + entry.size
        limits = self.limits
        fits = rows <= limits.most_rows and size <= limits.size and len(months) <= limits.months
        if self.partitions and not (fits and metadata <= limits.metadata):
            return False
        self.partitions.add(partition)
        self.metadata, self.months, self.rows, self.size = metadata, months, rows, size
        return True


def _range_bytes(partition: int) -> int:
    """Bytes that one more partition adds to an intent, offsets as wide as they come."""
    return len(f'"{partition}":[{_WIDEST},{_WIDEST}],')


#: An intent with no range, every number as wide as it comes.
_EMPTY_INTENT_BYTES = len(
    _encoder.encode(CommitMetadata("t" * 36, _WIDEST, {}, _WIDEST, _WIDEST, _WIDEST, "l" * 36, _WIDEST, _WIDEST))
)
