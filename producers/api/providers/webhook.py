"""A webhook as the API serves it: name, account, a way to read its requests, and what follows once they are kept."""

from collections.abc import Callable
from typing import NamedTuple

from producers.api.body import Refusal
from producers.api.providers.found import Call, Found

Read = Callable[[Call], list[Found] | Refusal]


def nothing(call: Call) -> None:
    """Nothing is to be done once a request is in the spool."""


class Webhook(NamedTuple):
    """`read` checks a request before it parses it, and may block. `kept` is called once all of it is in the spool."""

    name: str
    account: str
    read: Read
    kept: Callable[[Call], None] = nothing


def closed(name: str, setting: str) -> Read:
    """Of a provider that is not set up: it takes nothing."""
    return lambda call: Refusal(403, "not_configured", f"webhook {name} takes nothing until {setting} is set")
