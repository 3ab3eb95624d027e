"""An address -> the network that holds it, of thousands: sorted starts of disjoint ranges, found by bisection.

Where ranges lie in each other the narrowest counts, of equal ones the first that was added. Addresses are compared as
their packed bytes, IPv4 apart from IPv6.
"""

import ipaddress
import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from socket import AF_INET, AF_INET6, inet_pton
from typing import NamedTuple

from streams.rules.tables import NetworkRule

_CACHED = 65_536
_BITS = {4: 32, 16: 128}
_MAPPED = bytes(10) + b"\xff\xff"  # an IPv4 address written as an IPv6 one
_END = re.compile(r"[\s,;#]")  # behind a range in a file
#: What an address loses where the loader keeps only its network (setting loader.addresses): /24, /48.
_CUT = {4: 3, 16: 6}


class Range(NamedTuple):
    """All addresses from `first` to `last`, as numbers, of so many bytes each."""

    size: int
    first: int
    last: int


class Block(NamedTuple):
    """What all addresses of a /24 or /48 have in common; not `whole`: only some of them are of a network."""

    rule: NetworkRule | None
    whole: bool


Table = tuple[list[bytes], list[NetworkRule | None]]


class Networks:
    """`of(address)` is remembered per address. `judging`: some network says more of a hit than its name."""

    def __init__(self, ranges: Iterable[tuple[Range, NetworkRule]] = ()) -> None:
        listed = list(ranges)
        self.judging = any(rule.certainty for _, rule in listed)
        self.by_name = {rule.name: rule for _, rule in reversed(listed)}
        self._tables = {
            size: _flat(size, [(range_, rule) for range_, rule in listed if range_.size == size]) for size in _BITS
        }
        self.of: Callable[[str], NetworkRule | None] = lru_cache(_CACHED)(self._of)

    def _of(self, address: str) -> NetworkRule | None:
        """None for an address of no network, and for what is no address."""
        packed = pack(address)
        if packed is None:
            return None
        starts, rules = self._tables[len(packed)]
        return rules[bisect_right(starts, packed) - 1]

    def of_block(self, address: str) -> Block:
        """Of the /24 or /48 of an address, for addresses that were cut to it."""
        packed = pack(address)
        if packed is None:
            return Block(None, True)
        starts, rules = self._tables[len(packed)]
        kept = packed[: _CUT[len(packed)]]
        first = bisect_right(starts, kept.ljust(len(packed), b"\0")) - 1
        last = bisect_right(starts, kept.ljust(len(packed), b"\xff")) - 1
        return Block(rules[first], len({id(rule) for rule in rules[first : last + 1]}) == 1)


def pack(address: str) -> bytes | None:
    """4 or 16 bytes; None for what is no address."""
    try:
        if ":" not in address:
            return inet_pton(AF_INET, address)
        packed = inet_pton(AF_INET6, address)
    except (OSError, ValueError):
        return None
    return packed[12:] if packed.startswith(_MAPPED) else packed


def is_cut(address: str) -> bool:
    """True if nothing is left of an address but its /24 or /48."""
    packed = pack(address)
    return packed is not None and not any(packed[_CUT[len(packed)] :])


def parse_range(text: str) -> Range:
    """An address or a network in CIDR notation. Raises ValueError saying what is wrong with it."""
    address, slash, bits = text.partition("/")
    packed = pack(address)
    if packed is None or (slash and not bits.isdecimal()):
        ipaddress.ip_network(text)  # raises with a text for people
        raise ValueError(f"{text!r} is no network in CIDR notation")
    most = _BITS[len(packed)]
    length = int(bits) - (96 if ":" in address and most == 32 else 0) if slash else most
    number, host = int.from_bytes(packed, "big"), (1 << max(0, most - length)) - 1
    if not 0 <= length <= most or number & host:
        ipaddress.ip_network(text)
        raise ValueError(f"{text!r} is no network in CIDR notation")
    return Range(len(packed), number, number | host)


def read_ranges(path: Path) -> Iterator[Range]:
    """The ranges of a file: one on a line, in front of a space, comma or `#`; what follows is not looked at.

    So providers' lists in CSV can be used as they are. Raises OSError, or ValueError naming the line.
    """
    for number, line in enumerate(path.read_text("utf-8-sig").splitlines(), 1):
        text = _END.split(line.strip(), maxsplit=1)[0]
        if text:
            try:
                yield parse_range(text)
            except ValueError as error:
                raise ValueError(f"line {number}: {error}") from error


def _flat(size: int, listed: Sequence[tuple[Range, NetworkRule]]) -> Table:
    """Where each stretch of addresses begins, and what holds it."""
    order = sorted(enumerate(listed), key=lambda one: (one[1][0].first, -one[1][0].last, -one[0]))
    found: dict[int, NetworkRule | None] = {0: None}
    around: list[tuple[int, NetworkRule]] = []

    def leave(until: float) -> None:
        while around and around[-1][0] < until:
            last, _ = around.pop()
            found[last + 1] = around[-1][1] if around else None

    for _, (range_, rule) in order:
        leave(range_.first)
        found[range_.first] = rule
        around.append((range_.last, rule))
    leave(float("inf"))
    found.pop(1 << _BITS[size], None)
    starts: list[bytes] = []
    rules: list[NetworkRule | None] = []
    for start, held_by in sorted(found.items(), key=lambda one: one[0]):
        if not rules or rules[-1] is not held_by:
            starts.append(start.to_bytes(size, "big"))
            rules.append(held_by)
    return starts, rules
