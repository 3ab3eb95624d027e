"""ClickHouse connections of the report pages: a few, shared by threads, each used by one at a time."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from clickhouse_driver import Client

from dashboards.queries import Queries, ReportError, Unreachable
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
        if not self._free.acquire(timeout=self._reports.query_timeout_s):
            raise ReportError("too many reports are being calculated at this moment: try again")
        try:
            client = self._take()
            try:
                yield Queries(client, self._reports)
            except ReportError as error:
                if isinstance(error, Unreachable):
                    client.disconnect()
                else:
                    self._give(client)
                raise
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
