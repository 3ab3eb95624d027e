"""How a reader looks at reports: language, locale, time zone, colours. Chosen in the URL, kept in cookies."""

from dataclasses import dataclass
from datetime import tzinfo
from functools import cached_property
from typing import Literal, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from babel import Locale
from starlette.requests import Request

from dashboards.web.access.reader import Reader
from dashboards.web.formats import Formats
from dashboards.web.languages import Language, language_of, locale_of

Theme = Literal["auto", "light", "dark"]
ZONE, LANGUAGE, THEME = "timezone", "lang", "theme"
#: Query parameters that say how a report is looked at, not what it is asked.
VIEW_PARAMETERS = frozenset({ZONE, LANGUAGE})
KEPT_S = 400 * 86_400


@dataclass(frozen=True)
class View:
    """One reader's view. `here`: the path and query looked at."""

    reader: Reader
    language: Language
    locale: Locale
    zone: tzinfo
    theme: Theme = "auto"
    csrf: str = ""
    can_log_out: bool = False
    here: str = "/"

    @cached_property
    def formats(self) -> Formats:
        """How this reader sees values."""
        return Formats(self.language, self.locale, self.zone)


def view_of(request: Request, default_zone: str) -> View:
    """The view a request asks for; what is not known in it is as if not asked for."""
    asked, kept = request.query_params, request.cookies
    accepted = request.headers.get("accept-language", "")
    language = language_of(asked.get(LANGUAGE, ""), kept.get(LANGUAGE, ""), accepted)
    chosen = bool(asked.get(LANGUAGE) or kept.get(LANGUAGE))
    theme = kept.get(THEME, "auto")
    return View(
        reader=request.state.reader,
        language=language,
        locale=locale_of(language, chosen, accepted),
        zone=zone_of(asked.get(ZONE, "")) or zone_of(kept.get(ZONE, "")) or ZoneInfo(default_zone),
        theme=theme if theme in get_args(Theme) else "auto",  # type: ignore[arg-type]
        csrf=getattr(request.state, "csrf", ""),
        can_log_out=getattr(request.state, "can_log_out", False),
        here=_here(request),
    )


def _here(request: Request) -> str:
    """The path and query of a request, to come back to."""
    query = request.scope["query_string"].decode("latin-1")
    return str(request.scope["path"]) + (f"?{query}" if query else "")


def zone_of(name: str) -> ZoneInfo | None:
    """The time zone of that name, None for one that is not known."""
    if not name:
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def zones() -> list[str]:
    """Every zone there is to choose, those named after places."""
    return sorted(
        name for name in available_timezones() if name == "UTC" or ("/" in name and not name.startswith("Etc/"))
    )
