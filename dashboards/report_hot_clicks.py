"""Report `hot-clicks`: share and count of each link and position of the message (METRICS, report 6)."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from dashboards.base import numbers
from dashboards.choice import Delivery
from dashboards.definition import Context, Definition
from dashboards.drawn import Drawn, Say, drawn, say
from dashboards.heat import Mark, Place, heat, marks
from dashboards.indicators import rate
from dashboards.options import OfDeliveries
from dashboards.queries import Row
from dashboards.scope import Scope, report
from dashboards.shape import Chart, Column, Note, Report, Table
from dashboards.words import NOT_KNOWN, TOTAL, UNREGISTERED
from sendtrail.contents import PARTS, Part
from sendtrail.links import TEXT_POSITION

_COUNTS = [
    Column("clicks", "clicks", "count", "click hits", gives_way=1),
    Column("opt_outs", "opt-outs", "count", "opt-out pages seen", gives_way=1),
    Column("mirror", "mirror", "count", "mirror pages seen", gives_way=1),
    Column("hits", "hits", "count", "clicks, opt-outs and mirror together; never opens"),
    Column("share", "share", "rate", "hits / hits in all"),
]
POSITIONS = [
    Column("row", "row", "text", "position or total", shown=False),
    Column("part", "part", "text", "HTML, text, or not known: the List-Unsubscribe header, links of another origin"),
    Column("number", "position", "rank", "place among the links of its part, from 1"),
    Column("link", "link", "text", "label, else URL"),
    Column("url", "URL", "text", "as in the template", shown=False),
    Column("url_id", "url id", "count", "number of the link in the delivery", shown=False),
    *_COUNTS,
    Column("heat", "heat", "rank", "0 = no hits, 4 = the hottest quarter", gives_way=2),
]
LINKS = [
    Column("row", "row", "text", "link, unregistered or total", shown=False),
    Column("rank", "rank", "rank", "by hits; empty on the rows below the list"),
    Column("link", "link", "text", "label, else URL"),
    Column("url", "URL", "text", "as in the template", shown=False),
    *_COUNTS,
]
BY_PART = [Column("part", "part", "text", "HTML, text or not known"), *_COUNTS]
_TITLES: dict[Part, Note] = {"html": Note("HTML"), "text": Note("text")}
_SUMMED = ("clicks", "opt_outs", "mirror", "hits")


@dataclass(frozen=True)
class Message:
    """The message of one delivery with its heat, part by part, and the counted hits that no mark of any part shows."""

    parts: dict[Part, Drawn]
    unplaced: int


def build(scope: Scope) -> Report:
    """The report. Of several deliveries, equal links at equal positions add up."""
    rows = places(scope)
    found = numbers(scope.queries, scope.keys, scope.cut, scope.live)
    parts = [by_link(rows), by_position(rows), by_part(rows)]
    notes = [] if len(scope.deliveries) == 1 else [Note("A message can be drawn for one delivery at a time.")]
    return report(scope, "hot-clicks", "Hot clicks", parts, found, notes)


def places(scope: Scope) -> list[Row]:
    """Counted hits by position and link, most first."""
    return scope.queries.rows("hot_clicks", deliveries=scope.keys, people=scope.people)


def by_position(rows: Sequence[Row]) -> Table:
    """Every link at every position of the message, in the order in which they stand; the unknown last."""
    total, hottest = _sum(rows, "hits"), max((row["hits"] for row in rows), default=0)
    table = []
    for row in sorted(rows, key=lambda row: (row["position"] == 0, row["position"], row["url_id"])):
        counts = _counts([row], total)
        table.append(
            ["position", *_where(row), _name(row), row["url"], row["url_id"], *counts, heat(row["hits"], hottest)]
        )
    last = ["total", TOTAL, None, "", "", None, *_counts(rows, total), None]
    return Table("positions", "By position", POSITIONS, [*table, last], total_from=len(table))


def by_link(rows: Sequence[Row]) -> Table:
    """Links over all their positions; those that are not registered are one row."""
    total = _sum(rows, "hits")
    named = sorted((row for row in rows if row["registered"]), key=lambda row: (_name(row), row["url"]))
    groups = [list(group) for _, group in groupby(named, key=lambda row: (_name(row), row["url"]))]
    groups.sort(key=lambda group: -_sum(group, "hits"))
    table: list[list[Any]] = [
        ["link", rank, _name(group[0]), group[0]["url"], *_counts(group, total)] for rank, group in enumerate(groups, 1)
    ]
    ranked, strange = len(table), [row for row in rows if not row["registered"]]
    if strange:
        table.append(["unregistered", None, UNREGISTERED, "", *_counts(strange, total)])
    table.append(["total", None, TOTAL, "", *_counts(rows, total)])
    chart = Chart("bar", x="link", values=["hits"])
    return Table("links", "By link", LINKS, table, total_from=ranked, chart=chart)


def by_part(rows: Sequence[Row]) -> Table:
    """HTML beside text."""
    total = _sum(rows, "hits")
    named = [(title, [row for row in rows if _where(row)[0] == title]) for title in (*_TITLES.values(), NOT_KNOWN)]
    table = [[title, *_counts(group, total)] for title, group in named if group or title != NOT_KNOWN]
    return Table("parts", "By part", BY_PART, [*table, [TOTAL, *_counts(rows, total)]], total_from=len(table))


def message(scope: Scope, delivery: Delivery, say: Say = say) -> Message:
    """The message of a delivery of the scope with its heat; parts that were never registered are missing."""
    alone = Scope(scope.queries, [delivery], scope.cut, scope.live, scope.persons)
    counted = [
        Place(row["position"], row["url_id"], row["label"], row["url"], row["hits"]) for row in places(alone)
    ]  # fmt: skip
    contents = {row["part"]: row["content"] for row in scope.queries.rows("contents", delivery=delivery.delivery)}
    parts: dict[Part, Drawn] = {}
    placed: list[Mark] = []
    for part in PARTS:
        if part in contents:
            made = marks(part, contents[part], delivery.delivery, counted)
            parts[part] = drawn(part, contents[part], made, say)
            placed += [mark for mark in made if mark not in parts[part].unseen]
    return Message(parts, sum(place.hits for place in counted) - sum(mark.hits for mark in placed))


def _where(row: Row) -> tuple[str, int | None]:
    position: int = row["position"]
    if position == 0:
        return NOT_KNOWN, None
    return (_TITLES["text"], position - TEXT_POSITION) if position > TEXT_POSITION else (_TITLES["html"], position)


def _name(row: Row) -> str:
    return row["label"] or row["url"] or UNREGISTERED


def _sum(rows: Sequence[Row], name: str) -> int:
    return sum(row[name] for row in rows)


def _counts(rows: Sequence[Row], total: int) -> list[Any]:
    return [*(_sum(rows, name) for name in _SUMMED), rate(_sum(rows, "hits"), total)]


def _build(context: Context, asked: OfDeliveries) -> Report:
    return build(context.scope(asked))


REPORT = Definition(
    name="hot-clicks",
    title="Hot clicks",
    answers="how often each link of the message was followed, at each of its positions",
    more="Hits are clicks, opt-out pages seen and mirror pages seen, never opens. Hits of unknown position and of "
    "links that are not registered have rows of their own, so the rows add up.",
    example="-d june-news --part positions",
    options=OfDeliveries,
    parts={"links": LINKS, "positions": POSITIONS, "parts": BY_PART},
    build=_build,
)
