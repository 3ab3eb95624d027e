"""What becomes of a link's URL before it is signed: parameters added, hosts compared. URLs as templates write them."""

import re
from collections.abc import Iterable, Mapping
from urllib.parse import quote, unquote_plus, urlsplit

from sendtrail.instrument.placeholders import SIGNED_ID, Pattern, Syntax, parse

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_AFTER_AUTHORITY = re.compile(r"[/?#]")
# A domain name with letters at its end, with or without a scheme, and with what may follow it.
_SHOWN_URL = re.compile(
    r"(?P<scheme>https?://)?(?P<host>(?:[^\W_](?:[\w-]*[^\W_])?\.)+[^\W\d_]{2,})(?::\d+)?(?:[/?#]\S*)?", re.IGNORECASE
)


def fixed_length(url: str) -> int:
    """How much of an http URL says which server it leads to: scheme, user, host and port."""
    scheme = _SCHEME.match(url)
    start = scheme.end() if scheme else 0
    if url[start : start + 2] == "//":
        start += 2
    rest = _AFTER_AUTHORITY.search(url, start)
    return rest.start() if rest else len(url)


def leads_to_one_host(pattern: Pattern) -> bool:
    """Whether no value decides where a URL leads. What follows a host without a slash would lengthen its name."""
    return not pattern.rest or fixed_length(pattern.first) < len(pattern.first)


def host_of(url: str) -> str:
    """The host of a URL, in lower case; nothing where it has none."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def is_among(host: str, hosts: Iterable[str]) -> bool:
    """Whether a host is named: itself, or by `*.example.com`, which means every name below."""
    return any(host == name or (name.startswith("*.") and host.endswith(name[1:])) for name in map(str.lower, hosts))


def with_parameters(url: str, parameters: Mapping[str, str], syntax: Syntax = "") -> str:
    """A URL with query parameters behind its own; one it has already stays as it is. The fragment stays last.

    Values may hold placeholders; everything else of them is escaped.
    """
    before, mark, fragment = url.partition("#")
    path, _, query = before.partition("?")
    missing = [(name, value) for name, value in parameters.items() if not has_parameter(url, name)]
    added = [f"{quote(name, safe='')}={_escaped(value, syntax)}" for name, value in missing]
    if not added:
        return url
    joint = "" if not query or query.endswith("&") else "&"
    return f"{path}?{query}{joint}{'&'.join(added)}{mark}{fragment}"


def has_parameter(url: str, name: str) -> bool:
    """Whether the query has a parameter of that name."""
    query = url.partition("#")[0].partition("?")[2]
    return any(unquote_plus(pair.partition("=")[0]) == name for pair in query.split("&"))


def shows_url(visible: str, url: str) -> bool:
    """Whether what a link shows is itself an address: one with a scheme or `www.`, or the host the link leads to.

    Mail programs and filters compare such a text with where the link leads, and warn where they differ.
    """
    shown = _SHOWN_URL.fullmatch(visible.strip("\"'()[]<>.,;:!? \u201c\u201d\u00ab\u00bb\u2026\u203a\u2192"))
    if shown is None:
        return False
    host, own = shown["host"].lower(), host_of(url)
    related = f".{own}".endswith(f".{host}") or host.endswith(f".{own}")
    return related or bool(shown["scheme"]) or host.startswith("www.")


def _escaped(value: str, syntax: Syntax) -> str:
    cut = parse(value, syntax)
    return quote(cut.first, safe="") + "".join(
        (field.raw or SIGNED_ID) + quote(literal, safe="") for field, literal in cut.rest
    )
