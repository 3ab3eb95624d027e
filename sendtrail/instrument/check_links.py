"""Checks of single links and placeholders of one part. Pure."""

import re
from collections.abc import Iterator
from contextlib import suppress
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from email.message import Message
from ipaddress import ip_address
from socket import inet_aton
from typing import NamedTuple
from urllib.parse import urlsplit

from sendtrail.instrument import html_part, text_part
from sendtrail.instrument.findings import Finding, finding
from sendtrail.instrument.markup import decode_references
from sendtrail.instrument.placeholders import SYNTAXES, one_spelling, pattern_of
from sendtrail.instrument.policy import Policy

#: Characters of a link at most: what Outlook and many gateways take.
MAX_LINK = 2_000
#: Bytes of a token beside its destination (FORMATS, Link token).
_TOKEN_BYTES = 4 + 3 * 8 + 4 + 2 + 10

_OPT_OUT = re.compile(
    r"unsubscri|opt[-_ ]?out|abmeld|abbestell|austragen|d[e\u00e9]sabonn|d[e\u00e9]sinscri|darse?[-_ ]de[-_ ]baja"
    r"|cancelar[-_ ]suscrip|anular[-_ ]suscrip|disiscri|uitschrijv",
    re.IGNORECASE,
)
_REFERENCE = re.compile(r"&(?:#[0-9]{1,7};?|#[xX][0-9A-Fa-f]{1,6};?|[A-Za-z][A-Za-z0-9]*;?)")
_COMPLETE = re.compile(r"&(?:#[0-9]+|#[xX][0-9A-Fa-f]+|[A-Za-z][A-Za-z0-9]*);")
#: What template engines leave behind where they were not run.
_TEMPLATE_TAGS = re.compile(r"\{\{[^{}\n]{1,200}\}\}|\{%[^%\n]{1,200}%\}|<%=[^%\n]{1,200}%>")
_SEEN = ("Subject", "From", "To", "Reply-To")
_LOCAL = (".local", ".localhost", ".internal", ".lan", ".home.arpa", ".test", ".invalid")


class Link(NamedTuple):
    """A link as written: its URL as followed, where it stands, and its raw value."""

    url: str
    at: int
    raw: str
    looks_like_optout: bool


class LookedAt(NamedTuple):
    """A part and its http and https links, in order."""

    name: str
    source: str
    links: list[Link]


def look(name: str, source: str, policy: Policy) -> LookedAt:
    """Find a part's links, spelled as the registry has them."""
    placeholder = pattern_of(policy.placeholders)
    part = html_part.find(source) if name == "html" else text_part.find(source, placeholder)
    links = []
    for link in part.links:
        raw = source[link.edit.start : link.edit.end]
        optout = _OPT_OUT.search(link.url) or _OPT_OUT.search(link.text)
        url = one_spelling(link.url, policy.placeholders)
        links.append(Link(url, link.edit.start, raw, optout is not None))
    return LookedAt(name, source, links)


def of_links(part: LookedAt, base_url: str) -> Iterator[Finding]:
    """What is wrong with single links."""
    bare: list[Link] = []
    for link in part.links:
        if not link.url.lower().startswith(("http://", "https://")):
            continue
        length = len(base_url.rstrip("/")) + 3 + -(-(_TOKEN_BYTES + len(link.url.encode("utf-8", "replace"))) * 4 // 3)
        if length > MAX_LINK:
            text = f"{link.url[:100]}\u2026 becomes a link of {length:,} characters"
            yield finding("link_too_long", part.name, text, part.source, link.at)
        if _is_private(link.url):
            yield finding("private_host", part.name, link.url[:200], part.source, link.at)
        if _is_misread(part.name, link):
            yield finding("bad_ampersand", part.name, link.raw[:200], part.source, link.at)
        elif part.name == "html" and "&" in _COMPLETE.sub("", link.raw):
            bare.append(link)
    if bare:
        more = f" (and {len(bare) - 1} more)" if len(bare) > 1 else ""
        yield finding("bare_ampersand", part.name, bare[0].raw[:200] + more, part.source, bare[0].at)


def of_placeholders(part: LookedAt, policy: Policy) -> Iterator[Finding]:
    """What looks like a placeholder, in a syntax that nobody fills."""
    patterns = [pattern_of(syntax) for syntax in SYNTAXES if syntax != policy.placeholders]
    if not policy.placeholders:
        patterns.append(_TEMPLATE_TAGS)
    found: dict[int, str] = {}
    for start, end in _shown(part):
        for pattern in patterns:
            for match in pattern.finditer(part.source, start, end) if pattern else ():
                found.setdefault(match.start(), match[0])
    for at, text in found.items():
        yield finding("placeholder_left", part.name, text[:100], part.source, at)


def of_headers(headers: Message) -> Iterator[Finding]:
    """Placeholders in what recipients see of the headers: nobody fills those, whatever the policy."""
    for name in _SEEN:
        value = str(headers.get(name, ""))
        with suppress(HeaderParseError, UnicodeError, LookupError, ValueError):
            value = str(make_header(decode_header(value)))
        for found in of_placeholders(LookedAt("text", value, []), Policy()):
            yield finding("placeholder_left", "headers", f"{name}: {found.text}")


def _shown(part: LookedAt) -> Iterator[tuple[int, int]]:
    """Where recipients would see a placeholder: not in scripts and styles, whose braces mean something else."""
    if part.name == "text":
        yield 0, len(part.source)
        return
    for token in html_part.document_tokens(part.source):
        if token.kind in ("text", "start"):
            yield token.start, token.end


def _is_misread(part: str, link: Link) -> bool:
    """Whether an `&` makes the address another than was meant."""
    if part == "text":
        return "&amp;" in link.raw
    if "&amp;" in link.url:  # `&amp;amp;`: escaped twice
        return True
    for match in _REFERENCE.finditer(link.raw):
        reference = match[0]
        follower = link.raw[match.end() : match.end() + 1]
        if (
            not reference.endswith(";")
            and decode_references(reference + follower, in_attribute=True) != reference + follower
        ):
            return reference not in ("&amp", "&AMP")
    return False


def _is_private(url: str) -> bool:
    try:
        host = (urlsplit(url).hostname or "").rstrip(".").lower()
    except ValueError:
        return False
    if not host or "{" in host or "%" in host or "*" in host:
        return False
    with suppress(ValueError):
        return not ip_address(host.strip("[]")).is_global
    with suppress(OSError):  # browsers take `127.1` and `0x7f000001` for addresses, and so does this
        return not ip_address(inet_aton(host)).is_global
    return "." not in host or host.endswith(_LOCAL)
