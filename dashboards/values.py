"""Values of reports as people read them and as machines do. Rounding is half up, always."""

from collections.abc import Sequence
from datetime import datetime, tzinfo
from decimal import ROUND_HALF_UP, Decimal, localcontext
from fractions import Fraction
from typing import Any

from dashboards.shape import Kind

NONE = "–"
DECIMALS = 6  # of rates and numbers for machines
_PERCENT_DECIMALS = 2

# ISO 4217: currencies whose minor unit is not a hundredth.
_MINOR_DIGITS = {
    "BIF": 0, "CLP": 0, "DJF": 0, "GNF": 0, "ISK": 0, "JPY": 0, "KMF": 0, "KRW": 0, "PYG": 0, "RWF": 0, "UGX": 0,
    "UYI": 0, "VND": 0, "VUV": 0, "XAF": 0, "XOF": 0, "XPF": 0,
    "BHD": 3, "IQD": 3, "JOD": 3, "KWD": 3, "LYD": 3, "OMR": 3, "TND": 3,
}  # fmt: skip

#: What a spreadsheet takes for the start of a formula.
FORMULA = ("=", "+", "-", "@", "\t", "\r")


def half_up(value: Fraction | int, decimals: int) -> Decimal:
    """The value with that many decimals; a half goes away from zero."""
    scale = 10**decimals
    scaled = abs(Fraction(value)) * scale
    rounded = (2 * scaled.numerator + scaled.denominator) // (2 * scaled.denominator)
    with localcontext(prec=60, rounding=ROUND_HALF_UP):
        return Decimal(rounded if value >= 0 else -rounded).scaleb(-decimals)


def money(amount: Fraction | int, currency: str) -> Decimal:
    """Minor units -> the currency's own unit, rounded to its minor unit."""
    digits = _MINOR_DIGITS.get(currency.upper(), 2)
    return half_up(Fraction(amount) / 10**digits, digits)


def plain(kind: Kind, value: Any, zone: tzinfo) -> Any:
    """A value for JSON: rates as fractions of 1, times as ISO 8601 with offset, spans in ms, money in whole units."""
    if value is None:
        return None
    match kind:
        case "rate" | "number":
            return float(half_up(value, DECIMALS))
        case "money":
            return None if value[0] is None else float(money(*value))
        case "time":
            return local(value, zone).isoformat(timespec="milliseconds")
        case "names" | "series":
            return list(value)
        case _:
            return value


def readable(kind: Kind, value: Any, zone: tzinfo) -> str:
    """A value for people; what there is not is an en dash."""
    if value is None:
        return "" if kind in ("rank", "text") else NONE
    match kind:
        case "rate":
            return f"{half_up(value * 100, _PERCENT_DECIMALS):,} %"
        case "number":
            return f"{half_up(value, 2):,}"
        case "count" | "rank":
            return f"{value:,}"
        case "money":
            return NONE if value[0] is None else f"{money(*value):,} {value[1]}".strip()
        case "time":
            return f"{local(value, zone):%Y-%m-%d %H:%M:%S}"
        case "span":
            return span(value)
        case "names":
            return clean(", ".join(value))
        case "series":
            return sparkline(value)
        case _:
            return clean(str(value))


_BARS = "▁▂▃▄▅▆▇█"
_SPARKS = 16  # characters of a line, at most


def sparkline(numbers: Sequence[int]) -> str:
    """Numbers as a line of small bars, neighbours added up where there are too many; a blank is 0."""
    together = max(1, -(-len(numbers) // _SPARKS))
    sums = [max(0, sum(numbers[start : start + together])) for start in range(0, len(numbers), together)]
    most = max(sums, default=0)
    return "".join(_BARS[(len(_BARS) * one - 1) // most] if one else " " for one in sums)


def local(at: datetime, zone: tzinfo) -> datetime:
    """The same moment on the reader's clock."""
    return at.astimezone(zone)


_UNITS = [("d", 86_400_000), ("h", 3_600_000), ("min", 60_000), ("s", 1_000), ("ms", 1)]


def span(milliseconds: int) -> str:
    """A span in its two largest units, cut off below: 1 h 23 min; 0 s."""
    for index, (unit, size) in enumerate(_UNITS):
        if milliseconds >= size:
            first, rest = divmod(milliseconds, size)
            smaller = _UNITS[index + 1 : index + 2] if unit != "s" or first < 10 else []
            return " ".join([f"{first} {unit}"] + [f"{rest // s} {name}" for name, s in smaller if rest >= s])
    return "0 s"


def clean(text: str) -> str:
    """Text without what could steer a terminal: control characters become spaces."""
    return "".join(c if c.isprintable() else " " for c in text)
