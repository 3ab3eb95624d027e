"""Report `statistics`: how opens, clicks and transactions grew since the start (METRICS, report 5)."""

from dashboards.base import Start, numbers, starts
from dashboards.definition import Context, Definition
from dashboards.options import OfDeliveries
from dashboards.scope import Scope, report
from dashboards.shape import Column, Report, Table

HOUR, DAY = 3600, 86_400
PERIODS = {
    "1 hour": HOUR, "3 hours": 3 * HOUR, "6 hours": 6 * HOUR, "24 hours": DAY, "3 days": 3 * DAY, "7 days": 7 * DAY,
    "1 month": 30 * DAY, "all": 0,
}  # fmt: skip
PERCENTS = range(10, 100, 10)
KINDS = {"open": "opens", "click": "clicks", "transaction": "transactions"}

STARTS = [
    Column("delivery", "delivery", "text", "its label, else its name, else its key"),
    Column("start", "start", "time", "what all times below count from"),
    Column("known_by", "known by", "text", "contact date, else first sent, else first hit"),
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


def build(scope: Scope) -> Report:
    """The report. Of several deliveries, each counts from its own start."""
    found = numbers(scope.queries, scope.keys, scope.cut, scope.live)
    begun = starts(scope.queries, scope.deliveries)
    deliveries, moments = list(begun), [start.milliseconds for start in begun.values()]
    parts = [began(scope, begun), cumulated(scope, deliveries, moments), elapsed(scope, deliveries, moments)]
    return report(scope, "statistics", "Tracking statistics", parts, found)


def began(scope: Scope, begun: dict[int, Start]) -> Table:
    """The start of each delivery, from which all spans count."""
    known = [(one, begun.get(one.delivery)) for one in scope.deliveries]
    rows = [[one.title, start and start.at, start.known_by if start else "no event yet"] for one, start in known]
    return Table("starts", "Start", STARTS, rows)


def cumulated(scope: Scope, deliveries: list[int], moments: list[int]) -> Table:
    """Hits within each period since the start."""
    periods = list(PERIODS.values())
    rows = scope.queries.rows("periods", deliveries=deliveries, starts=moments, periods=periods, people=scope.people)
    hits = {(row["kind"], row["period_s"]): row["hits"] for row in rows}
    table = [[title, s or None, *(hits.get((kind, s), 0) for kind in KINDS)] for title, s in PERIODS.items()]
    return Table("cumulated", "Since the start, cumulated", CUMULATED, table)


def elapsed(scope: Scope, deliveries: list[int], moments: list[int]) -> Table:
    """Time until each percentage of the total so far; empty where there is nothing to reach."""
    rows = scope.queries.rows("percents", deliveries=deliveries, starts=moments, people=scope.people)
    spans = {(row["kind"], row["percent"]): row["elapsed_ms"] for row in rows}
    table = [[percent, *(spans.get((kind, percent)) for kind in KINDS)] for percent in PERCENTS]
    return Table("elapsed", "Time until a share of the total so far", ELAPSED, table)


def _build(context: Context, asked: OfDeliveries) -> Report:
    return build(context.scope(asked))


REPORT = Definition(
    name="statistics",
    title="Tracking statistics",
    answers="how opens, clicks and transactions grew since the start, and when 10 %, 20 % … 90 % were reached",
    more="The start is the contact date, else the first message sent, else the first hit.",
    example="-d june-news --format csv --part elapsed",
    options=OfDeliveries,
    parts={"starts": STARTS, "cumulated": CUMULATED, "elapsed": ELAPSED},
    build=_build,
)
