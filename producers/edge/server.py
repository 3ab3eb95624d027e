"""hits -> replies, events -> spool: every turn of the event loop ends with one write, and only then answers leave."""

import asyncio
import socket
import time
from collections import Counter
from collections.abc import Callable

import structlog

from producers.edge.collect import collect
from producers.edge.counts import BadLinks, Counts
from producers.edge.floods import Floods, source_of
from producers.edge.http import Connection
from producers.edge.known import Known
from producers.edge.limits import BACKLOG, EVICTION_SEARCH, limits_of
from producers.edge.random_pool import RandomPool
from producers.edge.replies import Reply
from producers.edge.request import Request
from producers.edge.wire import Wire
from producers.spool import SpoolWriter
from sendtrail.events import Event
from sendtrail.ids import RandomBytes
from sendtrail.metrics import gauge
from sendtrail.settings import EdgeSettings

DRAIN_POLL_S = 0.02
IDLE_GRACE_S = 0.5  # of a connection while the edge drains


class EdgeServer:
    """The public listener and what all its connections share. `now`: loop time; `now_ms`: UTC of the last answer.

    `known` may be replaced at any time: it counts from the next request on.
    """

    def __init__(
        self,
        known: Known,
        spool: SpoolWriter,
        settings: EdgeSettings,
        *,
        clock_ns: Callable[[], int] = time.time_ns,
        random_bytes: RandomBytes | None = None,
    ) -> None:
        self.limits = limits_of(settings)
        self.wire = Wire()
        self.counts = Counts()
        self.bad_links = BadLinks()
        self.draining = False
        self.now = 0.0
        self.now_ms = clock_ns() // 1_000_000
        self.known = known
        self.spool = spool
        self._settings = settings
        self._clock_ns = clock_ns
        self._random_bytes = random_bytes or RandomPool().take
        self._connections: dict[Connection, str | bytes] = {}  # and the source it is counted for
        self._per_source: Counter[str | bytes] = Counter()
        self._floods = Floods(
            settings.flood_hits_per_minute, lambda: self.now, per_address=settings.flood_address_hits_per_minute
        )
        self._events: list[Event] = []
        self._waiting: list[Connection] = []
        self._log = structlog.stdlib.get_logger("edge")

    async def start(self, listener: socket.socket) -> None:
        """Serve a listening socket, which others may serve too."""
        self._loop = asyncio.get_running_loop()
        self.now = self._loop.time()
        self._listener = await self._loop.create_server(lambda: Connection(self), sock=listener, backlog=BACKLOG)
        self._sweeper = self._loop.call_later(self.limits.sweep_s, self._sweep)

    async def stop(self, timeout_s: float) -> None:
        """Accept no more, answer the requests that are being received, close the spool's segment.

        A client that has just been answered is given a moment: its next request is answered too, and told that the
        connection ends.
        """
        self._listener.close()
        self.draining = True
        end = self._loop.time() + timeout_s
        while self._connections and (now := self._loop.time()) < end:
            await asyncio.sleep(DRAIN_POLL_S)
            for connection in [each for each in self._connections if each.idle_s(now) > IDLE_GRACE_S]:
                connection.close()
        for connection in list(self._connections):
            connection.abort()
        self._sweeper.cancel()
        self._flush()
        self.spool.close()
        self.counts.publish()

    @property
    def connections(self) -> int:
        """Open connections."""
        return len(self._connections)

    # What a connection calls

    def admit(self, connection: Connection) -> bool:
        """Take a new connection; with too many, at the cost of an old idle one or else of this one (False)."""
        if len(self._connections) >= self.limits.max_connections:
            self.count_refused("too_many_connections")
            oldest = (each for each, _ in zip(self._connections, range(EVICTION_SEARCH), strict=False))
            victim = next((each for each in oldest if each.idle and not each.closing), None)
            if victim is None:
                connection.abort()
                return False
            self.forget(victim)
            victim.close()
        self._connections[connection] = b""
        return True

    def admit_from(self, connection: Connection, address: str) -> None:
        """Count a connection for its address; with too many of one, it is cut. Proxies of ours have as many as come."""
        limit = self.limits.max_connections_per_address
        if not limit or self.known.proxies.trusts(address):
            return
        source = source_of(address)
        if self._per_source[source] >= limit:
            self.count_refused("too_many_of_address")
            connection.abort()
            return
        self._per_source[source] += 1
        self._connections[connection] = source

    def forget(self, connection: Connection) -> None:
        source = self._connections.pop(connection, b"")
        if source:
            self._per_source[source] -= 1
            if not self._per_source[source]:
                del self._per_source[source]

    def answer(self, request: Request) -> Reply:
        """The reply to a request, whose event waits for the end of the turn."""
        self.now_ms = now_ms = self._clock_ns() // 1_000_000
        try:
            reply, event = collect(request, self.known, now_ms, self._random_bytes)
        except Exception:
            # The outermost place of this stage: one request must not take the others of its turn with it.
            self._log.exception("request_failed", target=request.target[:200])
            reply, event = self.known.pages.of(None).not_found("internal"), None
        self.counts.requests[reply.route, reply.status] += 1
        if event is not None:
            if self._floods.holds(event):
                event.hints = [*event.hints, "flood"]
                self.counts.floods += 1
            self._events.append(event)
        elif reply.reason:
            bad = self.counts.bad_web_hits if reply.route == "web" else self.counts.bad_links
            bad[reply.reason] += 1
            self.bad_links.count(reply.reason, request, now_ms)
        return reply

    def count_refused(self, reason: str) -> None:
        """Count input that is no request we take."""
        self.now_ms = self._clock_ns() // 1_000_000
        self.counts.bad_requests[reason] += 1

    def queue(self, connection: Connection) -> None:
        """This connection has answers that wait for the end of the turn."""
        if not self._waiting:
            self._loop.call_soon(self._flush)
        self._waiting.append(connection)

    # Turns

    def _flush(self) -> None:
        events, self._events = self._events, []
        waiting, self._waiting = self._waiting, []
        self.now = self._loop.time()
        if events:
            written = self.spool.append(events)
            self.counts.stored(events[:written])
        for connection in waiting:
            connection.release()

    def _sweep(self) -> None:
        self.now = self._loop.time()
        self._sweeper = self._loop.call_later(self.limits.sweep_s, self._sweep)
        self._floods.turn()
        for connection in list(self._connections):
            connection.expire(self.now)
        self.spool.tick()
        self.counts.publish()
        gauge("sendtrail_edge_connections").set(len(self._connections))
