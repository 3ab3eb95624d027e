"""What the web tag sends -> a visit or a transaction, or the reason why it is neither. Strict: nothing is guessed."""

import re
from typing import Annotated
from urllib.parse import parse_qsl

import msgspec
from msgspec import Meta

from sendtrail.errors import Invalid

MAX_AMOUNT = 10**12  # minor units: one slip of a shop's page must not drown a year of sums
MAX_ARTICLES = 10**6
MAX_ORDER = 128
MAX_URL = 2048  # characters kept of page and referrer
MAX_EXTRA = 8
MAX_EXTRA_TEXT = 256
_MAX_PARAMETERS = 32

_DECIMAL = re.compile(r"-?[0-9]{1,16}")
_CURRENCY = re.compile(r"[A-Z]{3}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_PAGE = re.compile(r"(?:https?://|/)[^\x00-\x20\x7f-\x9f\u2028\u2029]*", re.IGNORECASE)
_ID_IN_URL = re.compile(r"(?<=[?&])st=A[A-Za-z0-9_-]{39,}(?:&|(?=#|$))")  # as long as a signed id is
_BEHIND_PATH = re.compile(r"[?#]")
_EMPTY_END = re.compile(r"[?&](?=#|$)")

Number = Annotated[int, Meta(ge=-(2**53), le=2**53)]
Extra = Annotated[dict[Annotated[str, Meta(min_length=1, max_length=64)], str | Number], Meta(max_length=MAX_EXTRA)]


class WebHit(msgspec.Struct, omit_defaults=True, gc=False):
    """The fields of a hit as sent; a transaction is one with an order. `st`: signed id; `amount`: minor units."""

    site: Annotated[str, Meta(min_length=1, max_length=128)]
    st: Annotated[str, Meta(max_length=256)] = ""
    page: str = ""
    referrer: str = ""
    order: str | None = None
    amount: Number | None = None
    currency: str | None = None
    articles: Number = 0
    extra: Extra = {}


_decoder = msgspec.json.Decoder(WebHit)
_NUMBERS = ("amount", "articles")
_TEXTS = ("site", "st", "page", "referrer", "order", "currency")


def read_body(body: bytes) -> WebHit | Invalid:
    """A JSON object, whatever the content type says: a beacon of text needs no preflight. Never raises."""
    try:
        return _checked(_decoder.decode(body))
    except msgspec.ValidationError as error:
        return Invalid(_reason_of(str(error)), str(error))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return Invalid("undecodable", str(error))


def read_query(query: str) -> WebHit | Invalid:
    """A pixel's query, latin-1 as received: the same JSON object as `hit`, or its fields one by one. Never raises."""
    try:
        text = query.encode("latin-1").decode("utf-8", "replace")
        named = dict(parse_qsl(text, keep_blank_values=True, max_num_fields=_MAX_PARAMETERS))
    except ValueError as error:
        return Invalid("undecodable", str(error))
    if "hit" in named:
        return read_body(named["hit"].encode("utf-8", "replace"))
    fields: dict[str, object] = {name: named[name] for name in _TEXTS if name in named}
    for name in _NUMBERS:
        if name in named:
            if not _DECIMAL.fullmatch(named[name]):
                return Invalid(f"bad_{name}", "not an integer")
            fields[name] = int(named[name])
    try:
        return _checked(msgspec.convert(fields, WebHit))
    except msgspec.ValidationError as error:
        return Invalid(_reason_of(str(error)), str(error))


def _reason_of(message: str) -> str:
    """msgspec names the field as a path at the end of its message: `… - at `$.amount``."""
    field = re.search(r"\$\.(\w+)", message)
    name = field[1] if field else ("site" if "`site`" in message else "")
    return f"bad_{name}" if name in WebHit.__struct_fields__ else "undecodable"


def _checked(hit: WebHit) -> WebHit | Invalid:
    reason = _money_fault(hit) if hit.order is not None else ""
    if not reason and hit.page and not _PAGE.fullmatch(hit.page):
        reason = "bad_page"
    if not reason and not all(_can_be_kept(name, str(value)) for name, value in hit.extra.items()):
        reason = "bad_extra"
    if reason:
        return Invalid(reason)
    hit.page, hit.referrer = kept_page(hit.page), kept_url(hit.referrer)
    return hit


def _can_be_kept(name: str, value: str) -> bool:
    return len(value) <= MAX_EXTRA_TEXT and not _CONTROL.search(name) and not _CONTROL.search(value)


def _money_fault(hit: WebHit) -> str:
    """Why an order can't be counted; empty where it can."""
    if not hit.order or len(hit.order) > MAX_ORDER or _CONTROL.search(hit.order):
        return "bad_order"
    if hit.amount is None or not 0 <= hit.amount <= MAX_AMOUNT:
        return "bad_amount"
    if hit.currency is None or not _CURRENCY.fullmatch(hit.currency):
        return "bad_currency"
    return "" if 0 <= hit.articles <= MAX_ARTICLES else "bad_articles"


def kept_page(url: str) -> str:
    """A page's address as it is stored: what follows `?` or `#` may name who came, and no report looks at it."""
    return _BEHIND_PATH.split(url, maxsplit=1)[0][:MAX_URL]


def kept_url(url: str) -> str:
    """A referrer as it is stored: without the signed id, which says who came, and cut to MAX_URL."""
    if "st=" in url:
        url = _EMPTY_END.sub("", _ID_IN_URL.sub("", url))
    return url[:MAX_URL]
