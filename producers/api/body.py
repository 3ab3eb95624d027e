"""The body of a request, bounded, unpacked, and of a type that is taken."""

from typing import NamedTuple

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from producers.api.packed import PACKINGS, unpack

JSON = "application/json"
NDJSON = ("application/x-ndjson", "application/ndjson", "application/jsonl")


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
