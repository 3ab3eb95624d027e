"""Indicators by e-mail domain: the largest mailbox providers, then Others and Unknown; sums are the delivery's."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from dashboards.base import Numbers, base_of
from dashboards.indicators import Base, indicators
from dashboards.scope import Scope
from dashboards.shape import Chart, Column, Table, row_of
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
_LAST: dict[str, int] = {OTHERS: 1, UNKNOWN: 2}


def table(scope: Scope, found: Numbers, domains: Sequence[str]) -> Table:
    """One row per domain of `domains` that has messages or hits, Others, Unknown, and their sum. No estimates."""
    groups = grouped(scope, found, domains)
    rows = [_row(domain, bases) for domain, bases in groups.items()]
    rows.append(_row(TOTAL, [base for bases in groups.values() for base in bases]))
    chart = Chart(kind="bar", x="domain", values=["success", "recipient_open", "recipient_click"])
    return Table("domains", "By domain", COLUMNS, rows, total_from=len(rows) - 1, chart=chart)


def grouped(scope: Scope, found: Numbers, domains: Sequence[str]) -> dict[str, list[Base]]:
    """Base numbers by domain, in the order in which domains are shown."""
    fed = {base.delivery: base.fed for base in found.bases}
    groups: dict[str, list[Base]] = defaultdict(list)
    wanted = [domain.lower() for domain in domains]
    for row in scope.queries.rows("domains", deliveries=scope.keys, people=scope.people, domains=wanted):
        groups[domain_of(row["domain"])].append(replace(base_of(row), fed=fed[row["delivery"]]))
    order = sorted(groups, key=lambda name: (_LAST.get(name, 0), -sum(base.messages for base in groups[name]), name))
    return {name: groups[name] for name in order}


def _row(domain: str, bases: list[Base]) -> list[object]:
    counted = indicators(bases)
    messages = sum(base.messages for base in bases)
    return row_of(COLUMNS, counted, {"domain": domain, "messages": messages})
