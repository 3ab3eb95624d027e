"""Report `statistics`: how opens, clicks and transactions grew since the start (METRICS, report 5)."""

from typing import Annotated

from msgspec import Meta

from dashboards.base import Start, milliseconds, numbers, starts
from dashboards.definition import Context, Definition
from dashboards.options import OfDeliveries
from dashboards.scope import Scope, report
from dashboards.shape import Chart, Column, Note, Report, Table
from dashboards.since import PERIODS, TITLES, Within, step_of, steps_in

PERCENTS = range(10, 100, 10)
_NO_EVENT = Note("no event yet")
KINDS = {"open": "opens", "click": "clicks", "transaction": "transactions"}

STARTS = [
    Column("delivery", "delivery", "text", "its label, else its name, else its key"),
    Column("start", "start", "time", "what all times below count from"),
    Column("known_by", "known by", "text", "contact date, else first sent, else first hit"),
]
GROWTH = [
    Column("elapsed_ms", "since the start", "span", "each delivery's own"),
    *(Column(name, name, "count", f"{kind} hits until then") for kind, name in KINDS.items()),
]
CUMULATED = [
    Column("period", "within", "text", "time since the start"),
    Column("period_s", "seconds", "count", "since the start; empty = all", shown=False),
    *(Column(name, name, "count", f"{kind} hits") for kind, name in KINDS.items()),
]
ELAPSED = [
    Column("percent", "% reached", "count", "of the hits so far"),
    *(Column(f"{name}_ms", name, "span", "time since the start") for name in KINDS.values()),
]


def build(scope: Scope, within: Within = "all") -> Report:
    """The report. Of several deliveries, each counts from its own start. `within`: how far the curves are drawn."""
    found = numbers(scope.queries, scope.keys, scope.cut, scope.live)
    begun = starts(scope.queries, scope.deliveries)
    deliveries, moments = list(begun), [start.milliseconds for start in begun.values()]
    parts = [
        began(scope, begun),
        growth(scope, deliveries, moments, within),
        cumulated(scope, deliveries, moments),
        elapsed(scope, deliveries, moments),
    ]
    return report(scope, "statistics", "Tracking statistics", parts, found)


def began(scope: Scope, begun: dict[int, Start]) -> Table:
    """The start of each delivery, from which all spans count."""
    known = [(one, begun.get(one.delivery)) for one in scope.deliveries]
    rows = [[one.title, start and start.at, start.known_by if start else _NO_EVENT] for one, start in known]
    return Table("starts", "Start", STARTS, rows)


def cumulated(scope: Scope, deliveries: list[int], moments: list[int]) -> Table:
    """Hits within each period since the start."""
    periods = list(PERIODS.values())
    rows = scope.queries.rows("periods", deliveries=deliveries, starts=moments, periods=periods, people=scope.people)
    hits = {(row["kind"], row["period_s"]): row["hits"] for row in rows}
    table = [[TITLES[name], s or None, *(hits.get((kind, s), 0) for kind in KINDS)] for name, s in PERIODS.items()]
    return Table("cumulated", "Since the start, cumulated", CUMULATED, table)


def growth(scope: Scope, deliveries: list[int], moments: list[int], within: Within) -> Table:
    """Hits cumulated, in steps that draw well: up to now or the end of the period, of all up to the last hit."""
    span_ms = _span_ms(scope, deliveries, moments, within)
    step_s = step_of(PERIODS[within] or -(-span_ms // 1000))
    rows = scope.queries.rows(
        "growth", deliveries=deliveries, starts=moments, people=scope.people, period_s=PERIODS[within], step_s=step_s
    )
    hits = {(row["kind"], row["step"]): row["hits"] for row in rows}
    last = max([steps_in(span_ms, step_s), *(row["step"] for row in rows)])
    so_far = dict.fromkeys(KINDS, 0)
    table = []
    for step in range(last + 1):
        so_far = {kind: count + hits.get((kind, step), 0) for kind, count in so_far.items()}
        table.append([step * step_s * 1000, *so_far.values()])
    chart = Chart(kind="line", x="elapsed_ms", values=list(KINDS.values()))
    return Table("growth", "Growth since the start", GROWTH, table if deliveries else [], chart=chart)


def _span_ms(scope: Scope, deliveries: list[int], moments: list[int], within: Within) -> int:
    """How far the curves go."""
    if within == "all":
        kinds = list(KINDS)
        return int(scope.queries.row(
            "span", deliveries=deliveries, starts=moments, kinds=kinds, people=scope.people)["span_ms"])  # fmt: skip
    now = milliseconds(scope.deliveries[0].asked_at)
    return min(PERIODS[within] * 1000, now - min(moments, default=now))


def elapsed(scope: Scope, deliveries: list[int], moments: list[int]) -> Table:
    """Time until each percentage of the total so far; empty where there is nothing to reach."""
    rows = scope.queries.rows("percents", deliveries=deliveries, starts=moments, people=scope.people)
    spans = {(row["kind"], row["percent"]): row["elapsed_ms"] for row in rows}
    table = [[percent, *(spans.get((kind, percent)) for kind in KINDS)] for percent in PERCENTS]
    return Table("elapsed", "Time until a share of the total so far", ELAPSED, table)


class Asked(OfDeliveries, frozen=True, kw_only=True):
    """What this report can be asked."""

    within: Annotated[Within, Meta(description="How far after the start the growth is drawn.")] = "all"


def _build(context: Context, asked: Asked) -> Report:
    return build(context.scope(asked), asked.within)


REPORT = Definition(
    name="statistics",
    title="Tracking statistics",
    answers="how opens, clicks and transactions grew since the start, and when 10 %, 20 % … 90 % were reached",
    more="The start is the contact date, else the first message sent, else the first hit.",
    example="-d june-news --format csv --part elapsed",
    options=Asked,
    parts={"starts": STARTS, "growth": GROWTH, "cumulated": CUMULATED, "elapsed": ELAPSED},
    build=_build,
)
