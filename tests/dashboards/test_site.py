"""Report `site`: last click within the days, funnel, pages, sources; by hand, and against a recount."""

import re
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import timedelta
from fractions import Fraction
from typing import Any
from urllib.parse import urlsplit

import pytest
from clickhouse_driver import Client

from dashboards import report_site
from dashboards.choice import by_key
from dashboards.indicators import Cut
from dashboards.queries import Queries
from dashboards.report_site import By, Wanted
from dashboards.shape import Report
from tests.dashboards.happenings import Happening, Judgement, Numbered, Registered, at, insert, register
from tests.dashboards.shown import figures, table
from tests.dashboards.test_recount import CUTS
from tests.dashboards.world import DELIVERIES, HOUR, T0, World

DAY = 24 * HOUR
STEPS = [("basket", "/basket*"), ("pay", "*/pay/*")]
EVER = {"since": at(T0 - 1000 * DAY), "until": at(T0 + 1000 * DAY)}
SHOP, SEARCH = "https://www.shop.example/", "https://www.search.example/?q=letter"
ANA, BEN, EVA = 1, 2, 3


def shown(queries: Queries, cut: Cut = "people", accounts: list[str] | None = None, **wanted: Any) -> Report:
    return report_site.build(queries, cut, Wanted(**(EVER | {"steps": STEPS} | wanted)), True, accounts)


def visits_by(report: Report, part: str, key: str) -> dict[str, int]:
    return {row[key]: row["visits"] for row in table(report, part)}


@pytest.fixture
def shop(client: Client) -> None:
    """Ana clicks in 7, then in 8, and buys; Ben's click is 31 days old; Eva comes from a search; a machine looks in."""
    numbered = Numbered()
    register(client, [
        Registered(7, "june", label="June", campaign="Summer"), Registered(8, "july", label="July", account="shop"),
    ])  # fmt: skip

    def seen(person: int, ms: int, page: str, referrer: str = "", **more: Any) -> Happening:
        kind = "transaction" if "currency" in more else "web"
        delivery, message = more.pop("of", (0, 0))
        return Happening(delivery, message, kind, T0 + ms, person=person, site="shop.example", page=page,
                         referrer=referrer, **more)  # fmt: skip

    events = [
        Happening(7, 1, "click", T0, person=ANA),
        Happening(8, 1, "click", T0 + 2 * HOUR, person=ANA),
        Happening(7, 2, "click", T0 - 31 * DAY, person=BEN),
        seen(ANA, -HOUR, "/"),  # before any click
        seen(ANA, HOUR, "/basket?i=1", of=(7, 1)),  # due to 7
        seen(ANA, 3 * HOUR, "https://shop.example/pay/card", SHOP, of=(7, 1)),  # names 7, but 8 was clicked last
        seen(ANA, 4 * HOUR, "/thanks", currency="EUR", amount=1000, articles=2),
        seen(ANA, 5 * HOUR, "/thanks", currency="JPY", amount=300, articles=1),
        seen(BEN, 0, "/pay/card", of=(7, 2)),  # a step without the one before
        seen(BEN, 1, "/basket"),
        seen(EVA, 0, "/basket", SEARCH),
        seen(EVA, 1, "/pay/", SEARCH, judgements=(Judgement("machine"), Judgement("human"))),
        seen(9, 0, "/basket", judgements=(Judgement("human"), Judgement("machine"))),
    ]
    insert(client, [numbered(one) for one in events])


@pytest.mark.usefixtures("shop")
def test_the_site_by_hand(queries: Queries) -> None:
    report = shown(queries)
    numbers = figures(report, "site")
    assert {**numbers} == {
        "visits": 9, "visitors": 3, "pages": 6, "transactions": 2, "buyers": 1, "conversion": Fraction(1, 3),
    }  # fmt: skip
    assert report.hits is not None
    assert (report.hits.people, report.hits.all) == (9, 10)
    sums = table(report, "transactions")
    assert {row["currency"]: (row["transactions"], row["amount"], row["articles"]) for row in sums} == {
        "EUR": (1, (1000, "EUR"), 2),
        "JPY": (1, (300, "JPY"), 1),
    }
    funnel = [(row["step"], row["visitors"], row["of_step_before"]) for row in table(report, "funnel")]
    assert funnel == [("visited", 3, None), ("basket", 3, 1), ("pay", 2, Fraction(2, 3)), ("bought", 1, Fraction(1, 2))]
    pages = visits_by(report, "pages", "page")
    assert (pages["/basket"], pages["/thanks"], pages["Total"]) == (3, 2, 9)
    assert visits_by(report, "attribution", "how") == {"named": 1, "other": 3, "unclicked": 1, "none": 4}


@pytest.mark.usefixtures("shop")
def test_sources_by_hand(queries: Queries) -> None:
    sources = {(row["kind"], row["source"]): row for row in table(shown(queries), "sources")}
    assert {key: row["visits"] for key, row in sources.items()} == {
        ("delivery", "July"): 3, ("delivery", "June"): 1, ("referrer", "search.example"): 2, ("direct", "direct"): 3,
        ("total", "Total"): 9,
    }  # fmt: skip
    july = sources["delivery", "July"]
    assert (july["visitors"], july["transactions"], july["conversion"], july["key"]) == (1, 2, 1, "8")
    campaigns = visits_by(shown(queries, by="campaign"), "sources", "source")
    assert campaigns == {"Summer": 1, "(no campaign)": 3, "search.example": 2, "direct": 3, "Total": 9}
    plain = {row["kind"]: row["visits"] for row in table(shown(queries, by="referrer"), "sources")}
    assert plain == {"referrer": 2, "site": 1, "direct": 6, "total": 9}
    few = visits_by(shown(queries, top=1), "sources", "source")
    assert sum(few.values()) == 18
    assert few["Others"] == 6
    sales = [(row["source"], row["currency"], row["amount"]) for row in table(shown(queries), "sales")]
    assert sales == [("July", "EUR", (1000, "EUR")), ("July", "JPY", (300, "JPY"))]


@pytest.mark.usefixtures("shop")
def test_days_deliveries_sites_and_readers(queries: Queries) -> None:
    assert visits_by(shown(queries, days=31), "attribution", "how") == {
        "named": 2,
        "other": 3,
        "none": 4,
    }  # to the millisecond
    june = shown(queries, deliveries=[by_key(queries, 7)])
    assert figures(june, "site")["visits"] == 1
    assert "Only visits due to these deliveries." in june.notes
    reader = shown(queries, accounts=["shop"])
    assert figures(reader, "site")["visits"] == 3
    assert {row["source"] for row in table(reader, "sources")} == {"July", "Total"}
    assert figures(shown(queries, accounts=[]), "site")["visits"] == 0
    assert figures(shown(queries, site="other.example"), "site")["conversion"] is None
    early = shown(queries, until=at(T0 + 1))
    assert figures(early, "site")["visits"] == 3
    assert figures(shown(queries, since=at(T0 + 4 * HOUR)), "site")["visits"] == 2
    assert visits_by(shown(queries, since=at(T0 + 4 * HOUR)), "attribution", "how") == {"other": 2}


def test_a_site_without_visits(queries: Queries) -> None:
    report = shown(queries)
    assert [part.key for part in report.parts] == ["site"]
    assert set(figures(report, "site").values()) == {0, None}


def test_patterns_of_pages() -> None:
    assert re.match(report_site.pattern("/basket*"), "/basket/1")
    assert not re.match(report_site.pattern("/basket"), "/basket/1")
    assert not re.match(report_site.pattern("/a.b"), "/aXb")
    assert re.match(report_site.pattern("/a(b)+[c]*"), "/a(b)+[c]d")
    assert report_site.steps_of(["basket = /basket*", "pay=/pay?a=b"]) == [("basket", "/basket*"), ("pay", "/pay?a=b")]


def test_a_pattern_is_never_more_than_a_pattern(queries: Queries, client: Client) -> None:
    numbered = Numbered()
    insert(client, [numbered(Happening(0, 0, "web", T0, person=1, site="s", page="/it's\\n"))])
    report = shown(queries, steps=[("odd", "/it's*"), ("quote", "') OR 1 = 1 --")])
    assert [row["visitors"] for row in table(report, "funnel")] == [1, 1, 0, 0]


class Again:
    """Visits of the world counted once more."""

    def __init__(self, world: World, cut: Cut, days: int) -> None:
        hits = [one for one in world.happenings if one.in_cut(cut == "people")]
        self.visits = [one for one in hits if one.kind in ("web", "transaction")]
        by_person: dict[Any, list[tuple[int, bytes, int]]] = defaultdict(list)
        for one in hits:
            if one.kind == "click":
                for who in (one.person, (one.delivery, one.message)):
                    by_person[who].append((one.time_ms, one.event_id, one.delivery))
        self._clicks = {who: sorted(clicks) for who, clicks in by_person.items()}
        self.due = {one.event_id: self._due(one, days) for one in self.visits}

    def _due(self, visit: Happening, days: int) -> int | None:
        last = []
        for who in (visit.person, (visit.delivery, visit.message)):
            clicks = self._clicks.get(who, [])
            number = bisect_right(clicks, (visit.time_ms, b"\xff" * 16, 0))
            last += clicks[number - 1 : number]
        if not last:
            return None
        newest = max(time_ms for time_ms, _, _ in last)
        found = max(one for one in last if one[0] == newest)
        return found[2] if newest >= visit.time_ms - days * DAY else None

    def source(self, visit: Happening, by: By) -> tuple[str, str]:
        due = self.due[visit.event_id]
        if by != "referrer" and due is not None:
            one = next(one for one in DELIVERIES if one.delivery == due)
            named = (one.campaign or "(no campaign)") if by == "campaign" else one.label or str(due)
            return by, named
        host = (urlsplit(visit.referrer).hostname or visit.referrer).removeprefix("www.")
        if not host:
            return "direct", "direct"
        return ("site", "the site itself") if host == visit.site.removeprefix("www.") else ("referrer", host)


@pytest.mark.parametrize(("by", "days"), [("delivery", 30), ("campaign", 1), ("referrer", 30)])
@pytest.mark.parametrize("cut", CUTS)
def test_the_site_equals_a_recount(world: World, world_queries: Queries, cut: Cut, by: By, days: int) -> None:
    report = shown(world_queries, cut, by=by, days=days, top=1000)
    again = Again(world, cut, days)
    numbers = figures(report, "site")
    buyers = {one.person for one in again.visits if one.kind == "transaction"}
    assert (numbers["visits"], numbers["visitors"]) == (len(again.visits), len({one.person for one in again.visits}))
    assert numbers["transactions"] == sum(one.kind == "transaction" for one in again.visits)
    assert numbers["buyers"] == len(buyers)
    pages = Counter(_plain(one.page) or "(no page)" for one in again.visits)
    assert visits_by(report, "pages", "page") == {**pages, "Total": len(again.visits)}
    sources: dict[tuple[str, str], list[Happening]] = defaultdict(list)
    for one in again.visits:
        sources[again.source(one, by)].append(one)
    rows = {(row["kind"], row["source"]): row for row in table(report, "sources") if row["kind"] != "total"}
    assert {key: row["visits"] for key, row in rows.items()} == {key: len(mine) for key, mine in sources.items()}
    assert {key: row["visitors"] for key, row in rows.items()} == {
        key: len({one.person for one in mine}) for key, mine in sources.items()
    }
    amounts: Counter[tuple[str, str, str]] = Counter()
    for one in again.visits:
        if one.kind == "transaction":
            amounts[(*again.source(one, by), one.currency)] += one.amount
    assert {(r["kind"], r["source"], r["currency"]): r["amount"][0] for r in table(report, "sales")} == dict(amounts)
    how = Counter(
        ("named" if due == one.delivery else "other") if (due := again.due[one.event_id]) is not None else "unclicked"
        for one in again.visits
    )
    assert visits_by(report, "attribution", "how") == dict(how)


@pytest.mark.parametrize("cut", CUTS)
def test_the_funnel_equals_a_recount(world: World, world_queries: Queries, cut: Cut) -> None:
    steps = [("home", "/"), ("basket", "/basket*"), ("pay", "/pay/*")]
    report = shown(world_queries, cut, steps=steps)
    again = Again(world, cut, 30)
    patterns = [re.compile(report_site.pattern(each)) for _, each in steps]
    reached = Counter(_reached(visits, patterns) for visits in _by_person(again.visits))
    expected = [sum(count for far, count in reached.items() if far >= number) for number in range(len(steps) + 2)]
    assert [row["visitors"] for row in table(report, "funnel")] == expected
    assert expected[1] > expected[2] > expected[3] > 0


def _by_person(visits: Sequence[Happening]) -> list[list[Happening]]:
    found: dict[int, list[Happening]] = defaultdict(list)
    for one in sorted(visits, key=lambda one: (one.time_ms, one.event_id)):
        found[one.person].append(one)
    return list(found.values())


def _reached(visits: Sequence[Happening], patterns: Sequence[re.Pattern[str]]) -> int:
    done = 0
    for one in visits:
        page = _plain(one.page)
        if done < len(patterns) and (patterns[done].match(page) or patterns[done].match(urlsplit(page).path)):
            done += 1
        if done == len(patterns) and one.kind == "transaction":
            done += 1
            break
    return done


def _plain(page: str) -> str:
    return page.partition("#")[0].partition("?")[0]


@pytest.mark.parametrize("cut", CUTS)
def test_visits_of_one_delivery_equal_a_recount(world: World, world_queries: Queries, cut: Cut) -> None:
    again = Again(world, cut, 30)
    for keys in ([1], [2, 3]):
        mine = [one for one in again.visits if again.due[one.event_id] in keys and one.time_ms < T0 + 2 * DAY]
        until = at(T0) + timedelta(days=2)
        report = shown(world_queries, cut, deliveries=[by_key(world_queries, key) for key in keys], until=until)
        assert figures(report, "site")["visits"] == len(mine)
        assert figures(report, "site")["visitors"] == len({one.person for one in mine})
