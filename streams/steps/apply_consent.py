"""A hit of a recipient who withdrew consent -> the same hit without who, where from and with what.

It stands behind what judges the hit, so that a machine's stays a machine's, and before what makes a person of it: the
person is the message then. Links know nothing of this and go on working.
"""

from sendtrail.events import HITS
from streams.items import Item, Known


def apply_consent(item: Item, known: Known) -> None:
    """A link minted without a recipient says nothing of anybody, so there is nobody's consent to look up."""
    event = item.event
    if event.recipient is None or event.kind not in HITS:
        return
    if not known.consents.refuses(event.recipient, event.event_time_ms):
        return
    event.visitor, event.visitor_is_new = None, False
    event.user_agent = event.address = event.referrer = ""
    found = item.found
    found.client = found.client_version = found.os = found.device = found.network = found.country = ""
