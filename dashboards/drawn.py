"""A message with its heat -> a whole harmless document for a sandboxed frame, of its HTML or its text part. Pure."""

import html
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC

from dashboards.heat import Mark
from dashboards.inert import inert
from dashboards.values import readable
from sendtrail.contents import Part

#: What a frame may do with the document; stated in it too, so that a page that forgets it is as safe.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"

#: Ground and ink of each degree of heat; ink on ground has a contrast of 4.5 or more (WCAG AA), a test computes it.
HEAT = (
    ("#eceef2", "#4a4c55"),
    ("#fff0c2", "#5c4300"),
    ("#ffd08a", "#5a3200"),
    ("#f0713b", "#2b0d00"),
    ("#b3160f", "#ffffff"),
)
_SHEET = """
html { color-scheme: light; background: #fff; color: #222; font-family: sans-serif; -webkit-text-size-adjust: 100%; }
.st-link { outline: 2px solid transparent; outline-offset: 1px; }
.st-badge { display: inline-block !important; margin: 1px 3px !important; padding: 1px 6px !important;
  border-radius: 9px !important; font: bold 12px/16px sans-serif !important; letter-spacing: 0 !important;
  white-space: nowrap !important; text-decoration: none !important; text-transform: none !important;
  text-indent: 0 !important; opacity: 1 !important; visibility: visible !important; float: none !important; }
pre.st-text { white-space: pre-wrap; overflow-wrap: anywhere; font: 14px/1.6 monospace; margin: 12px; }
@media (max-width: 700px) {
  table, tbody, tr, td, th, div, img, center { max-width: 100% !important; min-width: 0 !important; }
  table[width], table[style], td[width], td[style] { width: auto !important; }
  img { height: auto !important; }
  td, th, p, div { overflow-wrap: anywhere; }
}
""" + "\n".join(
    f".st-heat-{degree} {{ outline-color: {ground}; }} "
    f".st-badge.st-heat-{degree} {{ background: {ground} !important; color: {ink} !important; }}"
    for degree, (ground, ink) in enumerate(HEAT)
)

#: What a badge says of a mark: the few signs on it, and a sentence for those who point at it.
Say = Callable[[Mark], tuple[str, str]]


@dataclass(frozen=True)
class Drawn:
    """A whole HTML document, and the marks that no reader of it sees: links that only some programs show."""

    document: str
    unseen: Sequence[Mark]


def say(mark: Mark) -> tuple[str, str]:
    """Share and count in English."""
    share = readable("rate", mark.share, UTC)
    return f"{share} · {mark.hits:,}", f"{mark.label}. Hits: {mark.hits:,}, {share} of all"


def drawn(part: Part, content: str, marks: Sequence[Mark], say: Say = say) -> Drawn:
    """The message with a badge at every mark; `marks` as `heat.marks` makes them of the same content."""
    return _html(content, marks, say) if part == "html" else _text(content, marks, say)


def _html(content: str, marks: Sequence[Mark], say: Say) -> Drawn:
    made = inert(
        content,
        dict(enumerate(mark.edit for mark in marks)),
        lambda number: (f"st-link st-heat-{marks[number].heat}", _badge(marks[number], say)),
    )
    unseen = [mark for number, mark in enumerate(marks) if number not in made.shown]
    return Drawn(_document(made.body, made.styles, made.body_style), unseen)


def _text(content: str, marks: Sequence[Mark], say: Say) -> Drawn:
    pieces, position = [], 0
    for mark in marks:
        pieces.append(html.escape(content[position : mark.edit.start]))
        pieces.append(f'<span class="st-link st-heat-{mark.heat}">{html.escape(mark.url or mark.label)}</span>')
        pieces.append(_badge(mark, say))
        position = mark.edit.end
    pieces.append(html.escape(content[position:]))
    return Drawn(_document(f'<pre class="st-text">{"".join(pieces)}</pre>', "", ""), [])


def _badge(mark: Mark, say: Say) -> str:
    short, long = (html.escape(text) for text in say(mark))
    return f'<span class="st-badge st-heat-{mark.heat}" title="{long}">{short}</span>'


def _document(body: str, styles: str, body_style: str) -> str:
    return (
        '<!DOCTYPE html><html><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{html.escape(POLICY)}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="referrer" content="no-referrer">'
        f"<title>Hot clicks</title><style>{styles}</style><style>{_SHEET}</style></head>"
        f'<body style="{html.escape(body_style)}">{body}</body></html>'
    )
