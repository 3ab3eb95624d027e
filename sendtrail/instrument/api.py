"""What a sender tells the feed API of a message: its delivery, URLs and content once, a `prepared` item for each
recipient."""

import logging
import weakref
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

from sendtrail.contents import MAX_BYTES
from sendtrail.feed import BATCH_ITEMS, Feed
from sendtrail.instrument.template import Template

_log = logging.getLogger(__name__)

BATCH = BATCH_ITEMS


class Api:
    """The feed API, for templates: a `Feed` (sendtrail/feed) that knows how to register one.

    Every call waits out an API that is away or busy, up to two minutes, then raises ApiError. Repeating is safe: a
    delivery is replaced by itself, an item keeps its id.
    """

    def __init__(self, address: str, key: str = "") -> None:
        """`key`: an API key, where the API asks for one. Raises ApiError for an address that can't be one."""
        self._feed = Feed(address, key)
        weakref.finalize(self, self._feed.close)

    def register(self, template: Template, **fields: Any) -> dict[str, Any]:
        """Register a template's delivery, URLs and content. `fields`: label, code, campaign, tags, subject and so on.

        A part that is larger than the API keeps is left out, with a warning: only hot clicks need it.
        """
        answer: dict[str, Any] = self._feed.call("PUT", _path(template), {**fields, "urls": template.url_fields()})
        self._keep_content(template)
        return answer

    def register_urls(self, template: Template) -> None:
        """Register a template's URLs and content alone: what is registered of the delivery itself stays."""
        self._feed.call("PUT", f"{_path(template)}/urls", template.url_fields())
        self._keep_content(template)

    def _keep_content(self, template: Template) -> None:
        contents = {name: part for name, part in template.contents().items() if _fits(name, part)}
        if any(contents.values()):
            self._feed.call("PUT", f"{_path(template)}/content", contents)

    def feed(self, items: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
        """Post items in batches. Returns the refused ones with the API's reason beside each; [] when all were taken."""
        return [
            {"item": refused.item, "status": "rejected", "reason": refused.reason, "detail": refused.detail}
            for refused in self._feed.send(items)
        ]


def _path(template: Template) -> str:
    return f"/v1/deliveries/{quote(str(template.delivery), safe='')}"


def _fits(name: str, part: str) -> bool:
    fits = len(part.encode()) <= MAX_BYTES
    if not fits:
        _log.warning("the %s part has more than %d bytes: hot clicks won't show it", name, MAX_BYTES)
    return fits
