"""The rules as data: *.toml of this folder -> frozen tables, checked once at start."""

from dataclasses import dataclass
from functools import cache
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from sendtrail.events import Class, HitKind

FOLDER = Path(__file__).parent

Network = IPv4Network | IPv6Network


class ProxyRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A fetcher that stands between us and the reader."""

    name: str
    class_: Class = msgspec.field(name="class")
    reason: str = ""
    contains: list[str] = []
    equals: list[str] = []
    kinds: list[HitKind] = []

    def fits(self, agent: str, kind: str) -> bool:
        """`agent` in lower case; no kinds = all of them."""
        if self.kinds and kind not in self.kinds:
            return False
        return agent in map(str.lower, self.equals) or any(text.lower() in agent for text in self.contains)


class AgentRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Programs by what their agent says; always of class machine."""

    reason: str
    contains: list[str]

    def fits(self, agent: str) -> bool:
        """`agent` in lower case."""
        return any(text.lower() in agent for text in self.contains)


class BurstRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Clicks on at least so many links of a message within so many milliseconds of event time."""

    links: Annotated[int, Meta(ge=2)]
    within_ms: Annotated[int, Meta(ge=1)]


class GroupRules(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What hits of one message say about each other (judge.py)."""

    burst: list[BurstRule] = []
    honeypot_ms: Annotated[int, Meta(ge=0)] = 10_000
    before_delivery: bool = True
    before_delivery_ms: Annotated[int, Meta(ge=0)] = 2_000
    lift: bool = True


class AddressRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Links of at least so many messages followed from one address within so many milliseconds of event time."""

    messages: Annotated[int, Meta(ge=2)]
    within_ms: Annotated[int, Meta(ge=1, le=1_800_000)]
    at_least: Annotated[int, Meta(ge=2)] = 10

    def limit(self, partitions: int) -> int:
        """Of one partition: messages are spread evenly, but a few say nothing."""
        return max(self.at_least, -(-self.messages // partitions))


class _MachineFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    version: str
    proxy: list[ProxyRule] = []
    agent: list[AgentRule] = []
    group: GroupRules = GroupRules()
    address: AddressRule | None = None


class _NetworkRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    ranges: list[str]


class _NetworkFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    network: list[_NetworkRule] = []


@dataclass(frozen=True, eq=False)
class Rules:
    """One version of the rules. Hashed by identity, so that steps cache what they derive from it at no cost."""

    version: str
    proxies: tuple[ProxyRule, ...]
    proxy_names: frozenset[str]
    agents: tuple[AgentRule, ...]
    group: GroupRules
    address: AddressRule | None
    networks: dict[str, list[tuple[Network, str]]]  # by the first group of an address, as text


@cache
def load_rules(folder: Path = FOLDER) -> Rules:
    """Read machine.toml and networks.toml. Raises msgspec.ValidationError or ValueError for a table that is wrong."""
    machine = msgspec.toml.decode((folder / "machine.toml").read_bytes(), type=_MachineFile)
    networks = msgspec.toml.decode((folder / "networks.toml").read_bytes(), type=_NetworkFile)
    return Rules(
        machine.version,
        tuple(machine.proxy),
        frozenset(rule.name for rule in machine.proxy),
        tuple(machine.agent),
        machine.group,
        machine.address,
        _by_head(networks),
    )


def _by_head(file: _NetworkFile) -> dict[str, list[tuple[Network, str]]]:
    by_head: dict[str, list[tuple[Network, str]]] = {}
    for rule in file.network:
        for network in map(ip_network, rule.ranges):
            for head in _heads(network):
                by_head.setdefault(head, []).append((network, rule.name))
    return by_head


def _heads(network: Network) -> list[str]:
    """The first octets, or groups of four digits, that addresses of the network start with."""
    first, last = network.network_address.packed, network.broadcast_address.packed
    if network.version == 4:
        return [str(number) for number in range(first[0], last[0] + 1)]
    numbers = range(int.from_bytes(first[:2], "big"), int.from_bytes(last[:2], "big") + 1)
    return [f"{number:x}" if number else "" for number in numbers]
