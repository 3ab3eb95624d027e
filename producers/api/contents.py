"""The body of `PUT /v1/deliveries/{name}/content` -> contents. Pure."""

from typing import Any

from producers.api.registry import BadField
from sendtrail.contents import MAX_BYTES, PARTS, Content


def read_contents(body: Any, delivery: int, now_ms: int) -> list[Content] | BadField:
    """The parts that are given. One that is left out stays as it is, an empty one is taken away."""
    if not isinstance(body, dict):
        return BadField("", "the body is a JSON object with html, text or both")
    unknown = next((field for field in body if field not in PARTS), None)
    if unknown is not None:
        return BadField(unknown, f"no such field; there are {', '.join(PARTS)}")
    if all(text is None for text in body.values()):
        return BadField("html", "html, text or both are needed")
    found = []
    for part in PARTS:
        text = body.get(part)
        if text is None:
            continue
        if not isinstance(text, str):
            return BadField(part, "is a text")
        size = len(text.encode())
        if size > MAX_BYTES:
            return BadField(part, f"has at most {MAX_BYTES} bytes of UTF-8, this one has {size}")
        found.append(Content(delivery=delivery, part=part, content=text, updated_ms=now_ms))
    return found
