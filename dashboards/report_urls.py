"""Report `urls`: which links were clicked, and the rates beside the platform's average (METRICS, report 4)."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Annotated, Any, Literal

from msgspec import Meta

from dashboards.base import milliseconds, starts, stored_bases
from dashboards.choice import Accounts, visible_to
from dashboards.definition import Context, Definition
from dashboards.indicators import Base, Indicators, Rate, indicators, rate
from dashboards.options import OfDistinct
from dashboards.queries import Row
from dashboards.report_indicators import notes as indicator_notes
from dashboards.scope import Scope, report, together
from dashboards.shape import Chart, Column, Lead, Note, Report, Table
from dashboards.since import PERIODS, Within, step_of
from dashboards.words import NOT_KNOWN, OTHERS, TOTAL, UNREGISTERED, kind_of_hit

By = Literal["label", "url", "category", "position"]

LINKS = [
    Column("row", "row", "text", "link, others, unregistered or total", shown=False),
    Column("rank", "rank", "rank", "by clicks; empty on the rows below the list"),
    Column("link", "link", "text", "label (else URL), URL, category or position, as asked for"),
    Column("label", "label", "text", "of the link, where the row is one label", shown=False),
    Column("url", "URL", "text", "as in the template, where the row is one URL", shown=False),
    Column("category", "category", "text", "where the row is one category", shown=False),
    Column("clicks", "clicks", "count", "click hits", leads_to=Lead("who", {"link": "url"}, {"which": "clicked"})),
    Column("share", "share", "rate", "clicks / clicks in all"),
]
RATES = {
    "estimated_reactivity": Note("estimated reactivity"),
    "click_rate": Note("click rate"),
    "person_click_rate": Note("person click rate"),
    "cumulated_click_rate": Note("cumulated click rate"),
}
AVERAGES = [
    Column("rate", "key", "text", "as in report indicators", shown=False),
    Column("title", "rate", "text", "the same for people"),
    Column("value", "here", "rate", "of the deliveries of this report"),
    Column("platform_average", "platform average", "rate", "plain mean over comparable deliveries"),
    Column("deliveries", "deliveries", "count", "how many have such a rate"),
]
OTHER_LINKS = [
    Column("kind", "kind", "text", "optout or mirror", shown=False),
    Column("how", "how", "text", "of an opt-out: view (page seen), form or one_click (confirmed)", shown=False),
    Column("title", "what", "text", "the same for people"),
    Column("link", "link", "text", "label, else URL"),
    Column("url", "URL", "text", "as in the template", shown=False),
    Column("hits", "hits", "count", "opt-out or mirror hits"),
]
OVER_TIME = [
    Column("elapsed_ms", "from", "span", "since each delivery's own start; until the next step"),
    Column("row", "row", "text", "link, others or unregistered", shown=False),
    Column("link", "link", "text", "as in part links, the most clicked ones; the rest is Others"),
    Column("clicks", "clicks", "count", "click hits in the step that begins there"),
]
STREAMS = 8  # links with a series of their own
_NOT_REGISTERED, _NO_CATEGORY = Note("not registered"), Note("(no category)")
_TITLES: dict[By, Note] = {
    "label": Note("Clicks by label"),
    "url": Note("Clicks by url"),
    "category": Note("Clicks by category"),
    "position": Note("Clicks by position"),
}
_IN_TEXT = 32768


def build(scope: Scope, by: By, top: int, period: Within = "all", accounts: Accounts = None) -> Report:
    """The report; `top`: how many links have a row of their own; `period`: since the start, of clicks by link alone.

    `accounts`: whose deliveries are compared with, None = everybody's.
    """
    counted, found = together(scope)
    begun = Begun.of(scope)
    clicks = clicks_by(scope, by, period, begun)
    items = [row["item"] for row in clicks if row["registered"]][: min(top, STREAMS)]
    parts = [averages(scope, counted, accounts), ranking(clicks, by, top), over_time(scope, by, items, period, begun)]
    apart = other_links(scope)
    notes = indicator_notes(scope, counted, found)
    if period != "all":
        notes.append(_ONLY_CLICKS)
    return report(scope, "urls", "URLs", [one for one in [*parts, apart] if one.rows], found, notes)


_ONLY_CLICKS = Note("The period is that of the clicks by link; rates and links of other kinds are of the whole time.")


@dataclass(frozen=True)
class Begun:
    """Deliveries that have a start, and when each was, UTC milliseconds."""

    deliveries: list[int]
    moments: list[int]

    @classmethod
    def of(cls, scope: Scope) -> "Begun":
        """Those of a scope."""
        found = starts(scope.queries, scope.deliveries)
        return cls(list(found), [start.milliseconds for start in found.values()])


def links(scope: Scope, by: By, top: int) -> Table:
    """Clicks of all the time by link."""
    return ranking(clicks_by(scope, by, "all", Begun([], [])), by, top)


def clicks_by(scope: Scope, by: By, period: Within, begun: Begun) -> list[Row]:
    """Clicks of every link, label, category or position, most first."""
    if period == "all":
        return scope.queries.rows("urls", deliveries=scope.keys, people=scope.people, by=by)
    return _since(scope, by, PERIODS[period], begun)


def ranking(rows: Sequence[Row], by: By, top: int) -> Table:
    """Rank, link, clicks, share; then Others, links not registered, and Total: the rows above add up to it."""
    named = [row for row in rows if row["registered"]]
    strange = sum(row["clicks"] for row in rows if not row["registered"])
    others = sum(row["clicks"] for row in named[top:])
    total = sum(row["clicks"] for row in rows)
    ranked = [_ranked(rank, row, by, total) for rank, row in enumerate(named[:top], 1)]
    below = [
        _below(*one, total) for one in (("others", OTHERS, others), ("unregistered", UNREGISTERED, strange)) if one[2]
    ]
    last = _below("total", TOTAL, total, total)
    chart = Chart(kind="bar", x="link", values=["clicks"])
    return Table("links", _TITLES[by], LINKS, [*ranked, *below, last], total_from=len(ranked), chart=chart)


def _since(
    scope: Scope, by: By, period_s: int, begun: Begun, step_s: int = 0, items: Sequence[str] | None = None
) -> list[Row]:
    return scope.queries.rows(
        "urls_since",
        deliveries=begun.deliveries,
        starts=begun.moments,
        people=scope.people,
        by=by,
        period_s=period_s,
        step_s=step_s,
        items=list(items or []),
        some=int(items is not None),
    )


def over_time(scope: Scope, by: By, items: Sequence[str], period: Within, begun: Begun) -> Table:
    """Clicks of these links in each step since the start, and of all others: their sum is the total of the ranking.

    Every link has a row for every step, so that series can stand on each other.
    """
    span_ms = PERIODS[period] * 1000 or scope.queries.row(
        "span", deliveries=begun.deliveries, starts=begun.moments, kinds=["click"], people=scope.people
    )["span_ms"]  # fmt: skip
    step_s = step_of(-(-span_ms // 1000))
    rows = _since(scope, by, PERIODS[period], begun, step_s, items)
    clicks = {(_stream(row), row["step"]): row["clicks"] for row in rows}
    streams = [*(("link", item) for item in items), ("others", ""), ("unregistered", "")]
    there = [one for one in streams if any(stream == one for stream, _ in clicks)]
    last = max((row["step"] for row in rows), default=-1)
    table = [
        [step * step_s * 1000, kind, _stream_title(kind, item, by), clicks.get(((kind, item), step), 0)]
        for step in range(last + 1)
        for kind, item in there
    ]
    chart = Chart(kind="bar", x="elapsed_ms", values=["clicks"], split="link", stacked=True)
    return Table("over_time", "Clicks over time", OVER_TIME, table, chart=chart)


def _stream(row: Row) -> tuple[str, str]:
    if not row["registered"]:
        return "unregistered", ""
    return ("others", "") if row["others"] else ("link", row["item"])


def _stream_title(kind: str, item: str, by: By) -> str:
    return {"others": OTHERS, "unregistered": UNREGISTERED}.get(kind) or _title(item, by)


def _title(item: str, by: By) -> str:
    return _position(int(item)) if by == "position" else item or _NO_CATEGORY


def _below(row: str, title: str, clicks: int, total: int) -> list[Any]:
    return [row, None, title, "", "", "", clicks, rate(clicks, total)]


def _ranked(rank: int, row: Row, by: By, total: int) -> list[Any]:
    return [
        "link",
        rank,
        _title(row["item"], by),
        row["label"],
        row["url"],
        row["category"],
        row["clicks"],
        rate(row["clicks"], total),
    ]


def _position(number: int) -> str:
    if number == 0:
        return NOT_KNOWN
    in_text = number - _IN_TEXT
    return Note("text {number}", number=in_text) if in_text > 0 else Note("HTML {number}", number=number)


def averages(scope: Scope, counted: Indicators, accounts: Accounts) -> Table:
    """The four click rates and their plain mean over comparable deliveries; no mean for several together."""
    peers = [indicators([base]) for base in _peers(scope, accounts)]
    rows = []
    for name, title in RATES.items():
        known: list[Fraction] = [one for one in (getattr(peer, name) for peer in peers) if one is not None]
        mean: Rate = sum(known, Fraction(0)) / len(known) if known else None
        rows.append([name, title, getattr(counted, name), mean, len(known)])
    return Table("rates", "Rates", AVERAGES, rows)


def _peers(scope: Scope, accounts: Accounts) -> list[Base]:
    """Deliveries of the same channel and type, contact date in the 6 months before this one's, without proofs."""
    one = scope.deliveries[0]
    if len(scope.deliveries) > 1 or one.contact_date is None:
        return []
    rows = scope.queries.rows(
        "peers", delivery=one.delivery, channel=one.channel, type=one.type, contact_date=milliseconds(one.contact_date),
        **visible_to(accounts),
    )  # fmt: skip
    return stored_bases(scope.queries, [row["delivery"] for row in rows], scope.cut)


def other_links(scope: Scope) -> Table:
    """Opt-out and mirror hits by link, which no count of clicks holds."""
    rows = scope.queries.rows("other_links", deliveries=scope.keys, people=scope.people)
    return Table(
        "other_links",
        "Opt-out and mirror links, apart from clicks",
        OTHER_LINKS,
        [_other(row) for row in rows],
    )


def _other(row: Row) -> list[Any]:
    kind, how, link = row["kind"], row["how"], row["label"] or row["url"] or _NOT_REGISTERED
    return [kind, how, kind_of_hit(kind, how), link, row["url"], row["n"]]


class Asked(OfDistinct, frozen=True, kw_only=True):
    """What this report can be asked."""

    by: Annotated[By, Meta(description="What makes a row. label is the URL for links without one.")] = "label"
    top: Annotated[int, Meta(ge=1, le=10_000, description="Links with a row of their own.")] = 10
    period: Annotated[Within, Meta(description="Clicks by link only so long after the start.")] = "all"


def _build(context: Context, asked: Asked) -> Report:
    return build(context.scope(asked), asked.by, asked.top, asked.period, context.accounts)


REPORT = Definition(
    name="urls",
    title="URLs",
    answers="which links were clicked, and the click rates beside the platform's average",
    more="The rows add up to the total: the rest is Others, and links that are not registered are a row of their own. "
    "Opt-out and mirror links are no clicks and are listed apart.",
    example="-d june-news --by category --top 20",
    options=Asked,
    parts={"rates": AVERAGES, "links": LINKS, "over_time": OVER_TIME, "other_links": OTHER_LINKS},
    build=_build,
)
