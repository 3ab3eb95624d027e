"""Compiling and rendering: what each link becomes, how URLs are numbered and named."""

from __future__ import annotations

import pytest

from sendtrail.deliveries import DeliveryUrl
from sendtrail.errors import BadLink, BadName, KeysError
from sendtrail.events import FLAG_NO_RECIPIENT, FLAG_PROOF, FLAG_SEED
from sendtrail.gateways import resolve
from sendtrail.instrument import Policy, UrlRule, compile
from sendtrail.instrument.found import NoticeCode
from sendtrail.links import Link, ReadLink, read_unproved, url_id_of
from sendtrail.naming import key
from tests.instrument.making import BASE, KEYRING, TRACKED, codes, links_in, made
from tests.support.golden import Golden

HTML = """\ufeff<html><body>
<a href="https://shop.example/a?b=1&amp;c=2#d">Shop &amp; more</a>
<A HREF='https://shop.example/a?b=1&amp;c=2#d'><img src=x alt=Banner></A>
<map><area href=https://shop.example/map alt="The map"></map>
<a href="mailto:us@shop.example">Mail</a> <a href="#top">Top</a> <a name=x>no</a>
<a href="https://shop.example/copy?m=1" data-st-mode="mirror">View</a>
<a href="#" data-st-mode="optout" data-st-label="Leave" data-st-category="footer">unsubscribe</a>
</body></html>
"""
TEXT = "Shop: https://shop.example/a?b=1&c=2#d (and https://shop.example/new).\nLeave: sendtrail:optout\n"


def test_a_message_is_frozen(golden: Golden) -> None:
    template = made(HTML, TEXT)
    rendered = template.render(7, "anna@example.com", seed=True)
    golden.check(
        "instrument.json",
        {"html": rendered.html, "text": rendered.text, "headers": rendered.headers, "urls": template.url_fields()},
    )


def test_links_of_both_parts_and_the_header() -> None:
    rendered = made(HTML, TEXT).render("m-1", "anna@example.com")
    naming = KEYRING.naming_key
    keys = (
        key(naming, "", "delivery", "spring"),
        key(naming, "", "message", "m-1"),
        key(naming, "", "recipient", "anna@example.com"),
    )
    shop, area = "https://shop.example/a?b=1&c=2#d", "https://shop.example/map"
    copy, own = "https://shop.example/copy?m=1", url_id_of("sendtrail:optout")
    new = "https://shop.example/new"
    assert links_in(rendered.html) == [
        Link("click", *keys, url_id_of(shop), 1, shop),
        Link("click", *keys, url_id_of(shop), 2, shop),
        Link("click", *keys, url_id_of(area), 3, area),
        Link("mirror", *keys, url_id_of(copy), 4, copy),
        Link("optout", *keys, own, 5, ""),
        Link("open", *keys),
    ]
    assert links_in(rendered.text) == [
        Link("click", *keys, url_id_of(shop), 32769, shop),
        Link("click", *keys, url_id_of(new), 32770, new),
        Link("optout", *keys, own, 32771, ""),
    ]
    assert [name for name, _ in rendered.headers] == ["List-Unsubscribe", "List-Unsubscribe-Post"]
    assert rendered.headers[1][1] == "List-Unsubscribe=One-Click"
    header = rendered.headers[0][1]
    assert header.startswith(f"<{BASE}/u/")
    assert header.endswith(">")
    assert links_in(header) == [Link("optout", *keys, own, 0, "")]
    assert rendered.warnings == ()


def test_the_urls_to_register() -> None:
    assert [(u.url, u.label, u.category, u.mode) for u in made(HTML, TEXT).urls] == [
        ("https://shop.example/a?b=1&c=2#d", "Shop & more", "", "tracked"),
        ("https://shop.example/map", "The map", "", "tracked"),
        ("https://shop.example/copy?m=1", "View", "", "mirror"),
        ("sendtrail:optout", "Leave", "footer", "optout"),
        ("https://shop.example/new", "", "", "tracked"),
    ]


@pytest.mark.parametrize(
    ("seed", "proof", "recipient", "flags"),
    [
        (False, False, 0, 0),
        (True, False, "r", FLAG_SEED),
        (False, True, None, FLAG_PROOF | FLAG_NO_RECIPIENT),
        (True, True, None, FLAG_SEED | FLAG_PROOF | FLAG_NO_RECIPIENT),
    ],
)
def test_flags_and_recipients(seed: bool, proof: bool, recipient: int | str | None, flags: int) -> None:
    rendered = made(HTML).render(1, recipient, seed=seed, proof=proof)
    for link in links_in(rendered.html) + links_in(rendered.headers[0][1]):
        assert link.flags == flags
        assert link.recipient == (None if recipient is None else key(KEYRING.naming_key, "", "recipient", recipient))


def test_names_of_an_account_are_its_own() -> None:
    one = links_in(made(HTML, account="shop").render(7, 8).html)[0]
    naming = KEYRING.naming_key
    assert one.delivery == key(naming, "shop", "delivery", "spring")
    assert (one.message, one.recipient) == (key(naming, "shop", "message", 7), key(naming, "shop", "recipient", 8))
    assert links_in(made(HTML).render(7, 8).html)[0].message == 7


@pytest.mark.parametrize(
    ("markup", "destination"),
    [
        ('<a href="  https://a.example/b\n">', "https://a.example/b"),
        ('<a href="https://a.example/b\r\n\tc d">', "https://a.example/bc%20d"),
        ("<a href=https://a.example/b/>", "https://a.example/b/"),
        ('<a href="https://a.example/?a=1&copy=2&amp;x&#61;3">', "https://a.example/?a=1&copy=2&x=3"),
        ('<a href="HTTPS://A.example/">', "HTTPS://A.example/"),
        ('<a href="https://bücher.example/ü">', "https://bücher.example/ü"),
        ('<base href="https://a.example/d/e"><a href="../f?g#h">', "https://a.example/f?g#h"),
        ('<base href="https://a.example/d/"><a href="//b.example/c">', "https://b.example/c"),
        ('<base href="https://a.example/d/"><a href="e//f">', "https://a.example/d/e//f"),
        ('<base href="https://a.example"><a href="c/./d/..">', "https://a.example/c/"),
        ('<base href="https://a.example/d/e?f"><a href="?g">', "https://a.example/d/e?g"),
        ('<base href="https://a.example/d/"><a href="/../../g?../h">', "https://a.example/g?../h"),
        ('<base><base href="https://a.example/"><base href="https://b.example/"><a href="c">', "https://a.example/c"),
        ('<!--[if mso]><v:roundrect href="https://a.example/b" style="x"><![endif]-->', "https://a.example/b"),
        ('<a href="https://a.example/b" href="https://a.example/c">', "https://a.example/b"),
    ],
)
def test_a_destination_is_what_a_browser_would_follow(markup: str, destination: str) -> None:
    (link,) = links_in(made(markup, policy=Policy(pixel=False)).render(1).html)
    assert link.destination == destination
    assert link.url_id == url_id_of(destination)


@pytest.mark.parametrize(
    ("markup", "code"),
    [
        ('<a href="mailto:a@b.example">', None),
        ('<a href="tel:1">', None),
        ('<a href="sms:1">', None),
        ('<a href="cid:1">', None),
        ('<a href="data:text/html,x">', None),
        ('<a href="javascript:void(0)">', None),
        ('<a href="#x">', None),
        ('<base href="https://a.example/"><a href="#x">', None),
        ('<a href="">', None),
        ("<a href>", None),
        ("<a name=x>", None),
        ('<a href="page.html">', "relative_link"),
        ('<a href="//a.example/b">', "relative_link"),
        ('<a href="?https://a.example/">', "relative_link"),
        ('<a href="https://">', "bad_destination"),
        ('<a href="https://a.exa\x01mple/">', "bad_destination"),
        (f'<a href="https://a.example/{"x" * 8200}">', "bad_destination"),
        ('<a href="https://[::1">', "bad_destination"),
        ('<a href="mailto:a@b.example" data-st-mode="optout">', "optout_not_http"),
        ("<!-- <a href='https://a.example/'> -->", None),
        ("<textarea><a href='https://a.example/'></textarea>", None),
        ("<a href='https://a.example/", "unfinished_markup"),
    ],
)
def test_what_is_left_as_it_is(markup: str, code: NoticeCode | None) -> None:
    template = made(markup, policy=Policy(pixel=False))
    assert template.render(1).html == markup.replace(' data-st-mode="optout"', "")
    assert codes(template) == ([code] if code else [])


def test_where_the_pixel_goes() -> None:
    pixel = '<img src="https://t.example/o/'
    places = {
        "<body>x</body></html>": "<body>x|</body></html>",
        "<BODY>x</BODY >": "<BODY>x|</BODY >",
        "</body>x</body>y": "</body>x|</body>y",
        "<p>x": "<p>x|",
        "": "|",
        "x<!-- </body> -->": "x<!-- </body> -->|",
        "x<!-- y": "x|<!-- y",
        "x<style>y": "x|<style>y",
        "x<style>": "x|<style>",
        "x<a href='": "x|<a href='",
        "<script>'</body>'</script>": "<script>'</body>'</script>|",
        "x<!--[if mso]></body><![endif]-->": "x<!--[if mso]></body><![endif]-->|",
    }
    for source, place in places.items():
        html = made(source).render(1).html or ""
        assert html.startswith(place.partition("|")[0] + pixel), source
        assert html.endswith('border:0">' + place.partition("|")[2]), source


def test_modes_by_hint_policy_and_likeness() -> None:
    html = (
        '<a href="https://a.example/out" data-st-mode="OPTOUT">1</a><a href="https://a.example/out">2</a>'
        '<a href="https://a.example/no" data-st-mode="never">3</a><a href="https://a.example/rule">4</a>'
        '<a href="https://a.example/rule" data-st-mode="tracked">5</a><a data-st-mode="optout">6</a>'
        '<a href="sendtrail:mirror">7</a><a href="#">8</a><a href="https://a.example/x" data-st-mode="odd">9</a>'
    )
    text = "https://a.example/out https://a.example/no https://a.example/rule"
    policy = Policy(pixel=False, urls={"https://a.example/rule": UrlRule("not_tracked", "Rule", "cat")})
    template = made(html, text, policy=policy)
    rendered = template.render(1)
    assert [(link.kind, link.position, link.destination) for link in links_in(rendered.html)] == [
        ("optout", 1, "https://a.example/out"), ("optout", 2, "https://a.example/out"),
        ("click", 5, "https://a.example/rule"), ("optout", 6, ""), ("mirror", 7, ""), ("click", 8, "https://a.example/x"),
    ]  # fmt: skip
    assert '<a href="https://t.example/u/' in (rendered.html or "").partition("5</a>")[2]
    assert [(link.kind, link.position) for link in links_in(rendered.text)] == [("optout", 32769)]
    assert "https://a.example/no" in (rendered.html or "")
    assert (rendered.text or "").endswith(" https://a.example/no https://a.example/rule")
    assert codes(template) == ["mirror_without_destination", "unknown_mode"]
    modes = [(u.url, u.mode, u.label) for u in template.urls]
    assert modes == [
        ("https://a.example/out", "optout", "1"), ("https://a.example/no", "never", "3"),
        ("https://a.example/rule", "tracked", "Rule"),
        ("sendtrail:optout", "optout", "6"), ("sendtrail:mirror", "mirror", "7"),
        ("https://a.example/x", "tracked", "9"),
    ]  # fmt: skip
    assert len({u.url_id for u in template.urls}) == len(template.urls)


def test_labels() -> None:
    def label(html: str) -> str:
        return made(html).urls[0].label

    href = 'href="https://a.example/"'
    assert label(f"<a {href}> Two \n <b>words</b>&nbsp;&amp; more </a> not this") == "Two words & more"
    assert label(f'<a {href}><img alt="Pic"> <img alt="2"></a>') == "Pic2"
    assert label(f'<a {href}><img alt="Pic">text</a>') == "text"
    assert label(f"<a {href}></a><a {href}>second</a>") == "second"
    assert label(f'<a {href}>shown</a><a {href} data-st-label="asked">x</a>') == "asked"
    assert label(f'<a {href} data-st-label="&lt;b&gt;">shown</a>') == "<b>"
    assert label(f"<a {href}><style>p</style><!-- c -->shown<a name=x>not") == "shown"
    assert len(label(f"<a {href}>{'long ' * 100}</a>")) <= 120
    assert len(label(f'<a {href} data-st-label="{"long" * 100}">x</a>')) == 256
    two = made(f'<a {href} data-st-label="one">x</a><a {href} data-st-label="two">x</a>')
    assert (two.urls[0].label, codes(two)) == ("one", ["labels_differ"])


#: Two URLs with the same BLAKE2b-32.
ALIKE = ("https://shop.example/p/22411", "https://shop.example/p/82177")


def test_two_urls_with_the_same_hash_get_two_ids() -> None:
    number = url_id_of(ALIKE[0])
    assert number == url_id_of(ALIKE[1])
    template = made("".join(f'<a href="{url}">x</a>' for url in ALIKE))
    assert [u.url_id for u in template.urls[:2]] == [number, number + 1]
    assert [link.url_id for link in links_in(template.render(1).html)[:2]] == [number, number + 1]


def test_a_second_run_in_another_order_agrees_through_the_registry() -> None:
    first = made("".join(f'<a href="{url}">x</a>' for url in ALIKE))
    second = made("".join(f'<a href="{url}">y</a>' for url in reversed(ALIKE)), registered=first.urls)
    assert {u.url: u.url_id for u in second.urls} == {u.url: u.url_id for u in first.urls}
    assert {u.label for u in second.urls[:2]} == {"x"}
    edited = [DeliveryUrl(url_id=9, url=ALIKE[0], label="Edited by a person")]
    assert made(f'<a href="{ALIKE[0]}">x</a>', registered=edited).urls[0].label == "Edited by a person"


def test_a_url_keeps_its_id_when_its_mode_changes() -> None:
    never = made(f'<a href="{ALIKE[0]}" data-st-mode="never">x</a>')
    assert never.urls[0].mode == "never"
    again = made(f'<a href="{ALIKE[0]}">x</a>', registered=never.urls)
    assert (again.urls[0].url_id, again.urls[0].mode) == (never.urls[0].url_id, "tracked")


def test_the_same_warning_is_given_once() -> None:
    assert codes(made('<a href="page.html">1</a>' * 3)) == ["relative_link"]


def test_the_last_free_number_is_followed_by_the_first() -> None:
    taken = [DeliveryUrl(url_id=(url_id_of(ALIKE[0]) + n) % 2**32, url=f"u{n}") for n in range(3)]
    template = made(f'<a href="{ALIKE[0]}">x</a>', registered=taken)
    assert template.urls[0].url_id == url_id_of(ALIKE[0]) + 3


def test_more_links_than_positions() -> None:
    html = '<a href="https://a.example/"></a>' * 32_768
    template = made(html, policy=Policy(pixel=False))
    links = links_in(template.render(1).html)
    assert [links[0].position, links[-1].position, len(links)] == [1, 32767, 32767]
    assert codes(template) == ["too_many_links"]


def test_tracked_messages_are_not_tracked_again() -> None:
    once = made(HTML).render(1).html
    again = compile(html=once, delivery="other", keyring=KEYRING, base_url="https://u.example")
    assert again.render(2).html == once
    assert set(codes(again)) == {"already_tracked"}
    assert [u.url for u in again.urls] == ["sendtrail:optout"]  # the header's


def test_a_link_that_carries_a_tracked_one_is_tracked() -> None:
    inner = BASE + TRACKED.findall(made(HTML).render(1).html or "")[0]
    share = f"https://social.example/share?u={inner}"
    assert links_in(made(f'<a href="{share}">x</a>').render(1).html)[0].destination == share


@pytest.mark.parametrize(
    ("html", "text", "expected"),
    [("x", None, "html"), (None, "x", "text"), ("x", "x", "multipart"), ("", "", "multipart")],
)
def test_formats_and_prepared_items(html: str | None, text: str | None, expected: str) -> None:
    template = made(html, text)
    assert template.format == expected
    rendered = template.render(1)
    assert (rendered.html is None, rendered.text is None) == (html is None, text is None)
    assert template.prepared(5, 1_790_000_000_000) == {
        "kind": "prepared", "time": 1_790_000_000_000, "delivery": "spring", "message": 5, "format": expected,
    }  # fmt: skip
    full = template.prepared("m", 1, "anna@example.com", domain="example.com", seed=True)
    assert full["recipient"] == "anna@example.com"
    assert (full["domain"], full["seed"]) == ("example.com", True)


def test_without_pixel_and_header() -> None:
    rendered = made("<p>x</p>", policy=Policy(pixel=False, one_click=False)).render(1)
    assert rendered.html == "<p>x</p>"
    assert rendered.headers == []


def test_what_is_refused() -> None:
    for base in (
        "t.example",
        "ftp://t.example",
        "https://t.example/?x",
        'https://t.example/"',
        "https://",
        "https://t x",
    ):
        with pytest.raises(BadLink):
            compile(html="x", delivery=1, keyring=KEYRING, base_url=base)
    with pytest.raises(BadName):
        compile(html="x", delivery="", keyring=KEYRING, base_url=BASE)
    with pytest.raises(BadName):
        made("x").render(-1)
    with pytest.raises(KeysError):
        compile(html="x", delivery=1, keyring=KEYRING.with_state(1, "retired"), base_url=BASE)


def test_a_tracking_host_with_a_path() -> None:
    html = compile(
        html="<a href=https://a.example/>", delivery=1, keyring=KEYRING, base_url="https://t.example/x/"
    ).render(1)
    assert "<a href=https://t.example/x/c/" in (html.html or "")


def test_contents_have_the_places_of_the_links_that_are_sent_and_nothing_that_proves() -> None:
    template = made(HTML, TEXT)
    contents, sent = template.contents(), template.render(7, "anna")
    assert set(contents) == {"html", "text"}
    for part, rendered in (("html", sent.html), ("text", sent.text)):
        targets = TRACKED.findall(contents[part])
        assert not any(isinstance(resolve(KEYRING, target), ReadLink) for target in targets)
        told = [read_unproved(target.rpartition("/")[2]) for target in targets]
        assert told == [
            link._replace(message=0, recipient=None, flags=FLAG_NO_RECIPIENT) for link in links_in(rendered)
        ]
        assert TRACKED.sub("", contents[part]) == TRACKED.sub("", rendered or "")
    assert made(text=TEXT).contents().keys() == {"text"}
