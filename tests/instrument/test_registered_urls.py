"""How the URLs of a delivery are numbered and named, and how they stay the same from run to run."""

from __future__ import annotations

from sendtrail.deliveries import DeliveryUrl
from sendtrail.instrument import Policy
from sendtrail.links import url_id_of
from tests.instrument.making import codes, links_in, made

#: Two URLs with the same BLAKE2b-32.
ALIKE = ("https://shop.example/p/22411", "https://shop.example/p/82177")


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
