"""Indicators by e-mail domain or by an attribute of messages; rows, Others and Unknown add up to the delivery's."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

from dashboards.base import Numbers, base_of
from dashboards.indicators import Base, indicators
from dashboards.scope import Scope
from dashboards.shape import Chart, Column, Note, Table, row_of
from dashboards.words import OTHERS, TOTAL, UNKNOWN, domain_of

COLUMNS = [
    Column("domain", "domain", "text", "of setting reports.report_domains, or Others, Unknown, Total"),
    Column("messages", "messages", "count", "messages with any feed event", gives_way=3),
    Column("success", "success", "count", "messages sent or delivered"),
    Column("sent", "sent", "count", "in state sent", shown=False),
    Column("deferred", "deferred", "count", "in state deferred", shown=False),
    Column("delivered", "delivered", "count", "in state delivered", shown=False),
    Column("bounced_hard", "hard", "count", "unknown user or invalid domain", gives_way=2),
    Column("bounced_soft", "soft", "count", "every other bounce", gives_way=2),
    Column("rejected", "rejected", "count", "refused before sending", shown=False),
    Column("recipient_open", "opened", "count", "messages with any hit but a one-click unsubscribe"),
    Column("open_rate", "open rate", "rate", "opened / success"),
    Column("total_open", "opens in all", "count", "open hits", shown=False),
    Column("recipient_click", "clicked", "count", "messages with a click hit"),
    Column("click_rate", "click rate", "rate", "clicked / success"),
    Column("total_click", "clicks in all", "count", "click hits", shown=False),
    Column("opt_outs", "opt-outs", "count", "messages with a confirmed opt-out", shown=False),
    Column("unsubscribed", "unsub.", "count", "confirmed opt-out, or the feed says so"),
    Column("complained", "complained", "count", "messages with a complaint", shown=False),
]
#: The same by the values of an attribute.
BY_ATTRIBUTE = [Column("value", "value", "text", "of the attribute, or Others, Unknown, Total"), *COLUMNS[1:]]
#: Values of an attribute with a row of their own, those of most messages.
MOST_VALUES = 50
_DRAWN = ["success", "recipient_open", "recipient_click"]
_LAST: dict[str, int] = {OTHERS: 1, UNKNOWN: 2}


def table(scope: Scope, found: Numbers, domains: Sequence[str]) -> Table:
    """One row per domain of `domains` that has messages or hits, Others, Unknown, and their sum. No estimates."""
    groups = grouped(scope, found, domains)
    rows = _rows(groups, COLUMNS)
    chart = Chart(kind="bar", x="domain", values=_DRAWN)
    return Table("domains", "By domain", COLUMNS, rows, total_from=len(rows) - 1, chart=chart)


def attribute_table(scope: Scope, found: Numbers, attribute: str) -> Table:
    """One row per value of an attribute of messages: those of most messages, Others, Unknown, and their sum."""
    fed = {base.delivery: base.fed for base in found.bases}
    groups: dict[str, list[Base]] = defaultdict(list)
    for row in scope.queries.rows("attributes", deliveries=scope.keys, people=scope.people, attribute=attribute):
        groups[domain_of(row["value"])].append(replace(base_of(row), fed=fed[row["delivery"]]))
    ordered = _ordered(groups)
    for value in [value for value in ordered if value not in _LAST][MOST_VALUES:]:
        ordered.setdefault(OTHERS, []).extend(ordered.pop(value))
    rows = _rows(_ordered(ordered), BY_ATTRIBUTE)
    chart = Chart(kind="bar", x="value", values=_DRAWN)
    title = Note("By attribute {attribute}", attribute=attribute)
    return Table("attributes", title, BY_ATTRIBUTE, rows, total_from=len(rows) - 1, chart=chart)


def grouped(scope: Scope, found: Numbers, domains: Sequence[str]) -> dict[str, list[Base]]:
    """Base numbers by domain, in the order in which domains are shown."""
    fed = {base.delivery: base.fed for base in found.bases}
    groups: dict[str, list[Base]] = defaultdict(list)
    wanted = [domain.lower() for domain in domains]
    for row in scope.queries.rows("domains", deliveries=scope.keys, people=scope.people, domains=wanted):
        groups[domain_of(row["domain"])].append(replace(base_of(row), fed=fed[row["delivery"]]))
    return _ordered(groups)


def _ordered(groups: Mapping[str, list[Base]]) -> dict[str, list[Base]]:
    """Most messages first; Others and Unknown at the end."""
    order = sorted(groups, key=lambda name: (_LAST.get(name, 0), -sum(base.messages for base in groups[name]), name))
    return {name: groups[name] for name in order}


def _rows(groups: Mapping[str, list[Base]], columns: Sequence[Column]) -> list[list[object]]:
    """A row per group, and their sum."""
    whole = {**groups, TOTAL: [base for bases in groups.values() for base in bases]}
    return [
        row_of(columns, indicators(bases), {columns[0].key: name, "messages": sum(base.messages for base in bases)})
        for name, bases in whole.items()
    ]
