"""Sums of report `over-time` from ClickHouse: by event day from the minutes' counts, by cohort from base numbers."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal

from msgspec import Meta

from dashboards.base import Numbers, base_of, numbers, people
from dashboards.choice import stored_as, visible_to
from dashboards.definition import Context
from dashboards.indicators import Base
from dashboards.options import Options
from dashboards.periods import Days, Period
from dashboards.queries import Row
from dashboards.shape import Hits

Split = Literal["tag", "channel", "domain"]
By = Literal["event", "cohort"]
Measure = Literal["sent", "delivered", "bounced", "opens", "clicks", "complaints", "unsubscribes"]
DOMAIN_DAYS = 92  # a split by domain reads every message or event of the span


class Asked(Options, frozen=True, kw_only=True):
    """What report `over-time` can be asked."""

    period: Annotated[Period, Meta(description="What makes a row; a week begins on Monday.")] = "day"
    by: Annotated[
        By,
        Meta(description="event: when things happened. cohort: at the contact date of the delivery they belong to."),
    ] = "event"
    split: Annotated[
        Split | None,
        Meta(description=f"A row for each tag, channel or e-mail domain; by domain {DOMAIN_DAYS} days at most."),
    ] = None
    first_day: Annotated[
        date | None,
        Meta(description="Without it the last 30 days, 26 weeks or 24 months.", extra={"metavar": "YYYY-MM-DD"}),
    ] = None
    last_day: Annotated[
        date | None, Meta(description="This day included; without it today.", extra={"metavar": "YYYY-MM-DD"})
    ] = None
    account: Annotated[str, Meta(description="Only deliveries of this account; `default` is the default one.")] = ""
    channel: Annotated[str, Meta(description="Only deliveries of this channel.")] = ""
    tag: Annotated[str, Meta(description="Only deliveries with this tag.")] = ""
    top: Annotated[int, Meta(ge=1, le=100, description="Tags or channels with rows of their own.")] = 8
    measure: Annotated[Measure, Meta(description="What the chart shows where there is a split.")] = "clicks"


Place = tuple[date, str]  # first day of the period, and tag, channel or domain


@dataclass(frozen=True)
class Found:
    """Sums of every measure by place. `distinct`: when stored distinct numbers were calculated, None = now."""

    sums: Mapping[Place, Counter[str]]
    hits: Hits
    calculated_at: datetime
    distinct: datetime | None = None


def by_event(context: Context, asked: Asked, days: Days) -> Found:
    """Everything that happened in the span, at its own day."""
    now = datetime.now(UTC)
    if asked.split == "domain":
        rows = context.queries.rows("over_time_domains", **_asked(context, asked, days), domains=_domains(context))
    else:
        rows = context.queries.rows("over_time", **_asked(context, asked, days), split=asked.split or "")
    named = {"period_start", "split", "hits_people", "hits_all"}
    sums = {
        (row["period_start"], row["split"]): Counter({name: row[name] for name in row.keys() - named})
        for row in rows
        if any(row[name] for name in row.keys() - {"period_start", "split"})
    }
    hits = Hits(sum(row["hits_people"] for row in rows), sum(row["hits_all"] for row in rows))
    return Found(sums, hits, now)


def by_cohort(context: Context, asked: Asked, days: Days) -> Found:
    """Everything that came so far of the deliveries sent in the span, at the day each was sent."""
    now = datetime.now(UTC)
    parameters = _asked(context, asked, days)
    shown_to = parameters.pop("people")
    cohorts = context.queries.rows("cohorts", **parameters)
    keys = [row["delivery"] for row in cohorts]
    found = numbers(context.queries, keys, asked.cut, live=False)
    sums: dict[Place, Counter[str]] = defaultdict(Counter)
    for start, split, base in _bases(context, asked, cohorts, found, shown_to):
        sums[start, split].update(_measures(base))
    return Found(sums, found.hits, found.now(now), found.calculated)


def _bases(
    context: Context, asked: Asked, cohorts: Sequence[Row], found: Numbers, shown_to: int
) -> Iterable[tuple[date, str, Base]]:
    if asked.split != "domain":
        for row, base in zip(cohorts, found.bases, strict=True):
            for split in _splits(row, asked.split):
                yield row["period_start"], split, base
        return
    start = {row["delivery"]: row["period_start"] for row in cohorts}
    fed = {base.delivery: base.fed for base in found.bases}
    if start:
        keys = list(start)
        for row in context.queries.rows("domains", deliveries=keys, people=shown_to, domains=_domains(context)):
            yield start[row["delivery"]], row["domain"], replace(base_of(row), fed=fed[row["delivery"]])


def _splits(row: Row, split: Split | None) -> Sequence[str]:
    if split == "tag":
        return sorted(set(row["tags"])) or [""]
    return [row["channel"] if split == "channel" else ""]


def _measures(base: Base) -> dict[str, int]:
    return {
        "sent": base.handed_over,
        "delivered": base.delivered,
        "bounced": base.bounced_hard + base.bounced_soft,
        "opens": base.total_open,
        "clicks": base.total_click,
        "complaints": base.complained,
        "unsubscribes": base.unsubscribed,
        "opened": base.recipient_open,
        "clicked": base.recipient_click,
    }


def _asked(context: Context, asked: Asked, days: Days) -> dict[str, Any]:
    """Parameters that the queries share."""
    begin, end = days.seconds(context.zone)
    return {
        "people": people(asked.cut), "zone": str(context.zone), "from_s": begin, "until_s": end, "period": asked.period,
        "account": stored_as(asked.account), "channel": asked.channel, "tag": asked.tag, **visible_to(context.accounts),
    }  # fmt: skip


def _domains(context: Context) -> list[str]:
    return [domain.lower() for domain in context.queries.settings.report_domains]
