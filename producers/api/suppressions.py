"""GET /v1/suppressions: who must not be written to any more. The one call that reads ClickHouse."""

import anyio
import msgspec
import structlog
from clickhouse_driver.errors import Error
from starlette.requests import Request
from starlette.responses import Response

from producers.api.access import account_of
from producers.api.answers import RETRY_AFTER_S, answer, refuse
from producers.api.body import NDJSON, Refusal
from producers.api.cursor import Cursor, read_cursor
from producers.api.suppressed import Page, Suppressions, lines_of
from sendtrail.clickhouse import connect
from sendtrail.settings import ClickHouseSettings

DEFAULT_LIMIT = 1_000
MAX_LIMIT = 10_000
_AT_ONCE = 2  # so that readers don't take the threads that write the spool
_AWAY = Refusal(503, "clickhouse_unavailable", "ClickHouse does not answer; nothing is lost, ask again")

_log = structlog.stdlib.get_logger("api")


class SuppressionsApi:
    """The endpoint. A connection lives for one request: senders ask every minute or so."""

    def __init__(self, clickhouse: ClickHouseSettings) -> None:
        self._clickhouse = clickhouse
        self._limiter: anyio.CapacityLimiter | None = None

    async def suppressions(self, request: Request) -> Response:
        """A page behind ?cursor=, of ?limit= entries at most: JSON, or lines where the client accepts them."""
        asked = request.query_params.get("limit", "")
        if asked and not (asked.isascii() and asked.isdecimal() and 1 <= int(asked[:9]) <= MAX_LIMIT):
            return refuse(Refusal(400, "bad_field", f"a number from 1 to {MAX_LIMIT}", "limit"))
        cursor = read_cursor(request.query_params.get("cursor", ""), account_of(request))
        if cursor is None:
            return refuse(Refusal(400, "bad_cursor", "no cursor of this API for this account: begin without", "cursor"))
        self._limiter = self._limiter or anyio.CapacityLimiter(_AT_ONCE)
        try:
            page = await anyio.to_thread.run_sync(
                self._page, cursor, int(asked or DEFAULT_LIMIT), limiter=self._limiter
            )  # fmt: skip
        except (Error, OSError, EOFError) as error:
            _log.warning("suppressions can't be read", error=str(error)[:300])
            return refuse(_AWAY, {"Retry-After": RETRY_AFTER_S})
        if any(wanted in request.headers.get("accept", "") for wanted in NDJSON):
            return Response(
                b"".join(msgspec.json.encode(line) + b"\n" for line in lines_of(page)), media_type=NDJSON[0]
            )
        return answer({"suppressions": page.entries, "cursor": page.cursor.text(), "more": page.more})

    def _page(self, cursor: Cursor, limit: int) -> Page:
        client = connect(self._clickhouse)
        try:
            return Suppressions(client, self._clickhouse.replicated).page(cursor, limit)
        finally:
            client.disconnect()
