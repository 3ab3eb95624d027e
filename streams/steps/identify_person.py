"""A hit -> who acted: the visitor where cookies may tell, else the message itself."""

import struct
from functools import lru_cache
from hashlib import blake2b

from sendtrail.events import FLAG_NO_COOKIE, HITS, Event
from streams.items import Item, Known

_CACHED_AGENTS = 65_536
_TWO_KEYS = struct.Struct(">QQ")


def identify_person(item: Item, known: Known) -> None:
    """32 hex digits. Without a message (a visit to a site) the visitor or the client stands in."""
    event = item.event
    if event.kind not in HITS:
        return
    if event.visitor is not None and known.visitor_cookies and _may_tell(event):
        item.found.person = event.visitor
    elif event.delivery or event.message:
        item.found.person = _TWO_KEYS.pack(event.delivery, event.message).hex()
    else:
        item.found.person = event.visitor or blake2b(client_key(event), digest_size=16).hexdigest()


def client_key(event: Event) -> bytes:
    """The client of a hit: the visitor id the request sent, else its user agent (8 bytes of a hash) and address."""
    if event.visitor is not None and not event.visitor_is_new:
        return bytes.fromhex(event.visitor)
    return _agent_hash(event.user_agent) + event.address.encode()


@lru_cache(_CACHED_AGENTS)
def _agent_hash(agent: str) -> bytes:
    return blake2b(agent.encode(), digest_size=8).digest()


def _may_tell(event: Event) -> bool:
    return "gpc" not in event.hints and not event.flags & FLAG_NO_COOKIE
