"""What the registry says of deliveries, as steps look it up: labels, campaign, category, type, end of tracking."""

from typing import NamedTuple

from sendtrail.deliveries import Delivery, DeliveryUrl, decode_record
from sendtrail.errors import Invalid


class DeliveryContext(NamedTuple):
    """Of one delivery. `track_until_ms`: hits after it are stored and not counted; so are opens and clicks that come
    from elsewhere than `hits_from`."""

    label: str
    campaign: str
    category: str
    type: str
    track_until_ms: int | None
    hits_from: str


class UrlContext(NamedTuple):
    """Of one URL of a delivery."""

    label: str
    category: str


class DeliveryBook:
    """The newest record of every delivery and URL. Memory only; a follower of tracking.deliveries feeds it."""

    def __init__(self) -> None:
        self._deliveries: dict[int, DeliveryContext] = {}
        self._urls: dict[tuple[int, int], UrlContext] = {}

    def __len__(self) -> int:
        return len(self._deliveries)

    def delivery(self, key: int) -> DeliveryContext | None:
        """None for a delivery nobody registered yet."""
        return self._deliveries.get(key)

    def url(self, delivery: int, url_id: int) -> UrlContext | None:
        """None for an unregistered link."""
        return self._urls.get((delivery, url_id))

    def apply(self, key: bytes | None, value: bytes | None) -> Invalid | None:
        """Take in a record; a null value forgets its key. Returns why a record was refused."""
        if value is None:
            return self._forget(key)
        entry = decode_record(key, value)
        if isinstance(entry, Delivery):
            self._deliveries[entry.delivery] = DeliveryContext(
                entry.label or entry.name,
                entry.campaign,
                entry.category,
                entry.type,
                entry.track_until_ms,
                entry.hits_from,
            )
        elif isinstance(entry, DeliveryUrl):
            self._urls[entry.delivery, entry.url_id] = UrlContext(entry.label, entry.category)
        else:
            return entry
        return None

    def _forget(self, key: bytes | None) -> Invalid | None:
        delivery, _, part = (key or b"").partition(b"/")
        kind, _, url_id = part.partition(b"/")
        try:
            if kind == b"url":
                self._urls.pop((int(delivery), int(url_id)), None)
            else:
                self._deliveries.pop(int(delivery), None)
        except ValueError:
            return Invalid("bad_registry", f"{(key or b'')[:80]!r} is not a key of the registry")
        return None
