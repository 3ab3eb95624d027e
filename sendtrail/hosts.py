"""Addresses and names of hosts, as requests and settings write them."""

import ipaddress

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

#: Headers by which a proxy says that it passes a request on.
FORWARDED = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via")


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
