"""Report `machines`: what is judged machine traffic, why, in which bursts, and what re-labelling changed (METRICS,
report 11). Reasons and rule versions are those of the events: new rules show by themselves."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from msgspec import Meta

from dashboards.base import numbers
from dashboards.definition import Context, Definition
from dashboards.indicators import rate
from dashboards.options import OfDeliveries
from dashboards.queries import Row
from dashboards.scope import Scope, report
from dashboards.shape import Chart, Column, Note, Report, Table
from dashboards.since import step_of
from dashboards.words import CLASSES, NOT_KNOWN, TOTAL

NO_REASON, NO_VERSION = Note("none"), Note("not told")
_COUNTS = [
    Column("hits", "hits", "count", "of people and machines"),
    Column("people", "people", "count", "hits of class human or unknown"),
    Column("machine", "machines", "count", "hits of class machine"),
    Column("machine_share", "machine share", "rate", "machines / hits"),
]
DELIVERIES = [
    Column("key", "key", "text", "of the delivery", shown=False),
    Column("delivery", "delivery", "text", "its label, else its name, else its key"),
    *_COUNTS,
]
REASONS = [
    Column("reason", "reason", "text", "why a hit has its class, as the rules name it; a hit may have several"),
    *_COUNTS,
    Column("before", "machines before", "count", "machine hits with that reason before any was judged again"),
]
RULESETS = [Column("ruleset", "rule version", "text", "by which hits are judged now"), *_COUNTS]
NETWORKS = [Column("network", "network", "text", "of the address, where one is known"), *_COUNTS]
TIMES = [
    Column("at", "from", "time", "the step that begins then"),
    Column("people", "people", "count", "hits of class human or unknown"),
    Column("machine", "machines", "count", "hits of class machine"),
    Column("machine_clicks", "machine clicks", "count", "click hits of class machine"),
]
BURSTS = [
    Column("at", "minute", "time", "in which the bursts begin"),
    Column("messages", "messages", "count", "whose links were followed at once"),
    Column("clicks", "clicks", "count", "in the bursts, of both classes"),
    Column("machine_clicks", "machine clicks", "count", "those of them that are judged machine now"),
    Column("most_links", "links", "count", "different ones in the largest of them"),
]
CHANGED = [
    Column("class", "class", "text", "human, machine or unknown", shown=False),
    Column("title", "class", "text", "the same for people"),
    Column("before", "hits before", "count", "as first judged"),
    Column("after", "hits now", "count", "as judged now"),
    Column("change", "change", "count", "hits now less hits before"),
]
RELABELS = [
    Column("day", "day", "day", "of the last re-label, on the reader's calendar"),
    Column("from_class", "from", "text", "class as first judged"),
    Column("to_class", "to", "text", "class as judged now"),
    Column("reasons", "because of", "text", "reasons of the present class"),
    Column("ruleset", "rule version", "text", "of the last re-label"),
    Column("run", "run", "text", "of the last re-label", gives_way=1),
    Column("events", "events", "count", "judged again"),
    Column("hits_before", "hits before", "count", "of them, as first judged", gives_way=2),
    Column("hits", "hits now", "count", "of them"),
]
_MACHINE = "machine"


def build(scope: Scope, zone: str, links: int, within_s: int, top: int) -> Report:
    """The report. A burst: `links` different links of a message within `within_s` seconds; `top`: minutes of bursts."""
    found = numbers(scope.queries, scope.keys, scope.cut, scope.live)
    hits = scope.queries.rows("machine_hits", deliveries=scope.keys)
    again = scope.queries.rows("relabelled", deliveries=scope.keys, zone=zone)
    parts = [
        deliveries(scope, hits),
        reasons(hits, again),
        _by(hits, "ruleset", "rulesets", Note("By rule version"), RULESETS, NO_VERSION),
        _by(hits, "network", "networks", Note("By network"), NETWORKS, NOT_KNOWN),
        times(scope, zone),
        bursts(scope, links, within_s, top),
        changed(hits, again),
        relabels(again),
    ]
    note = Note("People and machines stand side by side, whatever cut is asked for.")
    return report(scope, "machines", "Machine traffic", parts, found, [note])


def deliveries(scope: Scope, hits: Sequence[Row]) -> Table:
    """Each delivery, and their sum. Counted by rule version, of which every hit has exactly one."""
    judged = [row for row in hits if row["dim"] == "ruleset"]
    rows = [
        [str(one.delivery), one.title, *_counts([row for row in judged if row["delivery"] == one.delivery])]
        for one in scope.deliveries
    ]
    return Table(
        "deliveries", "By delivery", DELIVERIES, [*rows, ["", TOTAL, *_counts(judged)]], total_from=len(rows)
    )  # fmt: skip


def reasons(hits: Sequence[Row], again: Sequence[Row]) -> Table:
    """Each reason, and what it had before re-labelling. No total: a hit may have several reasons."""
    groups = _grouped(hits, "reason")
    gained: Counter[str] = Counter()
    for row in again:
        for side, sign in (("to", 1), ("from", -1)):
            if row[f"{side}_hit"] and row[f"{side}_class"] == _MACHINE:
                for reason in row[f"{side}_reasons"].split(","):
                    gained[reason] += sign * row["events"]
    rows = []
    for reason in _ordered({reason: groups.get(reason, []) for reason in groups.keys() | gained.keys()}):
        counts = _counts(groups.get(reason, []))
        rows.append([reason or NO_REASON, *counts, counts[2] - gained[reason]])
    chart = Chart("bar", "reason", ["people", "machine"], stacked=True)
    return Table("reasons", "By reason", REASONS, rows, chart=chart)


def times(scope: Scope, zone: str) -> Table:
    """Hits of people and machines over time, in steps that draw well."""
    span = scope.queries.row("machine_span", deliveries=scope.keys)
    step = step_of(span["seconds"])
    rows = scope.queries.rows("machine_times", deliveries=scope.keys, step_s=step, zone=zone)
    table = [[row[column.key] for column in TIMES] for row in rows]
    chart = Chart("bar", x="at", values=["people", "machine"], stacked=True)
    return Table("times", "Over time", TIMES, table, chart=chart)


def bursts(scope: Scope, links: int, within_s: int, top: int) -> Table:
    """Minutes in which many links of a message were followed at once, in order of time."""
    rows = scope.queries.rows(
        "bursts", deliveries=scope.keys, links=links, within_ms=within_s * 1000, limit=top
    )  # fmt: skip
    table = [[row[column.key] for column in BURSTS] for row in sorted(rows, key=lambda row: row["at"])]
    chart = Chart("bar", x="at", values=["clicks", "machine_clicks"])
    return Table("bursts", "Bursts", BURSTS, table, chart=chart)


def changed(hits: Sequence[Row], again: Sequence[Row]) -> Table:
    """Hits of each class as first judged and as judged now."""
    judged = [row for row in hits if row["dim"] == "ruleset"]
    gained: Counter[bool] = Counter()
    for row in again:
        gained[row["to_class"] == _MACHINE] += row["to_hit"] * row["events"]
        gained[row["from_class"] == _MACHINE] -= row["from_hit"] * row["events"]
    rows = []
    for machine, key, title in ((False, "people", Note("people")), (True, _MACHINE, Note("machines"))):
        after = sum(row[key] for row in judged)
        rows.append([key, title, after - gained[machine], after, gained[machine]])
    return Table("changed", "Before and after re-labelling", CHANGED, rows)


def relabels(again: Sequence[Row]) -> Table:
    """What was judged again: when, from which class to which, and why."""
    groups: dict[tuple[Any, ...], Counter[str]] = {}
    for row in again:
        key = (row["day"], row["from_class"], row["to_class"], row["to_reasons"], row["ruleset"], row["run"])
        counts = groups.setdefault(key, Counter())
        counts["events"] += row["events"]
        counts["before"] += row["from_hit"] * row["events"]
        counts["now"] += row["to_hit"] * row["events"]
    rows = [
        [day.isoformat(), CLASSES[before], CLASSES[after], why.replace(",", ", ") or NO_REASON, ruleset, run,
         counts["events"], counts["before"], counts["now"]]
        for (day, before, after, why, ruleset, run), counts in groups.items()
    ]  # fmt: skip
    return Table("relabels", "Judged again", RELABELS, rows)


def _by(hits: Sequence[Row], dim: str, key: str, title: str, columns: Sequence[Column], unknown: str) -> Table:
    groups = _grouped(hits, dim)
    rows = [[value or unknown, *_counts(groups[value])] for value in _ordered(groups)]
    rows.append([TOTAL, *_counts([row for group in groups.values() for row in group])])
    return Table(key, title, columns, rows, total_from=len(rows) - 1)


def _grouped(hits: Sequence[Row], dim: str) -> Mapping[str, list[Row]]:
    groups: dict[str, list[Row]] = {}
    for row in hits:
        if row["dim"] == dim:
            groups.setdefault(row["value"], []).append(row)
    return groups


def _ordered(groups: Mapping[str, Sequence[Row]]) -> list[str]:
    """Values by machine hits, the empty one last."""
    return sorted(groups, key=lambda value: (value == "", -_machine(groups[value]), value))


def _machine(rows: Sequence[Row]) -> int:
    return sum(row["machine"] for row in rows)


def _counts(rows: Sequence[Row]) -> list[Any]:
    people, machine = sum(row["people"] for row in rows), _machine(rows)
    return [people + machine, people, machine, rate(machine, people + machine)]


class Asked(OfDeliveries, frozen=True, kw_only=True):
    """What this report can be asked."""

    links: Annotated[int, Meta(ge=2, le=1000, description="Different links of a message that make a burst.")] = 4
    within: Annotated[int, Meta(ge=1, le=3600, description="Seconds in which they are followed.")] = 10
    top: Annotated[int, Meta(ge=1, le=10_000, description="Minutes with bursts, those with most clicks.")] = 200


def _build(context: Context, asked: Asked) -> Report:
    return build(context.scope(asked), str(context.zone), asked.links, asked.within, asked.top)


REPORT = Definition(
    name="machines",
    title="Machine traffic",
    answers="which hits are judged machines, why and by which rules, in which bursts, and what judging again changed",
    more="A hit may have several reasons, so those don't add up. Before and after: hits as first judged, and as judged "
    "now by the newest re-label.",
    example="-d june-news --part bursts --links 3",
    options=Asked,
    parts={
        "deliveries": DELIVERIES, "reasons": REASONS, "rulesets": RULESETS, "networks": NETWORKS, "times": TIMES,
        "bursts": BURSTS, "changed": CHANGED, "relabels": RELABELS,
    },
    build=_build,
)  # fmt: skip
