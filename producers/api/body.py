"""The body of a request, bounded, unpacked, and of a type that is taken."""

import asyncio
from typing import NamedTuple

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from producers.api.packed import PACKINGS, unpack

JSON = "application/json"
NDJSON = ("application/x-ndjson", "application/ndjson", "application/jsonl")
_READ_ON_S = 10.0


class Refusal(NamedTuple):
    """Why a request is not taken: the HTTP status, a machine-readable word and a text for people."""

    status: int
    error: str
    detail: str
    field: str = ""


class Body(NamedTuple):
    """What was sent, and as which type."""

    content_type: str
    data: bytes


async def read_body(request: Request, types: tuple[str, ...], max_bytes: int) -> Body | Refusal:
    """Read a request's body: 415 for another type or packing, 413 past `max_bytes`, packed or unpacked.

    No `types`: whatever it says it is; providers call the same JSON by several names.
    """
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if types and content_type not in types:
        detail = f"Content-Type is {content_type or 'missing'}; taken are {', '.join(types)}"
        return Refusal(415, "unsupported_media_type", detail)
    packing = request.headers.get("content-encoding", "identity").strip().lower()
    if packing not in ("identity", *PACKINGS):
        taken = ", ".join(PACKINGS)
        return Refusal(415, "unsupported_media_type", f"Content-Encoding is {packing[:40]}; taken are {taken}, or none")
    declared = request.headers.get("content-length", "0")
    too_large = Refusal(413, "too_large", f"a request has at most {max_bytes} bytes, packed or not: send several")
    if declared.isdigit() and int(declared) > max_bytes:
        return too_large
    data = bytearray()
    async for chunk in request.stream():
        data += chunk
        if len(data) > max_bytes:
            return too_large
    if packing == "identity":
        return Body(content_type, bytes(data))
    unpacked = await run_in_threadpool(unpack, packing, bytes(data), max_bytes)
    if unpacked is None:
        return Refusal(400, PACKINGS[packing], f"the body is not whole {packing}, though Content-Encoding says so")
    return Body(content_type, unpacked) if len(unpacked) <= max_bytes else too_large


class ReadOn:
    """Reads the rest of a refused request before it is answered, at most `most_bytes` and ten seconds of it.

    Many programs send a whole request before they read: without this they would find a connection that was reset, not
    the 413, 401 or 429 with its `Retry-After`, and take the API for broken.
    """

    def __init__(self, app: ASGIApp, most_bytes: int) -> None:
        self._app = app
        self._most_bytes = most_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # Who asks with `Expect: 100-continue` sends nothing until it is told to.
        if scope["type"] != "http" or any(name == b"expect" for name, _ in scope["headers"]):
            await self._app(scope, receive, send)
            return
        more = True

        async def received() -> Message:
            nonlocal more
            message = await receive()
            more = bool(message.get("more_body", False))
            return message

        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start" and more:
                await self._rest(received)
            await send(message)

        await self._app(scope, received, sent)

    async def _rest(self, receive: Receive) -> None:
        left = self._most_bytes
        try:
            async with asyncio.timeout(_READ_ON_S):
                while left > 0:
                    message = await receive()
                    left -= len(message.get("body", b""))
                    if not message.get("more_body", False):
                        return
        except TimeoutError:
            return
