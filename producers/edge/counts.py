"""What the edge counts: answers in plain dictionaries, handed to the metrics a few times a second."""

from collections import Counter, defaultdict, deque
from collections.abc import Iterable

import structlog

from producers.edge.request import Request
from sendtrail.events import Event
from sendtrail.metrics import counter
from sendtrail.packs import minute_of

SAMPLES_PER_SECOND = 10
KEPT_MINUTES = 60
_MAX_SHOWN = 200


class BadLinks:
    """Links that do not prove, or whose key is revoked: exact per minute and reason, a sample of them in the log."""

    def __init__(self) -> None:
        self._minutes: dict[int, Counter[str]] = {}
        self._sampled: deque[int] = deque(maxlen=SAMPLES_PER_SECOND)
        self._log = structlog.stdlib.get_logger("edge")

    def count(self, reason: str, request: Request, now_ms: int) -> None:
        """Count one; log it unless the last second has seen enough."""
        minute = minute_of(now_ms)
        counts = self._minutes.get(minute)
        if counts is None:
            counts = self._minutes[minute] = Counter()
            for old in [kept for kept in self._minutes if kept <= minute - KEPT_MINUTES]:
                del self._minutes[old]
        counts[reason] += 1
        # The clock may have stepped back: then the last second is not behind it.
        if len(self._sampled) < SAMPLES_PER_SECOND or abs(now_ms - self._sampled[0]) >= 1000:
            self._sampled.append(now_ms)
            self._log.info("bad_link", reason=reason, target=request.target[:_MAX_SHOWN], peer=request.peer)

    def per_minute(self) -> dict[int, dict[str, int]]:
        """Epoch minute -> reason -> number, of the last hour."""
        return {minute: dict(counts) for minute, counts in sorted(self._minutes.items())}


class Counts:
    """Numbers since the last `publish`: a metric's lock for each request would cost more than parsing it."""

    def __init__(self) -> None:
        self.requests: defaultdict[tuple[str, int], int] = defaultdict(int)  # cheaper to add to than a Counter
        self.hits: Counter[str] = Counter()
        self.bad_links: Counter[str] = Counter()
        self.bad_web_hits: Counter[str] = Counter()
        self.bad_requests: Counter[str] = Counter()
        self.floods = 0

    def stored(self, events: Iterable[Event]) -> None:
        """Events that are in the spool."""
        hits = self.hits
        for event in events:
            hits[event.kind] += 1

    def publish(self) -> None:
        """Add to the metrics and begin anew."""
        for (route, status), number in self.requests.items():
            counter("sendtrail_edge_requests_total").labels(route, status).inc(number)
        for name, numbers in (
            ("sendtrail_edge_hits_total", self.hits),
            ("sendtrail_edge_bad_links_total", self.bad_links),
            ("sendtrail_edge_bad_web_hits_total", self.bad_web_hits),
            ("sendtrail_edge_bad_requests_total", self.bad_requests),
        ):
            for label, number in numbers.items():
                counter(name).labels(label).inc(number)
            numbers.clear()
        self.requests.clear()
        counter("sendtrail_edge_flood_hits_total").inc(self.floods)
        self.floods = 0
