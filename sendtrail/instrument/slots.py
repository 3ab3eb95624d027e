"""Found links -> slots: what becomes of each place of a message."""

from dataclasses import replace

from sendtrail.errors import BadLink
from sendtrail.instrument.destinations import has_parameter, host_of, is_among, with_parameters
from sendtrail.instrument.found import Edit, FoundLink, FoundPart, Notice
from sendtrail.instrument.pieces import Placed, Plain, Slot
from sendtrail.instrument.placeholders import SIGNED_ID, Pattern, one_spelling, parse
from sendtrail.instrument.policy import Policy, kind_of
from sendtrail.instrument.targets import NO_RULE, OWN_PAGE_URL, Target, Targets, TrackedKind
from sendtrail.instrument.url_book import LoopItems, UrlBook, item_url
from sendtrail.links import TEXT_POSITION, check_destination

#: Positions of the HTML part are 1 to 32767, of the text part 32769 to 65535; 0 is a link outside both.
LAST_POSITION = TEXT_POSITION - 1


class SlotMaker:
    """Decides for every link of a message what becomes of it; both parts of a message share one."""

    def __init__(self, policy: Policy, book: UrlBook, tracked_kind: TrackedKind) -> None:
        self._policy = policy
        self._targets = Targets(policy, tracked_kind)
        self._tracked_kind = tracked_kind
        self._book = book
        self._items = LoopItems()
        self.notices = self._targets.notices

    def place(self, part: FoundPart, before_first: int) -> list[Placed]:
        """The edits of a part; its first position is `before_first` + 1.

        Positions count every link that could be tracked, whatever its mode, so that they stay what they are when a
        mode is changed.
        """
        self.notices += part.notices
        self._items.begin_part()
        placed: list[Placed] = []
        position = 0
        for found in part.links:
            placed += [Placed(edit) for edit in found.strip]
            link = found._replace(url=one_spelling(found.url, self._policy.placeholders))
            target = self._targets.of(link)
            if target is None:
                continue
            position += 1
            slot = self._slot(link, target, before_first + position) if position <= LAST_POSITION else None
            if slot is not None:
                placed.append(Placed(link.edit, slot))
        if position > LAST_POSITION:
            self.notices.append(Notice("too_many_links", f"only the first {LAST_POSITION} links of a part are tracked"))
        return placed

    def is_pixel(self, url: str) -> bool:
        """Whether an image is a pixel that an earlier run has added."""
        return self._tracked_kind(url) == "open"

    def header_optout(self) -> Slot:
        """The opt-out link of the List-Unsubscribe header: our own page, at no position."""
        url = OWN_PAGE_URL["optout"]
        url_id = self._book.number("optout", url, FoundLink(url, Edit(0, 0), text="List-Unsubscribe"), NO_RULE)
        return Slot("optout", url_id)

    def honeypot(self) -> Slot:
        """The link that no person sees, at no position."""
        url = self._policy.honeypot
        url_id = self._book.number("tracked", url, FoundLink(url, Edit(0, 0), text="Honeypot"), NO_RULE)
        return Slot("honeypot", url_id, 0, Pattern(url))

    def _slot(self, link: FoundLink, target: Target, position: int) -> Slot | Plain | None:
        """What to write for a link; None to leave it as it is."""
        item = 0
        if parse(target.url, self._policy.placeholders).rest:
            item = self._items.item(target.url, link)
        url_id = self._number(link, target, item)
        kind = kind_of(target.mode)
        written = "" if target.is_own_page else target.url
        if kind == "click" and target.rule.parameters:
            written = with_parameters(written, self._policy.parameters, self._policy.placeholders)
        untracked = parse(written, self._policy.placeholders, item)
        if kind is None:
            return Plain(untracked) if untracked.rest else None
        as_written = written in ("", link.url) and not untracked.rest
        destination = self._with_signed_id(written, item) if kind == "click" else untracked
        if destination.raw not in ("", target.url) and not self._fits(destination):
            return None
        return Slot(kind, url_id, position, destination, None if as_written else untracked)

    def _number(self, link: FoundLink, target: Target, item: int) -> int:
        """The url id of a place; further items of a loop are called as the first, with their number behind."""
        rule = target.rule
        if item:
            link = link._replace(text=link.text and item_url(link.text, item))
            rule = replace(rule, label=rule.label and item_url(rule.label, item))
        return self._book.number(target.mode, item_url(target.url, item), link, rule)

    def _with_signed_id(self, url: str, item: int) -> Pattern:
        syntax, name = self._policy.placeholders, self._policy.web_id
        if name and is_among(host_of(parse(url, syntax).sample()), self._policy.web_id_hosts):
            if has_parameter(url, name):
                self.notices.append(Notice("parameter_taken", f"{url[:200]!r} has a parameter {name!r} of its own"))
            else:
                url = with_parameters(url, {name: SIGNED_ID})
        return parse(url, syntax, item)

    def _fits(self, destination: Pattern) -> bool:
        """Whether a URL can still be signed with what was added."""
        try:
            check_destination(destination.sample())
        except BadLink as error:
            self.notices.append(Notice("bad_destination", f"{destination.raw[:200]!r}: {error}"))
            return False
        return True
