"""Report `dashboard`: how a delivery is doing, what is wrong, and its messages and logs (METRICS, report 2)."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Annotated, Any

from msgspec import Meta

from dashboards import dashboard_logs, dashboard_messages, dashboard_problems
from dashboards.base import Numbers, status_of
from dashboards.dashboard_logs import Wanted
from dashboards.dashboard_messages import MessageState
from dashboards.dashboard_problems import chain_of, gather
from dashboards.definition import Context, Definition
from dashboards.indicators import Indicators, rate
from dashboards.options import OfDistinct
from dashboards.paged import shown
from dashboards.queries import Row
from dashboards.report_indicators import FIGURES, success_notes
from dashboards.scope import Scope, person_note, report, together
from dashboards.shape import Chart, Column, Note, Record, Report, Table, listed, sections_of
from dashboards.words import MODES, STATUSES, UNREGISTERED, HitClass, HitKind

PROGRESS = [
    Column("status", "status", "text", "draft, sending or finished, as registered or derived"),
    Column("to_deliver", "to send", "count", "the registry's figure, else messages with any feed event"),
    *(FIGURES[key] for key in ("processed", "processed_rate", "success", "success_rate")),
]
TIMES = [
    Column("contact_date", "contact date", "time", "as registered"),
    Column("first_feed", "first feed event", "time", "to the minute"),
    Column("last_feed", "last feed event", "time", "to the minute"),
    Column("first_hit", "first hit", "time", "to the minute, in the cut"),
    Column("last_hit", "last hit", "time", "to the minute, in the cut"),
    Column("stored_at", "last stored", "time", "when rows of it were last stored"),
]
LINE = [
    Column("last_log_time", "newest record loaded", "time", "of anybody's, by its time in the log"),
    Column("records_missing", "records missing", "count", "between loaded ones, of the last 7 days, of anybody's"),
    Column("events_unaccounted", "events unaccounted for", "count", "in loaded records, likewise"),
]
ABOUT = [Column(key, key, "text", "as registered") for key in ("campaign", "channel", "type", "code")]
HEADER: dict[str, list[Column]] = {Note("Progress"): PROGRESS, Note("Times"): TIMES, Note("Line"): LINE}
_REGISTERED = Note("Registered as")
SUMMARY: dict[str, list[Column]] = {
    title: [FIGURES[key] for key in keys]
    for title, keys in {
        Note("Delivered"): ["delivered", "sent", "deferred", "bounced_hard", "bounced_soft", "rejected", "complained"],
        Note("Opens"): ["recipient_open", "open_rate", "total_open"],
        Note("Clicks"): ["recipient_click", "click_rate", "total_click", "raw_reactivity", "person_click"],
        Note("Opt-outs"): ["unsubscribed", "unsubscribe_rate", "opt_out_clicks", "mirror"],
        Note("Machines"): ["hits_people", "machine_hits", "machine_share"],
    }.items()
}
FUNNEL = [
    Column("step", "key", "text", "sent, delivered, opened, clicked or unsubscribed", shown=False),
    Column("title", "step", "text", "the same for people"),
    Column("messages", "messages", "count", "that came so far"),
    Column("of_sent", "of sent", "rate", "messages / those sent"),
    Column("of_previous", "of the step before", "rate", "messages / those of the step before"),
]
THROUGHPUT = [
    Column("hour", "hour", "time", "at which it begins"),
    Column("sent", "sent", "count", "sent events"),
    Column("delivered", "delivered", "count", "delivered events"),
    Column("bounced", "bounced", "count", "bounced events"),
    Column("deferred", "deferred", "count", "deferred events", gives_way=1),
    Column("opens", "opens", "count", "open hits"),
    Column("clicks", "clicks", "count", "click hits"),
]
URLS = [
    Column("label", "label", "text", "of the link, as registered"),
    Column("url", "URL", "text", "as in the template"),
    Column("category", "category", "text", "as registered", gives_way=1),
    Column("mode", "mode", "text", "tracked, not_tracked, always, never, optout or mirror"),
    Column("clicks", "clicks", "count", "click hits"),
    Column("hits", "hits", "count", "click, opt-out and mirror hits", gives_way=2),
    Column("delivery", "delivery", "text", "its label, else its name, else its key", shown=False),
    Column("delivery_key", "delivery key", "text", "64-bit key, in decimal", shown=False),
    Column("url_id", "URL id", "text", "in decimal; empty: links that are not registered", shown=False),
]
MOST_URLS = 1000
_HOUR = timedelta(hours=1)
_FORGED = Note(
    "Forged and broken links belong to no delivery and are stored nowhere: the edges count them by reason "
    "(sendtrail_edge_bad_links_total)."
)


def build(scope: Scope, zone: str, hours: int, only: str = "") -> Report:
    """The parts that everybody may read, or only one of them. `hours`: so many of part `throughput`."""
    counted, found = together(scope)
    notes = [person_note(scope), *success_notes(counted), _FORGED]
    signals = cache(lambda: scope.queries.rows("signals", deliveries=scope.keys, people=scope.people))
    chain = cache(lambda: chain_of(scope))
    parts: dict[str, Callable[[], Table | Record]] = {
        "header": lambda: header(scope, counted, found, signals(), chain()),
        "summary": lambda: summary(counted),
        "funnel": lambda: funnel(counted, found),
        "throughput": lambda: throughput(scope, signals(), zone, hours, notes),
        "problems": lambda: dashboard_problems.table(gather(scope, found, signals(), chain()), scope),
        "urls": lambda: urls(scope, notes),
    }
    built = [make() for key, make in parts.items() if only in ("", key)]
    return report(scope, "dashboard", "Delivery dashboard", built, found, notes)


def header(scope: Scope, counted: Indicators, found: Numbers, signals: Sequence[Row], chain: Row) -> Record:
    """How far it is, when what came, and what is known of the line."""
    statuses = {status_of(*pair) for pair in zip(scope.deliveries, found.bases, strict=True)}
    dates = [each.contact_date for each in scope.deliveries if each.contact_date is not None]
    known: dict[str, Any] = {
        "status": listed([STATUSES[status] for status in sorted(statuses)]),
        "contact_date": min(dates, default=None),
        **{key: min(_known(signals, key), default=None) for key in ("first_feed", "first_hit")},
        **{key: max(_known(signals, key), default=None) for key in ("last_feed", "last_hit", "stored_at")},
        "last_log_time": chain["last_log_time"],
        "records_missing": chain["missing"],
        "events_unaccounted": chain["unbalanced"],
    }
    about = sections_of({_REGISTERED: ABOUT}, scope.deliveries[0]) if len(scope.deliveries) == 1 else []
    return Record("header", "Delivery", [*sections_of(HEADER, counted, known), *about])


def _known(signals: Sequence[Row], name: str) -> list[datetime]:
    """A time of each delivery that has it."""
    return [row[name] for row in signals if row[name] is not None]


def summary(counted: Indicators) -> Record:
    """The indicators that are looked at first. An open page asks for them every few seconds."""
    return Record("summary", "Summary", sections_of(SUMMARY, counted))


def funnel(counted: Indicators, found: Numbers) -> Table:
    """Messages at each step; sent are those in state sent, delivered or bounced, without a feed those of success."""
    steps = {
        "sent": (Note("sent"), sum(base.handed_over for base in found.bases)),
        "delivered": (Note("delivered"), counted.delivered),
        "opened": (Note("opened"), counted.recipient_open),
        "clicked": (Note("clicked"), counted.recipient_click),
        "unsubscribed": (Note("unsubscribed"), counted.unsubscribed),
    }
    first = previous = steps["sent"][1]
    rows: list[list[Any]] = []
    for key, (title, messages) in steps.items():
        rows.append([key, title, messages, rate(messages, first), rate(messages, previous)])
        previous = messages
    return Table("funnel", "From sent to unsubscribed", FUNNEL, rows, chart=Chart("funnel", "title", ["messages"]))


def throughput(scope: Scope, signals: Sequence[Row], zone: str, hours: int, notes: list[Note]) -> Table:
    """Every hour from the first event on, at most `hours`; those without events are there with zeros."""
    firsts = _known(signals, "first_feed") + _known(signals, "first_hit")
    lasts = _known(signals, "last_feed") + _known(signals, "last_hit")
    rows: list[list[Any]] = []
    if firsts:
        begin = int(min(firsts).timestamp())
        found = scope.queries.rows(
            "throughput", deliveries=scope.keys, people=scope.people, zone=zone, from_s=begin,
            until_s=begin + hours * 3600,
        )  # fmt: skip
        rows = _every_hour(found)
        if rows and max(lasts) >= rows[-1][0] + _HOUR:
            notes.append(Note("Hours of the throughput shown: {hours}; ask for more to see the rest.", hours=hours))
    chart = Chart("line", "hour", ["sent", "delivered", "bounced", "opens", "clicks"])
    return Table("throughput", "Throughput per hour", THROUGHPUT, rows, chart=chart)


def _every_hour(found: Sequence[Row]) -> list[list[Any]]:
    by_hour = {row["hour_s"]: [row[column.key] for column in THROUGHPUT[1:]] for row in found}
    if not by_hour:
        return []
    seconds = set(range(min(by_hour), max(by_hour) + 1, 3600)) | set(by_hour)
    nothing = [0] * (len(THROUGHPUT) - 1)
    return [[datetime.fromtimestamp(second, UTC), *by_hour.get(second, nothing)] for second in sorted(seconds)]


def urls(scope: Scope, notes: list[Note]) -> Table:
    """The links of the template with their hits; links that are hit and not registered are a row per delivery."""
    rows = scope.queries.rows("template_links", deliveries=scope.keys, people=scope.people)
    if len(rows) > MOST_URLS:
        notes.append(Note("{all} links: the {shown} most clicked are shown, report urls adds up all.",
                          all=len(rows), shown=MOST_URLS))  # fmt: skip
    titles = {one.delivery: one.title for one in scope.deliveries}
    return Table("urls", "URLs", URLS, [_url(row, titles[row["delivery"]]) for row in rows[:MOST_URLS]])


def _url(row: Row, delivery: str) -> list[object]:
    known = bool(row["registered"])
    return [
        row["label"] if known else UNREGISTERED, row["url"], row["category"], MODES.get(row["mode"], row["mode"]),
        row["clicks"], row["hits"],
        delivery, str(row["delivery"]), str(row["url_id"]) if known else "",
    ]  # fmt: skip


class Asked(OfDistinct, frozen=True, kw_only=True):
    """What this report can be asked."""

    hours: Annotated[int, Meta(ge=1, le=10_000, description="Part throughput: so many hours from the first event.")] = (
        168
    )
    state: Annotated[list[MessageState], Meta(description="Part messages: only those in this state; repeatable.")] = []
    kind: Annotated[list[HitKind], Meta(description="Part logs: only this kind of hit; repeatable.")] = []
    hit_class: Annotated[
        list[HitClass],
        Meta(description="Part logs: only what was judged so; repeatable. Machines need the cut all."),
    ] = []
    link: Annotated[str, Meta(description="Part logs: only links whose label or URL contains this.")] = ""
    uncounted: Annotated[bool, Meta(description="Part logs: also repeats, seeds and what else is no hit.")] = False
    limit: Annotated[int, Meta(ge=1, le=10_000, description="Parts messages and logs: so many rows.")] = 50
    offset: Annotated[
        int, Meta(ge=0, le=1_000_000_000, description="Parts messages and logs: leave out the first so many.")
    ] = 0


def _build(context: Context, asked: Asked) -> Report:
    scope = context.scope(asked)
    if context.part in ("messages", "logs"):
        return rows_of(scope, context.part, asked)
    return build(scope, str(context.zone), asked.hours, context.part)


def rows_of(scope: Scope, part: str, asked: Asked) -> Report:
    """The part for analysts alone."""
    _, found = together(scope)
    if part == "messages":
        table = dashboard_messages.part(scope, found, asked.state, asked.limit, asked.offset)
    else:
        wanted = Wanted(asked.kind, asked.hit_class, asked.link, asked.uncounted)
        table = dashboard_logs.part(scope, wanted, asked.limit, asked.offset)
    notes = shown(table.page, len(table.rows)) if table.page is not None else []
    return report(scope, "dashboard", "Delivery dashboard", [table], found, notes)


REPORT = Definition(
    name="dashboard",
    title="Delivery dashboard",
    answers="how a delivery is doing: progress, indicators, funnel, throughput per hour, problems and what to do, URLs",
    more="Parts messages (one row per message) and logs (one row per event) are shown alone, where they are asked for.",
    example="-d june-news --part messages --state bounced_hard",
    options=Asked,
    parts={
        "header": [*PROGRESS, *TIMES, *LINE, *ABOUT],
        "summary": [column for columns in SUMMARY.values() for column in columns],
        "funnel": FUNNEL,
        "throughput": THROUGHPUT,
        "problems": dashboard_problems.COLUMNS,
        "urls": URLS,
        "messages": dashboard_messages.COLUMNS,
        "logs": dashboard_logs.COLUMNS,
    },
    build=_build,
    on_request=("messages", "logs"),
    analyst_parts=("messages", "logs"),
)
