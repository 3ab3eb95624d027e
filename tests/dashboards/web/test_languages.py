"""Languages, locales and the catalogue: nothing that a page says is missing from it, and fillings stay the same."""

from __future__ import annotations

import string
from datetime import UTC, datetime
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest
from babel import Locale

from dashboards.shape import Note
from dashboards.web.formats import Formats
from dashboards.web.languages import LANGUAGES, accepted_locales, catalogue, language_of, locale_of
from dashboards.web.messages import messages

OTHERS = [language for language in LANGUAGES if language != "en"]


@pytest.mark.parametrize("language", OTHERS)
def test_the_catalogue_has_every_text_and_no_other(language: str) -> None:
    translated = catalogue(language)
    wanted = messages()
    assert wanted - translated.keys() == set(), "python -m dashboards.web.messages, then translate"
    assert translated.keys() - wanted == set()


@pytest.mark.parametrize("language", OTHERS)
def test_translations_fill_in_the_same_values(language: str) -> None:
    def fields(text: str) -> set[str]:
        return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}

    for text, translated in catalogue(language).items():
        assert fields(text) == fields(translated), text


@pytest.mark.parametrize(
    ("asked", "kept", "accepted", "language"),
    [
        ("", "", "", "en"), ("", "", "es-MX,es;q=0.9,en;q=0.8", "es"), ("en", "es", "es", "en"), ("", "es", "en", "es"),
        ("", "", "de-DE, es;q=0.5", "es"), ("xx", "", "fr", "en"), ("", "", "en;q=0.1, es;q=0.9", "es"),
        ("", "", "*;q=0.5, nonsense;;q=x, es;q=0", "en"),
    ],
)  # fmt: skip
def test_the_language_asked_for_then_kept_then_the_browser_s(
    asked: str, kept: str, accepted: str, language: str
) -> None:
    assert language_of(asked, kept, accepted) == language


def test_numbers_are_the_browser_s_unless_a_language_was_chosen() -> None:
    assert locale_of("en", False, "de-DE") == Locale("de", "DE")
    assert locale_of("en", True, "de-DE") == Locale("en")
    assert locale_of("es", True, "en-GB,es-MX;q=0.3") == Locale("es", "MX")
    assert accepted_locales("x" * 5000) == []


def test_values_as_readers_of_a_locale_write_them() -> None:
    spanish = Formats("es", Locale("es", "ES"), ZoneInfo("Europe/Madrid"))
    at = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
    assert spanish.value("count", 1234567) == "1.234.567"
    assert spanish.value("rate", Fraction(1, 3)) == "33,33\xa0%"
    assert spanish.value("money", (123456, "EUR")) == "1.234,56\xa0€"
    assert spanish.value("money", (123456, "XXQ")) == "1.234,56 XXQ"
    assert spanish.value("time", at) == "24 nov 2026, 13:00:00"
    assert spanish.value("rate", None) == "–"
    turkish = Formats("en", Locale("tr"), UTC)
    assert turkish.value("rate", Fraction(1, 8)) == "%12,50"


def test_numbers_in_sentences_are_written_alike() -> None:
    english = Formats("en", Locale("de"), UTC)
    assert english.text(Note("{n:,} of {name} and {m}", n=12345, name="{n}", m=7)) == "12.345 of {n} and 7"
