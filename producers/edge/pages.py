"""The pages a recipient may see, in every language: self-contained HTML without scripts, nothing from elsewhere.

A page is a template (`templates/<page>.html`) in a frame (`page.html`) with the texts of a language (`<language>.toml`,
a table for each page). A directory of the operator's may hold files of the same names: its templates replace ours, its
texts replace ours key by key. All are made once, at start, and what does not fit is a SettingsError.
"""

import html
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from string import Template

from producers.edge.languages import LANGUAGES, Language, language_of
from producers.edge.replies import PAGE_HEADERS, PRIVACY_HEADERS, Reply, page
from sendtrail.errors import SettingsError

FRAME = "page"
#: Every page -> what its template must hold: without it the page would do nothing, or not what it is for.
PAGES: dict[str, str] = {
    "not_found": "", "revoked": "$destination", "revoked_plain": "", "blocked": "", "optout_done": "", "not_done": "",
    "privacy_off": "", "privacy_gpc": "",
    "optout": '<form method="post">',
    "privacy_allowed": 'name="choice" value="refuse"',
    "privacy_refused": 'name="choice" value="allow"',
}  # fmt: skip
_OURS = Path(__file__).parent / "templates"
_FORBIDDEN = ("<script", "<iframe", "javascript:")
_MAX_FILE = 256 * 1024

Texts = dict[str, dict[str, str]]  # page -> key -> text


class PageSet:
    """The pages of one language, as replies. Replies of the same page are one object, so that its bytes are kept."""

    def __init__(self, language: Language, templates: Mapping[str, Template], texts: Texts) -> None:
        """Raises SettingsError for a placeholder without a text."""
        self._language, self._templates, self._texts = language, templates, texts
        self._missing: dict[str, Reply] = {}
        self._not_found = self._body("not_found")
        self._revoked_plain = self._body("revoked_plain")
        self._body("revoked", destination="")
        self.optout = self._reply("optout", "optout")
        self.optout_done = self._reply("optout", "optout_done")
        self.not_done = page(403, "page", self._body("not_done"), headers=self._headers())
        self.blocked = {route: self._reply(route, "blocked") for route in ("click", "mirror")}
        self.privacy = {
            state: page(200, "page", self._body(f"privacy_{state}"), headers=self._headers(PRIVACY_HEADERS))
            for state in ("off", "gpc", "allowed", "refused")
        }

    def not_found(self, reason: str) -> Reply:
        """The page for a link that leads nowhere; `reason` from a closed list."""
        reply = self._missing.get(reason)
        if reply is None:
            reply = self._missing[reason] = page(404, "page", self._not_found, reason, self._headers())
        return reply

    def revoked(self, route: str, destination: str) -> Reply:
        """The page of a link whose key is revoked: where it would have led as text, nothing to click."""
        body = self._body("revoked", destination=destination) if destination else self._revoked_plain
        return page(200, route, body, "revoked", self._headers(), constant=False)

    def _reply(self, route: str, name: str) -> Reply:
        return page(200, route, self._body(name), headers=self._headers())

    def _headers(self, rules: bytes = PAGE_HEADERS) -> bytes:
        return rules + b"Content-Language: %s\r\n" % self._language.encode()

    def _body(self, name: str, **values: str) -> bytes:
        texts = {key: html.escape(text) for key, text in (self._texts[name] | values).items()}
        try:
            content = self._templates[name].substitute(texts).strip()
        except KeyError as error:
            raise SettingsError(
                f"{name}.html uses ${error.args[0]}, but table [{name}] of {self._language}.toml has no such text"
            ) from error
        return self._templates[FRAME].substitute(
            language=self._language, title=texts["title"], content=content
        ).encode()  # fmt: skip


class Pages:
    """The pages of every language."""

    def __init__(self, default: Language, sets: Mapping[Language, PageSet]) -> None:
        self._default, self._sets = default, sets

    def of(self, accept_language: bytes | None) -> PageSet:
        """The pages in the language a reader asks for; in the default one where none of ours is asked for."""
        return self._sets[language_of(accept_language, self._default) if accept_language else self._default]


@cache
def load(default: Language = "en", directory: Path | None = None) -> Pages:
    """Make all pages. `directory`: the operator's own templates and texts.

    Raises SettingsError naming the file for one that is no page's, can't be read, lacks what the page needs, holds what
    never runs here, or uses a text that is not there.
    """
    own = {} if directory is None else dict(_own_files(directory))
    templates, texts = {}, {}
    try:
        for name in (FRAME, *PAGES):
            templates[name] = _template(name, own.get(f"{name}.html") or (_OURS / f"{name}.html").read_text())
        for language in LANGUAGES:
            file = f"{language}.toml"
            texts[language] = _texts(file, (_OURS / file).read_text(), own.get(file, ""), templates)
        return Pages(default, {language: PageSet(language, templates, texts[language]) for language in LANGUAGES})
    except SettingsError as error:
        raise SettingsError(f"setting answers.templates_dir: {directory}: {error}") from error


def _own_files(directory: Path) -> Iterator[tuple[str, str]]:
    known = [*(f"{name}.html" for name in (FRAME, *PAGES)), *(f"{language}.toml" for language in LANGUAGES)]
    try:
        for path in sorted(directory.iterdir()):
            if path.name.startswith("."):
                continue
            if path.name not in known:
                raise SettingsError(
                    f"setting answers.templates_dir: {path} is no page's file; there are {', '.join(known)}"
                )
            if path.stat().st_size > _MAX_FILE:
                raise SettingsError(f"setting answers.templates_dir: {path} has more than {_MAX_FILE} bytes")
            yield path.name, path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"setting answers.templates_dir: {directory} can't be read: {error}") from error


def _template(name: str, text: str) -> Template:
    """Raises SettingsError for a template that could not do its page's work."""
    template = Template(text)
    if not template.is_valid():
        raise SettingsError(f"{name}.html has a $ that begins no placeholder; write $$ for the sign itself")
    placeholders = set(template.get_identifiers())
    if name == FRAME:
        lacking = {"title", "content"} - placeholders
        unknown = placeholders - {"language", "title", "content"}
        if lacking or unknown:
            raise SettingsError(f"{name}.html holds $content and $title, perhaps $language, and no other placeholder")
    needed = PAGES.get(name, "")
    if needed not in text:
        raise SettingsError(f"{name}.html must hold {needed}")
    forbidden = next((word for word in _FORBIDDEN if word in text.lower()), None)
    if forbidden:
        raise SettingsError(f"{name}.html holds {forbidden}, which browsers are told not to run")
    return template


def _texts(file: str, ours: str, own: str, templates: Mapping[str, Template]) -> Texts:
    """Our texts, and the operator's on top."""
    texts: Texts = tomllib.loads(ours)
    try:
        tables = tomllib.loads(own)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{file} can't be read: {error}") from error
    for name, table in tables.items():
        if name not in texts or not isinstance(table, dict):
            raise SettingsError(f"{file}: no page {name!r}; there are {', '.join(texts)}")
        for key, text in table.items():
            if not isinstance(text, str):
                raise SettingsError(f"{file}: {key} in [{name}] is not a text")
            if key not in ("title", *templates[name].get_identifiers()):
                raise SettingsError(f"{file}: {key} in [{name}] is used by no template")
            texts[name][key] = text
    return texts
