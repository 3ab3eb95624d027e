"""Personalised links: filled for each recipient, signed, and one URL in reports."""

from __future__ import annotations

import pytest

from sendtrail.instrument import Policy
from sendtrail.instrument.found import NoticeCode
from sendtrail.instrument.placeholders import Syntax
from sendtrail.links import MAX_DESTINATION_BYTES, read_unproved, url_id_of
from tests.instrument.making import TRACKED, codes, destinations, links_in, made

BRACES = Policy(placeholders="{{x}}", pixel=False, one_click=False)
ITEM = "https://shop.example/p/{{id}}"


@pytest.mark.parametrize(
    ("syntax", "url"),
    [
        ("{{x}}", "https://a.example/{{ p }}?e={{e}}&amp;f=1#{{p}}"),
        ("*|X|*", "https://a.example/*|p|*?e=*|e|*&amp;f=1#*|p|*"),
        ("%x%", "https://a.example/%p%?e=%e%&amp;f=1#%p%"),
        ("${x}", "https://a.example/${p}?e=${e}&amp;f=1#${p}"),
    ],
)
def test_values_are_escaped_and_the_result_is_signed(syntax: Syntax, url: str) -> None:
    policy = Policy(placeholders=syntax, pixel=False)
    plain = url.replace("&amp;", "&")
    template = made(f'<a href="{url}">Buy</a>', f"Buy: <{plain}>, or {plain}.", policy=policy)
    assert template.warnings == ()
    assert template.placeholders == ("p", "e")
    for message, (path, address) in enumerate([("a/b", "anna+1@example.com"), ("ü", "")]):
        rendered = template.render(message, values={"p": path, "e": address})
        shown = {"a/b": "a%2Fb", "ü": "%C3%BC"}[path]
        wanted = f"https://a.example/{shown}?e={address.replace('+', '%2B').replace('@', '%40')}&f=1#{shown}"
        assert destinations(rendered.html) == [wanted]
        assert destinations(rendered.text) == [wanted, wanted]
        assert (rendered.text or "").endswith(".")
        assert rendered.warnings == ()


def test_url_id_and_label_are_the_templates() -> None:
    template = made(f'<a href="{ITEM}">Buy</a>', policy=BRACES)
    (first,) = links_in(template.render(1, values={"id": 1}).html)
    (second,) = links_in(template.render(2, values={"id": 2}).html)
    assert (first.destination, second.destination) == ("https://shop.example/p/1", "https://shop.example/p/2")
    assert first.url_id == second.url_id == url_id_of(ITEM)
    assert [(u.url, u.label, u.url_id) for u in template.urls] == [(ITEM, "Buy", url_id_of(ITEM))]


def test_spaces_in_a_placeholder_make_no_other_url() -> None:
    template = made('<a href="https://shop.example/p/{{ id }}">x</a>', "https://shop.example/p/{{id}}", policy=BRACES)
    assert [u.url for u in template.urls] == [ITEM]


def test_items_of_a_loop_have_values_and_labels_of_their_own() -> None:
    html = "".join(f'<a href="{ITEM}"><img alt="Product"></a>' for _ in range(3))
    template = made(html, f"{ITEM} {ITEM}", policy=BRACES)
    rendered = template.render(1, values={"id": ["a", "b", "c"]})
    assert destinations(rendered.html) == [f"https://shop.example/p/{item}" for item in "abc"]
    assert destinations(rendered.text) == [f"https://shop.example/p/{item}" for item in "ab"]
    assert [(u.url, u.label) for u in template.urls] == [
        (ITEM, "Product"), (f"{ITEM} [2]", "Product [2]"), (f"{ITEM} [3]", "Product [3]"),
    ]  # fmt: skip
    ids = [link.url_id for link in links_in(rendered.html)]
    assert len(set(ids)) == 3
    assert [link.url_id for link in links_in(rendered.text)] == ids[:2]
    again = made(html, f"{ITEM} {ITEM}", policy=BRACES, registered=template.urls)
    assert [u.url_id for u in again.urls] == ids


def test_the_image_and_the_button_of_an_item_are_one_item() -> None:
    button = (
        f'<!--[if mso]><v:roundrect href="{ITEM}"><center>Buy</center></v:roundrect><![endif]-->'
        f'<!--[if !mso]><!--><a href="{ITEM}">Buy</a><!--<![endif]-->'
    )
    template = made(f'<a href="{ITEM}"><img alt="Picture"></a>{button}' * 2, policy=BRACES)
    assert [(u.url, u.label) for u in template.urls] == [(ITEM, "Picture"), (f"{ITEM} [2]", "Picture [2]")]
    rendered = template.render(1, values={"id": ["a", "b"]})
    assert destinations(rendered.html) == [f"https://shop.example/p/{item}" for item in "aaabbb"]


def test_labels_in_the_markup_say_what_is_one_item() -> None:
    places = [("Top", "image"), ("Top", "text"), ("Second", "x"), ("Top", "again")]
    html = "".join(f'<a href="{ITEM}" data-st-label="{label}">{text}</a>' for label, text in places)
    template = made(html, policy=BRACES)
    assert [(u.url, u.label) for u in template.urls] == [(ITEM, "Top"), (f"{ITEM} [2]", "Second")]
    values = {"id": ["a", "b"]}
    assert destinations(template.render(1, values=values).html) == [
        f"https://shop.example/p/{item}" for item in ("a", "a", "b", "a")
    ]
    assert template.warnings == ()


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("https://{{h}}/", "personalised_host"),
        ("https://{{h}}.example/", "personalised_host"),
        ("https://shop.example{{h}}", "personalised_host"),
        ("https://shop.example{{h}}/x", "personalised_host"),
        ("https://shop.example:{{port}}/", "personalised_host"),
        ("https://{{user}}@shop.example/", "personalised_host"),
        ("{{scheme}}://shop.example/", "personalised_host"),
        ("{{url}}", "personalised_host"),
        ("https://shop.example\\{{x}}", "personalised_host"),
        ("https:{{x}}", "personalised_host"),
        ("https:///{{x}}", "bad_destination"),
        ("https:/{{x}}", "bad_destination"),
        ("https://shop.example/{{#if a}}", "bad_placeholder"),
        ("https://shop.example/*|a|*{{{b}}}", "bad_placeholder"),
        ("page.html?x={{x}}", "relative_link"),
    ],
)
def test_what_is_refused_stays_as_it_is(url: str, code: NoticeCode) -> None:
    html, text = f'<a href="{url}">x</a>', f"see {url} ."
    template = made(html, text, policy=BRACES)
    rendered = template.render(1, values={"h": "evil.example", "x": "evil.example"})
    assert (rendered.html, rendered.text) == (html, text)
    assert code in codes(template)


def test_a_placeholder_of_a_syntax_nobody_chose_is_said() -> None:
    html = f'<a href="{ITEM}">x</a>'
    template = made(html, policy=Policy(pixel=False))
    assert template.render(1).html == html
    assert codes(template) == ["bad_placeholder"]


def test_values_that_are_missing_are_said_and_the_link_works() -> None:
    rendered = made(f'<a href="{ITEM}?e={{{{e}}}}">x</a>', policy=BRACES).render(1, values={"id": 7})
    assert destinations(rendered.html) == ["https://shop.example/p/7?e="]
    assert [(notice.code, notice.text) for notice in rendered.warnings] == [
        ("unresolved_placeholder", "'e' has no value")
    ]


def test_a_link_that_values_make_too_long_leads_there_untracked() -> None:
    template = made(f'<a href="{ITEM}?a&amp;b">x</a>', f"{ITEM}?a&b", policy=BRACES)
    room = MAX_DESTINATION_BYTES - len("https://shop.example/p/?a&b")
    assert len(links_in(template.render(1, values={"id": "x" * room}).html)) == 1
    rendered = template.render(1, values={"id": "x" * (room + 1)})
    assert links_in(rendered.html) == []
    assert f'href="https://shop.example/p/{"x" * (room + 1)}?a&amp;b"' in (rendered.html or "")
    assert rendered.text == f"https://shop.example/p/{'x' * (room + 1)}?a&b"
    assert [notice.code for notice in rendered.warnings] == ["too_long"] * 2


def test_links_that_are_not_tracked_are_filled_too() -> None:
    html = f'<a href="{ITEM}?a&amp;b" data-st-mode="never">x</a>'
    assert made(html, policy=BRACES).render(1, values={"id": "a b"}).html == (
        '<a href="https://shop.example/p/a%20b?a&amp;b">x</a>'
    )


def test_contents_show_the_template() -> None:
    shown = made(f'<a href="{ITEM}">x</a>', policy=BRACES).contents()["html"]
    told = read_unproved(TRACKED.findall(shown)[0].rpartition("/")[2])
    assert told is not None
    assert told.destination == ITEM
