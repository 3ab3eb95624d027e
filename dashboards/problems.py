"""Facts about deliveries and the line -> problems, each with what it means and what to do (pure)."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Literal

from dashboards.indicators import Rate, rate
from dashboards.words import REASONS

Severity = Literal["error", "warning", "note"]
ProblemKind = Literal[
    "bounces", "deferred", "domain_success", "domain_opens", "feed_missing", "feed_silent", "hits_before_feed",
    "unknown_links", "not_registered", "flood", "foreign", "expired", "rejects", "rejects_of_nobody", "records_missing",
    "records_unbalanced", "lag",
]  # fmt: skip
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")

LEAST = 10  # messages with the same trouble, before it is one
BOUNCES, MANY_BOUNCES = Fraction(2, 100), Fraction(5, 100)  # of processed, by one reason
DEFERRED, MANY_DEFERRED = Fraction(5, 100), Fraction(20, 100)  # of processed
DOMAIN_LEAST = 100  # messages of a domain that is compared with its delivery
DOMAIN_BEHIND = Fraction(10, 100)  # success rate below the delivery's
OPENS_EXPECTED = 20  # at the delivery's open rate, before fewer mean anything
SILENT, LONG_SILENT = timedelta(minutes=30), timedelta(hours=2)
LAG, LONG_LAG = timedelta(minutes=10), timedelta(hours=1)
FEED_DUE = timedelta(hours=1)  # after the contact date
DAYS = 7  # of log time that is looked through for rejects and gaps


@dataclass(frozen=True)
class Domain:
    """Messages of a delivery at one e-mail domain. `opened`: of these, in the cut."""

    processed: int = 0
    success: int = 0
    opened: int = 0


@dataclass(frozen=True)
class Facts:
    """What is known of one delivery. `status` empty: not known. Times are None where nothing came.

    `why`: (state, reason) -> messages. `marked`: flood, foreign, expired -> events. `rejects`: reason -> events.
    """

    delivery: int
    registered: bool = True
    status: str = ""
    contact_date: datetime | None = None
    domains: Mapping[str, Domain] = field(default_factory=dict)
    why: Mapping[tuple[str, str], int] = field(default_factory=dict)
    first_feed: datetime | None = None
    last_feed: datetime | None = None
    hits: int = 0
    hits_before: int = 0
    unknown_links: int = 0
    marked: Mapping[str, int] = field(default_factory=dict)
    rejects: Mapping[str, int] = field(default_factory=dict)

    @property
    def whole(self) -> Domain:
        """All domains together."""
        each = self.domains.values()
        return Domain(sum(d.processed for d in each), sum(d.success for d in each), sum(d.opened for d in each))


@dataclass(frozen=True)
class Line:
    """What is known of the line as a whole, over the last DAYS of log time. `rejects`: reason -> events of nobody."""

    now: datetime
    last_log_time: datetime | None = None
    missing: int = 0
    unbalanced: int = 0
    rejects: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Problem:
    """One line of the table. `about`: reason, domain or age, as text. `delivery` None: of the whole line."""

    kind: ProblemKind
    severity: Severity
    delivery: int | None = None
    about: str = ""
    count: int | None = None
    share: Rate = None


def problems(deliveries: Sequence[Facts], line: Line) -> list[Problem]:
    """Everything that is wrong, the worst first."""
    found = [*_of_the_line(line, any(one.status == "sending" for one in deliveries))]
    for facts in deliveries:
        found += [*_of_messages(facts), *_of_domains(facts), *_of_the_feed(facts, line.now), *_of_hits(facts)]
    return sorted(found, key=lambda one: (SEVERITIES.index(one.severity), one.kind, -(one.count or 0), one.about))


def _of_messages(facts: Facts) -> Iterator[Problem]:
    processed = facts.whole.processed
    bounced: dict[str, int] = defaultdict(int)
    for (state, reason), messages in facts.why.items():
        if state.startswith("bounced"):
            bounced[reason] += messages
    waiting = sum(messages for (state, _), messages in facts.why.items() if state == "deferred")
    for reason, messages in bounced.items():
        yield from _share("bounces", facts, REASONS[reason], messages, processed, BOUNCES, MANY_BOUNCES)
    yield from _share("deferred", facts, "", waiting, processed, DEFERRED, MANY_DEFERRED)


def _share(
    kind: ProblemKind, facts: Facts, about: str, messages: int, processed: int, some: Fraction, many: Fraction
) -> Iterator[Problem]:
    share = rate(messages, processed)
    if messages >= LEAST and share is not None and share >= some:
        yield Problem(kind, "error" if share >= many else "warning", facts.delivery, about, messages, share)


def _of_domains(facts: Facts) -> Iterator[Problem]:
    whole = facts.whole
    success, opens = rate(whole.success, whole.processed), rate(whole.opened, whole.success)
    for name, domain in facts.domains.items():
        if not name or domain.processed < DOMAIN_LEAST or success is None:
            continue
        own = Fraction(domain.success, domain.processed)
        if own <= success - DOMAIN_BEHIND:
            lost = domain.processed - domain.success
            yield Problem("domain_success", "error", facts.delivery, name, lost, 1 - own)
        if opens is None or domain.success < DOMAIN_LEAST or opens * domain.success < OPENS_EXPECTED:
            continue
        if 2 * Fraction(domain.opened, domain.success) < opens:
            share = Fraction(domain.opened, domain.success)
            yield Problem("domain_opens", "warning", facts.delivery, name, domain.opened, share)


def _of_the_feed(facts: Facts, now: datetime) -> Iterator[Problem]:
    due = facts.hits > 0 or (facts.contact_date is not None and facts.contact_date + FEED_DUE < now)
    if facts.first_feed is None:
        if due:
            yield Problem("feed_missing", "warning", facts.delivery)
        return
    silent = now - (facts.last_feed or facts.first_feed)
    if facts.status == "sending" and silent >= SILENT:
        severity: Severity = "error" if silent >= LONG_SILENT else "warning"
        yield Problem("feed_silent", severity, facts.delivery, _age(silent))
    if facts.hits_before > 0:
        share = rate(facts.hits_before, facts.hits)
        yield Problem("hits_before_feed", "warning", facts.delivery, "", facts.hits_before, share)


def _of_hits(facts: Facts) -> Iterator[Problem]:
    if not facts.registered:
        yield Problem("not_registered", "note", facts.delivery)
    elif facts.unknown_links > 0:
        share = rate(facts.unknown_links, facts.hits)
        yield Problem("unknown_links", "warning", facts.delivery, "", facts.unknown_links, share)
    marks: tuple[Literal["flood", "foreign", "expired"], ...] = ("flood", "foreign", "expired")
    for mark in marks:
        if facts.marked.get(mark, 0) > 0:
            yield Problem(mark, "note", facts.delivery, "", facts.marked[mark])
    for reason, events in facts.rejects.items():
        yield Problem("rejects", "error", facts.delivery, reason, events)


def _of_the_line(line: Line, sending: bool) -> Iterator[Problem]:
    if line.missing:
        yield Problem("records_missing", "error", count=line.missing)
    if line.unbalanced:
        yield Problem("records_unbalanced", "error", count=line.unbalanced)
    for reason, events in line.rejects.items():
        yield Problem("rejects_of_nobody", "note", about=reason, count=events)
    if sending and line.last_log_time is not None and line.now - line.last_log_time >= LAG:
        late = line.now - line.last_log_time
        yield Problem("lag", "error" if late >= LONG_LAG else "warning", about=_age(late))


def _age(span: timedelta) -> str:
    minutes = int(span.total_seconds()) // 60
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h"
