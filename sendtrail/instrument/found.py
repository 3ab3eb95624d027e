"""The links of a message as its parts hold them: where each stands, what it points to, what people call it."""

import re
from typing import Literal, NamedTuple

_SURROGATE = re.compile("[\ud800-\udfff]")

NoticeCode = Literal[
    "already_tracked",  # a link or pixel of an earlier run, left as it is
    "bad_placeholder",  # more than a name, or of a syntax that is not chosen; the link is left as it is
    "bad_destination",  # http or https, but nothing that can be minted; left as it is
    "clipped",  # Gmail would cut the HTML off; the pixel is at its start
    "labels_differ",  # one URL with two labels; the first is kept
    "mirror_without_destination",  # the mirror page has nowhere to lead
    "optout_not_http",  # an opt-out by mail or the like, left as it is
    "parameter_taken",  # the URL has a parameter named as the signed id; none is added
    "personalised_host",  # a value would decide where the link leads; left as it is
    "relative_link",  # no <base> says where it leads; left as it is
    "shows_url",  # the link shows an address, so another one behind it would look like phishing; left as it is
    "too_long",  # with its values a link is longer than a token holds; it leads there untracked
    "too_many_links",  # positions end at 32767 per part; the rest is left as it is
    "unfinished_markup",  # the document ends inside a tag, comment or element
    "unfilled_placeholder",  # a place outside links where no value can be written safely
    "unresolved_placeholder",  # no value was given; nothing is in its place
    "unknown_mode",  # data-st-mode with a word that is no mode
    # of whole messages (mime.py)
    "header_kept",  # List-Unsubscribe, or a header for the provider, is there; ours is not added
    "not_in_charset",  # a value that a text part's charset can't hold
    "nothing_to_track",  # no part that people read, or none that can be read
    "part_left",  # an attachment with text, an AMP part, an attached message
    "reencoded",  # a part is quoted-printable now, its lines would have become too long
    "sealed",  # signed or encrypted: left as it is
    "undecodable_part",  # charset or transfer encoding can't be read
]


class Notice(NamedTuple):
    """Something a sender should know: a code for programs, a text for people."""

    code: NoticeCode
    text: str


class Edit(NamedTuple):
    """Replace `start` to `end` by `before`, the link, `after`; without a link, by `before` alone."""

    start: int
    end: int
    before: str = ""
    after: str = ""


class FoundLink(NamedTuple):
    """A place that holds a URL. `url` is as a browser would follow it; `edit` puts a tracked one in its place.

    `mode`, `label` and `category` are the markup's hints, empty where there are none; `text` is what the link shows,
    `visible` that without the texts of images. `for_outlook`: only Outlook shows it. `strip` takes the hints off; it is
    done whether the link is tracked or not.
    """

    url: str
    edit: Edit
    mode: str = ""
    label: str = ""
    category: str = ""
    text: str = ""
    strip: tuple[Edit, ...] = ()
    visible: str = ""
    for_outlook: bool = False


class FoundPart(NamedTuple):
    """A part with its links in document order.

    `pixel_at` is where an HTML part takes the pixel, `start_at` where if it is to stand before everything else.
    """

    links: list[FoundLink]
    notices: list[Notice]
    pixel_at: int = 0
    images: tuple[str, ...] = ()
    start_at: int = 0


def readable(text: str) -> str:
    """A text with a replacement character for each byte that was none of its charset (`surrogateescape`)."""
    return _SURROGATE.sub("\ufffd", text)


def followed(url: str) -> str:
    """A URL as browsers read it from a document: ends trimmed, line breaks and tabs out, inner spaces escaped."""
    trimmed = url.strip("".join(map(chr, range(0x21))))
    return trimmed.translate({9: None, 10: None, 13: None, 32: "%20"})
