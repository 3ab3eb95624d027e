"""Report `indicators`: everything METRICS defines of one delivery, or of several together."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Annotated, Any, Literal

from msgspec import Meta

from dashboards import by_domain as domain_part
from dashboards.base import Numbers, starts
from dashboards.definition import Context, Definition
from dashboards.indicators import Indicators, Money, rate
from dashboards.options import OfDistinct
from dashboards.queries import Row
from dashboards.scope import Scope, person_note, report, together
from dashboards.shape import Chart, Column, Lead, Note, Record, Report, Section, Table, sections_of


def _who(which: str) -> Lead:
    """Every count of messages opens its list."""
    return Lead("who", always={"which": which})


SECTIONS: dict[str, list[Column]] = {
    Note("Delivered"): [
        Column("targeted", "targeted", "count", "recipients the sender meant to reach, where given"),
        Column("to_deliver", "to deliver", "count", "the registry's figure, else messages with any feed event"),
        Column("text", "text only", "count", "messages sent in text format only"),
        Column("processed", "processed", "count", "messages with any state"),
        Column("processed_rate", "processed rate", "rate", "processed / to deliver"),
        Column("success", "success", "count", "messages sent or delivered"),
        Column("success_rate", "success rate", "rate", "success / processed"),
        Column("sent", "sent, no answer yet", "count", "messages in state sent", leads_to=_who("sent")),
        Column("deferred", "deferred", "count", "messages in state deferred", leads_to=_who("deferred")),
        Column("delivered", "delivered", "count", "messages in state delivered", leads_to=_who("delivered")),
        Column("bounced_hard", "bounced, hard", "count", "unknown user or invalid domain",
               leads_to=_who("bounced-hard")),
        Column("bounced_soft", "bounced, soft", "count", "every other bounce", leads_to=_who("bounced-soft")),
        Column("rejected", "rejected", "count", "messages refused before sending", leads_to=_who("rejected")),
        Column("complained", "complained", "count", "messages with a complaint", leads_to=_who("complained")),
    ],
    Note("Opens"): [
        Column("recipient_open", "opened", "count", "messages with any hit but a one-click unsubscribe",
               leads_to=_who("opened")),
        Column("total_open", "opens in all", "count", "open hits"),
        Column("open_rate", "open rate", "rate", "opened / success"),
        Column("estimated_recipient_open", "estimated opened", "count", "opened, scaled up for text-only messages"),
        Column("estimated_total_open", "estimated opens", "count", "opens in all, scaled up likewise"),
    ],
    Note("Clicks"): [
        Column("recipient_click", "clicked", "count", "messages with a click hit", leads_to=_who("clicked")),
        Column("total_click", "clicks in all", "count", "click hits; opt-out and mirror are apart"),
        Column("click_rate", "click rate", "rate", "clicked / success"),
        Column("cumulated_click_rate", "cumulated click rate", "rate", "clicks in all / success"),
        Column("raw_reactivity", "raw reactivity (CTOR)", "rate", "clicked / opened"),
        Column("estimated_reactivity", "estimated reactivity", "rate", "clicked / estimated opened"),
        Column("ctr", "CTR", "rate", "clicked / delivered"),
    ],
    Note("People"): [
        Column("person_click", "persons who clicked", "count", "distinct persons with a click hit"),
        Column("person_click_rate", "person click rate", "rate", "persons who clicked / success"),
        Column("forwards", "forwards", "count", "persons beyond the recipients who clicked; an estimate"),
    ],
    Note("Opt-outs and mirror"): [
        Column("opt_out_clicks", "opt-out pages seen", "count", "opt-out page views"),
        Column("opt_out_click_rate", "opt-out click rate", "rate", "opt-out pages seen / success: the suites' rate"),
        Column("opt_outs", "opt-outs", "count", "messages with a confirmed opt-out", leads_to=_who("opted-out")),
        Column("unsubscribed", "unsubscribed", "count", "confirmed opt-out, or the feed says so",
               leads_to=_who("unsubscribed")),
        Column("unsubscribe_rate", "unsubscribe rate", "rate", "unsubscribed / success"),
        Column("mirror", "mirror views", "count", "mirror page hits"),
    ],
    Note("Site"): [
        Column("visits", "visits", "count", "web and transaction hits"),
        Column("transactions", "transactions", "count", "transaction hits"),
    ],
    Note("Machines"): [
        Column("hits_people", "hits by people", "count", "class human or unknown"),
        Column("machine_hits", "hits by machines", "count", "class machine"),
        Column("machine_share", "machine share", "rate", "hits by machines / all hits"),
    ],
}  # fmt: skip
#: The same by key, whatever their section.
FIGURES = {column.key: column for columns in SECTIONS.values() for column in columns}
TIMES = {
    "open": Column("median_first_open_ms", "half had opened after", "span", "median time to the first open"),
    "click": Column("median_first_click_ms", "half had clicked after", "span", "median time to the first click"),
}


def build(
    scope: Scope, by_domain: bool, networks: Sequence[str], domains: Sequence[str], attribute: str = ""
) -> Report:  # fmt: skip
    """The report. `networks`: link categories that name a social network; `domains`: those with a row of their own;
    `attribute`: of messages, whose values get a row each."""
    counted, found = together(scope)
    parts: list[Table | Record] = [figures(scope, counted)]
    tables = [excluded(scope), money(scope, counted), shares(scope, counted, networks)]
    parts += [table for table in tables if table.rows]
    said = notes(scope, counted, found)
    if by_domain:
        parts.append(domain_part.table(scope, found, domains))
        said += [] if counted.success_from == ("feed",) else [_PREPARED]
    if attribute:
        parts.append(domain_part.attribute_table(scope, found, attribute))
    return report(scope, "indicators", "Tracking indicators", parts, found, said)


def figures(scope: Scope, counted: Indicators) -> Record:
    """Every single figure."""
    sections = [*sections_of(SECTIONS, counted), Section("Times", times(scope))]
    return Record("indicators", "Indicators", sections)


def times(scope: Scope) -> list[tuple[Column, int | None]]:
    """Median time from the start to the messages' first open and first click, milliseconds; None without any."""
    begun = starts(scope.queries, scope.deliveries)
    found: dict[str, int] = {}
    if begun:
        moments = [start.milliseconds for start in begun.values()]
        rows = scope.queries.rows("first_times", deliveries=list(begun), starts=moments, people=scope.people)
        found = {row["kind"]: row["median_ms"] for row in rows}
    return [(column, found.get(kind)) for kind, column in TIMES.items()]


_PREPARED = Note(
    "By domain, success counts the messages of the feed where it has no delivery events: registered figures are not "
    "known by domain."
)
_SUCCESS_FROM = {
    "feed": Note("Where the feed has delivery events, success is counted from them."),
    "registry": Note("Without delivery events in the feed, success is taken from the registered success."),
    "to_deliver": Note("Without delivery events in the feed, success is taken from to deliver."),
}


def success_notes(counted: Indicators) -> list[Note]:
    """Where success comes from, unless all of it is counted from the feed."""
    sources = counted.success_from
    return [] if sources == ("feed",) else [_SUCCESS_FROM[source] for source in sources]


def notes(scope: Scope, counted: Indicators, found: Numbers) -> list[Note]:
    """What a reader must know before believing the figures."""
    said = [person_note(scope), *success_notes(counted)]
    titles = {one.delivery: one.title for one in scope.deliveries}
    over = [base for base in found.bases if base.estimate > base.to_deliver]
    for base in over:
        said.append(Note(
            "Warning: estimated opened ({estimate}) is more than to deliver ({to_deliver}) in delivery {delivery}, "
            "because text readers clicked; really opened: {opened}.",
            estimate=base.estimate, to_deliver=base.to_deliver, delivery=titles[base.delivery],
            opened=base.recipient_open,
        ))  # fmt: skip
    return said


EXCLUDED = [
    Column("cause", "excluded because of", "text", "as registered"),
    Column("recipients", "recipients", "count", "as registered"),
]


def excluded(scope: Scope) -> Table:
    """Recipients the sender left out, by cause."""
    sums: dict[str, int] = defaultdict(int)
    for one in scope.deliveries:
        for cause, recipients in one.excluded.items():
            sums[cause] += recipients
    rows = sorted(sums.items(), key=lambda item: (-item[1], item[0]))
    return Table("excluded", "Excluded", EXCLUDED, rows, chart=Chart(kind="bar", x="cause", values=["recipients"]))


MONEY = [
    Column("currency", "currency", "text", "ISO 4217"),
    Column("transactions", "transactions", "count", "transaction hits in this currency"),
    Column("amount", "amount", "money", "their sum"),
    Column("articles", "articles", "count", "pieces"),
    Column("average_transaction", "average transaction", "money", "amount / transactions"),
    Column("articles_per_transaction", "articles per transaction", "number", "articles / transactions", gives_way=1),
    Column("amount_per_message", "amount per message", "money", "amount / to deliver"),
]


def money(scope: Scope, counted: Indicators) -> Table:
    """Transactions by currency, never across."""
    found = scope.queries.rows("money", deliveries=scope.keys, people=scope.people)
    return Table("transactions", "Transactions", MONEY, [money_row(row, counted.to_deliver) for row in found])


def money_row(row: Row, to_deliver: int) -> list[Any]:
    """A currency's transactions, in the order of MONEY."""
    one = Money(row["currency"], row["transactions"], row["amount"], row["articles"], to_deliver)
    return [
        one.currency, one.transactions, (one.amount, one.currency), one.articles,
        (one.average_transaction, one.currency), one.articles_per_transaction, (one.amount_per_message, one.currency),
    ]  # fmt: skip


SHARES = [
    Column("network", "network", "text", "the links' category, one of setting reports.share_networks"),
    Column("clicks", "clicks", "count", "click hits on links whose category names the network"),
    Column("rate", "rate", "rate", "clicks / to deliver"),
]


def shares(scope: Scope, counted: Indicators, networks: Sequence[str]) -> Table:
    """Clicks on links whose category names a network."""
    known = {network.casefold() for network in networks}
    found = scope.queries.rows("urls", deliveries=scope.keys, people=scope.people, by="category")
    rows = [
        [row["item"], row["clicks"], rate(row["clicks"], counted.to_deliver)]
        for row in found
        if row["item"].casefold() in known
    ]
    return Table("shares", "Shares", SHARES, rows, chart=Chart(kind="bar", x="network", values=["clicks"]))


class Asked(OfDistinct, frozen=True, kw_only=True):
    """What this report can be asked."""

    by: Annotated[Literal["domain"] | None, Meta(description="Add a row per e-mail domain.")] = None
    attribute: Annotated[
        str, Meta(max_length=256, description="Add a row per value of this attribute that the sender gave messages.")
    ] = ""


def _build(context: Context, asked: Asked) -> Report:
    settings = context.queries.settings
    return build(context.scope(asked), asked.by == "domain", settings.share_networks, settings.report_domains,
                 asked.attribute)  # fmt: skip


REPORT = Definition(
    name="indicators",
    title="Tracking indicators",
    answers="every indicator of a delivery: delivered, opens, clicks, people, opt-outs, site, machines, times",
    more="Of several deliveries messages and counts add up, persons are a union, estimates and forwards are sums of "
    "each delivery's own. A rate over nothing is shown as – (null in JSON).",
    example="-d june-news -d july-news --by domain --cut all",
    options=Asked,
    parts={
        "indicators": [*FIGURES.values(), *TIMES.values()],
        "excluded": EXCLUDED,
        "transactions": MONEY,
        "shares": SHARES,
        "domains": domain_part.COLUMNS,
        "attributes": domain_part.BY_ATTRIBUTE,
    },
    build=_build,
)
