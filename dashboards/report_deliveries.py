"""Report `deliveries`: one row per delivery, newest contact date first (METRICS, report 1)."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated

from msgspec import Meta

from dashboards.base import Numbers, numbers
from dashboards.choice import Accounts, Delivery, delivery_of
from dashboards.definition import Context, Definition
from dashboards.indicators import Base, Cut, Indicators, indicators
from dashboards.options import Options
from dashboards.queries import Queries
from dashboards.shape import Column, Hits, Note, Report, Table

COLUMNS = [
    Column("key", "key", "text", "64-bit key, in decimal", shown=False),
    Column("name", "name", "text", "as the sender calls it", shown=False),
    Column("account", "account", "text", "empty = the default account", shown=False),
    Column("label", "delivery", "text", "its label, else its name, else its key"),
    Column("code", "code", "text", "the sender's code", shown=False),
    Column("channel", "channel", "text", "as registered", shown=False),
    Column("tags", "tags", "names", "as registered", shown=False),
    Column(
        "status",
        "status",
        "text",
        "draft, sending or finished, as registered or derived; empty = not known",
        gives_way=5,
    ),
    Column("contact_date", "contact date", "time", "as registered", gives_way=1),
    Column(
        "to_deliver", "to deliver", "count", "the registry's figure, else messages with any feed event", gives_way=4
    ),
    Column("success", "success", "count", "messages sent or delivered"),
    Column("recipient_open", "opened", "count", "messages with any hit but a one-click unsubscribe"),
    Column("open_rate", "open rate", "rate", "opened / success"),
    Column("total_open", "opens in all", "count", "open hits", shown=False),
    Column("recipient_click", "clicked", "count", "messages with a click hit"),
    Column("click_rate", "click rate", "rate", "clicked / success"),
    Column("total_click", "clicks in all", "count", "click hits", shown=False),
    Column("unsubscribed", "unsub.", "count", "confirmed opt-out, or the feed says so", gives_way=2),
    Column("machine_share", "machines", "rate", "machine hits / all hits", gives_way=3),
]
NOT_KNOWN = ""


@dataclass(frozen=True)
class Filters:
    """Which deliveries are listed; empty = any. `search` is a part of label, name or code."""

    channel: str = ""
    tag: str = ""
    search: str = ""
    limit: int = 50


def build(queries: Queries, cut: Cut, live: bool, filters: Filters, accounts: Accounts = None) -> Report:
    """The report. `accounts`: whose deliveries are listed, None = everybody's."""
    rows = queries.rows(
        "delivery_list", channel=filters.channel, tag=filters.tag, search=filters.search, limit=filters.limit,
        everybody=int(accounts is None), accounts=sorted(accounts or ()),
    )  # fmt: skip
    deliveries = [delivery_of(row) for row in rows]
    found = numbers(queries, [one.delivery for one in deliveries], cut, live)
    matches = rows[0]["matches"] if rows else 0
    more = Note(
        "{matches} deliveries match, the newest {shown} are shown: raise --limit.", matches=matches, shown=len(rows)
    )
    return Report(
        name="deliveries",
        title="Deliveries",
        cut=cut,
        calculated_at=found.now(deliveries[0].asked_at) if deliveries else datetime.now(UTC),
        distinct_calculated_at=found.calculated,
        parts=[table(deliveries, found)],
        hits=Hits(sum(base.hits_people for base in found.bases), sum(base.hits_all for base in found.bases)),
        notes=[more] if matches > len(rows) else [],
    )


def table(deliveries: list[Delivery], found: Numbers) -> Table:
    """One row per delivery."""
    rows = [_row(one, base) for one, base in zip(deliveries, found.bases, strict=True)]
    return Table("deliveries", "Deliveries", COLUMNS, rows)


def _row(delivery: Delivery, base: Base) -> list[object]:
    counted = indicators([base])
    known = {
        "key": str(delivery.delivery),
        "name": delivery.name,
        "account": delivery.account,
        "label": delivery.title,
        "code": delivery.code,
        "channel": delivery.channel,
        "tags": delivery.tags,
        "status": delivery.status or derived_status(counted),
        "contact_date": delivery.contact_date,
    }
    return [known[column.key] if column.key in known else getattr(counted, column.key) for column in COLUMNS]


def derived_status(counted: Indicators) -> str:
    """The status of a delivery whose sender gives none; not known where it has hits but no feed."""
    if counted.processed:
        return "sending" if counted.processed < counted.to_deliver else "finished"
    return NOT_KNOWN if counted.hits_all else "draft"


class Asked(Options, frozen=True, kw_only=True):
    """What this report can be asked."""

    live: Annotated[
        bool,
        Meta(
            description="Count distinct numbers (messages, persons) now, or take those stored seconds ago.",
            extra={"off": "stored"},
        ),
    ] = False
    channel: Annotated[str, Meta(description="Only deliveries of this channel.")] = ""
    tag: Annotated[str, Meta(description="Only deliveries with this tag.")] = ""
    search: Annotated[str, Meta(description="Only where label, name or code contain this.")] = ""
    limit: Annotated[int, Meta(ge=1, le=10_000, description="The newest so many.")] = 50


def _build(context: Context, asked: Asked) -> Report:
    filters = Filters(asked.channel, asked.tag, asked.search, asked.limit)
    return build(context.queries, asked.cut, asked.live, filters, context.accounts)


REPORT = Definition(
    name="deliveries",
    title="Deliveries",
    answers="which deliveries there are, newest first: to deliver, success, opens, clicks, unsubscribes, machine share",
    example="--tag newsletter --format csv",
    options=Asked,
    parts={"deliveries": COLUMNS},
    build=_build,
)
