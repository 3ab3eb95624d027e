"""A hit -> who acted: the visitor where cookies may tell, else the message itself."""

from hashlib import blake2b

from sendtrail.events import FLAG_NO_COOKIE, HITS, Event
from streams.items import Item, Known


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
    agent_and_address = f"{event.user_agent}\0{event.address}".encode()
    return bytes(8) + blake2b(agent_and_address, digest_size=8).digest()


def _may_tell(event: Event) -> bool:
    return "gpc" not in event.hints and not event.flags & FLAG_NO_COOKIE
