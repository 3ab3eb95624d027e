"""How often a log-in may be tried."""

import hashlib
import ipaddress

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from dashboards.web.access.places import Address

RETRY_AFTER_S = 60


class Attempts:
    """At most so many log-ins a minute from one address and for one user name, right ones counted too.

    Counted before the password is looked at, so that many at once are not more than many in a row.
    """

    def __init__(self, per_minute: int) -> None:
        self._limit = RateLimitItemPerMinute(per_minute)
        self._limiter = MovingWindowRateLimiter(MemoryStorage())

    def allow(self, address: Address | None, name: str) -> bool:
        """Count one attempt; False where there were too many. One stopped by its address does not use up the name's."""
        named = hashlib.sha256(name.encode("utf-8", "replace")).hexdigest()
        return self._limiter.hit(self._limit, "address", _source(address)) and self._limiter.hit(
            self._limit, "name", named
        )


def _source(address: Address | None) -> str:
    """What one person has: an IPv4 address, or a whole /64 of IPv6."""
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)
