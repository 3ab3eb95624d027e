"""How values are shown and written."""

from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboards.shape import Kind
from dashboards.values import clean, half_up, money, plain, readable, span, sparkline

MADRID = ZoneInfo("Europe/Madrid")


@given(st.fractions(), st.integers(0, 8))
def test_half_up_is_the_nearest_and_a_half_goes_away_from_zero(value: Fraction, decimals: int) -> None:
    rounded = Fraction(half_up(value, decimals))
    off, step = abs(rounded) - abs(value), Fraction(1, 10**decimals)
    assert -step / 2 < off <= step / 2


def test_half_up_where_floats_go_wrong() -> None:
    assert half_up(Fraction("0.285"), 2) == Decimal("0.29")
    assert half_up(Fraction("1.005"), 2) == Decimal("1.01")
    assert half_up(Fraction("-2.5"), 0) == Decimal(-3)


def test_money_knows_minor_units() -> None:
    assert money(1999, "EUR") == Decimal("19.99")
    assert money(1999, "jpy") == 1999
    assert money(1999, "KWD") == Decimal("1.999")
    assert money(Fraction(10, 3), "USD") == Decimal("0.03")


@pytest.mark.parametrize(
    ("kind", "value", "shown", "written"),
    [
        ("rate", Fraction(2, 3), "66.67 %", 0.666667),
        ("rate", Fraction(3, 2), "150.00 %", 1.5),
        ("rate", None, "–", None),
        ("count", 1234567, "1,234,567", 1234567),
        ("rank", None, "", None),
        ("number", Fraction(5, 3), "1.67", 1.666667),
        ("money", (123456, "EUR"), "1,234.56 EUR", 1234.56),
        ("money", (None, "EUR"), "–", None),
        ("money", None, "–", None),
        ("span", 4_980_000, "1 h 23 min", 4_980_000),
        ("names", ["a", "b"], "a, b", ["a", "b"]),
        ("series", [0, 1, 4], " ▂█", [0, 1, 4]),
        ("series", [], "", []),
        ("text", "x", "x", "x"),
        ("text", None, "", None),
    ],
)
def test_values(kind: Kind, value: object, shown: str, written: object) -> None:
    assert readable(kind, value, UTC) == shown
    assert plain(kind, value, UTC) == written


def test_a_long_series_is_folded() -> None:
    assert sparkline([1, 0, 0] * 15 + [0, 0, 8]) == "▁" * 15 + "█"
    assert sparkline([0] * 48) == " " * 16
    assert sparkline([-1, 2]) == " █"


def test_times_are_on_the_readers_clock() -> None:
    at = datetime(2026, 7, 1, 12, 0, 5, 250_000, UTC)
    assert readable("time", at, UTC) == "2026-07-01 12:00:05"
    assert readable("time", at, MADRID) == "2026-07-01 14:00:05"
    assert plain("time", at, MADRID) == "2026-07-01T14:00:05.250+02:00"
    assert readable("time", None, UTC) == "–"


@pytest.mark.parametrize(
    ("milliseconds", "shown"),
    [(0, "0 s"), (7, "7 ms"), (1_500, "1 s 500 ms"), (45_700, "45 s"), (60_000, "1 min"), (3_600_000, "1 h"),
     (90_061_000, "1 d 1 h"), (86_400_000 * 40, "40 d")],
)  # fmt: skip
def test_spans(milliseconds: int, shown: str) -> None:
    assert span(milliseconds) == shown


def test_text_can_not_steer_a_terminal() -> None:
    assert clean("a\x1b[31mred\r\nb") == "a [31mred  b"
    assert clean("Grüße – ✓") == "Grüße – ✓"
