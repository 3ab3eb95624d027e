"""Report `urls`: which links were clicked, and the rates beside the platform's average (METRICS, report 4)."""

from fractions import Fraction
from typing import Annotated, Any, Literal

from msgspec import Meta

from dashboards.base import milliseconds, stored_bases
from dashboards.definition import Context, Definition
from dashboards.indicators import Base, Indicators, Rate, indicators, rate
from dashboards.options import OfDistinct
from dashboards.queries import Row
from dashboards.scope import Scope, person_note, report, together
from dashboards.shape import Column, Report, Table

By = Literal["label", "url", "category", "position"]

LINKS = [
    Column("row", "row", "text", "link, others, unregistered or total", shown=False),
    Column("rank", "rank", "rank", "by clicks; empty on the rows below the list"),
    Column("link", "link", "text", "label (else URL), URL, category or position, as asked for"),
    Column("label", "label", "text", "of the link, where the row is one label", shown=False),
    Column("url", "URL", "text", "as in the template, where the row is one URL", shown=False),
    Column("category", "category", "text", "where the row is one category", shown=False),
    Column("clicks", "clicks", "count", "click hits"),
    Column("share", "share", "rate", "clicks / clicks in all"),
]
RATES = {
    "estimated_reactivity": "estimated reactivity",
    "click_rate": "click rate",
    "person_click_rate": "person click rate",
    "cumulated_click_rate": "cumulated click rate",
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
UNREGISTERED, OTHERS, TOTAL = "links not registered", "Others", "Total"
_KINDS = {
    ("optout", "view"): "opt-out page seen",
    ("optout", "form"): "opt-out confirmed on the page",
    ("optout", "one_click"): "opt-out by one click",
    ("optout", ""): "opt-out",
    ("mirror", ""): "mirror page",
}  # fmt: skip
_IN_TEXT = 32768


def build(scope: Scope, by: By, top: int) -> Report:
    """The report; `top`: how many links have a row of their own."""
    counted, found = together(scope)
    parts = [averages(scope, counted), links(scope, by, top)]
    apart = other_links(scope)
    notes = [person_note(scope)]
    return report(scope, "urls", "URLs", parts + ([apart] if apart.rows else []), found, notes)


def links(scope: Scope, by: By, top: int) -> Table:
    """Rank, link, clicks, share; then Others, links not registered, and Total: the rows above add up to it."""
    rows = scope.queries.rows("urls", deliveries=scope.keys, people=scope.people, by=by)
    named = [row for row in rows if row["registered"]]
    strange = sum(row["clicks"] for row in rows if not row["registered"])
    others = sum(row["clicks"] for row in named[top:])
    total = sum(row["clicks"] for row in rows)
    ranked = [_ranked(rank, row, by, total) for rank, row in enumerate(named[:top], 1)]
    below = [
        _below(*one, total) for one in (("others", OTHERS, others), ("unregistered", UNREGISTERED, strange)) if one[2]
    ]
    last = _below("total", TOTAL, total, total)
    return Table("links", f"Clicks by {by}", LINKS, [*ranked, *below, last], total_from=len(ranked))


def _below(row: str, title: str, clicks: int, total: int) -> list[Any]:
    return [row, None, title, "", "", "", clicks, rate(clicks, total)]


def _ranked(rank: int, row: Row, by: By, total: int) -> list[Any]:
    link = _position(int(row["item"])) if by == "position" else row["item"] or "(no category)"
    return ["link", rank, link, row["label"], row["url"], row["category"], row["clicks"], rate(row["clicks"], total)]


def _position(number: int) -> str:
    if number == 0:
        return "not known"
    return f"text {number - _IN_TEXT}" if number > _IN_TEXT else f"HTML {number}"


def averages(scope: Scope, counted: Indicators) -> Table:
    """The four click rates and their plain mean over comparable deliveries; no mean for several together."""
    peers = [indicators([base]) for base in _peers(scope)]
    rows = []
    for name, title in RATES.items():
        known: list[Fraction] = [one for one in (getattr(peer, name) for peer in peers) if one is not None]
        mean: Rate = sum(known, Fraction(0)) / len(known) if known else None
        rows.append([name, title, getattr(counted, name), mean, len(known)])
    return Table("rates", "Rates", AVERAGES, rows)


def _peers(scope: Scope) -> list[Base]:
    """Deliveries of the same channel and type, contact date in the 6 months before this one's, without proofs."""
    one = scope.deliveries[0]
    if len(scope.deliveries) > 1 or one.contact_date is None:
        return []
    rows = scope.queries.rows(
        "peers", delivery=one.delivery, channel=one.channel, type=one.type, contact_date=milliseconds(one.contact_date)
    )
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
    kind, how, link = row["kind"], row["how"], row["label"] or row["url"] or "not registered"
    return [kind, how, _KINDS.get((kind, how), kind), link, row["url"], row["n"]]


class Asked(OfDistinct, frozen=True, kw_only=True):
    """What this report can be asked."""

    by: Annotated[By, Meta(description="What makes a row. label is the URL for links without one.")] = "label"
    top: Annotated[int, Meta(ge=1, le=10_000, description="Links with a row of their own.")] = 10


def _build(context: Context, asked: Asked) -> Report:
    return build(context.scope(asked), asked.by, asked.top)


REPORT = Definition(
    name="urls",
    title="URLs",
    answers="which links were clicked, and the click rates beside the platform's average",
    more="The rows add up to the total: the rest is Others, and links that are not registered are a row of their own. "
    "Opt-out and mirror links are no clicks and are listed apart.",
    example="-d june-news --by category --top 20",
    options=Asked,
    parts={"rates": AVERAGES, "links": LINKS, "other_links": OTHER_LINKS},
    build=_build,
)
