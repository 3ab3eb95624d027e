"""An HTML part -> its links, with exact offsets (see `markup`); nothing is changed here."""

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from sendtrail.instrument.found import Edit, FoundLink, FoundPart, Notice, followed, readable
from sendtrail.instrument.markup import Attribute, Token, decode_references, tokens

#: Tags whose href people follow. VML shapes stand in Outlook's conditional comments as buttons.
_LINKS = frozenset(("a", "area", "v:roundrect", "v:rect", "v:oval", "v:shape"))
_FRAME = frozenset(("html", "head", "body"))
_HINTS = {"data-st-mode": "mode", "data-st-label": "label", "data-st-category": "category"}
_CONDITIONAL = re.compile(r"<!--\[if[^\]]*\]>", re.IGNORECASE)
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_SPACES = re.compile(r"\s+")
_LABEL_CHARACTERS = 120


def find(source: str) -> FoundPart:
    """The links of an HTML document or fragment, and where its pixel belongs.

    That is before the last `</body>`, else at the end; where the document ends inside a comment, a tag or an element
    that shows no markup, before that.
    """
    links: list[FoundLink] = []
    notices: list[Notice] = []
    images: list[str] = []
    base, body_end, start_at = "", None, (0, 1 if source.startswith("\ufeff") else 0)
    before, last = Token("text", 0, 0), Token("text", 0, 0)
    naming = _Naming(source)
    for token in document_tokens(source):
        before, last = last, token
        naming.see(last)
        if last.kind == "end" and last.name == "body":
            body_end = last.start
        if last.finished and (last.name in _FRAME or last.kind == "other"):
            start_at = max(start_at, _opening(source, last), key=lambda place: place[0])
        if last.kind != "start" or not last.finished:
            continue
        if last.name == "base" and not base:
            base = _value(source, last.first("href"))
        elif last.name == "img":
            images.append(_value(source, last.first("src")))
        elif last.name in _LINKS and (link := _link(source, last, base)):
            naming.begin(last, len(links))
            links.append(link)
    if not last.finished:
        notices.append(Notice("unfinished_markup", f"the HTML ends inside {source[last.start : last.start + 40]!r}"))
    at_end = len(source) if last.finished else before.start if _in_element(last, before) else last.start
    return FoundPart(naming.named(links), notices, at_end if body_end is None else body_end, tuple(images), start_at[1])


def _opening(source: str, token: Token) -> tuple[int, int]:
    """A place where a pixel may stand first, and how good it is: at best behind `<body>`, never before the doctype."""
    if token.kind == "start" and token.name in ("html", "body"):
        return {"html": 2, "body": 4}[token.name], token.end
    if token.kind == "end" and token.name == "head":
        return 3, token.end
    is_doctype = token.kind == "other" and source[token.start : token.start + 9].lower() == "<!doctype"
    return (1 if is_doctype else 0), token.end


def document_tokens(source: str) -> Iterator[Token]:
    """All tokens; those inside conditional comments, which Outlook shows, in their place."""
    for token in tokens(source):
        opening = _CONDITIONAL.match(source, token.start, token.end) if token.kind == "comment" else None
        if opening and token.finished:
            inner_end = source.rindex("--", opening.end() - 2, token.end)
            for inner in tokens(source, opening.end(), max(opening.end(), inner_end)):
                if inner.finished and inner.name not in _FRAME:
                    yield inner._replace(for_outlook=True)
        else:
            yield token


def _in_element(last: Token, before: Token) -> bool:
    return last.kind == "raw" and before.kind == "start" and before.end == last.start


def _value(source: str, attribute: Attribute | None) -> str:
    if attribute is None:
        return ""
    return decode_references(source[attribute.value_start : attribute.value_end], in_attribute=True)


def _link(source: str, tag: Token, base: str) -> FoundLink | None:
    """The link of a tag. Without an href it is one only where a hint says what it is to be."""
    href = tag.first("href")
    hints = {_HINTS[a.name]: _value(source, a).strip() for a in reversed(tag.attributes) if a.name in _HINTS}
    if href is None and "mode" not in hints:
        return None
    strip = [_without(source, attribute) for attribute in tag.attributes if attribute.name in _HINTS]
    if href is None:  # the link takes the place of the hint that asks for it
        edit = Edit(strip[0].start, strip[0].end, ' href="', '"')
        strip = strip[1:]
    elif href.has_value:
        edit = Edit(href.value_start, href.value_end)
    else:
        edit = Edit(href.start, href.end, 'href="', '"')
    url = followed(_value(source, href))
    if base and url and not _SCHEME.match(url) and not url.startswith("#"):
        url = _joined(base, url)
    return FoundLink(url, edit, **hints, strip=tuple(strip), for_outlook=tag.for_outlook)


def _joined(base: str, url: str) -> str:
    """A relative URL on its `<base>`, as browsers join them: `urllib` would drop empty path segments."""
    try:
        scheme, host, base_path = urlsplit(followed(base))[:3]
    except ValueError:
        return url
    if not scheme or not host:
        return url
    if url.startswith("//"):
        return f"{scheme}:{url}"
    path, rest = _cut(url)
    if not path:
        return f"{scheme}://{host}{base_path or '/'}{rest}"
    if path[0] != "/":
        path = base_path.rpartition("/")[0] + "/" + path
    return f"{scheme}://{host}{_without_dots(path)}{rest}"


def _cut(url: str) -> tuple[str, str]:
    """Path, and query and fragment."""
    end = min((place for place in (url.find("?"), url.find("#")) if place != -1), default=len(url))
    return url[:end], url[end:]


def _without_dots(path: str) -> str:
    """`.` and `..` resolved (RFC 3986 §5.2.4)."""
    kept: list[str] = []
    segments = path.split("/")[1:]
    for segment in segments:
        if segment == "..":
            kept[-1:] = []
        elif segment != ".":
            kept.append(segment)
    if segments[-1] in (".", ".."):
        kept.append("")
    return "/" + "/".join(kept)


def _without(source: str, attribute: Attribute) -> Edit:
    """Take an attribute off with the white space before it, unless that alone keeps its neighbours apart."""
    start = attribute.start
    if source[attribute.end : attribute.end + 1] in ("", ">", "/", " ", "\t", "\n", "\f", "\r"):
        while source[start - 1] in " \t\n\f\r":
            start -= 1
    return Edit(start, attribute.end)


class _Naming:
    """Collects what each link shows: its text, else the alternative text of its image."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._open: int | None = None
        self._texts: dict[int, list[str]] = {}
        self._images: dict[int, list[str]] = {}

    def begin(self, tag: Token, number: int) -> None:
        if tag.name == "area":
            self._images[number] = [_value(self._source, tag.first("alt"))]
        else:
            self._open = number

    def see(self, token: Token) -> None:
        if token.name in _LINKS and token.name != "area":
            self._open = None
        if self._open is None:
            return
        if token.kind == "text":
            text = decode_references(self._source[token.start : token.end])
            self._texts.setdefault(self._open, []).append(text)
        elif token.kind == "start" and token.name == "img":
            self._images.setdefault(self._open, []).append(_value(self._source, token.first("alt")))

    def named(self, links: list[FoundLink]) -> list[FoundLink]:
        """The links with what each shows."""
        named = []
        for number, link in enumerate(links):
            visible = _shown(self._texts.get(number, ()))
            named.append(link._replace(text=visible or _shown(self._images.get(number, ())), visible=visible))
        return named


def _shown(parts: list[str] | tuple[()]) -> str:
    return _SPACES.sub(" ", readable("".join(parts))).strip()[:_LABEL_CHARACTERS].strip()
