"""A hit -> who acted: the visitor where cookies may tell, else the message itself."""

from functools import lru_cache
from hashlib import blake2b

from sendtrail.events import FLAG_NO_COOKIE, HITS, Event
from sendtrail.naming import length_prefixed
from streams.items import Item, Known

_CACHED_CLIENTS = 65_536


def identify_person(item: Item, known: Known) -> None:
    """32 hex digits. Without a message (a visit to a site) the visitor or the client stands in."""
    event = item.event
    if event.kind not in HITS:
        return
    if event.visitor is not None and known.visitor_cookies and _may_tell(event):
        item.found.person = event.visitor
    elif event.delivery or event.message:
        item.found.person = f"{event.delivery:016x}{event.message:016x}"
    else:
        item.found.person = event.visitor or client_key(event).hex()


def client_key(event: Event) -> bytes:
    """16 bytes for the client of a hit: the visitor id the request sent, else a hash of user agent and address."""
    if event.visitor is not None and not event.visitor_is_new:
        return bytes.fromhex(event.visitor)
    return _hashed_client(event.user_agent, event.address)


def _may_tell(event: Event) -> bool:
    return "gpc" not in event.hints and not event.flags & FLAG_NO_COOKIE


@lru_cache(_CACHED_CLIENTS)
def _hashed_client(user_agent: str, address: str) -> bytes:
    digest = blake2b(length_prefixed(user_agent.encode(), address.encode()), digest_size=8).digest()
    return bytes(8) + digest
