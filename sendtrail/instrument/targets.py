"""A found link -> where it leads and how: by its hints, the policy's rules, and what its URL allows."""

from collections.abc import Callable
from typing import NamedTuple

from sendtrail.deliveries import UrlMode
from sendtrail.errors import BadLink
from sendtrail.instrument.destinations import leads_to_one_host, shows_url
from sendtrail.instrument.found import FoundLink, Notice, NoticeCode
from sendtrail.instrument.placeholders import leftover, parse
from sendtrail.instrument.policy import MODES, Policy, Rules, UrlRule
from sendtrail.instrument.text_part import OWN_PAGES
from sendtrail.links import LinkKind, check_destination

OWN_PAGE_URL: dict[UrlMode, str] = {"optout": "sendtrail:optout", "mirror": "sendtrail:mirror"}
NO_RULE = UrlRule()

#: The kind of a tracked link, None for other URLs.
TrackedKind = Callable[[str], LinkKind | None]


class Target(NamedTuple):
    """Where a link leads: the URL it is registered under, whether that only names an own page, the rule that holds."""

    mode: UrlMode
    url: str
    is_own_page: bool
    rule: UrlRule


class Targets:
    """Finds the target of each link of a message; what a sender should know of them is in `notices`."""

    def __init__(self, policy: Policy, tracked_kind: TrackedKind) -> None:
        self._policy = policy
        self._rules = Rules(policy)
        self._tracked_kind = tracked_kind
        self._hinted: dict[str, UrlMode] = {}
        self.notices: list[Notice] = []

    def of(self, link: FoundLink) -> Target | None:
        """Where a link leads; None for what is left as it is and counts as no link."""
        rule = self._rules.of(link.url) or NO_RULE
        said = self._said(link, rule)
        mode = said or "tracked"
        url = link.url
        if rule.destination is not None and mode == rule.mode:
            url = rule.destination
        if mode in OWN_PAGE_URL and (not url or url[0] == "#" or url.lower() in OWN_PAGES):
            if mode == "mirror":
                text = "it shows what the edge has stored (answers.contents_dir), and without that nothing"
                self._notice("mirror_without_destination", text)
            return Target(mode, OWN_PAGE_URL[mode], True, rule)
        if not self._can_be_tracked(url, mode):
            return None
        if said is None and self._policy.visible_urls == "leave" and shows_url(link.visible, url):
            self._notice("shows_url", f"{url[:200]!r} is shown as {link.visible!r}: tracked, it looks like phishing")
            mode = "not_tracked"
        return Target(mode, url, False, rule)

    def _said(self, link: FoundLink, rule: UrlRule) -> UrlMode | None:
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
        return rule.mode or self._hinted.get(link.url)

    def _can_be_tracked(self, url: str, mode: UrlMode) -> bool:
        scheme, colon, _ = url.partition(":")
        if not url or url[0] == "#":
            return False
        pattern = parse(url, self._policy.placeholders)
        if (not colon or "/" in scheme or "?" in scheme) and pattern.first:
            self._notice("relative_link", f"{url[:200]!r} has no host, so nothing says where it leads")
            return False
        if pattern.first and scheme.lower() not in ("http", "https"):
            if mode == "optout":
                self._notice("optout_not_http", f"{url[:200]!r} can't be tracked")
            return False
        if self._tracked_kind(url) is not None:
            self._notice("already_tracked", url)
            return False
        if leftover(pattern, self._policy.placeholders):
            self._notice("bad_placeholder", f"{url[:200]!r}: {self._why_bad()}")
            return False
        if not leads_to_one_host(pattern):
            self._notice("personalised_host", f"{url[:200]!r}: a value would decide where the link leads")
            return False
        try:
            check_destination(pattern.sample())
        except BadLink as error:
            self._notice("bad_destination", f"{url[:200]!r}: {error}")
            return False
        return True

    def _why_bad(self) -> str:
        if self._policy.placeholders:
            return f"a placeholder is {self._policy.placeholders} with a name in it and nothing else"
        return "it looks like a placeholder, and the policy chooses no syntax"

    def _notice(self, code: NoticeCode, text: str) -> None:
        self.notices.append(Notice(code, text))
