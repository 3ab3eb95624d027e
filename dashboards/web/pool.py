"""ClickHouse connections of the report pages: a few, shared by threads, each used by one at a time."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from clickhouse_driver import Client
from clickhouse_driver.errors import Error

from dashboards.queries import Queries, ReportError, Unreachable, unreachable
from sendtrail.clickhouse import connect
from sendtrail.settings import ClickHouseSettings, ReportSettings


class Pool:
    """Lends connections. One that failed is not lent again, so the pages recover when ClickHouse does."""

    def __init__(self, clickhouse: ClickHouseSettings, reports: ReportSettings, size: int) -> None:
        self._clickhouse, self._reports = clickhouse, reports
        self._idle: list[Client] = []
        self._lock = threading.Lock()
        self._free = threading.BoundedSemaphore(size)

    @contextmanager
    def queries(self) -> Iterator[Queries]:
        """Queries on a connection of its own; waits while all are lent, and gives up after a query's time limit.

        Raises ReportError then.
        """
        with self.client() as client:
            yield self.queries_on(client)

    def queries_on(self, client: Client, hidden: bool = False) -> Queries:
        """Queries on a connection that is lent; `hidden`: also of what is deleted and not purged yet."""
        return Queries(client, self._reports, hidden)

    @contextmanager
    def client(self) -> Iterator[Client]:
        """A connection, as for `queries`; errors of the server are raised as Unreachable."""
        if not self._free.acquire(timeout=self._reports.query_timeout_s):
            raise ReportError("too many reports are being calculated at this moment: try again")
        try:
            client = self._take()
            try:
                yield client
            except ReportError as error:
                if isinstance(error, Unreachable):
                    client.disconnect()
                else:
                    self._give(client)
                raise
            except (Error, OSError, EOFError) as error:
                client.disconnect()
                raise unreachable(error) from error
            except BaseException:
                client.disconnect()  # it may stand in the middle of an answer
                raise
            else:
                self._give(client)
        finally:
            self._free.release()

    def close(self) -> None:
        """Close what is idle."""
        with self._lock:
            idle, self._idle = self._idle, []
        for client in idle:
            client.disconnect()

    def _take(self) -> Client:
        with self._lock:
            if self._idle:
                return self._idle.pop()
        return connect(self._clickhouse)

    def _give(self, client: Client) -> None:
        with self._lock:
            self._idle.append(client)
