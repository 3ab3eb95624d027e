"""What the report API's description says of deliveries and recipients that go."""

from collections.abc import Callable, Mapping
from typing import Any

_REFUSALS = {
    "401": "log in or send a token",
    "403": "it takes the role analyst",
    "404": "no such delivery or recipient, or its time is over",
    "503": "ClickHouse does not answer: try again",
}
_KEY = {"name": "key", "in": "path", "required": True, "description": "64-bit key", "schema": {"type": "integer"}}
_DELETION = {
    "type": "object",
    "properties": {
        "delivery": {"type": "string", "description": "the key in decimal"},
        "state": {"enum": ["deleted", "restored"]},
        "restorable_until": {"type": ["string", "null"], "format": "date-time"},
    },
}
_ERASURE = {
    "type": "object",
    "properties": {
        "erasure": {"type": "string", "format": "uuid"},
        "asked": {"type": "string", "format": "date-time"},
    },
}


def removals(refused: Callable[[Mapping[str, str]], dict[str, Any]]) -> dict[str, Any]:
    """The paths; `refused` makes the responses of refusals."""

    def operation(name: str, summary: str, status: str, content: dict[str, Any], **more: Any) -> dict[str, Any]:
        return {
            "operationId": name,
            "summary": summary,
            "description": "Least role: analyst.",
            "parameters": [_KEY, *more.get("parameters", ())],
            "responses": {status: {"description": summary, "content": content}, **refused(_REFUSALS)},
        }

    def told(schema: dict[str, Any]) -> dict[str, Any]:
        return {"application/json": {"schema": schema}}

    form = {"name": "format", "in": "query", "schema": {"enum": ["zip", "json"], "default": "zip"}}
    files = {"application/zip": {}, **told({"type": "object"})}
    return {
        "/v1/deliveries/{key}": {
            "delete": operation("deleteDelivery", "Hide a delivery at once", "200", told(_DELETION)),
        },
        "/v1/deliveries/{key}/restore": {
            "post": operation("restoreDelivery", "Show a deleted delivery again", "200", told(_DELETION)),
        },
        "/v1/recipients/{key}/export": {
            "get": operation("exportRecipient", "Everything stored about a recipient", "200", files, parameters=[form]),
        },
        "/v1/recipients/{key}/erase": {
            "post": operation("eraseRecipient", "Ask that a recipient be erased", "202", told(_ERASURE)),
        },
    }
