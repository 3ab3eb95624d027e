"""ClickHouse, for the few calls that read or change what is stored; all others do without."""

from collections.abc import Callable

import anyio
import structlog
from clickhouse_driver import Client
from clickhouse_driver.errors import Error
from starlette.responses import Response

from producers.api.answers import RETRY_AFTER_S, refuse
from producers.api.body import Refusal
from sendtrail.clickhouse import connect
from sendtrail.settings import ClickHouseSettings

_AT_ONCE = 2  # so that nobody here takes the threads that write the spool
_log = structlog.stdlib.get_logger("api")


class Tables:
    """Answers requests, each with a connection of its own. `away`: what to say where ClickHouse is away."""

    def __init__(self, clickhouse: ClickHouseSettings, away: str) -> None:
        self._clickhouse = clickhouse
        self._away = Refusal(503, "clickhouse_unavailable", f"ClickHouse does not answer; {away}, ask again")
        self._limiter: anyio.CapacityLimiter | None = None

    async def ask(self, do: Callable[[Client], Response]) -> Response:
        """What `do` answers, in a thread; 503 while ClickHouse is away."""
        self._limiter = self._limiter or anyio.CapacityLimiter(_AT_ONCE)
        try:
            return await anyio.to_thread.run_sync(self._with_client, do, limiter=self._limiter)
        except (Error, OSError, EOFError) as error:
            _log.warning("ClickHouse can't be asked", error=str(error)[:300])
            return refuse(self._away, {"Retry-After": RETRY_AFTER_S})

    def _with_client(self, do: Callable[[Client], Response]) -> Response:
        client = connect(self._clickhouse)
        try:
            return do(client)
        finally:
            client.disconnect()
