"""Hot clicks of one message counted by hand, and the message drawn with them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

import pytest
from clickhouse_driver import Client

from dashboards.choice import by_key
from dashboards.indicators import Cut
from dashboards.queries import Queries
from dashboards.report_hot_clicks import Message, build, message
from dashboards.scope import Scope
from sendtrail.contents import Part
from sendtrail.instrument import Template, compile
from tests.dashboards.happenings import Happening, Judgement, Numbered, Registered, at, insert, register, register_urls
from tests.dashboards.shown import table
from tests.support.golden import golden_keyring

HTML = (
    '<a href="https://shop.example/a">Shop</a> <a href="https://shop.example/a"><img alt="Shop" width=90 height=40></a>'
    ' <a href="https://shop.example/b">News</a> <a href="#" data-st-mode="optout" data-st-label="Leave">out</a>'
)
TEXT = "Shop: https://shop.example/a\nLeave: sendtrail:optout\n"
T0 = 1_790_000_000_000


@pytest.fixture
def template() -> Template:
    return compile(html=HTML, text=TEXT, delivery="spring", keyring=golden_keyring(), base_url="https://t.example")


@pytest.fixture
def scope(client: Client, queries: Queries, template: Template) -> Scope:
    """Five clicks of people on HTML 1, one on HTML 2, a machine's on HTML 3, opt-outs, opens, and strays."""
    key, urls = template.delivery_key, {entry.url: entry for entry in template.urls}
    shop, news, leave = (
        urls[url].url_id for url in ("https://shop.example/a", "https://shop.example/b", "sendtrail:optout")
    )
    numbered = Numbered()
    hit = Happening(key, 1, "click", T0, url_id=shop, position=1)
    machine = (Judgement("machine"),)
    happened = [replace(hit, message=number) for number in range(5)]
    happened += [
        replace(hit, position=2),
        replace(hit, url_id=news, position=3, judgements=machine),
        replace(hit, url_id=news, position=3, judgements=(Judgement("human"), *machine)),
        replace(hit, position=32769),
        replace(hit, kind="optout", how="view", url_id=leave, position=4),
        replace(hit, kind="optout", how="form", url_id=leave, position=4),
        replace(hit, kind="optout", how="one_click", url_id=leave, position=0),
        replace(hit, kind="optout", how="view", url_id=leave, position=0),
        replace(hit, url_id=77, position=9),
        replace(hit, url_id=news, position=1),
        replace(hit, kind="open", url_id=0, position=0),
        replace(hit, seed=True),
    ]
    register(client, [Registered(key, "spring", label="Spring")])
    register_urls(client, [(key, one.url_id, one.url, one.label, "") for one in template.urls])
    insert(client, [numbered(one) for one in happened])
    return Scope(queries, [by_key(queries, key)], "people")


def store(client: Client, key: int, parts: dict[str, str], updated: int = T0) -> None:
    client.execute(
        "INSERT INTO delivery_contents (delivery_id, part, content, updated) VALUES",
        [(key, part, content, at(updated)) for part, content in parts.items()],
    )


def counted(scope: Scope, cut: Cut) -> list[tuple[object, ...]]:
    rows = table(build(replace(scope, cut=cut)), "positions")
    return [tuple(row[name] for name in ("part", "number", "link", "hits", "heat")) for row in rows]


def test_places_in_order_strangers_apart(scope: Scope) -> None:
    first, second, *rest = counted(scope, "people")
    assert {first, second} == {("HTML", 1, "News", 1, 1), ("HTML", 1, "Shop", 5, 4)}
    assert rest == [
        ("HTML", 2, "Shop", 1, 1),
        ("HTML", 4, "Leave", 1, 1),
        ("HTML", 9, "links not registered", 1, 1),
        ("text", 1, "Shop", 1, 1),
        ("not known", None, "Leave", 1, 1),
        ("Total", None, "", 11, None),
    ]
    assert ("HTML", 3, "News", 2, 2) in counted(scope, "all")


def test_links_and_parts(scope: Scope) -> None:
    links = [
        (row["rank"], row["link"], row["clicks"], row["opt_outs"], row["share"]) for row in table(build(scope), "links")
    ]
    assert links == [
        (1, "Shop", 7, 0, Fraction(7, 11)),
        (2, "Leave", 0, 2, Fraction(2, 11)),
        (3, "News", 1, 0, Fraction(1, 11)),
        (None, "links not registered", 1, 0, Fraction(1, 11)),
        (None, "Total", 9, 2, Fraction(1)),
    ]
    parts = [(row["part"], row["hits"]) for row in table(build(scope), "parts")]
    assert parts == [("HTML", 9), ("text", 1), ("not known", 1), ("Total", 11)]


def badges(made: Message, part: Part) -> list[str]:
    """What the badges of a part say, in order."""
    return [
        piece.partition("<")[0].partition(">")[2]
        for piece in made.parts[part].document.split('<span class="st-badge')[1:]
    ]


def test_the_message_is_drawn_with_its_hits(client: Client, scope: Scope, template: Template) -> None:
    store(client, template.delivery_key, template.contents())
    made = message(scope, scope.deliveries[0])
    assert badges(made, "html") == ["45.45 % · 5", "9.09 % · 1", "0.00 % · 0", "9.09 % · 1"]
    assert badges(made, "text") == ["9.09 % · 1", "0.00 % · 0"]
    assert made.unplaced == 3  # another link at position 1, one at no position, one that no part has
    assert "t.example" not in made.parts["html"].document + made.parts["text"].document
    assert "https://shop.example/a" in made.parts["text"].document


def test_the_newest_content_is_drawn_and_one_taken_away_is_none(
    client: Client, scope: Scope, template: Template
) -> None:
    store(client, template.delivery_key, {"html": "<p>older</p>", "text": "older"})
    store(client, template.delivery_key, {"html": HTML, "text": ""}, T0 + 1)
    made = message(scope, scope.deliveries[0])
    assert list(made.parts) == ["html"]
    assert badges(made, "html") == ["54.55 % · 6", "9.09 % · 1", "0.00 % · 0", "9.09 % · 1"]


def test_a_delivery_without_content_or_hits(client: Client, queries: Queries) -> None:
    register(client, [Registered(5, "five")])
    empty = Scope(queries, [by_key(queries, 5)])
    made = message(empty, empty.deliveries[0])
    assert (made.parts, made.unplaced) == ({}, 0)
    rows: Sequence[dict[str, object]] = table(build(empty), "links")
    assert [(row["link"], row["hits"], row["share"]) for row in rows] == [("Total", 0, None)]
    store(client, 5, {"html": HTML})
    assert badges(message(empty, empty.deliveries[0]), "html") == ["– · 0"] * 4
