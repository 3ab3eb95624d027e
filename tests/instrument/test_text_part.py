"""URLs in plain text, without the sentence around them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sendtrail.instrument.text_part import find


def urls(source: str) -> list[str]:
    return [link.url for link in find(source).links]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("", []),
        ("no link, www.a.example, a.example/x, mailto:x@a.example, ftp://a.example/", []),
        ("See https://a.example/b.", ["https://a.example/b"]),
        ("See https://a.example/b?c=d&e=f#g!", ["https://a.example/b?c=d&e=f#g"]),
        ("HTTPS://A.example/B, then", ["HTTPS://A.example/B"]),
        ("(https://a.example/b)", ["https://a.example/b"]),
        ("(see https://a.example/b_(c))", ["https://a.example/b_(c)"]),
        ("https://a.example/b_(c)", ["https://a.example/b_(c)"]),
        ("(https://a.example/b_(c)).", ["https://a.example/b_(c)"]),
        ("[https://a.example/b]", ["https://a.example/b"]),
        ("[text](https://a.example/b) and", ["https://a.example/b"]),
        ("[https://a.example/b](https://a.example/c)", ["https://a.example/b", "https://a.example/c"]),
        ("<https://a.example/b>", ["https://a.example/b"]),
        ('"https://a.example/b"', ["https://a.example/b"]),
        ("'https://a.example/b'", ["https://a.example/b"]),
        ("„https://a.example/b“ und «https://a.example/c»", ["https://a.example/b", "https://a.example/c"]),
        ("**https://a.example/b** `https://a.example/c`", ["https://a.example/b", "https://a.example/c"]),
        ("https://a.example/b...", ["https://a.example/b"]),
        ("https://a.example/b…", ["https://a.example/b"]),
        ("https://a.example/?q=[1]&r={2}", ["https://a.example/?q=[1]&r={2}"]),
        ("https://a.example/b\nhttps://a.example/c\r\n", ["https://a.example/b", "https://a.example/c"]),
        ("詳細はhttps://a.example/b。", ["https://a.example/b"]),
        ("https://a.example/日本（x）", ["https://a.example/日本（x）"]),
        ("（https://a.example/b）", ["https://a.example/b"]),
        ("詳細（https://a.example/b）をご覧ください", ["https://a.example/b"]),
        (
            "「https://a.example/b」『https://a.example/c』https://a.example/d；",
            ["https://a.example/b", "https://a.example/c", "https://a.example/d"],
        ),
        ("https://a.example/b（未完", ["https://a.example/b"]),
        ("1.https://a.example/b und -https://a.example/c", ["https://a.example/b", "https://a.example/c"]),
        ("https://bücher.example/ü", ["https://bücher.example/ü"]),
        ("xhttps://a.example/b", []),
        ("https://w.example/web/https://a.example/b", ["https://w.example/web/https://a.example/b"]),
        ("https://", []),
        ("leave: sendtrail:optout.", ["sendtrail:optout"]),
        ("sendtrail:optouts", []),
        ("https://a.example/b\u00a0next", ["https://a.example/b"]),
    ],
)
def test_where_a_url_ends(source: str, expected: list[str]) -> None:
    assert urls(source) == expected


@given(st.text(max_size=80))
def test_every_edit_covers_its_url(source: str) -> None:
    for link in find(source + " https://a.example/b) " + source).links:
        whole = source + " https://a.example/b) " + source
        assert whole[link.edit.start : link.edit.end] == link.url


def test_many_closing_brackets_take_no_more_than_a_glance() -> None:
    assert urls("https://a.example/" + ")" * 200_000) == ["https://a.example/"]
    assert urls("https://a.example/" + "（" * 200_000) == ["https://a.example/"]
    assert urls("https://a.example/" + "（x" * 100_000 + "）") == ["https://a.example/"]
