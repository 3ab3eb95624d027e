"""What one client may take: bytes, seconds, connections."""

from typing import NamedTuple

from sendtrail.settings import EdgeSettings

#: Connections the kernel may hold until they are accepted.
BACKLOG = 4096
#: How long a refused client may go on sending before its connection is cut; closing at once could destroy the answer
#: on its way (RFC 9112 §9.6).
LINGER_S = 2.0
#: How many of the oldest connections are looked at for an idle one when there are too many.
EVICTION_SEARCH = 64


class Limits(NamedTuple):
    """Bounds of a connection. A head is refused between `max_head_bytes` and two of the parser's slices beyond it."""

    max_head_bytes: int
    max_body_bytes: int
    header_timeout_s: float
    idle_timeout_s: float
    max_connections: int
    max_connections_per_address: int
    proxy_protocol: bool

    @property
    def sweep_s(self) -> float:
        """How often connections are looked at, so that no timeout is late by more than a quarter."""
        return min(0.25, max(0.02, min(self.header_timeout_s, self.idle_timeout_s) / 4))


def limits_of(settings: EdgeSettings) -> Limits:
    """The limits among an edge's settings."""
    return Limits(
        settings.max_head_bytes,
        settings.max_body_bytes,
        settings.header_timeout_s,
        settings.idle_timeout_s,
        settings.max_connections,
        settings.max_connections_per_address,
        settings.proxy_protocol,
    )
