"""Where a request comes from and which name it was sent to: addresses, networks, `Host`."""

import ipaddress
from collections.abc import Iterable

from sendtrail.errors import SettingsError
from sendtrail.hosts import Address, is_loopback, parse_address, split_host

__all__ = ["Address", "Hosts", "Networks", "is_loopback", "parse_address", "split_host"]

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
