"""The pages a recipient may see: plain, self-contained HTML without scripts and without anything from elsewhere."""

import html
from pathlib import Path
from string import Template

_TEMPLATES = Path(__file__).parent / "templates"


def _template(name: str) -> Template:
    return Template((_TEMPLATES / f"{name}.html").read_text())


_PAGE = _template("page")
_REVOKED = _template("revoked")


def _page(title: str, content: str) -> bytes:
    return _PAGE.substitute(title=html.escape(title), content=content.strip()).encode()


NOT_FOUND = _page("Page not found", _template("not_found").template)
OPTOUT = _page("Unsubscribe?", _template("optout").template)
OPTOUT_DONE = _page("You are unsubscribed", _template("optout_done").template)
REVOKED = _page("This link is no longer valid", _template("revoked_plain").template)


def revoked(destination: str) -> bytes:
    """The page of a link whose key is revoked: the destination as text, nothing to click."""
    if not destination:
        return REVOKED
    return _page("Where this link leads", _REVOKED.substitute(destination=html.escape(destination)))
