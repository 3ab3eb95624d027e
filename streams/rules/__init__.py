"""The rules as data: *.toml of this folder, and what an operator adds -> frozen tables, checked once at start."""

import hashlib
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from sendtrail.errors import SettingsError
from sendtrail.events import Class
from streams.rules.networks import Networks, Range, parse_range, read_ranges
from streams.rules.tables import (
    AddressRule,
    AgentRule,
    BurstRule,
    Examples,
    GroupRules,
    NetworkRule,
    ProxyRule,
    RulesFile,
)

__all__ = ["AddressRule", "AgentRule", "BurstRule", "GroupRules", "NetworkRule", "ProxyRule", "Rules", "load_rules"]

FOLDER = Path(__file__).parent
_DIGITS = 8  # of the digest in the version of an operator's rules

#: Class and reason.
Says = tuple[Class, str]


class Tested(NamedTuple):
    """A rule of a file, and what tests it. `network`: it only names this one."""

    where: str
    reason: str
    network: str
    examples: Examples


@dataclass(frozen=True, eq=False)
class Rules:
    """One version of the rules. Hashed by identity, so that steps cache what they derive from it at no cost.

    `requests`, `providers`: what a hint says. `honeypot`: what the link that no person sees does. `tested`: the rules
    of the folder the rules were loaded from.
    """

    version: str
    proxies: tuple[ProxyRule, ...] = ()
    proxy_names: frozenset[str] = frozenset()
    agents: tuple[AgentRule, ...] = ()
    requests: Mapping[str, Says] = field(default_factory=dict)
    honeypot: tuple[Says, ...] = ()
    providers: Mapping[str, Says] = field(default_factory=dict)
    group: GroupRules = field(default_factory=GroupRules)
    address: AddressRule | None = None
    networks: Networks = field(default_factory=Networks)
    tested: tuple[Tested, ...] = ()


class _Read(NamedTuple):
    """A file as read; `raw` tells which keys it has."""

    path: Path
    raw: dict[str, Any]
    rules: RulesFile
    ranges: dict[int, list[Range]]  # by number of its network
    digest: bytes


def load_rules(folder: Path | None = None) -> Rules:
    """The built-in rules, or with those of a folder in front of them; or the folder's alone, if one of its files has
    a `version`. Raises SettingsError naming file and key for what is wrong; examples are not tried (check_rules.py).
    """
    if folder is None or folder.resolve() == FOLDER:
        return _built_in()
    own, added = _read_folder(FOLDER), _read_folder(folder)
    whole = any(read.rules.version for read in added)
    base = added if whole else own
    digest = hashlib.sha256(b"".join(read.digest for read in added)).hexdigest()[:_DIGITS]
    return _rules(f"{_version(base, folder)}+{digest}", added, added if whole else [*added, *own])


@cache
def _built_in() -> Rules:
    own = _read_folder(FOLDER)
    return _rules(_version(own, FOLDER), own, own)


def _version(files: list[_Read], folder: Path) -> str:
    found = [read.rules.version for read in files if read.rules.version]
    if len(found) != 1:
        raise SettingsError(f"rules in {folder}: {len(found)} files have a `version`, a ruleset has one")
    return found[0]


def _read_folder(folder: Path) -> list[_Read]:
    files = [folder] if folder.is_file() else sorted(folder.glob("*.toml"))
    if not files:
        raise SettingsError(f"rules: {folder} holds no *.toml file (setting streams.rules_dir, option --ruleset)")
    return [_read(path) for path in files]


def _read(path: Path) -> _Read:
    try:
        data = path.read_bytes()
        raw = tomllib.loads(data.decode())
        rules = msgspec.convert(raw, RulesFile)
    except (OSError, ValueError) as error:  # msgspec's and tomllib's are ValueErrors; they name the key, or the line
        raise SettingsError(f"rules file {path}: {error}") from error
    digest, ranges = hashlib.sha256(data), {}
    for number, network in enumerate(rules.network):
        ranges[number] = _ranges(path, number, network)
        digest.update(repr(ranges[number]).encode() if network.files else b"")
    read = _Read(path, raw, rules, ranges, digest.digest())
    _check(read)
    return read


def _ranges(path: Path, number: int, network: NetworkRule) -> list[Range]:
    found, key = [], f"network[{number}] ({network.name})"
    for text in network.ranges:
        try:
            found.append(parse_range(text))
        except ValueError as error:
            raise SettingsError(f"rules file {path}: {key}.ranges: {error}") from error
    for name in network.files:
        try:
            found += read_ranges(path.parent / name)
        except (OSError, ValueError) as error:
            raise SettingsError(f"rules file {path}: {key}.files: {path.parent / name}: {error}") from error
    return found


def _check(read: _Read) -> None:
    """What types can't say."""
    path, rules = read.path, read.rules
    for number, proxy in enumerate(rules.proxy):
        if not proxy.contains and not proxy.equals:
            raise SettingsError(f"rules file {path}: proxy[{number}] needs `contains` or `equals`")
    for number, request in enumerate(rules.request):
        if not request.hints and not request.honeypot:
            raise SettingsError(f"rules file {path}: request[{number}] needs `hints` or `honeypot`")
    for number, network in enumerate(rules.network):
        if not network.ranges and not network.files:
            raise SettingsError(f"rules file {path}: network[{number}] needs `ranges` or `files`")
        if bool(network.certainty) != bool(network.reason):
            raise SettingsError(f"rules file {path}: network[{number}] needs both `certainty` and `reason`, or neither")
    for tested in _tested(read):
        if not tested.examples.fires or not tested.examples.spares:
            raise SettingsError(f"rules file {path}: {tested.where} needs examples: `fires` and `spares`, one each")


def _tested(read: _Read) -> Iterator[Tested]:
    rules, group = read.rules, read.rules.group
    for table in ("proxy", "agent", "request", "provider", "network"):
        for number, rule in enumerate(getattr(rules, table)):
            network = rule.name if table == "network" and not rule.reason else ""
            yield Tested(f"{table}[{number}]", rule.reason, network, rule)
    if group is not None:
        for number, burst in enumerate(group.burst):
            yield Tested(f"group.burst[{number}]", "burst", "", burst)
        for reason in _group_reasons(group, read.raw["group"]):
            yield Tested(f"group.examples.{reason}", reason, "", group.examples.get(reason, Examples()))
    if rules.address is not None:
        yield Tested("address", "many_messages", "", rules.address)


def _group_reasons(group: GroupRules, said: Mapping[str, Any]) -> Iterator[Any]:
    """Of the rules that are said here and on."""
    if "honeypot_ms" in said:
        yield "honeypot"
    if group.before_delivery and not said.keys().isdisjoint(("before_delivery", "before_delivery_ms")):
        yield "before_delivery"
    if group.lift and "lift" in said:
        yield "clicked_later"


def _rules(version: str, shown: list[_Read], files: list[_Read]) -> Rules:
    """`files`: the first that fits wins. `shown`: those whose examples are to be tried."""
    tables = [read.rules for read in files]
    requests = [rule for table in tables for rule in table.request]
    providers = [rule for table in tables for rule in table.provider]
    proxies = [rule for table in tables for rule in table.proxy]
    listed = [
        (range_, network)
        for read in files
        for number, network in enumerate(read.rules.network)
        for range_ in read.ranges[number]
    ]
    return Rules(
        version,
        tuple(proxies),
        frozenset(rule.name for rule in proxies),
        tuple(rule for table in tables for rule in table.agent),
        _by_hint((hint, (rule.class_, rule.reason)) for rule in requests for hint in rule.hints or ()),
        tuple((rule.class_, rule.reason) for rule in requests if rule.honeypot)[:1],
        _by_hint((hint, (rule.class_, rule.reason)) for rule in providers for hint in rule.hints),
        _group(files),
        next((table.address for table in tables if table.address is not None), None),
        Networks(listed),
        tuple(tested._replace(where=f"{read.path}: {tested.where}") for read in shown for tested in _tested(read)),
    )


def _by_hint(said: Iterable[tuple[str, Says]]) -> dict[str, Says]:
    found: dict[str, Says] = {}
    for hint, says in said:
        found.setdefault(hint, says)
    return found


def _group(files: list[_Read]) -> GroupRules:
    """Key by key: what is said first counts."""
    merged: dict[str, Any] = {}
    for read in reversed(files):
        group = read.raw.get("group", {})
        examples = {**merged.get("examples", {}), **group.get("examples", {})}
        merged = {**merged, **group, "examples": examples}
    return msgspec.convert(merged, GroupRules)
