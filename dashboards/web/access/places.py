"""Where a request comes from and which name it was sent to: addresses, networks, `Host`."""

import ipaddress
from collections.abc import Iterable

from sendtrail.errors import SettingsError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_MAX_HOPS = 32


class Networks:
    """The networks of trusted proxies."""

    def __init__(self, networks: Iterable[str]) -> None:
        """Raises SettingsError for what is no IPv4 or IPv6 network or address."""
        self._networks = []
        for text in networks:
            try:
                self._networks.append(ipaddress.ip_network(text, strict=False))
            except ValueError as error:
                raise SettingsError(f"setting web.trusted_proxy_networks: {text!r} is no network: {error}") from error

    def __bool__(self) -> bool:
        return bool(self._networks)

    def trusts(self, address: Address | None) -> bool:
        """True where a proxy of ours has this address."""
        return address is not None and any(address in network for network in self._networks)

    def client(self, peer: Address | None, forwarded: str) -> Address | None:
        """Who sent a request that came from `peer` with this X-Forwarded-For: the last hop that is no proxy of ours.

        An entry that is no address ends the search: what stands left of it could be made up.
        """
        found = peer
        for entry in reversed(forwarded.split(",")[-_MAX_HOPS:]):
            if not self.trusts(found):
                break
            address = parse_address(entry.strip())
            if address is None:
                break
            found = address
        return found


def parse_address(text: str) -> Address | None:
    """An address, with or without brackets, port and zone; one of IPv4 inside IPv6 is its IPv4. None for others."""
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


def is_loopback(name: str) -> bool:
    """True for `localhost` and for addresses of the machine itself; no other name is looked up."""
    address = parse_address(name)
    return name.lower().rstrip(".") == "localhost" or (address is not None and address.is_loopback)


def split_host(host: str) -> tuple[str, str]:
    """Name in small letters and port ("" without one) of a `Host` header or of an origin's end."""
    host = host.strip().lower()
    if host.startswith("["):
        name, _, rest = host.partition("]")
        return name + "]", rest.removeprefix(":")
    name, _, port = host.partition(":")
    return name.rstrip("."), port


class Hosts:
    """The names a browser may reach the pages by."""

    def __init__(self, allowed: Iterable[str], loopback: bool, any_name: bool) -> None:
        """`loopback`: names of the machine itself are among them; `any_name`: so is every other.

        Raises SettingsError for an entry that is no `name` or `name:port`.
        """
        self._allowed = [split_host(entry) for entry in allowed]
        self._loopback = loopback
        self._any = any_name
        for name, port in self._allowed:
            if not name or set(name) & set("/@*?# ") or (port and not port.isdecimal()):
                raise SettingsError(f"setting web.allowed_hosts: {name}:{port} is no `name` or `name:port`")

    def lists(self, host: str) -> bool:
        """True where the setting names this host; an entry without port stands for every port."""
        name, port = split_host(host)
        return any(name == one and where in ("", port) for one, where in self._allowed)

    def accepts(self, host: str) -> bool:
        """True for a host that requests may name."""
        return self._any or self.lists(host) or (self._loopback and is_loopback(split_host(host)[0]))
