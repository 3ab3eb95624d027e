"""Placeholders outside links: filled where the sender asks, where a value can't become markup."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sendtrail.instrument import Policy
from sendtrail.instrument.markup import tokens
from tests.instrument.making import codes, destinations, made
from tests.instrument.odd import documents

FILL = Policy(placeholders="{{x}}", fill_body=True, pixel=False, one_click=False)
LEAVE = Policy(placeholders="{{x}}", pixel=False, one_click=False)
NASTY = "<i a='b'>&\"@ /"


@pytest.mark.parametrize(
    ("html", "filled"),
    [
        ("<p>{{n}}</p>", "<p>&lt;i a=&#x27;b&#x27;&gt;&amp;&quot;@ /</p>"),
        ("<p title='{{n}}'>", "<p title='&lt;i a=&#x27;b&#x27;&gt;&amp;&quot;@ /'>"),
        ("<title>{{ n }}</title>", "<title>&lt;i a=&#x27;b&#x27;&gt;&amp;&quot;@ /</title>"),
        ('<img src="https://i.example/{{n}}.png">',
         '<img src="https://i.example/%3Ci%20a%3D%27b%27%3E%26%22%40%20%2F.png">'),
        ('<img src="{{n}}">', '<img src="&lt;i a=&#x27;b&#x27;&gt;&amp;&quot;@ /">'),
        ('<a href="mailto:{{n}}">', '<a href="mailto:%3Ci%20a%3D%27b%27%3E%26%22@%20%2F">'),
        ("<!--[if mso]>{{n}}<![endif]-->", "<!--[if mso]>&lt;i a=&#x27;b&#x27;&gt;&amp;&quot;@ /<![endif]-->"),
        ("<!-- {{n}} -->", "<!-- {{n}} -->"),
    ],
)  # fmt: skip
def test_where_values_are_written(html: str, filled: str) -> None:
    template = made(html, policy=FILL)
    assert template.render(1, values={"n": NASTY}).html == filled
    assert template.warnings == ()
    assert made(html, policy=LEAVE).render(1, values={"n": NASTY}).html == html


@pytest.mark.parametrize("html", [
    "<style>{{n}}</style>", "<title>{{n}}", "<script>{{n}}</script>", "<p title={{n}}>", "<p {{n}}>",
    "<p a='x' {{n}} b='y'>", "<p {{n}} a=''>",
])  # fmt: skip
def test_where_a_value_could_become_markup_it_is_not_written(html: str) -> None:
    template = made(html, policy=FILL)
    assert template.render(1, values={"n": NASTY}).html == html
    assert codes(template)[-1:] == ["unfilled_placeholder"]
    assert template.placeholders == ()


def test_text_and_links_beside_each_other() -> None:
    text = "Dear {{n}}, see https://a.example/{{n}}?x ({{m}})"
    template = made(text=text, policy=FILL)
    rendered = template.render(1, values={"n": "A & B", "m": "é"})
    assert (rendered.text or "").startswith("Dear A & B, see https://t.example/c/")
    assert (rendered.text or "").endswith(" (é)")
    assert destinations(rendered.text) == ["https://a.example/A%20%26%20B?x"]
    assert template.placeholders == ("n", "m")
    assert [notice.text for notice in template.render(1).warnings] == ["'n' has no value", "'m' has no value"]


def test_a_list_gives_each_place_its_own_value() -> None:
    rendered = made("<p>{{n}}<p>{{n}}<p>{{m}}", policy=FILL).render(1, values={"n": ["1", "2"], "m": "3"})
    assert rendered.html == "<p>1<p>2<p>3"


def test_contents_show_the_placeholder() -> None:
    assert made("<p>{{ n }}", policy=FILL).contents()["html"] == "<p>{{ n }}"


def _shape(html: str | None) -> list[tuple[str, str, tuple[str, ...]]]:
    """What a browser makes of a document: its tags and the names of their attributes, comments and raw text."""
    return [
        (token.kind, token.name, tuple(attribute.name for attribute in token.attributes))
        for token in tokens(html or "")
        if token.kind != "text"
    ]


@given(st.sampled_from([NASTY, "<script>", "'\"><b>", "-->", "{{q}}", "", "x y=1", "</title>"]), documents)
def test_values_never_change_what_the_markup_is(value: str, source: str) -> None:
    template = made(source, policy=FILL)
    filled, plain = (template.render(1, values={"id": one, "q": one}).html for one in (value, "x"))
    assert _shape(filled) == _shape(plain)


@given(documents)
def test_what_is_not_filled_stays(source: str) -> None:
    """Nothing here is a link; with each placeholder as its own value the output is the input."""
    source = source.replace("https", "gopher").replace("{{ q }}", "{{q}}")
    output = made(source, policy=FILL).render(1, values={"id": "{{id}}", "q": "{{q}}"}).html or ""
    assert output.replace("%7B", "{").replace("%7D", "}") == source
