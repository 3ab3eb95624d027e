"""A reject's original bytes -> the event of a replay (FORMATS, Event id: replayed reject)."""

from sendtrail.errors import Invalid
from sendtrail.events import Event, decode

#: Whose ids need not carry the time of their event (FORMATS).
TOOL = "tool"
#: Made here, so that `tool` says as much of where they come from. What a provider tracked must go on saying so.
_OWN = frozenset(("", "edge", "api", "relay", TOOL))


def replayed(original: bytes, key: str) -> Event | Invalid:
    """The event to send again, under the reject's key, so that sending it twice changes nothing. Never raises.

    Transactions and provider events keep their ids, which come from what they are. An event with `original` is a
    webhook's item that its adapter has to read again.
    """
    event = decode(original)
    if isinstance(event, Invalid):
        return event
    if event.original:
        return Invalid(event.reason or "unattributed", "an item of a webhook")
    if event.kind == "relabel":
        return Invalid("bad_field", "a re-label is made anew by whoever made it")
    if event.kind != "transaction" and event.source in _OWN:
        event.event_id, event.source = key, TOOL
    return event
