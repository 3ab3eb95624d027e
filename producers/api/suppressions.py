"""GET /v1/suppressions: who must not be written to any more, read from ClickHouse."""

import msgspec
from clickhouse_driver import Client
from starlette.requests import Request
from starlette.responses import Response

from producers.api.access import account_of
from producers.api.answers import answer, refuse
from producers.api.body import NDJSON, Refusal
from producers.api.cursor import Cursor, read_cursor
from producers.api.suppressed import Suppressions, lines_of
from producers.api.tables import Tables
from sendtrail.settings import ClickHouseSettings

DEFAULT_LIMIT = 1_000
MAX_LIMIT = 10_000


class SuppressionsApi:
    """The endpoint; senders ask every minute or so."""

    def __init__(self, clickhouse: ClickHouseSettings) -> None:
        self._tables, self._replicated = Tables(clickhouse, "nothing is lost"), clickhouse.replicated

    async def suppressions(self, request: Request) -> Response:
        """A page behind ?cursor=, of ?limit= entries at most: JSON, or lines where the client accepts them."""
        asked = request.query_params.get("limit", "")
        if asked and not (asked.isascii() and asked.isdecimal() and 1 <= int(asked[:9]) <= MAX_LIMIT):
            return refuse(Refusal(400, "bad_field", f"a number from 1 to {MAX_LIMIT}", "limit"))
        cursor = read_cursor(request.query_params.get("cursor", ""), account_of(request))
        if cursor is None:
            return refuse(Refusal(400, "bad_cursor", "no cursor of this API for this account: begin without", "cursor"))
        limit, lines = int(asked or DEFAULT_LIMIT), any(one in request.headers.get("accept", "") for one in NDJSON)
        return await self._tables.ask(lambda client: self._page(client, cursor, limit, lines))

    def _page(self, client: Client, cursor: Cursor, limit: int, lines: bool) -> Response:
        page = Suppressions(client, self._replicated).page(cursor, limit)
        if lines:
            return Response(
                b"".join(msgspec.json.encode(line) + b"\n" for line in lines_of(page)), media_type=NDJSON[0]
            )
        return answer({"suppressions": page.entries, "cursor": page.cursor.text(), "more": page.more})
