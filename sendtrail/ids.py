"""Event ids: 16 bytes, time first (FORMATS, Event id)."""

import hashlib
import os
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from sendtrail.naming import length_prefixed

RandomBytes = Callable[[int], bytes]

EARLIEST_MS = 946_684_800_000  # 2000-01-01T00:00:00Z
LATEST_AHEAD_MS = 86_400_000  # a day past log time
_MS_BYTES = 6


def _at(time_ms: int, rest: bytes) -> str:
    return (time_ms.to_bytes(_MS_BYTES, "big") + rest).hex()


def hit_id(time_ms: int, random_bytes: RandomBytes = os.urandom) -> str:
    """A new id for a hit at the edge: made once, before the spool. Raises OverflowError for a time outside 48 bits."""
    return _at(time_ms, random_bytes(10))


def feed_id(
    naming_key: bytes,
    time_ms: int,
    account: str,
    adapter: str,
    provider_event_id: str | None,
    item: Mapping[str, Any],
) -> str:
    """The id of a fed event: equal for every retry, since only the payload decides.

    `item` is the payload without transport fields; it counts only where the provider gives no id of its own.
    Raises OverflowError for a time outside 48 bits: check the time first.
    """
    own = provider_event_id.encode() if provider_event_id else msgspec.json.encode(item, order="sorted")
    digest = hashlib.blake2b(
        length_prefixed(account.encode(), adapter.encode(), own), key=naming_key, person=b"event", digest_size=10
    ).digest()
    return _at(time_ms, digest)


def transaction_id(account: str, site: str, order_id: str) -> str:
    """The id of a transaction: a reloaded thank-you page is the same id. Its time part is zero."""
    over = length_prefixed(account.encode(), site.encode(), order_id.encode())
    return _at(0, hashlib.blake2b(over, digest_size=10).digest())


def relabel_id(run_time_ms: int, run: str, target_id: str) -> str:
    """The id of one correction by one run."""
    over = length_prefixed(run.encode(), bytes.fromhex(target_id))
    return _at(run_time_ms, hashlib.blake2b(over, digest_size=10).digest())


def reject_key(record_time_ms: int, topic_id: str, partition: int, offset: int, index: int) -> str:
    """The key of a reject, which is the event id when it is replayed: replaying twice changes nothing."""
    place = f"{partition}:{offset}:{index}".encode()
    digest = hashlib.blake2b(length_prefixed(topic_id.encode(), place), digest_size=10).digest()
    return _at(record_time_ms, digest)


def id_time_ms(event_id: str) -> int:
    """Milliseconds in an id's first six bytes."""
    return int(event_id[: 2 * _MS_BYTES], 16)


def is_event_id(text: str) -> bool:
    """True for 32 lower-case hexadecimal digits."""
    try:  # half the time of a regular expression; the comparison finds capitals and white space
        return len(text) == 32 and bytes.fromhex(text).hex() == text
    except ValueError:
        return False
