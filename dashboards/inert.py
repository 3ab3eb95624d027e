"""A stranger's HTML -> HTML that shows and does nothing else: no script, no form, no link, nothing loaded. Pure.

`nh3` (the Rust library ammonia) parses as browsers do and lets only listed elements and attributes through; of styles
`inert_css` keeps what can't load. Images become grey boxes of their size with their alternative text.
"""

import hashlib
import html
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import quote

import nh3

from dashboards import inert_css
from sendtrail.instrument.found import Edit
from sendtrail.instrument.markup import Token, decode_references, tokens


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_TAGS = _words("""
    a abbr address area article aside b bdi bdo big blockquote br caption center cite code col colgroup dd del dfn div
    dl dt em figcaption figure font footer h1 h2 h3 h4 h5 h6 header hr i img ins kbd li main map mark nav ol p pre q s
    samp section small span strike strong sub sup table tbody td tfoot th thead tr tt u ul var wbr
""")
#: Elements that go with all that is in them; of others that are not listed the text stays.
_GONE = _words("""
    applet audio canvas embed frameset iframe math noembed noframes noscript object script select style svg template
    textarea title video xmp
""")
_ANYWHERE = _words("""
    align bgcolor border cellpadding cellspacing class color colspan dir face height hspace lang nowrap role rowspan
    size start style type valign vspace width
""")
_ATTRIBUTES = {"*": set(_ANYWHERE), "a": {"href"}, "area": {"alt", "href"}, "img": {"alt"}}
#: Values of attributes: no address, no markup.
_VALUE = re.compile(r"[\w .,#%+()/-]{0,200}", re.ASCII)
_NAMES = re.compile(r"[^<>\"'`=&]{0,1000}")
_LENGTH = re.compile(r"\s*(\d{1,5})(?:px)?\s*", re.IGNORECASE)
_HIDDEN_PX = 2  # images that small are there to be loaded, not to be seen
_BOX_PX = (200, 60)  # of an image that does not say its size
_LETTER_PX = 7


@dataclass(frozen=True)
class Inert:
    """A harmless message: what stands in its body, its own styles, those of its body, and which marks it shows."""

    body: str
    styles: str
    body_style: str
    shown: frozenset[int]


#: Number of a mark -> class names of its link, and the HTML that is put at the link's end.
Draw = Callable[[int], tuple[str, str]]


def inert(source: str, marked: Mapping[int, Edit], draw: Draw) -> Inert:
    """Make `source` harmless. `marked`: number -> where the URL of that link stands in it, as html_part.find says.

    What `draw` gives is put in as it is: it must be harmless itself.
    """
    # No text can hold the hash of itself: a link that bears it is one of `marked`.
    prefix = f"#st-{hashlib.blake2b(source.encode('utf-8', 'replace'), digest_size=12).hexdigest()}-"
    numbered = _numbered(source, marked, prefix)
    clean = nh3.clean(
        numbered,
        tags=set(_TAGS),
        clean_content_tags=set(_GONE),
        attributes=_ATTRIBUTES,
        attribute_filter=lambda tag, name, value: _attribute(tag, name, value, prefix),
        url_schemes=set(),
        link_rel=None,
    )
    drawing = _Drawing(clean, prefix, draw)
    body = "".join(map(drawing.piece, tokens(clean)))
    styles, body_style = _styles(source)
    return Inert(body, styles, body_style, frozenset(drawing.shown))


def _numbered(source: str, marked: Mapping[int, Edit], prefix: str) -> str:
    """The source with a number in place of each marked URL."""
    pieces, position = [], 0
    for number, edit in sorted(marked.items(), key=lambda one: one[1].start):
        pieces += [source[position : edit.start], edit.before, prefix, str(number), edit.after]
        position = edit.end
    return "".join([*pieces, source[position:]])


def _attribute(tag: str, name: str, value: str, prefix: str) -> str | None:
    if name == "href":
        return value if value.startswith(prefix) else None
    if name == "style":
        return inert_css.declarations(value) or None
    if name == "alt":
        return value
    if name in ("class", "face"):
        return value if _NAMES.fullmatch(value) else None
    return value if _VALUE.fullmatch(value) else None


def _styles(source: str) -> tuple[str, str]:
    """The message's own style sheets, and the style of its body."""
    sheets, body, before = [], "", ""
    for token in tokens(source):
        if token.kind == "raw" and before == "style":
            sheets.append(inert_css.sheet(source[token.start : token.end]))
        elif token.kind == "start" and token.name == "body" and token.finished and not body:
            said = token.first("style")
            style = decode_references(source[said.value_start : said.value_end], in_attribute=True) if said else ""
            ground = token.first("bgcolor")
            colour = source[ground.value_start : ground.value_end] if ground else ""
            body = inert_css.declarations(f"background-color: {colour}; {style}" if colour else style)
        before = token.name if token.kind == "start" else ""
    return "\n".join(filter(None, sheets)), body


class _Drawing:
    """Goes through clean HTML once: links lose their address and get their drawing, images their box."""

    def __init__(self, clean: str, prefix: str, draw: Draw) -> None:
        self.shown: set[int] = set()
        self._clean = clean
        self._prefix = prefix
        self._draw = draw
        self._ending = ""  # what is put before the end of the link that is open

    def piece(self, token: Token) -> str:
        """A token as it is shown."""
        text = self._clean[token.start : token.end]
        if token.kind == "start" and token.name == "img":
            return self._image(token)
        if token.kind == "start" and token.name in ("a", "area"):
            return self._link(token)
        if token.kind == "end" and token.name == "a":
            ending, self._ending = self._ending, ""
            return ending + text
        return text

    def _link(self, token: Token) -> str:
        number = self._number(token)
        classes, ending = self._draw(number) if number is not None else ("", "")
        if number in self.shown:  # a parser repeats links that are wrongly nested
            ending = ""
        if number is not None:
            self.shown.add(number)
        if token.name == "area":  # a map shows no text: the drawing stands beside its image
            return f'<span class="{classes}">{html.escape(self._value(token, "alt"))}{ending}</span>' if ending else ""
        self._ending = ending
        named = f"{self._value(token, 'class')} {classes}".strip()
        kept = [self._clean[a.start : a.end] for a in token.attributes if a.name not in ("href", "class")]
        return " ".join(["<a", *([f'class="{html.escape(named)}"'] if named else []), *kept]) + ">"

    def _number(self, token: Token) -> int | None:
        href = self._value(token, "href")
        digits = href.removeprefix(self._prefix)
        return int(digits) if href != digits and digits.isdecimal() and digits.isascii() else None

    def _value(self, token: Token, name: str) -> str:
        found = token.first(name)
        value = self._clean[found.value_start : found.value_end] if found else ""
        return decode_references(value, in_attribute=True)

    def _image(self, token: Token) -> str:
        sizes = [_LENGTH.fullmatch(self._value(token, name)) for name in ("width", "height")]
        width, height = (int(size[1]) if size else None for size in sizes)
        if any(size is not None and size <= _HIDDEN_PX for size in (width, height)):
            return ""
        if width is None:
            width = _BOX_PX[0] if height is None else height * 2
        alt = self._value(token, "alt")
        box = _box(width, _BOX_PX[1] if height is None else height, alt)
        kept = [self._clean[a.start : a.end] for a in token.attributes if a.name != "alt"]
        return " ".join(["<img", *kept, f'alt="{html.escape(alt)}"', f'src="{box}"']) + ">"


def _box(width: int, height: int, text: str) -> str:
    """A grey box with a text as a data URL."""
    shown = text if len(text) * _LETTER_PX <= width else text[: max(width // _LETTER_PX - 1, 0)] + "…" * bool(text)
    shown = "".join(sign if sign.isprintable() else " " for sign in shown)
    drawn = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}">'
        '<rect width="100%" height="100%" fill="#e3e4e8"/>'
        '<text x="50%" y="50%" text-anchor="middle" dominant-baseline="middle" font-family="sans-serif" '
        f'font-size="12" fill="#4a4c55">{html.escape(shown)}</text></svg>'
    )
    return f"data:image/svg+xml,{quote(drawn)}"
