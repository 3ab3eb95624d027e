"""What becomes of clients' addresses before ClickHouse: setting loader.addresses. In Kafka they stay whole.

Rules and the steps of streams have seen the whole address by then; its network, country and client are columns of their
own and stay. A visit to a site that belongs to no message and no visitor has a person made of agent and address: with a
guess at either one could find the other, so that person is hashed once more, with the naming key.
"""

import socket
from collections.abc import Callable
from functools import lru_cache
from hashlib import blake2b
from typing import Any, Literal

Policy = Literal["truncated", "full", "hashed", "dropped"]
Columns = dict[str, list[Any]]
#: Changes columns of EventRow fields in place.
Keep = Callable[[Columns], None]

_CACHED = 65_536
_ON_A_SITE = frozenset(("web", "transaction"))
_IPV4_KEPT, _IPV6_KEPT = 3, 6  # bytes: /24 and /48
_HASH_BYTES = 8


def in_full(fields: Columns) -> None:
    """Keep addresses as they came."""


def keeping(policy: Policy, naming_key: bytes) -> Keep:
    """What the setting asks for. `naming_key`: of the key file; not looked at where addresses are kept in full."""
    if policy == "full":
        return in_full

    @lru_cache(_CACHED)
    def hashed(address: str) -> str:
        digest = blake2b(address.encode(), key=naming_key, person=b"address", digest_size=_HASH_BYTES)
        return digest.hexdigest() if address else ""

    made: dict[Policy, Callable[[str], str]] = {"truncated": truncated, "hashed": hashed, "dropped": _dropped}
    kept = made[policy]

    def keep(fields: Columns) -> None:
        if any(fields["address"]):
            fields["address"] = list(map(kept, fields["address"]))
        if not _ON_A_SITE.isdisjoint(fields["kind"]):
            _hide_persons(fields, naming_key)

    return keep


@lru_cache(_CACHED)
def truncated(address: str) -> str:
    """The /24 of an IPv4 address, the /48 of an IPv6 one, as its first address; empty for what is no address."""
    family, kept = (socket.AF_INET6, _IPV6_KEPT) if ":" in address else (socket.AF_INET, _IPV4_KEPT)
    try:
        packed = socket.inet_pton(family, address)
    except (OSError, ValueError):
        return ""
    return socket.inet_ntop(family, packed[:kept].ljust(len(packed), b"\0"))


def _dropped(_: str) -> str:
    return ""


def _hide_persons(fields: Columns, naming_key: bytes) -> None:
    """Persons made of an address, by which nobody else is ever named, get names of the same kind."""
    persons = fields["person"]
    rows = zip(fields["kind"], fields["delivery"], fields["message"], fields["visitor"], strict=True)
    for number, (kind, delivery, message, visitor) in enumerate(rows):
        if kind in _ON_A_SITE and not delivery and not message and visitor is None and persons[number]:
            persons[number] = blake2b(
                persons[number].encode(), key=naming_key, person=b"client", digest_size=16
            ).hexdigest()
