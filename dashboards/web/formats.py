"""Values of reports as a reader sees them on a page: numbers and dates of the locale, our words in the language."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from fractions import Fraction
from functools import lru_cache
from typing import Any

from babel import Locale
from babel.dates import format_date, format_datetime, format_skeleton
from babel.numbers import UnknownCurrencyError, format_currency, format_decimal, format_percent, validate_currency

from dashboards.shape import Kind, Note
from dashboards.values import NONE, half_up, local, money, span
from dashboards.web.languages import Language, translate

NUMERIC: frozenset[Kind] = frozenset({"count", "rank", "rate", "number", "money", "span"})


class _Written(str):
    """A value in a sentence, as the locale writes it, whatever form the sentence asks for."""

    __slots__ = ()

    def __format__(self, form: str) -> str:
        return str(self)


@dataclass(frozen=True)
class Formats:
    """How one reader sees values."""

    language: Language
    locale: Locale
    zone: tzinfo

    def text(self, ours: str) -> str:
        """Our own words; the numbers, days and words in them as the reader writes them."""
        if isinstance(ours, Note):
            written = {name: self._written(each) for name, each in ours.values.items()}
            return translate(self.language, ours.template, ours.context).format(**written)
        return translate(self.language, ours)

    def _written(self, value: Any) -> Any:
        match value:
            case Note():
                return self.text(value)
            case datetime():
                return _Written(self.time(value))
            case date():
                return _Written(self.day(value))
            case float():
                return _Written(format_decimal(value, locale=self.locale))
            case int() if not isinstance(value, bool):
                return _Written(self.count(value))
            case _:
                return value

    def value(self, kind: Kind, value: Any) -> str:
        """A value; what there is not is an en dash."""
        if value is None:
            return "" if kind in ("rank", "text") else NONE
        match kind:
            case "rate":
                return _percent(value, self.locale)
            case "number":
                return format_decimal(half_up(value, 2), locale=self.locale)
            case "count" | "rank":
                return self.count(value)
            case "money":
                return self.money(*value)
            case "time":
                return self.time(value)
            case "day":
                return self.day(date.fromisoformat(value))
            case "span":
                return span(value)
            case "names":
                return ", ".join(self.names(value))
            case _:
                return self.text(value) if isinstance(value, Note) else str(value)

    def names(self, names: Iterable[str]) -> list[str]:
        """Names, those of them that are words of ours in the reader's language."""
        return [self.text(name) if isinstance(name, Note) else name for name in names]

    def count(self, value: int) -> str:
        """A whole number."""
        return _count(value, self.locale)

    def money(self, amount: Fraction | int | None, currency: str) -> str:
        """Minor units of a currency; a code no bank knows stands beside the number."""
        if amount is None:
            return NONE
        whole = money(amount, currency)
        try:
            validate_currency(currency.upper())
        except UnknownCurrencyError:
            return f"{format_decimal(whole, locale=self.locale, decimal_quantization=False)} {currency}".strip()
        return format_currency(whole, currency.upper(), locale=self.locale)

    def time(self, value: datetime, form: str = "medium") -> str:
        """A moment on the reader's clock."""
        return format_datetime(local(value, self.zone), form, tzinfo=self.zone, locale=self.locale)

    def day(self, value: date) -> str:
        """A day of the calendar."""
        return format_date(value, "medium", locale=self.locale)

    def skeleton(self, value: datetime, parts: str) -> str:
        """Parts of a moment, as CLDR names them, in the locale's own order: "MMMd" = 24 Nov, "Hm" = 09:05."""
        return format_skeleton(parts, local(value, self.zone), tzinfo=self.zone, locale=self.locale)


@lru_cache(4096)
def _count(value: int, locale: Locale) -> str:
    return format_decimal(value, locale=locale)


@lru_cache(4096)
def _percent(value: Fraction, locale: Locale) -> str:
    pattern = locale.percent_formats[None].pattern.replace("##0", "##0.00")
    return format_percent(half_up(value, 4), format=pattern, locale=locale)
