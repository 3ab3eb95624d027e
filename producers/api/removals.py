"""DELETE /v1/deliveries/{name} and POST /v1/deliveries/{name}/restore -> table `deletions`, at once.

With `GET /v1/suppressions` the calls that need ClickHouse: what is hidden must be hidden when the answer is there.
"""

from collections.abc import Callable
from typing import Any

import structlog
from clickhouse_driver import Client
from clickhouse_driver.errors import Error
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from producers.api.access import account_of
from producers.api.answers import RETRY_AFTER_S, answer, refuse
from producers.api.body import Refusal
from producers.api.deliveries import named
from producers.api.times import text_of
from sendtrail.clickhouse import connect
from sendtrail.errors import BadName
from sendtrail.naming import key
from sendtrail.removal.deletions import Deletion, RemovalError, delete, restore
from sendtrail.settings import ClickHouseSettings

_AWAY = Refusal(503, "clickhouse_unavailable", "ClickHouse does not answer; nothing was changed, ask again")
_BY = "API"
_log = structlog.stdlib.get_logger("api")

#: Deletes or restores the delivery with a key.
Change = Callable[[Client, int], Deletion]


class RemovalsApi:
    """The endpoints. A connection lives for one request. `restorable_days`: setting retention.restorable_days."""

    def __init__(self, clickhouse: ClickHouseSettings, naming_key: bytes, restorable_days: float) -> None:
        self._clickhouse, self._naming_key, self._days = clickhouse, naming_key, restorable_days

    async def delete_delivery(self, request: Request) -> Response:
        """Hide a delivery of the key's account; twice is as once."""
        by = _asker(request)
        return await self._change(request, "", lambda client, delivery: delete(client, delivery, by, self._days))

    async def restore_delivery(self, request: Request) -> Response:
        """Show it again, while that goes."""
        by = _asker(request)
        return await self._change(request, "restore", lambda client, delivery: restore(client, delivery, by))

    async def _change(self, request: Request, part: str, change: Change) -> Response:
        name, given = named(request)
        if given != part:
            raise HTTPException(404)
        if name is None:
            return refuse(Refusal(400, "bad_name", "a name in the path is percent-encoded UTF-8", "name"))
        try:
            delivery = key(self._naming_key, account_of(request), "delivery", name)
        except BadName as error:
            return refuse(Refusal(400, "bad_name", str(error), "name"))
        return await run_in_threadpool(self._answer, name, delivery, change)

    def _answer(self, name: str, delivery: int, change: Change) -> Response:
        client = connect(self._clickhouse)
        try:
            return answer(_facts(name, change(client, delivery)))
        except RemovalError as error:
            return refuse(Refusal(404, "not_found", str(error), "name"))
        except (Error, OSError, EOFError) as error:
            _log.warning("a deletion can't be written", error=str(error)[:300])
            return refuse(_AWAY, {"Retry-After": RETRY_AFTER_S})
        finally:
            client.disconnect()


def _asker(request: Request) -> str:
    account = account_of(request)
    return f"{_BY}, account {account}" if account else _BY


def _facts(name: str, one: Deletion) -> dict[str, Any]:
    hidden = one.state == "deleted"
    until = text_of(int(one.purge_after.timestamp() * 1000), "milliseconds") if hidden else None
    return {"name": name, "delivery": str(one.delivery), "state": one.state, "restorable_until": until}
