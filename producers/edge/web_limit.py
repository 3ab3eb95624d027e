"""How many hits without a signed id one address may send: anybody can make them up."""

import socket

#: Addresses remembered in one minute. More can only be a flood from everywhere: then all new ones are one address.
MAX_ADDRESSES = 65_536
_MINUTE_MS = 60_000
_OTHERS = b""


class WebLimit:
    """Counts per address and minute of the clock it is given; an IPv6 client has a whole /64."""

    def __init__(self, per_minute: int) -> None:
        self._per_minute = per_minute
        self._minute = -1
        self._taken: dict[bytes, int] = {}

    def take(self, address: str, now_ms: int) -> bool:
        """Count one hit; False where this address has had its share. `now_ms`: UTC milliseconds."""
        minute = now_ms // _MINUTE_MS
        if minute != self._minute:
            self._minute = minute
            self._taken.clear()
        source = _source(address)
        if source not in self._taken and len(self._taken) >= MAX_ADDRESSES:
            source = _OTHERS
        taken = self._taken.get(source, 0)
        if taken >= self._per_minute:
            return False
        self._taken[source] = taken + 1
        return True


def _source(address: str) -> bytes:
    try:
        return socket.inet_pton(socket.AF_INET6, address)[:8] if ":" in address else address.encode()
    except OSError:
        return address.encode()
