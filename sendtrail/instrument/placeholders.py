"""The sender's placeholders: found in a URL at compile, filled from values at render."""

import re
from collections.abc import Callable, Mapping
from html import escape
from typing import Literal, NamedTuple, get_args
from urllib.parse import quote

from sendtrail.instrument.found import followed

Syntax = Literal["", "{{x}}", "*|X|*", "%x%", "${x}"]
SYNTAXES: tuple[Syntax, ...] = get_args(Syntax)

_NAME = r"([A-Za-z_][A-Za-z0-9_.:-]*)"
_GAP = r"(?:[ \t]|%20)*"  # spaces of a URL are escaped before it is looked at
_PATTERNS: dict[Syntax, re.Pattern[str]] = {
    "{{x}}": re.compile(rf"(?<!\{{)\{{\{{{_GAP}{_NAME}{_GAP}\}}\}}(?!\}})"),
    "*|X|*": re.compile(rf"\*\|(?!(?:IF|IFNOT|ELSEIF|ELSE|END):){_NAME}\|\*"),  # `*|IF:NAME|*` is no value
    # Neither `%C3%` of `%C3%A9` nor `%C3x%` of `%C3x%20`: escaped bytes come first.
    "%x%": re.compile(rf"%(?![0-9A-Fa-f]{{2}}(?:%|[^%]*%[0-9A-Fa-f]{{2}})){_NAME}%"),
    "${x}": re.compile(rf"\$\{{{_NAME}\}}"),
}
#: What is left of a placeholder that is more than a name (`{{#if x}}`), or of one nobody chose the syntax of.
_LEFTOVERS: dict[Syntax, tuple[str, ...]] = {
    "": ("{{", "*|", "${"), "{{x}}": ("{{", "}}"), "*|X|*": ("*|", "|*"), "%x%": (), "${x}": ("${",),
}  # fmt: skip
#: What template engines run, whatever the syntax of values is: `{% if x %}`, `<%= x %>`; `{%22a%22:1}` is a URL's own.
_STATEMENT = re.compile(r"[{<]%(?![0-9A-Fa-f]{2})")


#: Stands for the signed id in a URL under construction; no URL that is minted has control characters.
SIGNED_ID = "\0"
_CUTS: dict[Syntax, re.Pattern[str]] = {
    "": re.compile(SIGNED_ID),
    **{syntax: re.compile(f"{SIGNED_ID}|{pattern.pattern}") for syntax, pattern in _PATTERNS.items()},
}


class Field(NamedTuple):
    """A place for a value: its name, the item of a loop it stands in (from 0), and how the template writes it.

    Without a name it is the place of the recipient's signed id.
    """

    name: str
    item: int
    raw: str


class Pattern(NamedTuple):
    """A text with fields in it: what comes first, then each field and what follows it."""

    first: str
    rest: tuple[tuple[Field, str], ...] = ()

    @property
    def raw(self) -> str:
        """As the template writes it."""
        return self.first + "".join(field.raw + literal for field, literal in self.rest)

    def sample(self) -> str:
        """As it could be: a letter for each value, to be checked before there are values."""
        return self.first + "".join("x" + literal for _, literal in self.rest)


def pattern_of(syntax: Syntax) -> re.Pattern[str] | None:
    """What finds placeholders of a syntax; None where none is chosen."""
    return _PATTERNS.get(syntax)


def likely_syntax(text: str) -> Syntax:
    """The syntax of a text whose policy is unknown. `%x%` is no sign of one: addresses have it by chance."""
    return next((one for one in SYNTAXES if one not in ("", "%x%") and _PATTERNS[one].search(text)), "")


def parse(text: str, syntax: Syntax, item: int = 0) -> Pattern:
    """Cut a text at its placeholders and signed ids."""
    first, position = text, 0
    rest: list[tuple[Field, str]] = []
    for match in _CUTS[syntax].finditer(text):
        field = Field("", 0, "") if match[0] == SIGNED_ID else Field(match[1], item, _without_gaps(match, syntax))
        if rest:
            rest[-1] = (rest[-1][0], text[position : match.start()])
        else:
            first = text[: match.start()]
        position = match.end()
        rest.append((field, text[position:]))
    return Pattern(first, tuple(rest))


def one_spelling(url: str, syntax: Syntax) -> str:
    """A URL as browsers read it, its placeholders without spaces: so is it compared and registered."""
    return parse(followed(url), syntax).raw


def leftover(pattern: Pattern, syntax: Syntax) -> bool:
    """Whether the text around the fields still looks like a placeholder."""
    around = pattern.first + "\n".join(["", *(literal for _, literal in pattern.rest)])
    return _STATEMENT.search(around) is not None or any(sign in around for sign in _LEFTOVERS[syntax])


def _without_gaps(match: re.Match[str], syntax: Syntax) -> str:
    return f"{{{{{match[1]}}}}}" if syntax == "{{x}}" else match[0]


class Values:
    """One recipient's values, and which were missing. A value that is a list gives each item of a loop its own."""

    def __init__(self, values: Mapping[str, object] | None, signed_id: Callable[[], str]) -> None:
        self._values = values or {}
        self._signed_id = signed_id
        self._quoted: dict[Field, str] = {}
        #: Placeholders without a value, each once, in order.
        self.missing: dict[str, None] = {}
        #: Template URLs that became too long to sign.
        self.too_long: list[str] = []

    def in_url(self, field: Field) -> str:
        """The value escaped as part of a path, query or fragment; nothing where there is none."""
        quoted = self._quoted.get(field)
        if quoted is None:
            quoted = quote(self._text(field), safe="", errors="replace") if field.name else self._signed_id()
            self._quoted[field] = quoted
        return quoted

    def in_address(self, field: Field) -> str:
        """The value escaped as part of a `mailto:` or `tel:` URL."""
        return quote(self._text(field), safe="@+", errors="replace")

    def in_html(self, field: Field) -> str:
        """The value as text of HTML, also in a quoted attribute."""
        return escape(self._text(field))

    def in_text(self, field: Field) -> str:
        """The value as it is."""
        return self._text(field)

    def url(self, pattern: Pattern) -> str:
        """A URL with its fields filled."""
        return pattern.first + "".join([self.in_url(field) + literal for field, literal in pattern.rest])

    def _text(self, field: Field) -> str:
        value = self._values.get(field.name)
        if isinstance(value, list | tuple):
            value = value[field.item] if field.item < len(value) else None
        if value is None:
            self.missing.setdefault(field.name)
            return ""
        return str(value)


class NoValues(Values):
    """What a template is shown with: every placeholder as the template writes it."""

    def __init__(self) -> None:
        super().__init__(None, str)

    def in_url(self, field: Field) -> str:
        """The placeholder itself."""
        return field.raw

    in_address = in_html = in_text = in_url
