"""Who sent a request: the connection's peer, or what trusted proxies say of the client behind them."""

import ipaddress
import socket
from collections.abc import Iterable
from typing import NamedTuple

from sendtrail.errors import SettingsError

MAX_HOPS = 32
_MAPPED = bytes(10) + b"\xff\xff"


class Client(NamedTuple):
    """A client's address in its usual form, and whether a trusted proxy reported it."""

    address: str
    by_proxy: bool


class TrustedProxies:
    """The networks whose X-Forwarded-For is believed."""

    def __init__(self, networks: Iterable[str]) -> None:
        """Raises SettingsError for what is no IPv4 or IPv6 network or address."""
        self._networks: list[tuple[int, int, int]] = []
        for text in networks:
            try:
                network = ipaddress.ip_network(text, strict=False)
            except ValueError as error:
                raise SettingsError(f"setting edge.trusted_proxies: {text!r} is no network: {error}") from error
            width = network.max_prefixlen // 8
            self._networks.append((width, int(network.netmask), int(network.network_address)))

    def trusts(self, address: str) -> bool:
        """True where `address`, in its usual form, belongs to a proxy of ours."""
        if not self._networks:
            return False
        packed = _packed(address)
        if packed is None:
            return False
        number = int.from_bytes(packed, "big")
        return any(len(packed) == width and number & mask == base for width, mask, base in self._networks)

    def client(self, peer: str, forwarded: str) -> Client:
        """The client of a request whose connection comes from `peer`, by X-Forwarded-For as received.

        From the right, the first address that is no proxy of ours. What a proxy reports that is no address ends the
        search: what stands left of it could be made up, so the proxy itself is the client.
        """
        if not forwarded or not self.trusts(peer):
            return Client(peer, False)
        found = peer
        for entry in reversed(forwarded.split(",")[-MAX_HOPS:]):
            address = normal_address(entry.strip())
            if address is None:
                break
            found = address
            if not self.trusts(address):
                break
        return Client(found, found != peer)


def normal_address(text: str) -> str | None:
    """An address in its usual form, without port, brackets and zone; None for what is no address."""
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    packed = _packed(text.partition("%")[0])
    if packed is None:
        return None
    return socket.inet_ntop(socket.AF_INET if len(packed) == 4 else socket.AF_INET6, packed)


def _packed(address: str) -> bytes | None:
    """Four or sixteen bytes; an IPv4 address inside IPv6 gives its four."""
    try:
        if ":" not in address:
            return socket.inet_pton(socket.AF_INET, address)
        packed = socket.inet_pton(socket.AF_INET6, address)
    except (OSError, ValueError):
        return None
    return packed[12:] if packed.startswith(_MAPPED) else packed
