"""Report `site`: visits, visitors, pages, transactions, a funnel of named steps, and where visits came from (METRICS,
report 14). A visit is due to the last click before it, of the same person or message, within reports.attribution_days.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any, Literal

from msgspec import Meta

from dashboards.base import milliseconds, people
from dashboards.choice import Accounts, Delivery, by_keys, visible_to
from dashboards.definition import Context, Definition
from dashboards.indicators import Cut, rate
from dashboards.options import DELIVERY_NAMES, DeliveryNames, Options
from dashboards.queries import Queries, Row
from dashboards.report_indicators import money_row
from dashboards.shape import Chart, Hits, Note, Record, Report, Section, Table
from dashboards.since import midnight
from dashboards.site_columns import (
    ATTRIBUTION,
    BOUGHT,
    FIGURES,
    FUNNEL,
    HOW,
    MONEY,
    NO_PAGE,
    PAGES,
    SALES,
    SOURCES,
    VISITED,
)
from dashboards.words import OTHERS, TOTAL

By = Literal["delivery", "campaign", "referrer"]

_MOST = 10_000  # rows of a kind that are read


@dataclass(frozen=True)
class Wanted:
    """Which visits: event times (`until` not in it), one site ('' = any), only those due to deliveries (empty = any).

    `steps`: name and pages of each; `days`: how old a click may be; `top`: pages and sources with a row of their own.
    """

    since: datetime
    until: datetime
    site: str = ""
    deliveries: Sequence[Delivery] = ()
    by: By = "delivery"
    steps: Sequence[tuple[str, str]] = ()
    days: int = 30
    top: int = 20


def build(queries: Queries, cut: Cut, wanted: Wanted, persons: bool, accounts: Accounts = None) -> Report:
    """The report. `persons`: visitor cookies are on; `accounts`: of deliveries the reader sees, None = everybody's."""
    asked: dict[str, Any] = {
        "since": milliseconds(wanted.since), "until": milliseconds(wanted.until), "site": wanted.site,
        "deliveries": [one.delivery for one in wanted.deliveries], "days": wanted.days,
        **visible_to(accounts),
    }  # fmt: skip
    rows = queries.rows("site", people=people(cut), by=wanted.by, top=_MOST, **asked)
    other = queries.rows("site", people=people("all" if cut == "people" else "people"), by=wanted.by, top=1, **asked)
    total = _total(rows)
    visits = {cut: total["visits"], "all" if cut == "people" else "people": _total(other)["visits"]}
    titles = _titles(queries, rows)
    parts: list[Table | Record] = [
        figures(total, next((row["values"] for row in rows if row["dim"] == "page"), 0)),
        money(rows),
        funnel(queries.rows("site_funnel", people=people(cut), steps=[pattern(each) for _, each in wanted.steps],
                            **asked), wanted.steps),
        pages(rows, total, wanted.top),
        sources(rows, total, titles, wanted.top),
        sales(rows, titles),
        attribution(rows),
    ]  # fmt: skip
    return Report(
        name="site",
        title="Site",
        cut=cut,
        calculated_at=wanted.deliveries[0].asked_at if wanted.deliveries else datetime.now(UTC),
        parts=[part for part in parts if isinstance(part, Record) or part.rows],
        subjects=[one.subject for one in wanted.deliveries],
        hits=Hits(visits["people"], visits["all"]),
        notes=_notes(wanted, persons, accounts),
    )


_NOTHING: Row = {"visits": 0, "visitors": 0, "transactions": 0, "buyers": 0}


def _total(rows: Sequence[Row]) -> Row:
    return next((row for row in rows if row["dim"] == "total"), _NOTHING)


def _notes(wanted: Wanted, persons: bool, accounts: Accounts) -> list[Note]:
    last = wanted.until - timedelta(milliseconds=1)
    said = [
        Note("Visits from {since} to {until}.", since=wanted.since.date(), until=last.date()),
        Note(
            "A visit is due to the last click of the same person or message, no more than {days} × 24 h before it.",
            days=wanted.days,
        ),
    ]
    if not persons:
        said.append(Note(
            "Visitor cookies are off: a visitor is a message, or where a visit names none the browser's address."
        ))  # fmt: skip
    if wanted.deliveries:
        said.append(Note("Only visits due to these deliveries."))
    elif accounts is not None:
        said.append(Note("Only visits due to deliveries that you may see."))
    return said


def pattern(pages: str) -> str:
    """Pages of a step as a regular expression that ClickHouse (RE2) and Python read alike."""
    return "^" + ".*".join(re.escape(piece) for piece in pages.strip().split("*")) + "$"


def steps_of(named: Sequence[str]) -> list[tuple[str, str]]:
    """Setting reports.site_steps: name and pages of each step."""
    return [(name.strip(), pages.strip()) for name, _, pages in (one.partition("=") for one in named)]


def figures(total: Row, pages: int) -> Record:
    """The site in six numbers."""
    values = {**total, "pages": pages, "conversion": rate(total["buyers"], total["visitors"])}
    return Record("site", "Site", [Section("Site", [(column, values[column.key]) for column in FIGURES])])


def money(rows: Sequence[Row]) -> Table:
    """Transactions by currency, never across."""
    table = [money_row(row, 0)[: len(MONEY)] for row in rows if row["dim"] == "currency"]
    return Table("transactions", "Transactions", MONEY, table)


def funnel(rows: Sequence[Row], steps: Sequence[tuple[str, str]]) -> Table:
    """Visitors who came to each step, one after the other."""
    named = [(VISITED, ""), *steps, (BOUGHT, "")]
    came = [sum(row["visitors"] for row in rows if row["reached"] >= number) for number in range(len(named))]
    table = [
        [name, pages, count, rate(count, came[0]), rate(count, came[number - 1]) if number else None]
        for number, ((name, pages), count) in enumerate(zip(named, came, strict=True))
    ]
    chart = Chart(kind="funnel", x="step", values=["visitors"])
    return Table("funnel", "Funnel", FUNNEL, table if came[0] else [], chart=chart)


def pages(rows: Sequence[Row], total: Row, top: int) -> Table:
    """The pages visited most, then Others and Total."""
    mine = [row for row in rows if row["dim"] == "page"][:top]
    table: list[list[Any]] = [
        ["page", row["name"] or NO_PAGE, row["visits"], row["visitors"], rate(row["visits"], total["visits"])]
        for row in mine
    ]
    rest = total["visits"] - sum(row["visits"] for row in mine)
    below: list[list[Any]] = [["others", OTHERS, rest, None, rate(rest, total["visits"])]] if rest else []
    if mine:
        below.append(["total", TOTAL, total["visits"], total["visitors"], rate(total["visits"], total["visits"])])
    chart = Chart(kind="bar", x="page", values=["visits"])
    return Table("pages", "Pages", PAGES, [*table, *below], total_from=len(table), chart=chart)


def sources(rows: Sequence[Row], total: Row, titles: dict[str, str], top: int) -> Table:
    """Where visits came from, most first, then Others and Total."""
    mine = [row for row in rows if row["dim"] == "source"][:top]
    table = [_source(row, titles, total["visits"]) for row in mine]
    rest = {name: total[name] - sum(row[name] for row in mine) for name in ("visits", "transactions")}
    below: list[list[Any]] = []
    if rest["visits"]:
        share = rate(rest["visits"], total["visits"])
        below.append([_KINDS["others"], OTHERS, "", rest["visits"], share, None, rest["transactions"], None, None])
    if mine:
        below.append(_source({**total, "kind": "total", "name": ""}, titles, total["visits"]))
    chart = Chart(kind="bar", x="source", values=["visits"])
    return Table("sources", "Sources", SOURCES, [*table, *below], total_from=len(table), chart=chart)


def _source(row: Row, titles: dict[str, str], visits: int) -> list[Any]:
    key = row["name"] if row["kind"] == "delivery" else ""
    return [
        _KINDS[row["kind"]], _source_title(row, titles), key, row["visits"], rate(row["visits"], visits),
        row["visitors"],
        row["transactions"], row["buyers"], rate(row["buyers"], row["visitors"]),
    ]  # fmt: skip


_KINDS = {
    "delivery": Note("delivery"), "campaign": Note("campaign"), "referrer": Note("referrer"), "site": Note("site"),
    "direct": Note("direct"), "others": Note("others"), "total": Note("total"),
}  # fmt: skip
_TITLES = {"direct": Note("direct"), "site": Note("the site itself"), "total": TOTAL}
_NO_CAMPAIGN = Note("(no campaign)")


def _source_title(row: Row, titles: dict[str, str]) -> str:
    kind, name = row["kind"], str(row["name"])
    if kind == "delivery":
        return titles.get(name, name)
    return _TITLES.get(kind) or name or _NO_CAMPAIGN


def _titles(queries: Queries, rows: Sequence[Row]) -> dict[str, str]:
    keys = sorted({int(row["name"]) for row in rows if row["kind"] == "delivery"})
    return {str(one.delivery): one.title for one in by_keys(queries, keys)} if keys else {}


def sales(rows: Sequence[Row], titles: dict[str, str]) -> Table:
    """Transactions by source and currency, never across."""
    table = [
        [_KINDS[row["kind"]], _source_title(row, titles), row["currency"], row["transactions"],
         (row["amount"], row["currency"]), row["articles"]]
        for row in rows if row["dim"] == "sale"
    ]  # fmt: skip
    return Table("sales", "Transactions by source", SALES, table)


def attribution(rows: Sequence[Row]) -> Table:
    """What the visits say of their delivery, beside what the last click says."""
    found = {row["name"]: row for row in rows if row["dim"] == "attribution"}
    table = [[how, HOW[how], found[how]["visits"], found[how]["transactions"]] for how in HOW if how in found]
    return Table("attribution", "Attribution", ATTRIBUTION, table)


class Asked(Options, frozen=True, kw_only=True):
    """What this report can be asked."""

    site: Annotated[str | None, Meta(description="Only this site.", extra={"metavar": "NAME"})] = None
    delivery: Annotated[
        DeliveryNames, Meta(description="Only visits due to this delivery; repeatable.", extra=DELIVERY_NAMES)
    ] = []
    by: Annotated[
        By, Meta(description="What a source is: the delivery or campaign clicked last, or the referrer alone.")
    ] = "delivery"
    since: Annotated[date | None, Meta(description="Not before this day; without it 30 days before the last.")] = None
    until: Annotated[date | None, Meta(description="Not after this day; without it today.")] = None
    top: Annotated[int, Meta(ge=1, le=1000, description="Pages and sources with a row of their own.")] = 20


def _build(context: Context, asked: Asked) -> Report:
    settings = context.queries.settings
    last = asked.until or datetime.now(context.zone).date()
    first = asked.since or last - timedelta(days=29)
    wanted = Wanted(
        midnight(first, context.zone), midnight(last + timedelta(days=1), context.zone), asked.site or "",
        context.deliveries(asked.delivery),
        asked.by, steps_of(settings.site_steps), settings.attribution_days, asked.top,
    )  # fmt: skip
    return build(context.queries, asked.cut, wanted, context.persons, context.accounts)


REPORT = Definition(
    name="site",
    title="Site",
    answers="visits of a site, visitors, pages, transactions, a funnel of named steps, and where visits came from",
    more="A visit is due to the last click of the same person or message before it, within reports.attribution_days. "
    "Steps of the funnel are named by reports.site_steps.",
    example="--site shop.example --by campaign --since 2026-11-01",
    options=Asked,
    parts={
        "site": FIGURES,
        "transactions": MONEY,
        "funnel": FUNNEL,
        "pages": PAGES,
        "sources": SOURCES,
        "sales": SALES,
        "attribution": ATTRIBUTION,
    },
    build=_build,
)
