"""Recognises statements without running them: inserts with data and their target, FORMAT clauses."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_TOKEN = re.compile(
    r"""
    (?P<space>\s+|--[^\n]*|\#[!\s][^\n]*|/\*.*?\*/)
  | (?P<string>'(?:[^'\\]|\\.|'')*')
  | (?P<quoted>`(?:[^`\\]|\\.|``)*`|"(?:[^"\\]|\\.|"")*")
  | (?P<word>\w+)
  | (?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True)
class Token:
    """A lexical token with its place; `text` of a quoted identifier is its name."""

    kind: str
    text: str
    start: int
    end: int

    def is_word(self, *words: str) -> bool:
        """True for one of the (upper-case) keywords."""
        return self.kind == "word" and self.text.upper() in words

    def is_mark(self, *marks: str) -> bool:
        """True for one of the punctuation marks."""
        return self.kind == "other" and self.text in marks


@dataclass(frozen=True)
class Insert:
    """An INSERT that takes data.

    `head` is the statement before SETTINGS, VALUES or FORMAT, `settings` its SETTINGS clause, `target` a table
    name or FUNCTION call as written, `columns` the listed ones (None = all), `excluded` those of
    `* EXCEPT (…)`; the inline data starts at `data_start`.
    """

    head: str
    settings: str
    target: str
    columns: tuple[str, ...] | None
    excluded: tuple[str, ...]
    format: str | None
    data_start: int


def tokens(text: str) -> Iterator[Token]:
    """Tokens of `text` without white space and comments."""
    for match in _TOKEN.finditer(text):
        kind = match.lastgroup or "other"
        if kind != "space":
            value = _unquote(match[0]) if kind == "quoted" else match[0]
            yield Token(kind, value, match.start(), match.end())


def _unquote(text: str) -> str:
    body = text[1:-1].replace(text[0] * 2, text[0])
    return re.sub(r"\\(.)", r"\1", body, flags=re.DOTALL)


def quote_string(value: str) -> str:
    """`value` as a ClickHouse string literal."""
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def quote_name(name: str) -> str:
    """`name` as a ClickHouse identifier."""
    return "`" + name.replace("\\", "\\\\").replace("`", "\\`") + "`"


def first_word(text: str) -> str:
    """The first keyword, upper-case; opening brackets are passed over."""
    return next((token.text.upper() for token in tokens(text) if not token.is_mark("(")), "")


def without_format(text: str) -> tuple[str, str | None]:
    """`text` without its FORMAT clause, and the format's name (None if it has none)."""
    depth = 0
    found = list(tokens(text))
    for at, token in enumerate(found[:-1]):
        depth += token.is_mark("(", "[") - token.is_mark(")", "]")
        name = found[at + 1]
        if depth == 0 and token.is_word("FORMAT") and name.kind == "word":
            following = found[at + 2] if at + 2 < len(found) else None
            if following is None or following.is_mark(";") or following.is_word("SETTINGS"):
                return text[: token.start] + text[name.end :], name.text
    return text, None


def writes_file(text: str) -> bool:
    """True for a statement with INTO OUTFILE."""
    previous: Token | None = None
    for token in tokens(text):
        if token.is_word("OUTFILE") and previous is not None and previous.is_word("INTO"):
            return True
        previous = token
    return False


def parse_insert(text: str) -> Insert | None:
    """The INSERT with data that `text` is, or None (INSERT … SELECT and FROM INFILE are none)."""
    stream = tokens(text)
    for word in ("INSERT", "INTO"):
        token = next(stream, None)
        if token is None or not token.is_word(word):
            return None
    parts, stop = _until_data(stream)
    if not parts or (stop is not None and stop.is_word("SELECT", "WITH", "FROM", "WATCH")):
        return None
    head_end, format_name, data_start = len(text), None, len(text)
    if stop is not None:
        head_end, data_start = stop.start, stop.end
        if stop.is_word("VALUES"):
            format_name = "Values"
        elif stop.is_word("FORMAT"):
            name = next(stream, None)
            if name is None:
                return None
            format_name, data_start = name.text, name.end
    target, rest = _target(text, parts)
    columns, excluded = _columns(rest)
    settings_start = next((part.start for part in rest if part.is_word("SETTINGS")), head_end)
    return Insert(
        text[:settings_start],
        text[settings_start:head_end],
        target,
        columns,
        excluded,
        format_name,
        data_start,
    )


def _until_data(stream: Iterator[Token]) -> tuple[list[Token], Token | None]:
    """Tokens up to the one (outside brackets) where the data or the query starts, and that one."""
    parts: list[Token] = []
    depth = 0
    for token in stream:
        if depth == 0 and (token.is_word("VALUES", "FORMAT", "SELECT", "WITH", "FROM", "WATCH") or token.is_mark(";")):
            return parts, token
        depth += token.is_mark("(") - token.is_mark(")")
        parts.append(token)
    return parts, None


def _target(text: str, parts: list[Token]) -> tuple[str, list[Token]]:
    """The target as written, and the tokens behind it."""
    at = 0
    if parts[0].is_word("TABLE") and len(parts) > 1 and not parts[1].is_mark("(", "."):
        at = 1
    if parts[at].is_word("FUNCTION") and len(parts) > at + 2:
        end = _closing(parts, at + 2)
        return text[parts[at + 1].start : parts[end].end], parts[end + 1 :]
    end = at
    while end + 2 < len(parts) and parts[end + 1].is_mark("."):
        end += 2
    return text[parts[at].start : parts[end].end], parts[end + 1 :]


def _closing(parts: list[Token], start: int) -> int:
    depth = 0
    for at in range(start, len(parts)):
        depth += parts[at].is_mark("(") - parts[at].is_mark(")")
        if depth == 0:
            return at
    return len(parts) - 1


def _columns(rest: list[Token]) -> tuple[tuple[str, ...] | None, tuple[str, ...]]:
    if not rest or not rest[0].is_mark("("):
        return None, ()
    inside = rest[1 : _closing(rest, 0)]
    excluded = bool(inside) and inside[0].is_mark("*")
    names = _dotted_names(inside[2:] if excluded else inside)
    return (None, names) if excluded else (names, ())


def _dotted_names(inside: list[Token]) -> tuple[str, ...]:
    """Names separated by commas; `a.b` of a Nested column stays one name."""
    names: list[str] = []
    current = ""
    for token in inside:
        if token.is_mark(","):
            names.append(current)
            current = ""
        elif not token.is_mark("(", ")"):
            current += token.text
    return tuple(name for name in (*names, current) if name)
