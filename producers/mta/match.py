"""A mail that came back -> whose it was: by a signed link in it, by its X-Sendtrail headers, or by a VERP address.

A signed link proves itself; headers and addresses may have been written by anybody, so `mta.signed_only` can leave
them out.
"""

import re
from collections.abc import Iterator
from email.message import Message
from urllib.parse import urlsplit

from producers.mta.reports import Report, header
from sendtrail.errors import BadName, Invalid, SettingsError
from sendtrail.gateways import resolve
from sendtrail.keyring import Keyring
from sendtrail.links import ReadLink
from sendtrail.naming import HASHED, KeyKind, key
from sendtrail.provider_metadata import DELIVERY, MESSAGE, RECIPIENT, MessageIdentity, read_metadata, write_metadata

_URL = re.compile(r"https?://[^\s<>\"']{1,8192}", re.IGNORECASE)
_ROUTE = re.compile(r"/[ocum]/", re.IGNORECASE)
_MOST_LINKS = 20
_MOST_TEXT = 256 * 1024
_VERP_PARTS = {"delivery": DELIVERY, "message": MESSAGE, "recipient": RECIPIENT}


class Matcher:
    """Tells whose message a report is about."""

    def __init__(self, keyring: Keyring | None, naming_key: bytes, verp_pattern: str = "", signed_only: bool = False):
        """`keyring` None: links prove nothing here. Raises SettingsError for a VERP pattern without the two keys."""
        self._keyring = keyring
        self._naming_key = naming_key
        self._signed_only = signed_only
        self._verp = verp_regex(verp_pattern) if verp_pattern else None

    def identity(self, report: Report) -> dict[str, str] | Invalid:
        """Metadata as of `sendtrail.provider_metadata`, or why there is none."""
        found = self._by_link(report.returned) if report.returned is not None else None
        if found is not None:
            return found
        if self._signed_only:
            return Invalid("unattributed", "no signed link of ours in the message that came back (mta.signed_only)")
        if report.returned is not None:
            identity = read_metadata({name: str(value) for name, value in report.returned.items()})
            if isinstance(identity, MessageIdentity):
                return write_metadata(identity)
        return self._by_address(report) or Invalid(
            "unattributed", "neither a signed link of ours nor X-Sendtrail headers came back, and no VERP address fits"
        )

    def _by_link(self, returned: Message) -> dict[str, str] | None:
        if self._keyring is None:
            return None
        for number, url in enumerate(_urls(returned)):
            if number >= _MOST_LINKS:
                break
            parts = urlsplit(url)
            read = resolve(self._keyring, f"{parts.path}?{parts.query}" if parts.query else parts.path)
            if isinstance(read, ReadLink):
                link = read.link
                return write_metadata(MessageIdentity(link.delivery, link.message, link.recipient, flags=link.flags))
        return None

    def _by_address(self, report: Report) -> dict[str, str] | None:
        if self._verp is None:
            return None
        for address in report.addressed:
            found = self._verp.search(address)
            if found is None:
                continue
            metadata = verp_metadata(found, self._naming_key)
            if metadata is not None:
                return metadata
        return None


def verp_metadata(found: re.Match[str], naming_key: bytes) -> dict[str, str] | None:
    """What a pattern of `verp_regex` found, as metadata; None for what can't be a name."""
    try:
        return {_VERP_PARTS[name]: _key(naming_key, name, text) for name, text in found.groupdict().items() if text}
    except BadName:
        return None


def _key(naming_key: bytes, kind: str, text: str) -> str:
    """Digits past 2^63 are a key already; everything else is a name."""
    if text.isascii() and text.isdecimal() and len(text) <= 20 and HASHED <= int(text) < 2 * HASHED:
        return text
    kinds: dict[str, KeyKind] = {"delivery": "delivery", "message": "message", "recipient": "recipient"}
    return str(key(naming_key, "", kinds[kind], text))


def verp_regex(pattern: str, setting: str = "mta.verp_pattern") -> re.Pattern[str]:
    """`bounce+{delivery}-{message}@shop.example` as an expression. Raises SettingsError naming the setting."""
    parts = re.split(r"\{(\w+)\}", pattern)
    names = parts[1::2]
    if not {"delivery", "message"} <= set(names) <= set(_VERP_PARTS) or len(names) != len(set(names)):
        raise SettingsError(f"{setting} holds {{delivery}} and {{message}}, and {{recipient}} if you like, each once")
    texts = [re.escape(part) if not number % 2 else f"(?P<{part}>[A-Za-z0-9_.]+?)" for number, part in enumerate(parts)]
    return re.compile(rf"(?<![A-Za-z0-9_.+-]){''.join(texts)}(?![A-Za-z0-9_.-])", re.IGNORECASE)


def _urls(returned: Message) -> Iterator[str]:
    """Addresses that may be our links: those of List-Unsubscribe first, then those in the text."""
    texts = [header(returned, "List-Unsubscribe")]
    for part in returned.walk():
        raw = part.get_payload(decode=True) if part.get_content_maintype() == "text" else None
        if isinstance(raw, bytes):
            texts.append(raw[:_MOST_TEXT].decode("latin-1"))
    for text in texts:
        for url in _URL.findall(text):
            if _ROUTE.search(url):
                yield url
