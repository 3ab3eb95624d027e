"""Tokens with exact offsets."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from hypothesis import given

from sendtrail.instrument.markup import Token, decode_references, tokens
from tests.instrument.odd import documents


def cut(source: str) -> list[tuple[str, str]]:
    return [(token.kind, source[token.start : token.end]) for token in tokens(source)]


@given(documents)
def test_joined_tokens_are_the_document(source: str) -> None:
    position = 0
    for token in tokens(source):
        assert token.start == position
        assert token.end > token.start or (token.kind == "raw" and not token.finished)
        position = token.end
    assert position == len(source)


@given(documents)
def test_attributes_lie_inside_their_tag_in_order(source: str) -> None:
    for token in tokens(source):
        position = token.start + 1
        for attribute in token.attributes:
            assert position < attribute.start < attribute.end <= token.end
            assert attribute.start <= attribute.value_start <= attribute.value_end <= attribute.end
            assert source[attribute.start : attribute.start + len(attribute.name)].lower()[:1] == attribute.name[:1]
            quoted = source[attribute.value_end : attribute.end]
            assert quoted == attribute.quote
            position = attribute.end - 1


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("a<b>c</b>", [("text", "a"), ("start", "<b>"), ("text", "c"), ("end", "</b>")]),
        ("a < b <1> <é>", [("text", "a < b <1> <é>")]),
        ("<p title='>'>", [("start", "<p title='>'>")]),
        ("<p title=>x>", [("start", "<p title=>"), ("text", "x>")]),
        ("<!-- > -- > --><i>", [("comment", "<!-- > -- > -->"), ("start", "<i>")]),
        ("<!--><i>", [("comment", "<!-->"), ("start", "<i>")]),
        ("<!---><i>", [("comment", "<!--->"), ("start", "<i>")]),
        ("<!-- --!><i>", [("comment", "<!-- --!>"), ("start", "<i>")]),
        ("<!-- <i>", [("comment", "<!-- <i>")]),
        ("<![CDATA[ <i> ]]>", [("other", "<![CDATA[ <i>"), ("text", " ]]>")]),
        ("<svg><![CDATA[ <i> ]]></svg>", [("start", "<svg>"), ("raw", "<![CDATA[ <i> ]]>"), ("end", "</svg>")]),
        ("<?x <i>", [("other", "<?x <i>")]),
        ("</ a><b>", [("other", "</ a>"), ("start", "<b>")]),
        ("</><b>", [("other", "</>"), ("start", "<b>")]),
        ("x</", [("text", "x</")]),
        ("<style>a > b {} </styles> </STYLE >x",
         [("start", "<style>"), ("raw", "a > b {} </styles> "), ("end", "</STYLE >"), ("text", "x")]),
        ("<script>'<a>'", [("start", "<script>"), ("raw", "'<a>'")]),
        ("<title><b></title>", [("start", "<title>"), ("raw", "<b>"), ("end", "</title>")]),
        ("<script/>x", [("start", "<script/>"), ("raw", "x")]),
        ("<svg><script/><b>", [("start", "<svg>"), ("start", "<script/>"), ("start", "<b>")]),
        ("<plaintext><b>", [("start", "<plaintext>"), ("raw", "<b>")]),
        ("<a href='x", [("start", "<a href='x")]),
        ("<a", [("start", "<a")]),
    ],
)  # fmt: skip
def test_documents_are_cut_as_a_browser_cuts_them(source: str, expected: list[tuple[str, str]]) -> None:
    assert cut(source) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("<a href=x>", [("href", "x", "")]),
        ("<a HREF = 'x y' b>", [("href", "x y", "'"), ("b", "", "")]),
        ('<a b="1"c="2">', [("b", "1", '"'), ("c", "2", '"')]),
        ("<a / b / =c=d>", [("b", "", ""), ("=c", "d", "")]),
        ("<a b=1/>", [("b", "1/", "")]),
        ("<a b= >", [("b", "", "")]),
        ('<a b=c"d>', [("b", 'c"d', "")]),
        ("<a b\n=\t\f'\n'>", [("b", "\n", "'")]),
        ('<a b=""c>', [("b", "", '"'), ("c", "", "")]),
    ],
)
def test_attributes(source: str, expected: list[tuple[str, str, str]]) -> None:
    (token,) = tokens(source)
    found = [(a.name, source[a.value_start : a.value_end], a.quote) for a in token.attributes]
    assert found == expected
    assert token.finished


def test_unfinished_documents_say_so() -> None:
    for source in ("<a", "<a b='", "<!-- x", "<style>x", "<style>", "<?", "<svg><![CDATA[ x"):
        assert [token.finished for token in tokens(source)][-1] is False, source
    for source in ("<a>", "x", "<", "<!-- -->", "<style></style>"):
        assert all(token.finished for token in tokens(source)), source


@pytest.mark.parametrize(
    ("raw", "text", "attribute"),
    [
        ("a&amp;b", "a&b", "a&b"),
        ("?a=1&copy=2", "?a=1©=2", "?a=1&copy=2"),
        ("?a=1&copy;2", "?a=1©2", "?a=1©2"),
        ("&copyx", "©x", "&copyx"),
        ("&notit;", "¬it;", "&notit;"),
        ("&notin;", "∉", "∉"),
        ("&amp", "&", "&"),
        ("&#65;&#x42&#67", "ABC", "ABC"),
        ("&#0;&#x80;", "\ufffd€", "\ufffd€"),
        ("&#0000000038;&#x000000026", "&&", "&&"),
        ("&#1;&#xFFFE;&#x110000;", "\x01\ufffe\ufffd", "\x01\ufffe\ufffd"),
        ("&unknown;&", "&unknown;&", "&unknown;&"),
    ],
)
def test_references(raw: str, text: str, attribute: str) -> None:
    assert decode_references(raw) == text
    assert decode_references(raw, in_attribute=True) == attribute


def test_a_reference_of_thousands_of_digits_is_no_error() -> None:
    for raw in ("&#" + "9" * 5000 + ";", "&#x" + "f" * 5000):
        assert decode_references(raw).endswith(raw[-4900:])
        assert decode_references(raw, in_attribute=True).endswith(raw[-4900:])


class Reference(HTMLParser):
    """The standard library's reading of a regular document, to compare tag by tag."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, list[tuple[str, str | None]]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, attrs))


def test_a_regular_document_reads_as_the_standard_library_reads_it() -> None:
    source = """<!DOCTYPE html><html lang=en><head><title>A &amp; c</title><style>p > a { }</style></head>
    <body CLASS="x y" data-Z='1'><p>One<br>two &amp; three<a href="https://e.example/?a=1&amp;b=2" target=_blank>L</a>
    <!-- <a href="no"> --><img src="i.png" alt="a &lt; b"/><input disabled value=""></p></body></html>"""
    reference = Reference()
    reference.feed(source)

    def shown(token: Token) -> list[tuple[str, str | None]]:
        return [
            (a.name, decode_references(source[a.value_start : a.value_end], True) if a.has_value or a.quote else None)
            for a in token.attributes
        ]

    found = [(token.name, shown(token)) for token in tokens(source) if token.kind == "start"]
    assert found == reference.tags
