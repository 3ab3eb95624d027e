"""Accept-Language -> the language a page is shown in (RFC 9110 §12.5.4)."""

from functools import lru_cache
from typing import Literal, get_args

Language = Literal["en", "es", "fr", "de"]
LANGUAGES: tuple[Language, ...] = get_args(Language)

_MAX_HEADER = 256  # bytes looked at
_MAX_TAGS = 16
_KNOWN: dict[str, Language] = {language: language for language in LANGUAGES}


@lru_cache(512)
def language_of(header: bytes, default: Language) -> Language:
    """The language of ours that the reader wants most; `default` where none is named. Never raises."""
    weighted: list[tuple[float, Language]] = []
    for part in header[:_MAX_HEADER].decode("latin-1").split(",")[:_MAX_TAGS]:
        tag, _, parameters = part.partition(";")
        language = _KNOWN.get(tag.strip().lower().partition("-")[0])
        if language is not None:
            weighted.append((_weight(parameters), language))
    weight, language = max(weighted, key=lambda one: one[0], default=(0.0, default))
    return language if weight > 0 else default


def _weight(parameters: str) -> float:
    """The quality of a tag; what can't be read asks for nothing."""
    name, _, value = parameters.partition("=")
    if not name.strip():
        return 1.0
    try:
        weight = float(value) if name.strip().lower() == "q" else 0.0
    except ValueError:
        return 0.0
    return weight if 0 <= weight <= 1 else 0.0
