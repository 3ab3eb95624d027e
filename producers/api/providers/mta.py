"""What the commands beside a mail server tell (producers/mta) -> findings. Pure."""

from typing import Any

import msgspec

from producers.api.body import Refusal
from producers.api.providers import kumomta
from producers.api.providers.found import Call, Found, Happening, Rejected, json_of
from producers.api.providers.webhook import Webhook
from producers.mta.told import BOUNCES, KUMOMTA, POSTFIX, Told


def sources() -> dict[str, Webhook]:
    """By name; who may tell is for the API's keys to say."""
    found = [
        Webhook(BOUNCES, "", parse),
        Webhook(POSTFIX, "", parse),
        Webhook(KUMOMTA, "", lambda call: kumomta.records(call.body)),
    ]
    return {source.name: source for source in found}


def parse(call: Call) -> list[Found] | Refusal:
    """One item that is wrong keeps the others."""
    items = json_of(call.body)
    if isinstance(items, Refusal):
        return items
    if not isinstance(items, list):
        return Refusal(400, "bad_json", "the body is a JSON array")
    return [_found(item) for item in items]


def _found(item: Any) -> Found:
    try:
        told = msgspec.convert(item, type=Told)
    except msgspec.ValidationError as error:
        return Rejected("bad_field", str(error), item)
    if told.refused is not None:
        return Rejected(told.refused, told.diagnostic, item, told.time_ms)
    return Happening(
        told.kind, told.time_ms, item, told.metadata, id=told.id, email=told.email, reason=told.reason,
        diagnostic=told.diagnostic,
    )  # fmt: skip
