"""A hit or a feed event -> labels, campaign, category and type of its delivery as of now; the mark `expired`."""

from sendtrail.events import HITS
from streams.items import Item, Known


def add_context(item: Item, known: Known) -> None:
    """An unknown delivery adds nothing: its events count under its key and get their names at read time."""
    event, found = item.event, item.found
    delivery = known.deliveries.delivery(event.delivery)
    if delivery is None:
        return
    found.delivery_label, found.campaign, found.category, found.type, track_until_ms = delivery
    if track_until_ms is not None and event.event_time_ms > track_until_ms and event.kind in HITS:
        found.marks += ("expired",)
    if event.url_id is None:
        return
    url = known.deliveries.url(event.delivery, event.url_id)
    if url is not None:
        found.url_label = url.label
        found.category = url.category or found.category
