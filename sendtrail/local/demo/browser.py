"""Sends the demo's requests to the edge as real HTTP, many readers at a time."""

import asyncio
from collections.abc import Callable, Iterable, Sequence

import httpx

from sendtrail.local.demo.traffic import Request

READERS = 64
_TIMEOUT_S = 20.0
_LAST_COUNTED_STATUS = 399

Answered = Callable[[Request, int], None]


async def send_all(visits: Iterable[Sequence[Request]], answered: Answered, readers: int = READERS) -> None:
    """Send each visit's requests one after the other, up to `readers` visits at once.

    `answered` is called with each request and its status; a request that gets no answer raises httpx.HTTPError.
    """
    waiting: asyncio.Queue[Sequence[Request] | None] = asyncio.Queue()
    for visit in visits:
        waiting.put_nowait(visit)
    for _ in range(readers):
        waiting.put_nowait(None)
    limits = httpx.Limits(max_connections=readers, max_keepalive_connections=readers)
    async with (
        httpx.AsyncClient(timeout=_TIMEOUT_S, limits=limits, trust_env=False) as client,
        asyncio.TaskGroup() as group,
    ):
        for _ in range(readers):
            group.create_task(_read(client, waiting, answered))


async def _read(client: httpx.AsyncClient, waiting: "asyncio.Queue[Sequence[Request] | None]", done: Answered) -> None:
    while (visit := await waiting.get()) is not None:
        for request in visit:
            await asyncio.sleep(request.after_s)
            done(request, await _send(client, request))


async def _send(client: httpx.AsyncClient, request: Request) -> int:
    headers = {"User-Agent": request.user_agent, "X-Forwarded-For": request.address, **request.headers}
    answer = await client.request(request.method, request.url, headers=headers, content=request.body or None)
    return answer.status_code


def is_counted(request: Request, status: int) -> bool:
    """True for an answered request whose link is valid: it must be stored once."""
    return request.counts and status <= _LAST_COUNTED_STATUS
