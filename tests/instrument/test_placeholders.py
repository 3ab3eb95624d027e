"""Placeholders of every syntax: what is one, and what a value becomes."""

from __future__ import annotations

from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sendtrail.instrument.placeholders import (
    SYNTAXES,
    Field,
    Pattern,
    Syntax,
    Values,
    leftover,
    likely_syntax,
    one_spelling,
    parse,
)

CHOSEN: list[Syntax] = [syntax for syntax in SYNTAXES if syntax]
_LEFT: dict[Syntax, tuple[str, str]] = {
    "{{x}}": ("{{", "}}"), "*|X|*": ("*|", "|*"), "%x%": ("%", "%"), "${x}": ("${", "}"),
}  # fmt: skip


def written(syntax: Syntax, name: str) -> str:
    opening, closing = _LEFT[syntax]
    return opening + name + closing


def values(given: dict[str, object]) -> Values:
    return Values(given, lambda: "signed")


@pytest.mark.parametrize("syntax", CHOSEN)
def test_names_are_found_and_the_rest_stays(syntax: Syntax) -> None:
    url = f"https://a.example/{written(syntax, 'p')}/x?e={written(syntax, 'user.e_mail')}&y=1"
    pattern = parse(url, syntax)
    assert [field.name for field, _ in pattern.rest] == ["p", "user.e_mail"]
    assert pattern.raw == url
    assert not leftover(pattern, syntax)
    assert parse(url, "") == Pattern(url)
    assert values({"p": "q", "user.e_mail": 7}).url(pattern) == "https://a.example/q/x?e=7&y=1"


@pytest.mark.parametrize(
    ("syntax", "url", "names"),
    [
        ("{{x}}", "{{ a }}{{%20b%20}}{{c}}", ["a", "b", "c"]),
        ("{{x}}", "{{{a}}}", []),
        ("{{x}}", "{{#if a}}{{/if}}{{a | upper}}{{}}", []),
        ("*|X|*", "*|A|**|LIST:NAME|**|B", ["A", "LIST:NAME"]),
        ("%x%", "%C3%A9%name%%20", ["name"]),
        ("%x%", "%C3x%20y", []),
        ("%x%", "%E3%83%86%E3%82%B9", []),
        ("%x%", "100%25%2Foff%deal%", ["deal"]),
        ("%x%", "%a%%b%", ["a", "b"]),
        ("${x}", "${a}$${b}${c d}$x", ["a", "b"]),
    ],
)
def test_what_is_a_placeholder(syntax: Syntax, url: str, names: list[str]) -> None:
    assert [field.name for field, _ in parse(url, syntax).rest] == names


@pytest.mark.parametrize(
    ("syntax", "url"),
    [("{{x}}", "{{#if a}}"), ("{{x}}", "x}}"), ("{{x}}", "{{{a}}}"), ("*|X|*", "*|IF A|*"), ("${x}", "${a b}"),
     ("", "{{a}}"), ("", "*|A|*"), ("", "${a}"), ("*|X|*", "*|IF:A|*b*|END:IF|*"), ("*|X|*", "*|ELSE:|*"),
     ("{{x}}", "{% if a %}b{% endif %}"), ("", "{%%20if%20a%20%}"), ("*|X|*", "{%- x %}"), ("", "<%= a %>")],
)  # fmt: skip
def test_what_only_looks_like_one(syntax: Syntax, url: str) -> None:
    assert leftover(parse(url, syntax), syntax)


@pytest.mark.parametrize("syntax", ["", *CHOSEN])
def test_escaped_quotes_of_a_query_are_no_statement(syntax: Syntax) -> None:
    assert not leftover(parse("https://a.example/?filter={%22size%22:7}&d=<%3E", syntax), syntax)


@given(st.sampled_from(CHOSEN), st.text(), st.text() | st.integers() | st.floats() | st.booleans())
def test_a_value_never_leaves_its_place(syntax: Syntax, text: str, value: object) -> None:
    url = f"https://a.example/{written(syntax, 'v')}/b?c={written(syntax, 'v')}#d"
    filled = values({"v": value}).url(parse(url, syntax))
    head, _, rest = filled.partition("https://a.example/")
    path, query = rest.split("/b?c=")
    assert head == ""
    assert query == path + "#d"
    assert not set(path) & set("/?#&=+ \t\n\"'<>\\")
    assert path.isascii()
    if not any("\ud800" <= letter <= "\udfff" for letter in str(value)):
        assert unquote(path) == str(value)


@given(st.sampled_from(SYNTAXES), st.text(alphabet="{}*|%$aC3 \x00/é", max_size=20))
def test_what_is_cut_is_the_text(syntax: Syntax, text: str) -> None:
    pattern = parse(text.replace("\0", ""), syntax)
    assert pattern.raw.replace(" ", "") == text.replace("\0", "").replace(" ", "")
    assert parse(pattern.raw, syntax) == pattern
    assert one_spelling(pattern.raw, syntax) == one_spelling(one_spelling(pattern.raw, syntax), syntax)


def test_missing_values_are_named_once() -> None:
    got = values({"a": None, "b": [1]})
    assert got.url(parse("{{a}}{{b}}{{a}}{{c}}", "{{x}}", item=1)) == ""
    assert list(got.missing) == ["a", "b", "c"]


def test_items_of_a_list() -> None:
    got = values({"a": ["x", "y"], "b": ("z",), "c": "word"})
    assert [got.in_url(Field("a", item, "")) for item in (0, 1)] == ["x", "y"]
    assert [got.in_url(Field("b", item, "")) for item in (0, 1)] == ["z", ""]
    assert [got.in_url(Field("c", item, "")) for item in (0, 1)] == ["word", "word"]


def test_other_ways_to_write_a_value() -> None:
    got, field = values({"v": '<a b="c">&\'@'}), Field("v", 0, "")
    assert got.in_html(field) == "&lt;a b=&quot;c&quot;&gt;&amp;&#x27;@"
    assert got.in_text(field) == '<a b="c">&\'@'
    assert got.in_address(field) == "%3Ca%20b%3D%22c%22%3E%26%27@"


@pytest.mark.parametrize("syntax", CHOSEN)
def test_the_syntax_of_a_text(syntax: Syntax) -> None:
    wanted = "" if syntax == "%x%" else syntax
    assert likely_syntax(f"Dear {written(syntax, 'name')}") == wanted
    assert likely_syntax("50% off, 10*2|3 {x} $x") == ""
