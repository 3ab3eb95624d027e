"""Part `problems` of report `dashboard`: facts from ClickHouse, and what each kind of problem means."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from dashboards.base import Numbers, status_of
from dashboards.choice import Delivery
from dashboards.indicators import Base
from dashboards.problems import DAYS, DOMAIN_LEAST, Domain, Facts, Line, Problem, ProblemKind, Severity, problems
from dashboards.queries import Row
from dashboards.scope import Scope
from dashboards.shape import Column, Note, Table

COLUMNS = [
    Column("severity", "severity", "text", "error, warning or note"),
    Column("kind", "key", "text", "one of a closed list", shown=False),
    Column("problem", "problem", "text", "the same for people"),
    Column("about", "about", "text", "reason, domain or how long"),
    Column(
        "delivery", "delivery", "text", "its label, else its name, else its key; empty: the whole line", gives_way=3
    ),
    Column("delivery_key", "delivery key", "text", "64-bit key, in decimal; empty: the whole line", shown=False),
    Column("count", "count", "count", "messages, events, hits or records, as the problem says"),
    Column("share", "share", "rate", "of messages processed, of hits, or of the domain's messages", gives_way=4),
    Column("meaning", "what it means", "text", "and by which rule it is listed", gives_way=2),
    Column("advice", "what to do", "text", "the usual way out", gives_way=1),
]


_SEVERITIES: dict[Severity, Note] = {"error": Note("error"), "warning": Note("warning"), "note": Note("note")}


class _Text(NamedTuple):
    problem: Note
    meaning: Note
    advice: Note


TEXTS: dict[ProblemKind, _Text] = {
    "bounces": _Text(
        Note("messages bounced"),
        Note("At least 10 messages and 2 % of those processed bounced for this reason; from 5 % on it is an error."),
        Note(
            "Unknown user or invalid domain: clean the list. Policy, spam or refused: read the diagnostics of the logs "
            "and talk to the mailbox provider before sending more."
        ),
    ),
    "deferred": _Text(
        Note("messages wait"),
        Note("At least 10 messages and 5 % of those processed are deferred; from 20 % on it is an error."),
        Note("Look at the reasons and domains in report summary, and send slower to those domains."),
    ),
    "domain_success": _Text(
        Note("a domain accepts less"),
        Note(
            "Of at least 100 messages the success rate is 10 points or more below the delivery's own. "
            "The count is of messages without success."
        ),
        Note("Look at the domain's reasons in report summary: it may block this sender."),
    ),
    "domain_opens": _Text(
        Note("a domain opens less"),
        Note("Of at least 100 messages with success less than half as many were opened as in the whole delivery."),
        Note("The messages may land in that provider's spam folder: test with an own mailbox there."),
    ),
    "feed_missing": _Text(
        Note("no feed"),
        Note("There are hits, or the contact date is more than an hour ago, and no feed event has come."),
        Note("Connect the sending system to the feed API; until then success comes from the registry."),
    ),
    "feed_silent": _Text(
        Note("the feed is silent"),
        Note("The delivery is sending and no feed event is younger than 30 minutes; from 2 hours on it is an error."),
        Note("Look whether the sending system still sends, and at its webhook's errors."),
    ),
    "hits_before_feed": _Text(
        Note("hits before the feed"),
        Note("Hits came before the first feed event: the feed is late, or test messages carry real links."),
        Note("Send the feed's events with their own times, and mark test messages as proofs."),
    ),
    "unknown_links": _Text(
        Note("unknown links hit"),
        Note("Clicks, opt-outs or mirror views came through links that are validly signed and not registered."),
        Note("Register the links of the template: they have neither label nor category until then."),
    ),
    "not_registered": _Text(
        Note("not registered"),
        Note("The registry does not know this delivery: it has no label, and its links have none."),
        Note("Register it with PUT /v1/deliveries."),
    ),
    "flood": _Text(
        Note("a flood"),
        Note("Events beyond what one message can have are stored, and count as no hit."),
        Note("Nothing, unless it goes on: then look at their networks in the logs, with what does not count."),
    ),
    "foreign": _Text(
        Note("tracked twice"),
        Note(
            "The provider reported its own opens or clicks of a delivery that is tracked here, or the other way round; "
            "they count as no hit."
        ),
        Note("Switch the provider's own tracking off: it rewrites links. Or register the delivery with hits_from."),
    ),
    "expired": _Text(
        Note("hits after the end"),
        Note("Hits came after the delivery's track_until; they are stored, and count as no hit."),
        Note("Nothing, or register a later track_until."),
    ),
    "rejects": _Text(
        Note("events rejected"),
        Note(
            "Events that name this delivery could not be stored in the last 7 days; their bytes are in table rejects."
        ),
        Note("Correct what the reason says, then replay them."),
    ),
    "rejects_of_nobody": _Text(
        Note("events rejected, of no known delivery"),
        Note("Events that could not be read, in the last 7 days, by anybody: some may belong here."),
        Note("Look at table rejects."),
    ),
    "records_missing": _Text(
        Note("records missing"),
        Note("Between loaded records of the last 7 days there are source records that nobody loaded."),
        Note("Run `sendtrail audit`; numbers of every delivery may be low."),
    ),
    "records_unbalanced": _Text(
        Note("events unaccounted for"),
        Note("Loaded records of the last 7 days do not say what became of all their events."),
        Note("Run `sendtrail audit`."),
    ),
    "lag": _Text(
        Note("nothing new is loaded"),
        Note(
            "A delivery is sending, and the newest loaded record is older than 10 minutes; from an hour on it is an "
            "error."
        ),
        Note("Look at `sendtrail status`: forwarder, worker and loader must run."),
    ),
}


@dataclass
class _Gathered:
    """Rows of the queries, by delivery."""

    domains: dict[int, dict[str, Domain]] = field(default_factory=lambda: defaultdict(dict))
    why: dict[int, dict[tuple[str, str], int]] = field(default_factory=lambda: defaultdict(dict))
    signals: dict[int, Row] = field(default_factory=dict)
    odd: dict[int, Row] = field(default_factory=dict)
    rejects: dict[int, dict[str, int]] = field(default_factory=lambda: defaultdict(dict))


@dataclass(frozen=True)
class Known:
    """The facts of each delivery, in order, and those of the line."""

    deliveries: Sequence[Facts]
    line: Line


def chain_of(scope: Scope) -> Row:
    """The row of query chain: what is known of the line as a whole."""
    return scope.queries.row("chain", days=DAYS)


def gather(scope: Scope, found: Numbers, signals: Sequence[Row], chain: Row) -> Known:
    """Everything the rules need. `signals`, `chain`: what the queries of those names say."""
    keys, people = scope.keys, scope.people
    rows = _Gathered(
        signals={row["delivery"]: row for row in signals},
        odd={row["delivery"]: row for row in scope.queries.rows("odd_hits", deliveries=keys, people=people)},
    )
    for row in scope.queries.rows("domain_health", deliveries=keys, people=people, least=DOMAIN_LEAST):
        _add_health(rows, row)
    nobodys: dict[str, int] = {}
    for row in scope.queries.rows("reject_reasons", deliveries=keys, days=DAYS):
        (rows.rejects[row["delivery"]] if row["told"] else nobodys)[row["reason"]] = row["events"]
    pairs = zip(scope.deliveries, found.bases, strict=True)
    line = Line(chain["asked_at"], chain["last_log_time"], chain["missing"], chain["unbalanced"], nobodys)
    return Known([_facts(one, base, rows, scope) for one, base in pairs], line)


def _add_health(rows: _Gathered, row: Row) -> None:
    """A row of query domain_health."""
    delivery, state, messages = row["delivery"], row["state"], row["messages"]
    before = rows.domains[delivery].get(row["domain"], Domain())
    rows.domains[delivery][row["domain"]] = Domain(
        before.processed + messages * bool(state),
        before.success + messages * (state in ("sent", "delivered")),
        before.opened + row["opened"],
    )
    why = rows.why[delivery]
    why[state, row["reason"]] = why.get((state, row["reason"]), 0) + messages


def _facts(one: Delivery, base: Base, rows: _Gathered, scope: Scope) -> Facts:
    signal, odd = rows.signals.get(one.delivery, {}), rows.odd.get(one.delivery, {})
    return Facts(
        delivery=one.delivery,
        registered=one.registered,
        status=status_of(one, base),
        contact_date=one.contact_date,
        domains=rows.domains[one.delivery],
        why=rows.why[one.delivery],
        first_feed=signal.get("first_feed"),
        last_feed=signal.get("last_feed"),
        hits=base.hits_people if scope.people else base.hits_all,
        hits_before=signal.get("hits_before", 0),
        unknown_links=odd.get("unknown_links", 0),
        marked={mark: odd.get(mark, 0) for mark in ("flood", "foreign", "expired")},
        rejects=rows.rejects[one.delivery],
    )


def table(known: Known, scope: Scope) -> Table:
    """The problems, the worst first."""
    titles = {one.delivery: one.title for one in scope.deliveries}
    rows = [_row(one, titles) for one in problems(known.deliveries, known.line)]
    return Table("problems", "Problems", COLUMNS, rows)


def _row(one: Problem, titles: dict[int, str]) -> list[object]:
    text = TEXTS[one.kind]
    delivery, key = ("", "") if one.delivery is None else (titles[one.delivery], str(one.delivery))
    return [
        _SEVERITIES[one.severity], one.kind, text.problem, one.about, delivery, key, one.count, one.share,
        text.meaning, text.advice,
    ]  # fmt: skip
