"""Which partition an event belongs to (FORMATS, Partition)."""

import struct
from hashlib import blake2b
from typing import Protocol

from sendtrail.naming import length_prefixed

_KEYS = struct.Struct(">QQ")
_NUMBER = struct.Struct(">Q")
#: All others go by delivery and message.
_OF_THEIR_OWN = frozenset(("transaction", "web", "relabel"))


class Routed(Protocol):
    """What decides a partition: an Event, or only these fields of one."""

    @property
    def kind(self) -> str: ...
    @property
    def delivery(self) -> int: ...
    @property
    def message(self) -> int: ...
    @property
    def site(self) -> str: ...
    @property
    def order_id(self) -> str: ...
    @property
    def visitor(self) -> str | None: ...


def _modulo(over: bytes, count: int) -> int:
    first: int = _NUMBER.unpack_from(blake2b(over).digest())[0]
    return first % count


def message_partition(delivery: int, message: int, count: int) -> int:
    """The partition of a message's events: keys as 8 bytes big-endian each, `count` partitions.

    Raises OverflowError for a key outside 64 bits.
    """
    try:
        first: int = _NUMBER.unpack_from(blake2b(_KEYS.pack(delivery, message)).digest())[0]
    except struct.error as error:
        raise OverflowError(f"a key outside 64 bits: {error}") from error
    return first % count


def partition_of(event: Routed, count: int) -> int:
    """The partition of an event. A relabel carries what routed its target, so it follows it.

    Transactions go by site and order id, visits without a delivery by site and visitor.
    """
    if event.kind not in _OF_THEIR_OWN:  # nearly all
        return message_partition(event.delivery, event.message, count)
    relabel = event.kind == "relabel"
    if event.kind == "transaction" or (relabel and event.order_id):
        return _modulo(length_prefixed(event.site.encode(), event.order_id.encode()), count)
    if (event.kind == "web" or (relabel and event.site)) and event.delivery == 0 and event.message == 0:
        return _modulo(length_prefixed(event.site.encode(), (event.visitor or "").encode()), count)
    return message_partition(event.delivery, event.message, count)
