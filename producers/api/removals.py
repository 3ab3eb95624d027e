"""DELETE /v1/deliveries/{name} and POST /v1/deliveries/{name}/restore -> table `deletions`, at once.

ClickHouse itself is changed, since what is hidden must be hidden when the answer is there.
"""

from collections.abc import Callable
from typing import Any

from clickhouse_driver import Client
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from producers.api.access import account_of
from producers.api.answers import answer, refuse
from producers.api.body import Refusal
from producers.api.deliveries import named
from producers.api.tables import Tables
from producers.api.times import text_of
from sendtrail.errors import BadName
from sendtrail.naming import key
from sendtrail.removal.deletions import Deletion, RemovalError, delete, restore
from sendtrail.settings import ClickHouseSettings

_BY = "API"

#: Deletes or restores the delivery with a key.
Change = Callable[[Client, int], Deletion]


class RemovalsApi:
    """The endpoints. `restorable_days`: setting retention.restorable_days."""

    def __init__(self, clickhouse: ClickHouseSettings, naming_key: bytes, restorable_days: float) -> None:
        self._naming_key, self._days = naming_key, restorable_days
        self._tables = Tables(clickhouse, "twice is as once")

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
        return await self._tables.ask(lambda client: self._answer(client, name, delivery, change))

    def _answer(self, client: Client, name: str, delivery: int, change: Change) -> Response:
        try:
            return answer(_facts(name, change(client, delivery)))
        except RemovalError as error:
            return refuse(Refusal(404, "not_found", str(error), "name"))


def _asker(request: Request) -> str:
    account = account_of(request)
    return f"{_BY}, account {account}" if account else _BY


def _facts(name: str, one: Deletion) -> dict[str, Any]:
    hidden = one.state == "deleted"
    until = text_of(int(one.purge_after.timestamp() * 1000), "milliseconds") if hidden else None
    return {"name": name, "delivery": str(one.delivery), "state": one.state, "restorable_until": until}
