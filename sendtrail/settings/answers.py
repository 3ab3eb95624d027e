"""Settings of what recipients meet: cookies and pages."""

import re
from pathlib import Path
from typing import ClassVar, Literal

from pydantic import Field, model_validator

from sendtrail.settings.section import Section

_TOKEN = r"^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}$"
_DOMAIN = r"^$|^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+$"
_ADDRESS = re.compile(r"[0-9.]+")


class AnswerSettings(Section):
    """What the edge shows to people."""

    section: ClassVar[str] = "answers"
    language: Literal["en", "es", "fr", "de"] = Field(
        "en", description="of a page whose reader asks for none of its languages"
    )
    templates_dir: Path | None = Field(
        None, description="templates and texts in place of the built-in ones; checked at start"
    )
    contents_dir: Path | None = Field(
        None, description="where the API keeps messages for mirror pages and edges read them; none: no such pages"
    )
    overrides_file: Path = Field(
        Path(".sendtrail/overrides.toml"), description="links of sent mail that lead elsewhere now"
    )


class CookieSettings(Section):
    """The edge's visitor cookie, where `tracking.visitor_cookies` is not off."""

    section: ClassVar[str] = "cookie"
    name: str = Field(
        "st_visitor", pattern=_TOKEN, description="of the visitor cookie; that of a refusal is <name>_refused"
    )
    domain: str = Field(
        "", pattern=_DOMAIN, description="also sent to hosts below this domain; empty: to the tracking host alone"
    )
    age_days: int = Field(365, ge=1, le=400, description="of a persistent cookie; browsers keep none longer than 400")
    click_days: int = Field(
        0, ge=0, le=400, description="a second cookie, <name>_click, tells web tags for so long what was clicked last"
    )
    same_site: Literal["strict", "lax", "none"] = Field(
        "lax", description="none: also inside other sites' pages, e.g. pixels in web mail"
    )
    secure: bool = Field(True, description="only over https; false for a trial without TLS")

    @model_validator(mode="after")
    def _taken_by_browsers(self) -> "CookieSettings":
        """Refuse what every browser would drop without a word (RFC 6265bis §4.1.3, §5.7)."""
        if self.same_site == "none" and not self.secure:
            raise ValueError("cookie.same_site none needs cookie.secure")
        if self.name.lower().startswith("__secure-") and not self.secure:
            raise ValueError("a cookie.name that begins with __Secure- needs cookie.secure")
        if self.name.lower().startswith("__host-") and (self.domain or not self.secure or self.click_days):
            raise ValueError("a cookie.name with __Host- needs cookie.secure, and no cookie.domain or click_days")
        if _ADDRESS.fullmatch(self.domain):
            raise ValueError("cookie.domain is a name, not an address")
        return self
