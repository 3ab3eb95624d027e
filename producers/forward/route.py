"""An event line -> its partition and its minute, from the few fields that decide them. Pure."""

from collections.abc import Callable

import msgspec

from sendtrail.events import VERSION
from sendtrail.ids import id_time_ms, is_event_id
from sendtrail.packs import minute_of
from sendtrail.partitions import message_partition, partition_of

#: The minute of a line that can't be decoded: that of its record, known once Kafka has stamped it.
UNDATED = -1
#: The minute of a re-label, which is no event of a message: it is counted apart (FORMATS, Enriched record).
APART = -2

Route = Callable[[bytes], tuple[int, int]]


class _Fields(msgspec.Struct, gc=False):
    """The part of an event that routes it; decoding only this costs a sixth of decoding all of it."""

    version: int = msgspec.field(name="v")
    event_id: str = msgspec.field(name="id")
    kind: str = msgspec.field(name="k")
    delivery: int = msgspec.field(default=0, name="d")
    message: int = msgspec.field(default=0, name="m")
    site: str = ""
    order_id: str = msgspec.field(default="", name="oid")
    visitor: str | None = msgspec.field(default=None, name="vi")


def router(partitions: int) -> Route:
    """A function from a line to (partition, minute of its id; of a re-label APART).

    A line that can't be decoded goes to the partition of (0, 0) as it is, with minute UNDATED: streams makes a reject
    of it. Never raises.
    """
    decode = msgspec.json.Decoder(_Fields).decode
    stray = (message_partition(0, 0, partitions), UNDATED)

    def route(line: bytes) -> tuple[int, int]:
        try:
            fields = decode(line)
            partition = partition_of(fields, partitions)
        except (msgspec.DecodeError, UnicodeError, RecursionError, OverflowError):
            return stray
        if fields.version != VERSION or not is_event_id(fields.event_id):
            return stray
        return partition, APART if fields.kind == "relabel" else minute_of(id_time_ms(fields.event_id))

    return route
