"""A hit or a feed event -> labels, campaign, category and type of its delivery as of now; the marks `expired` and
`foreign`."""

from sendtrail.deliveries import OWN_HITS
from sendtrail.events import HITS
from streams.items import Item, Known

#: What a provider tracks too, where a message goes out through it.
_TRACKED_TWICE = frozenset(("open", "click"))
#: Sources of hits that are ours: the edge, and tools that write what it once collected.
_OURS = frozenset(("", "edge", "tool"))


def add_context(item: Item, known: Known) -> None:
    """An unknown delivery adds nothing: its events count under its key and get their names at read time."""
    event, found = item.event, item.found
    delivery = known.deliveries.delivery(event.delivery)
    if event.kind in _TRACKED_TWICE and _origin(event.source) != (delivery.hits_from if delivery else OWN_HITS):
        found.marks += ("foreign",)
    if delivery is None:
        return
    found.delivery_label, found.campaign, found.category, found.type, track_until_ms, _ = delivery
    if track_until_ms is not None and event.event_time_ms > track_until_ms and event.kind in HITS:
        found.marks += ("expired",)
    if event.url_id is None:
        return
    url = known.deliveries.url(event.delivery, event.url_id)
    if url is not None:
        found.url_label = url.label
        found.category = url.category or found.category


def _origin(source: str) -> str:
    return OWN_HITS if source in _OURS else source
