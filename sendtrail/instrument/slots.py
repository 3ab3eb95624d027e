"""Found links -> slots: what becomes of each place of a message."""

from collections.abc import Callable
from typing import NamedTuple

from sendtrail.deliveries import UrlMode
from sendtrail.errors import BadLink
from sendtrail.instrument.found import Edit, FoundLink, FoundPart, Notice, NoticeCode
from sendtrail.instrument.policy import MODES, Policy, UrlBook, UrlRule, kind_of
from sendtrail.instrument.text_part import OWN_PAGES
from sendtrail.links import TEXT_POSITION, LinkKind, check_destination, place_bytes

#: Positions of the HTML part are 1 to 32767, of the text part 32769 to 65535; 0 is a link outside both.
LAST_POSITION = TEXT_POSITION - 1
_OWN_PAGE_URL: dict[UrlMode, str] = {"optout": "sendtrail:optout", "mirror": "sendtrail:mirror"}

IsTracked = Callable[[str], bool]


class Slot(NamedTuple):
    """A link to mint: its kind and the token's bytes behind the keys (none for a pixel)."""

    kind: LinkKind
    place: bytes = b""


class Placed(NamedTuple):
    """An edit of a part, with the link to mint where it makes one."""

    edit: Edit
    slot: Slot | None = None


class _Target(NamedTuple):
    """Where a link leads: the URL it is registered under, and the destination it is minted with."""

    mode: UrlMode
    url: str
    destination: str


class SlotMaker:
    """Decides for every link of a message what becomes of it; both parts of a message share one."""

    def __init__(self, policy: Policy, book: UrlBook, is_tracked: IsTracked) -> None:
        self._policy = policy
        self._book = book
        self._is_tracked = is_tracked
        self._hinted: dict[str, UrlMode] = {}
        self.notices: list[Notice] = []

    def place(self, part: FoundPart, before_first: int) -> list[Placed]:
        """The edits of a part; its first position is `before_first` + 1.

        Positions count every link that could be tracked, whatever its mode, so that they stay what they are when a
        mode is changed.
        """
        self.notices += part.notices
        placed: list[Placed] = []
        position = 0
        for link in part.links:
            placed += [Placed(edit) for edit in link.strip]
            target = self._target(link)
            if target is None:
                continue
            position += 1
            slot = self._slot(link, target, before_first + position) if position <= LAST_POSITION else None
            if slot is not None:
                placed.append(Placed(link.edit, slot))
        if position > LAST_POSITION:
            self.notices.append(Notice("too_many_links", f"only the first {LAST_POSITION} links of a part are tracked"))
        return placed

    def header_optout(self) -> Slot:
        """The opt-out link of the List-Unsubscribe header: our own page, at no position."""
        url = _OWN_PAGE_URL["optout"]
        url_id = self._book.number("optout", url, FoundLink(url, Edit(0, 0), text="List-Unsubscribe"), UrlRule())
        return Slot("optout", place_bytes(url_id, 0, ""))

    def _slot(self, link: FoundLink, target: _Target, position: int) -> Slot | None:
        kind = kind_of(target.mode)
        rule = self._policy.urls.get(link.url, UrlRule())
        url_id = self._book.number(target.mode, target.url, link, rule)
        return None if kind is None else Slot(kind, place_bytes(url_id, position, target.destination))

    def _target(self, link: FoundLink) -> _Target | None:
        """Where a link leads; None for what is left as it is and counts as no link."""
        mode = self._mode(link)
        if mode in _OWN_PAGE_URL and (not link.url or link.url[0] == "#" or link.url.lower() in OWN_PAGES):
            if mode == "mirror":
                self._notice("mirror_without_destination", "the edge answers 404: give the mirror link an address")
            return _Target(mode, _OWN_PAGE_URL[mode], "")
        if not self._can_be_tracked(link.url, mode):
            return None
        return _Target(mode, link.url, link.url)

    def _mode(self, link: FoundLink) -> UrlMode:
        """Hints win over the policy; a URL without either is what the same URL is elsewhere in the message."""
        own_page = OWN_PAGES.get(link.url.lower())
        if own_page is not None:
            return own_page
        hint = next((mode for mode in MODES if mode == link.mode.lower()), None)
        if hint is not None:
            if ":" in link.url:  # `#` and nothing are no URL that others could share
                self._hinted.setdefault(link.url, hint)
            return hint
        if link.mode:
            self._notice("unknown_mode", f"data-st-mode={link.mode!r} is none of {', '.join(MODES)}")
        rule = self._policy.urls.get(link.url)
        return rule.mode if rule else self._hinted.get(link.url, "tracked")

    def _can_be_tracked(self, url: str, mode: UrlMode) -> bool:
        scheme, colon, _ = url.partition(":")
        if not url or url[0] == "#":
            return False
        if not colon or "/" in scheme or "?" in scheme:
            self._notice("relative_link", f"{url[:200]!r} has no host, so nothing says where it leads")
            return False
        if scheme.lower() not in ("http", "https"):
            if mode == "optout":
                self._notice("optout_not_http", f"{url[:200]!r} can't be tracked")
            return False
        if self._is_tracked(url):
            self._notice("already_tracked", url)
            return False
        try:
            check_destination(url)
        except BadLink as error:
            self._notice("bad_destination", f"{url[:200]!r}: {error}")
            return False
        return True

    def _notice(self, code: NoticeCode, text: str) -> None:
        self.notices.append(Notice(code, text))
