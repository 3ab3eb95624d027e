"""Report `summary`: what became of a delivery's messages, in all and by e-mail domain (METRICS, report 8)."""

from collections.abc import Sequence
from dataclasses import replace

from dashboards.by_domain import grouped
from dashboards.definition import Context, Definition
from dashboards.indicators import Base, Indicators, indicators, rate
from dashboards.options import OfDistinct
from dashboards.queries import Row
from dashboards.report_indicators import EXCLUDED, FIGURES, excluded
from dashboards.report_indicators import notes as indicator_notes
from dashboards.scope import Scope, report, together
from dashboards.shape import Chart, Column, Note, Record, Report, Table, row_of, sections_of
from dashboards.words import REASONS, STATES, TOTAL, domain_of

#: Columns of report indicators, under titles that tell recipients and persons apart.
SECTIONS: dict[str, list[Column]] = {
    Note("Recipients"): [
        FIGURES["targeted"],
        Column("excluded", "excluded", "count", "recipients left out, for any cause, where given"),
        FIGURES["to_deliver"],
    ],
    Note("Messages"): [
        FIGURES[key]
        for key in (
            "processed", "processed_rate", "success", "success_rate", "delivered", "sent", "deferred", "bounced_hard",
            "bounced_soft", "rejected",
        )
    ],
    Note("Opens and clicks"): [
        replace(FIGURES["recipient_open"], title=Note("recipients who opened")),
        FIGURES["total_open"],
        replace(FIGURES["recipient_click"], title=Note("recipients who clicked")),
        FIGURES["person_click"],
        FIGURES["total_click"],
    ],
    Note("Complaints and unsubscribes"): [FIGURES["complained"], FIGURES["unsubscribed"]],
}  # fmt: skip
WHY = [
    Column("state", "key", "text", "bounced_hard, bounced_soft, rejected or deferred", shown=False),
    Column("reason", "reason key", "text", "one of the closed list", shown=False),
    Column("title", "what became of them", "text", "the same for people"),
    Column("because", "because of", "text", "the reason for people"),
    Column("messages", "messages", "count", "in that state for that reason"),
    Column("share", "share", "rate", "messages / processed"),
]
DOMAINS = [
    Column("domain", "domain", "text", "of setting reports.report_domains, or Others, Unknown, Total"),
    Column("messages", "messages", "count", "with any feed event", gives_way=4),
    Column("processed", "processed", "count", "messages with any state"),
    Column("delivered", "delivered", "count", "messages in state delivered"),
    Column("bounced_hard", "hard", "count", "unknown user or invalid domain"),
    Column("bounced_soft", "soft", "count", "every other bounce"),
    Column("rejected", "rejected", "count", "refused before sending", shown=False),
    Column("deferred", "deferred", "count", "in state deferred", shown=False),
    Column("complained", "compl.", "count", "messages with a complaint", gives_way=3),
    Column("recipient_open", "recipients opened", "count", "messages with any hit but a one-click unsubscribe"),
    Column("total_open", "opens in all", "count", "open hits", shown=False),
    Column("recipient_click", "recipients clicked", "count", "messages with a click hit"),
    Column("person_click", "persons clicked", "count", "distinct persons with a click hit; rows don't add up",
           gives_way=2),
    Column("total_click", "clicks in all", "count", "click hits", shown=False),
    Column("unsubscribed", "unsub.", "count", "confirmed opt-out, or the feed says so", gives_way=1),
]  # fmt: skip
DOMAIN_WHY = [Column("domain", "domain", "text", "as in part domains"), *WHY]
_NOT_ADDED = Note("A person who clicked in messages of two domains is counted in both, and once in the total.")


def build(scope: Scope, domains: Sequence[str]) -> Report:
    """The report. `domains`: those with a row of their own."""
    counted, found = together(scope)
    groups = grouped(scope, found, domains)
    why = scope.queries.rows("reasons", deliveries=scope.keys, domains=[domain.lower() for domain in domains])
    causes = excluded(scope)
    parts: list[Table | Record] = [_figures(scope, counted)]
    parts += [causes] if causes.rows else []
    parts.append(reasons(why, counted.processed))
    parts.append(by_domain(scope, groups, counted, domains))
    parts.append(domain_reasons(why, groups))
    notes = [*indicator_notes(scope, counted, found), *([_NOT_ADDED] if scope.persons else [])]
    return report(scope, "summary", "Delivery summary", parts, found, notes)


def _figures(scope: Scope, counted: Indicators) -> Record:
    given = [sum(one.excluded.values()) for one in scope.deliveries if one.excluded]
    left_out = sum(given) if given else None
    return Record("summary", "Summary", sections_of(SECTIONS, counted, {"excluded": left_out}))


def reasons(rows: Sequence[Row], processed: int) -> Table:
    """Messages that bounced, were rejected or wait, by reason."""
    sums: dict[tuple[str, str], int] = {}
    for row in rows:
        key = (row["state"], row["reason"])
        sums[key] = sums.get(key, 0) + row["messages"]
    ordered = sorted(sums.items(), key=lambda item: (-item[1], item[0]))
    shown = [[*_why(*key), messages, rate(messages, processed)] for key, messages in ordered]
    chart = Chart("bar", "because", ["messages"], split="title", stacked=True)
    return Table("reasons", "Bounced, rejected or waiting, by reason", WHY, shown, chart=chart)


def _why(state: str, reason: str) -> list[str]:
    return [state, reason, STATES[state], REASONS[reason]]


def by_domain(scope: Scope, groups: dict[str, list[Base]], counted: Indicators, domains: Sequence[str]) -> Table:
    """One row per domain that has messages or hits, and their sum."""
    wanted = [domain.lower() for domain in domains]
    found = scope.queries.rows("domain_persons", deliveries=scope.keys, people=scope.people, domains=wanted)
    persons = {row["domain"]: row["person_click"] for row in found}
    rows = [_domain_row(name, bases, persons.get(name, 0)) for name, bases in groups.items()]
    rows.append(_domain_row(TOTAL, [base for bases in groups.values() for base in bases], counted.person_click))
    chart = Chart("bar", "domain", ["delivered", "bounced_hard", "bounced_soft"], stacked=True)
    return Table("domains", "By domain", DOMAINS, rows, total_from=len(rows) - 1, chart=chart)


def _domain_row(domain: str, bases: Sequence[Base], persons: int) -> list[object]:
    counted = indicators(bases, persons)
    return row_of(DOMAINS, counted, {"domain": domain, "messages": sum(base.messages for base in bases)})


def domain_reasons(rows: Sequence[Row], groups: dict[str, list[Base]]) -> Table:
    """The same by domain; shares are of the domain's own processed messages."""
    place = {name: number for number, name in enumerate(groups)}
    processed = {name: sum(base.processed for base in bases) for name, bases in groups.items()}
    ordered = sorted(rows, key=lambda row: (place.get(row["domain"], len(place)), -row["messages"]))
    shown = [
        [domain_of(row["domain"]), *_why(row["state"], row["reason"]), row["messages"],
         rate(row["messages"], processed.get(row["domain"], 0))]
        for row in ordered
    ]  # fmt: skip
    return Table("domain_reasons", "Bounced, rejected or waiting, by domain and reason", DOMAIN_WHY, shown)


def _build(context: Context, asked: OfDistinct) -> Report:
    return build(context.scope(asked), context.queries.settings.report_domains)


REPORT = Definition(
    name="summary",
    title="Delivery summary",
    answers="what became of a delivery's messages: targeted, excluded, processed, delivered, bounced by reason, opens, "
    "clicks, unsubscribes; in all and by domain",
    more="Recipients are counted by their messages, persons by who clicked: a forwarded message has one recipient and "
    "can have several persons.",
    example="-d june-news --part domains",
    options=OfDistinct,
    parts={
        "summary": [column for columns in SECTIONS.values() for column in columns],
        "excluded": EXCLUDED,
        "reasons": WHY,
        "domains": DOMAINS,
        "domain_reasons": DOMAIN_WHY,
    },
    build=_build,
)
