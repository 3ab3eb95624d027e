"""The languages of the pages: English, as in code and templates, and what catalogue/*.po translate it to."""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Literal, get_args

from babel import Locale, UnknownLocaleError
from babel.messages.pofile import read_po

Language = Literal["en", "es"]
LANGUAGES: dict[Language, str] = {"en": "English", "es": "Español"}
BETWEEN = "\x04"  # a context and its text


@cache
def catalogue(language: Language) -> Mapping[str, str]:
    """Key of our own words (`key_of`) -> the language's text; empty for English."""
    if language == "en":
        return {}
    path = files("dashboards") / "web" / "catalogue" / f"{language}.po"
    with path.open("rb") as file:
        messages = read_po(file, locale=language)
    known = [one for one in messages if one.id and one.string and not one.fuzzy]
    return {key_of(str(one.id), one.context or ""): str(one.string) for one in known}


def key_of(text: str, context: str = "") -> str:
    """Under which a catalogue has a text: with its context before it, as in gettext's MO files."""
    return f"{context}{BETWEEN}{text}" if context else text


def translate(language: Language, text: str, context: str = "") -> str:
    """Our own words in that language; as they are where the catalogue lacks them."""
    return catalogue(language).get(key_of(text, context), text)


def language_of(asked: str, kept: str, accepted: str) -> Language:
    """The language a reader gets: asked for in the URL, kept from before, or the browser's first that there is."""
    for wanted in (asked, kept, *(tag.language for tag in accepted_locales(accepted))):
        for known in get_args(Language):
            if wanted == known:
                found: Language = known
                return found
    return "en"


def locale_of(language: Language, chosen: bool, accepted: str) -> Locale:
    """Whose numbers and dates a reader gets: the browser's, or of the language where that was chosen by hand."""
    browser = accepted_locales(accepted)
    same = [locale for locale in browser if locale.language == language]
    if same:
        return same[0]
    return browser[0] if browser and not chosen else Locale(language)


def accepted_locales(header: str) -> list[Locale]:
    """The locales of an Accept-Language header (RFC 9110, 12.5.4), the most wanted first; unknown ones left out."""
    weighted = []
    for place, part in enumerate(header[:1000].split(",")):
        tag, _, parameters = part.strip().partition(";")
        try:
            weight = float(parameters.strip().removeprefix("q=") or 1)
            weighted.append((-weight, place, Locale.parse(tag.strip(), sep="-")))
        except (ValueError, UnknownLocaleError, TypeError):
            continue
    return [locale for weight, _, locale in sorted(weighted, key=lambda one: one[:2]) if weight < 0]
