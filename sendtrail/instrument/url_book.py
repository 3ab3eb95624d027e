"""How the URLs of a delivery are numbered and named."""

from collections.abc import Iterable

from msgspec.structs import replace

from sendtrail.deliveries import DeliveryUrl, UrlMode
from sendtrail.instrument.found import FoundLink, Notice
from sendtrail.instrument.policy import UrlRule, kind_of
from sendtrail.links import LinkKind, url_id_of

_LABEL_CHARACTERS = 256


class UrlBook:
    """The URLs of one delivery: an id for each (FORMATS, Link token), and what reports call it.

    `registered`: what an earlier run has put into the registry, so that the same URL has the same id again.
    """

    def __init__(self, delivery: int, registered: Iterable[DeliveryUrl] = ()) -> None:
        self._delivery = delivery
        self._entries: dict[tuple[LinkKind, str], DeliveryUrl] = {}
        self._explicit: set[int] = set()
        self._taken: set[int] = set()
        self._seen: set[int] = set()
        self.notices: list[Notice] = []
        for entry in registered:
            self._entries[kind_of(entry.mode) or "click", entry.url] = entry
            self._taken.add(entry.url_id)

    def number(self, mode: UrlMode, url: str, link: FoundLink, rule: UrlRule) -> int:
        """The url id of a place. Two URLs with equal hashes: the later one takes the next free number."""
        identity = (kind_of(mode) or "click", url)
        entry = self._entries.get(identity)
        if entry is None:
            entry = DeliveryUrl(delivery=self._delivery, url_id=self._free(url_id_of(url)), url=url, mode=mode)
        elif entry.url_id not in self._seen or kind_of(entry.mode) is None:
            # What this run says holds; of several places of one URL, one that is tracked decides.
            entry = replace(entry, mode=mode)
        self._entries[identity] = self._named(entry, link, rule)
        self._seen.add(entry.url_id)
        return entry.url_id

    def entries(self) -> list[DeliveryUrl]:
        """What to register, in order of first appearance; URLs only an earlier run had are left out."""
        return [entry for entry in self._entries.values() if entry.url_id in self._seen]

    def _free(self, url_id: int) -> int:
        while url_id in self._taken:
            url_id = (url_id + 1) % (1 << 32)
        self._taken.add(url_id)
        return url_id

    def _named(self, entry: DeliveryUrl, link: FoundLink, rule: UrlRule) -> DeliveryUrl:
        """A label that was asked for beats what the link shows; of two that were asked for, the first stays."""
        asked = (link.label or rule.label)[:_LABEL_CHARACTERS]
        label = entry.label or link.text
        if asked and entry.url_id in self._explicit and asked != entry.label:
            self.notices.append(Notice("labels_differ", f"{entry.url}: called {entry.label!r} and {asked!r}"))
        elif asked:
            self._explicit.add(entry.url_id)
            label = asked
        category = entry.category or (link.category or rule.category)[:_LABEL_CHARACTERS]
        return replace(entry, label=label, category=category, updated_ms=0)


class LoopItems:
    """Tells the items of a loop apart: places of one personalised URL, which lead elsewhere for each item.

    Places that show the same are an item each, in their order; an item's image and its button show different things,
    and so does what only Outlook sees. Places with one `data-st-label` are one item, wherever they stand.
    """

    def __init__(self) -> None:
        self._labels: dict[str, list[str]] = {}
        self._places: dict[tuple[str, str, bool], int] = {}

    def begin_part(self) -> None:
        """The text part's places are the items of the HTML part again."""
        self._places = {}

    def item(self, url: str, link: FoundLink) -> int:
        """The item of the next place of a URL, from 0."""
        if link.label:
            labels = self._labels.setdefault(url, [])
            if link.label not in labels:
                labels.append(link.label)
            return labels.index(link.label)
        place = (url, link.text, link.for_outlook)
        self._places[place] = self._places.get(place, -1) + 1
        return self._places[place]


def item_url(url: str, item: int) -> str:
    """What the URL of an item is registered under: a space, which no URL has, keeps it from being another's."""
    return f"{url} [{item + 1}]" if item else url
