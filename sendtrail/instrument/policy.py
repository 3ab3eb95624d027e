"""What a sender wants of a message: which links are tracked, what they are called, what is added."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

from sendtrail.deliveries import UrlMode
from sendtrail.errors import BadLink, PolicyError
from sendtrail.instrument.placeholders import SYNTAXES, Syntax, one_spelling
from sendtrail.links import LinkKind, check_destination

MODES: tuple[UrlMode, ...] = get_args(UrlMode)
PixelPlace = Literal["auto", "start", "end"]
VisibleUrls = Literal["leave", "track"]

_KINDS: dict[str, LinkKind] = {"tracked": "click", "always": "click", "optout": "optout", "mirror": "mirror"}
_PAGES = ("optout", "mirror")
_PARAMETER = re.compile(r"[^\x00-\x20\x7f&=#?]+")
_HOST = re.compile(r"(?:\*\.)?[^\x00-\x20\x7f*/?#@:]+")
_MAILTO = re.compile(r"mailto:[^\x00-\x20\x7f<>,]+@[^\x00-\x20\x7f<>,]+", re.IGNORECASE)
#: Settings that are one of a few words.
CHOICES: dict[str, tuple[str, ...]] = {
    "pixel_place": get_args(PixelPlace),
    "placeholders": SYNTAXES,
    "visible_urls": get_args(VisibleUrls),
}


@dataclass(frozen=True)
class UrlRule:
    """What is to become of one URL. `mode` None: what the same URL is elsewhere in the message, else tracked.

    `destination`, for opt-out and mirror links: where they lead in place of the URL; "" is Sendtrail's own page, None
    the URL itself. `parameters` False: the policy's are not added. Raises PolicyError for what can't be.
    """

    mode: UrlMode | None = None
    label: str = ""
    category: str = ""
    destination: str | None = None
    parameters: bool = True

    def __post_init__(self) -> None:
        if self.mode is not None and self.mode not in MODES:
            raise PolicyError(f"mode: {self.mode!r} is none of {', '.join(MODES)}")
        if self.destination is not None and self.mode not in _PAGES:
            raise PolicyError("destination: only opt-out and mirror links have one of their own")
        if self.destination:
            _check_url("destination", self.destination)


@dataclass(frozen=True)
class Policy:
    """What to do with a message. Hints in the markup win over rules; the default is to track every link.

    Raises PolicyError, naming the key, for what can't be.
    """

    #: Count opens.
    pixel: bool = True
    #: auto: at the end, but at the start of an HTML part that Gmail would cut off before its end.
    pixel_place: PixelPlace = "auto"
    #: Make List-Unsubscribe headers (RFC 8058).
    one_click: bool = True
    #: A `mailto:` of the sender's for List-Unsubscribe, beside our address.
    unsubscribe_mailto: str = ""
    #: Rules by exact URL, for both parts.
    urls: Mapping[str, UrlRule] = field(default_factory=dict)
    #: Rules by pattern, in which `*` is any text; of several that fit the first holds, after one by exact URL.
    patterns: Mapping[str, UrlRule] = field(default_factory=dict)
    #: How the sender writes placeholders in links; "" for none.
    placeholders: Syntax = ""
    #: Fill placeholders outside links too.
    fill_body: bool = False
    #: Links whose visible text is an address. leave: not rewritten, since mail programs would warn of phishing.
    visible_urls: VisibleUrls = "leave"
    #: Query parameters added to tracked destinations, e.g. `utm_source`; values may hold placeholders.
    parameters: Mapping[str, str] = field(default_factory=dict)
    #: Name of a query parameter that brings the recipient's signed id to `web_id_hosts`; "" for none.
    web_id: str = ""
    #: Hosts that get the signed id, `*.example.com` for every name below.
    web_id_hosts: tuple[str, ...] = ()
    #: An address of the sender's for a link that no person sees: who follows it is a machine. "" for none.
    honeypot: str = ""

    def __post_init__(self) -> None:
        for name, choices in CHOICES.items():
            if getattr(self, name) not in choices:
                raise PolicyError(f"{name}: {getattr(self, name)!r} is none of {', '.join(map(repr, choices))}")
        for name in (*self.parameters, *([self.web_id] if self.web_id else [])):
            if not _PARAMETER.fullmatch(name):
                raise PolicyError(f"parameters: {name!r} can't be the name of a query parameter")
        if bool(self.web_id) != bool(self.web_id_hosts):
            raise PolicyError("web_id: name both the parameter and web_id_hosts, or the id would go to strangers")
        for host in self.web_id_hosts:
            if not _HOST.fullmatch(host):
                raise PolicyError(f"web_id_hosts: {host!r} is not a host")
        if self.unsubscribe_mailto and not _MAILTO.fullmatch(self.unsubscribe_mailto):
            raise PolicyError(f"unsubscribe_mailto: {self.unsubscribe_mailto!r} is not a mailto: address")
        if self.honeypot:
            _check_url("honeypot", self.honeypot)


class Rules:
    """The rules of a policy, to be asked by URL."""

    def __init__(self, policy: Policy) -> None:
        syntax = policy.placeholders
        self._urls = {one_spelling(url, syntax): rule for url, rule in policy.urls.items()}
        self._patterns = [(one_spelling(url, syntax).split("*"), rule) for url, rule in policy.patterns.items()]

    def of(self, url: str) -> UrlRule | None:
        """The rule for a URL as the template has it."""
        exact = self._urls.get(url)
        if exact is not None:
            return exact
        return next((rule for pieces, rule in self._patterns if _fits(pieces, url)), None)


def kind_of(mode: str) -> LinkKind | None:
    """The kind of link a mode makes; None for modes that leave a URL as it is."""
    return _KINDS.get(mode)


def _fits(pieces: list[str], url: str) -> bool:
    """Whether a URL is these pieces with any text between them: one look at each place, whoever wrote the pattern."""
    if len(pieces) == 1:
        return url == pieces[0]
    first, *middle, last = pieces
    if len(url) < len(first) + len(last):
        return False
    position, end = len(first), len(url) - len(last)
    for piece in middle:
        found = url.find(piece, position, end)
        if found == -1:
            return False
        position = found + len(piece)
    return url.startswith(first) and url.endswith(last)


def _check_url(name: str, url: str) -> None:
    try:
        check_destination(url)
    except BadLink as error:
        raise PolicyError(f"{name}: {error}") from error
