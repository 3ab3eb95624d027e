"""Style sheets and style attributes of a stranger's message -> the part of them that can't load anything. Pure."""

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any

import tinycss2

#: Functions that compute colours and lengths. Any other may fetch: url, image-set, src, element, expression, attr …
_FUNCTIONS = frozenset((
    "calc", "clamp", "hsl", "hsla", "hwb", "lab", "lch", "linear-gradient", "max", "min", "oklab", "oklch",
    "radial-gradient", "repeating-linear-gradient", "repeating-radial-gradient", "rgb", "rgba", "rotate", "scale",
    "translate",
))  # fmt: skip
#: Properties that load or run something in some browser, or lay an element over others.
_DENIED = frozenset((
    "-moz-binding", "behavior", "content", "cursor", "inset", "position", "src", "z-index",
))  # fmt: skip
_PLAIN = frozenset((
    "dimension", "hash", "ident", "literal", "number", "percentage", "string", "whitespace",
))  # fmt: skip
_BLOCKS = {"() block": "content", "[] block": "content"}
_LONGEST = 262_144  # characters of a style sheet; of an attribute a sixteenth
_DEEPEST = 3  # conditions in conditions


@lru_cache(maxsize=4096)
def declarations(style: str) -> str:
    """The declarations of a style attribute that stay; `a: b; c: d`."""
    if len(style) > _LONGEST // 16:
        return ""
    try:
        return "; ".join(_kept(tinycss2.parse_blocks_contents(style, skip_comments=True, skip_whitespace=True)))
    except RecursionError:
        return ""


def sheet(text: str) -> str:
    """The rules of a style sheet that stay: those of selectors, also inside @media."""
    if len(text) > _LONGEST:
        return ""
    try:
        return "\n".join(_rules(tinycss2.parse_stylesheet(text, skip_comments=True, skip_whitespace=True), 0))
    except RecursionError:
        return ""


def _rules(rules: Iterable[Any], depth: int) -> Iterator[str]:
    for rule in rules:
        inner = ""
        if rule.type == "qualified-rule":
            body = tinycss2.parse_blocks_contents(rule.content, skip_comments=True, skip_whitespace=True)
            inner = "; ".join(_kept(body))
        elif rule.type == "at-rule" and rule.lower_at_keyword == "media" and rule.content and depth < _DEEPEST:
            nested = tinycss2.parse_rule_list(rule.content, skip_comments=True, skip_whitespace=True)
            inner = "\n".join(_rules(nested, depth + 1))
        before = "@media " if rule.type == "at-rule" else ""
        prelude = tinycss2.serialize(rule.prelude).strip() if inner else ""
        if inner and _is_plain(prelude):
            yield f"{before}{prelude} {{ {inner} }}"


def _kept(parsed: Iterable[Any]) -> Iterator[str]:
    for one in parsed:
        if one.type != "declaration" or one.lower_name in _DENIED or one.lower_name.startswith("--"):
            continue
        if not all(map(_is_harmless, one.value)):
            continue
        text = f"{one.name}: {tinycss2.serialize(one.value).strip()}{' !important' if one.important else ''}"
        if _is_plain(text):
            yield text


def _is_harmless(token: Any) -> bool:
    if token.type in _PLAIN:
        return True
    if token.type == "function":
        return token.lower_name in _FUNCTIONS and all(map(_is_harmless, token.arguments))
    return token.type in _BLOCKS and all(map(_is_harmless, token.content))


def _is_plain(text: str) -> bool:
    """No markup, which could end the element the text stands in, no escapes and comments, which could hide anything."""
    return not any(sign in text for sign in ("<", "\\", "{", "}", "\0", "/*"))
