"""Compiling and rendering: the message as a whole, its links, pixel and headers, and what is refused."""

from __future__ import annotations

import pytest

from sendtrail.errors import BadLink, BadName, KeysError
from sendtrail.events import FLAG_NO_RECIPIENT, FLAG_PROOF, FLAG_SEED
from sendtrail.gateways import resolve
from sendtrail.instrument import Policy, compile
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


def test_tracked_messages_are_not_tracked_again() -> None:
    once = made(HTML).render(1).html
    again = compile(html=once, delivery="other", keyring=KEYRING, base_url="https://u.example")
    assert again.render(2).html == once
    assert set(codes(again)) == {"already_tracked"}
    assert [u.url for u in again.urls] == ["sendtrail:optout"]  # the header's


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
