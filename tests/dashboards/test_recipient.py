"""Report `recipient`: found by id, address and hash, in the reader's accounts; filters, order, pages, firsts."""

from datetime import date
from hashlib import sha256
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from clickhouse_driver import Client

from dashboards import report_recipient
from dashboards.definition import Context
from dashboards.indicators import Cut
from dashboards.options import read
from dashboards.queries import Queries, ReportError
from dashboards.report_recipient import REPORT, Wanted, keys_meant
from dashboards.shape import Report
from sendtrail.naming import key
from tests.dashboards.happenings import Happening, Judgement, Numbered, Registered, at, insert, register
from tests.dashboards.shown import table
from tests.dashboards.test_lists import CUTS, _of
from tests.dashboards.world import HOUR, T0, World

NAMING = b"n" * 32
ADDRESS = "Ana.Lee@Example.org"
HASH = sha256(b"ana.lee@example.org").hexdigest()
DAY = 24 * HOUR


def recipient_of(name: str, account: str = "") -> int:
    return key(NAMING, account, "recipient", name)


def ask(queries: Queries, *asked: str, accounts: list[str] | None = None, zone: str = "UTC") -> Report:
    """The report as a reader asks for it: name, then option=value."""
    given: dict[str, list[str]] = {"recipient": [asked[0]]}
    for text in asked[1:]:
        given.setdefault(text.partition("=")[0], []).append(text.partition("=")[2])
    context = Context(queries, NAMING, zone=ZoneInfo(zone), accounts=accounts)
    return REPORT.answer(context, read(REPORT.options, given))


@pytest.fixture
def letters(client: Client) -> None:
    """Delivery 1 feeds the address, 2 (of account shop) its hash, 3 (of account shop) the lower-case address."""
    numbered = Numbered()
    whose = {
        1: (ADDRESS, recipient_of(ADDRESS)),
        2: (HASH, recipient_of(HASH, "shop")),
        3: (ADDRESS.lower(), recipient_of(ADDRESS.lower(), "shop")),
        4: ("someone else", recipient_of("someone else")),
    }
    register(client, [
        Registered(1, "one", label="Z one"), Registered(2, "two", account="shop", label="Y two"),
        Registered(3, "three", account="shop"), Registered(4, "four"),
    ])  # fmt: skip
    events = [
        Happening(d, 9, kind, T0, recipient=key, recipient_name=name)
        for d, (name, key) in whose.items() for kind in ("prepared", "sent", "delivered")
    ]  # fmt: skip
    events += [
        Happening(1, 9, "open", T0 + HOUR, recipient=whose[1][1], client="Gmail"),
        Happening(
            1, 9, "click", T0 + 2 * HOUR, recipient=whose[1][1], client="Outlook", destination="https://b.example/"
        ),
        Happening(2, 9, "click", T0 + DAY, client="Apple Mail", destination="https://a.example/"),  # link knows nobody
        Happening(3, 9, "open", T0 + 2 * DAY, recipient=whose[3][1], judgements=(Judgement(), Judgement("machine"))),
        Happening(4, 9, "open", T0, recipient=whose[4][1]),
    ]
    insert(client, [numbered(one) for one in events])


def kinds(report: Report, column: str = "kind") -> list[Any]:
    return [row[column] for row in table(report, "hits")]


@pytest.mark.usefixtures("letters")
def test_by_name_address_and_hash(queries: Queries) -> None:
    assert kinds(ask(queries, ADDRESS, "cut=all")) == ["click", "open"]
    assert kinds(ask(queries, HASH, "cut=all")) == ["click"]  # of another account than the default one
    whole = ask(queries, " ana.lee@EXAMPLE.org", "address=true", "cut=all")
    assert kinds(whole, "delivery") == ["three", "Y two"]  # as typed it is neither the address as fed nor a name
    assert kinds(ask(queries, ADDRESS, "address=true", "cut=all"), "delivery") == ["three", "Y two", "Z one", "Z one"]
    assert "3 recipients are shown together." in ask(queries, ADDRESS, "address=true").notes
    assert [one.name for one in whole.subjects] in ([HASH, ADDRESS.lower()], [ADDRESS.lower(), HASH])
    with pytest.raises(ReportError, match="Option address looks for an e-mail address and for its hash"):
        ask(queries, "ana.lee@example.com")
    assert keys_meant(queries, "42", None, None) == [42]


@pytest.mark.usefixtures("letters")
def test_a_reader_sees_hits_of_their_accounts_only(queries: Queries) -> None:
    own = ask(queries, ADDRESS, "address=true", "cut=all", accounts=["shop"])
    assert set(kinds(own, "delivery")) == {"three", "Y two"}
    assert {row["delivery"] for row in table(own, "messages")} == {"three", "Y two"}
    assert own.hits is not None
    assert (own.hits.people, own.hits.all) == (1, 2)
    assert kinds(ask(queries, ADDRESS, "address=true", "cut=all", accounts=[""]), "delivery") == ["Z one", "Z one"]
    with pytest.raises(ReportError, match="no recipient 'someone else'"):
        ask(queries, "someone else", accounts=["shop"])
    with pytest.raises(ReportError, match="no recipient"):
        ask(queries, ADDRESS, "address=true", accounts=[])
    with pytest.raises(ReportError, match="no delivery 'one'"):
        ask(queries, ADDRESS, "address=true", "delivery=one", accounts=["shop"])


@pytest.mark.usefixtures("letters")
def test_filters_order_and_pages(queries: Queries) -> None:
    mine = (ADDRESS, "address=true", "cut=all")
    assert kinds(ask(queries, *mine, "sort=oldest"), "delivery") == ["Z one", "Z one", "Y two", "three"]
    assert kinds(ask(queries, *mine, "sort=kind")) == ["click", "click", "open", "open"]
    assert kinds(ask(queries, *mine, "sort=delivery"), "delivery") == ["Y two", "Z one", "Z one", "three"]
    assert kinds(ask(queries, *mine, "sort=client"), "client") == ["", "Apple Mail", "Gmail", "Outlook"]
    assert kinds(ask(queries, *mine, "sort=class"), "class") == ["human", "human", "human", "machine"]
    assert kinds(ask(queries, *mine, "sort=link"), "url") == ["", "", "https://a.example/", "https://b.example/"]
    assert kinds(ask(queries, *mine, "delivery=one", "delivery=two")) == ["click", "click", "open"]
    assert kinds(ask(queries, *mine, "classes=machine"), "delivery") == ["three"]
    assert kinds(ask(queries, *mine, "kind=open", "classes=human"), "delivery") == ["Z one"]
    first = at(T0).date()
    assert kinds(ask(queries, *mine, f"until={first}"), "delivery") == ["Z one", "Z one"]
    assert kinds(ask(queries, *mine, f"since={date.fromordinal(first.toordinal() + 2)}"), "delivery") == ["three"]
    page = ask(queries, *mine, "limit=1", "offset=2")
    assert kinds(page, "delivery") == ["Z one"]
    assert "Shown: 3 to 3 of 4." in page.notes
    behind = ask(queries, *mine, "offset=9")
    assert (kinds(behind), "Shown: none of 4; the last one is before this page." in behind.notes) == ([], True)


@pytest.mark.usefixtures("letters")
def test_days_are_those_of_the_readers_zone(queries: Queries) -> None:
    """T0 is 2026-09-21 14:13:20 UTC: an hour and two later it is already the 22nd in Auckland."""
    assert at(T0).isoformat() == "2026-09-21T14:13:20+00:00"
    assert kinds(ask(queries, ADDRESS, "until=2026-09-21")) == ["click", "open"]
    assert kinds(ask(queries, ADDRESS, "until=2026-09-21", zone="Pacific/Auckland")) == []
    assert kinds(ask(queries, ADDRESS, "since=2026-09-22", zone="Pacific/Auckland")) == ["click", "open"]


@pytest.mark.usefixtures("letters")
def test_first_open_and_click_of_each_message(queries: Queries) -> None:
    rows = {row["delivery"]: row for row in table(ask(queries, ADDRESS, "address=true"), "messages")}
    one, three = rows["Z one"], rows["three"]
    assert (one["state"], one["first_open"], one["first_click"]) == ("delivered", at(T0 + HOUR), at(T0 + 2 * HOUR))
    assert (one["opens"], one["clicks"], one["last_hit"]) == (1, 1, at(T0 + 2 * HOUR))
    assert (three["first_open"], three["opens"], three["last_hit"]) == (None, 0, None)  # a machine's
    assert list(rows) == ["Y two", "Z one", "three"]


@pytest.mark.parametrize("cut", CUTS)
def test_firsts_equal_a_recount(world: World, world_queries: Queries, cut: Cut) -> None:
    for message in (1, 3, 7):
        report = report_recipient.build(world_queries, [message + 1_000_000], cut, Wanted(limit=1))
        mine = [one for one in world.happenings if _of(one, message, world.happenings) and one.in_cut(cut == "people")]
        for row in table(report, "messages"):
            hits = [one for one in mine if str(one.delivery) == row["delivery_key"]]
            opens = [one.time_ms for one in hits if one.kind == "open"]
            clicks = [one.time_ms for one in hits if one.kind == "click"]
            assert (row["opens"], row["clicks"]) == (len(opens), len(clicks))
            assert row["first_open"] == (at(min(opens)) if opens else None)
            assert row["first_click"] == (at(min(clicks)) if clicks else None)
            assert row["last_hit"] == (at(max(one.time_ms for one in hits)) if hits else None)
        assert {one.delivery for one in mine} <= {int(row["delivery_key"]) for row in table(report, "messages")}
