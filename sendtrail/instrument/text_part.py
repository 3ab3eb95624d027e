"""A text part -> the URLs people see in it, with exact offsets."""

import re

from sendtrail.deliveries import UrlMode
from sendtrail.instrument.found import Edit, FoundLink, FoundPart, followed

#: Own pages may be asked for by these words in place of a URL, in text and in href.
OWN_PAGES: dict[str, UrlMode] = {"sendtrail:optout": "optout", "sendtrail:mirror": "mirror"}

_WORD = r"(?<![A-Za-z0-9+])"
# Up to white space, quotes, full-width punctuation or brackets: Chinese and Japanese go on without a space. In
# `[https://a](https://a)` up to the brackets.
_PLAIN = (
    r"(?!\]\()[^\s<>\"\x00-\x1f\x7f-\x9f\u201c-\u201f\u00ab\u00bb"
    r"\u3001\u3002\u3008-\u3011\u3014-\u301b\uff01\uff08\uff09\uff0c\uff1b\uff1f]"
)
_LETTER = rf"(?:{_PLAIN}|\uff08(?:{_PLAIN})*\uff09)"
_OWN_PAGE = r"sendtrail:(?:optout|mirror)\b"
_URL = re.compile(rf"{_WORD}(?:https?://{_LETTER}+|{_OWN_PAGE})", re.IGNORECASE)
_TRAILING = ".,;:!?'*~`|\u2018\u2019\u2026"
_BRACKETS = {")": "(", "]": "[", "}": "{"}


def find(source: str, placeholder: re.Pattern[str] | None = None) -> FoundPart:
    """Every http and https URL of a plain text, without the punctuation and brackets around it.

    `placeholder`: what stands for a value in a URL, spaces and all.
    """
    pattern = _URL
    if placeholder is not None:
        url = rf"https?://(?:{placeholder.pattern}|{_LETTER})+"
        pattern = re.compile(rf"{_WORD}(?:{url}|{_OWN_PAGE})", re.IGNORECASE)
    links = []
    for match in pattern.finditer(source):
        found = list(placeholder.finditer(match[0])) if placeholder else []
        url = _trimmed(match[0], found[-1].end() if found else 0)
        links.append(FoundLink(followed(url), Edit(match.start(), match.start() + len(url))))
    return FoundPart(links, [])


def _trimmed(url: str, keep: int) -> str:
    """Without what belongs to the sentence: closing punctuation, and brackets that were opened before the URL.

    The first `keep` characters stay.
    """
    surplus = {closing: url.count(closing) - url.count(opening) for closing, opening in _BRACKETS.items()}
    end = len(url)
    while end > keep and (url[end - 1] in _TRAILING or surplus.get(url[end - 1], 0) > 0):
        end -= 1
        if url[end] in surplus:
            surplus[url[end]] -= 1
    return url[:end]
