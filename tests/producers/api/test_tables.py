"""Calls that need ClickHouse leave threads to those that write the spool."""

import threading
import time

import anyio
from clickhouse_driver import Client
from starlette.responses import Response

from producers.api.answers import answer
from producers.api.tables import Tables
from sendtrail.settings import ClickHouseSettings, Config


def test_never_more_than_two_at_once() -> None:
    tables = Tables(Config({}).section(ClickHouseSettings), "nothing is lost")
    lock, running, most, done = threading.Lock(), 0, 0, 0

    def slow(_: Client) -> Response:
        nonlocal running, most, done
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.05)
        with lock:
            running -= 1
            done += 1
        return answer({})

    async def all_at_once() -> None:
        async with anyio.create_task_group() as group:
            for _ in range(6):
                group.start_soon(tables.ask, slow)

    anyio.run(all_at_once)
    assert (most, done) == (2, 6)
