"""Report `deliveries`: one row per delivery, found, sorted and paged (METRICS, report 1)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Literal

from msgspec import Meta

from dashboards.base import Numbers, numbers, people, status_of
from dashboards.choice import Accounts, Delivery, delivery_of, stored_as, visible_to
from dashboards.definition import Context, Definition
from dashboards.indicators import Base, Cut, indicators
from dashboards.options import Options
from dashboards.paged import paged, shown
from dashboards.queries import Queries, Row
from dashboards.shape import Column, Lead, Page, Report, Table, row_of
from dashboards.words import STATUSES
from sendtrail.deliveries import Status

COLUMNS = [
    Column("key", "key", "text", "64-bit key, in decimal", shown=False),
    Column("name", "name", "text", "as the sender calls it", shown=False),
    Column("account", "account", "text", "empty = the default account", shown=False),
    Column("label", "delivery", "text", "its label, else its name, else its key",
           leads_to=Lead("dashboard", {"delivery": "key"})),
    Column("code", "code", "text", "the sender's code", shown=False),
    Column("campaign", "campaign", "text", "as registered", shown=False),
    Column("channel", "channel", "text", "as registered", shown=False),
    Column("type", "type", "text", "as registered", shown=False),
    Column("tags", "tags", "names", "as registered", shown=False),
    Column("status", "status", "text", "draft, sending or finished, as registered or derived", gives_way=5),
    Column("contact_date", "contact date", "time", "as registered", gives_way=1),
    Column("to_deliver", "to deliver", "count", "the registry's figure, else messages with any feed event",
           gives_way=4),
    Column("success", "success", "count", "messages sent or delivered"),
    Column("recipient_open", "opened", "count", "messages with any hit but a one-click unsubscribe",
           leads_to=Lead("who", {"delivery": "key"}, {"which": "opened"})),
    Column("open_rate", "open rate", "rate", "opened / success"),
    Column("total_open", "opens in all", "count", "open hits", shown=False),
    Column("recipient_click", "clicked", "count", "messages with a click hit",
           leads_to=Lead("who", {"delivery": "key"}, {"which": "clicked"})),
    Column("click_rate", "click rate", "rate", "clicked / success"),
    Column("total_click", "clicks in all", "count", "click hits", shown=False),
    Column("unsubscribed", "unsub.", "count", "confirmed opt-out, or the feed says so", gives_way=2,
           leads_to=Lead("who", {"delivery": "key"}, {"which": "unsubscribed"})),
    Column("machine_share", "machines", "rate", "machine hits / all hits", gives_way=3),
    Column("first_hours", "first 48 h", "series", "hits in each of the 48 hours from the start, of report statistics",
           gives_way=6),
]  # fmt: skip
HOURS = 48
Sort = Literal[
    "contact_date", "label", "to_deliver", "success", "recipient_open", "recipient_click", "unsubscribed",
    "machine_share",
]  # fmt: skip


@dataclass(frozen=True)
class Filters:
    """Which deliveries are listed, empty = any, and in which order.

    `search` is a part of label, name or code; `account` "default" is the default one; `down`: largest and latest first.
    """

    channel: str = ""
    tag: str = ""
    account: str = ""
    status: Status | None = None
    search: str = ""
    sort: Sort = "contact_date"
    down: bool = True
    limit: int = 50
    offset: int = 0


def build(queries: Queries, cut: Cut, live: bool, filters: Filters, accounts: Accounts = None) -> Report:
    """The report. `accounts`: whose deliveries are listed, None = everybody's."""
    rows, page = _page(queries, cut, filters, accounts)
    deliveries = [delivery_of(row) for row in rows]
    found = numbers(queries, [one.delivery for one in deliveries], cut, live)
    return Report(
        name="deliveries",
        title="Deliveries",
        cut=cut,
        calculated_at=found.now(deliveries[0].asked_at) if deliveries else datetime.now(UTC),
        distinct_calculated_at=found.calculated,
        parts=[table(deliveries, found, _first_hours(queries, deliveries, cut), page)],
        hits=found.hits,
        notes=shown(page, len(rows)),
    )


def _page(queries: Queries, cut: Cut, filters: Filters, accounts: Accounts) -> tuple[list[Row], Page]:
    def ask(limit: int, offset: int) -> list[Row]:
        return queries.rows(
            "delivery_list", people=people(cut), channel=filters.channel, tag=filters.tag, search=filters.search,
            account=stored_as(filters.account), status=filters.status or "", sort=filters.sort,
            down=int(filters.down), limit=limit, offset=offset, **visible_to(accounts),
        )  # fmt: skip

    return paged(ask, filters.limit, filters.offset)


def _first_hours(queries: Queries, deliveries: Sequence[Delivery], cut: Cut) -> dict[int, list[int]]:
    keys = [one.delivery for one in deliveries]
    rows = queries.rows("sparklines", deliveries=keys, people=people(cut)) if keys else []
    return {row["delivery"]: list(row["hits"]) for row in rows}


def table(
    deliveries: Sequence[Delivery], found: Numbers, first_hours: dict[int, list[int]], page: Page | None = None
) -> Table:
    """One row per delivery."""
    nothing = [0] * HOURS
    rows = [
        _row(one, base, first_hours.get(one.delivery, nothing))
        for one, base in zip(deliveries, found.bases, strict=True)
    ]
    return Table("deliveries", "Deliveries", COLUMNS, rows, page=page)


def _row(delivery: Delivery, base: Base, first_hours: list[int]) -> list[object]:
    counted = indicators([base])
    known = {
        "key": str(delivery.delivery),
        "name": delivery.name,
        "account": delivery.account,
        "label": delivery.title,
        "code": delivery.code,
        "campaign": delivery.campaign,
        "channel": delivery.channel,
        "type": delivery.type,
        "tags": delivery.tags,
        "status": STATUSES[status_of(delivery, base)],
        "contact_date": delivery.contact_date,
        "first_hours": first_hours,
    }
    return row_of(COLUMNS, counted, known)


class Asked(Options, frozen=True, kw_only=True):
    """What this report can be asked."""

    live: Annotated[
        bool,
        Meta(
            description="Count distinct numbers (messages, persons) now, or take those stored seconds ago. "
            "The order and the status asked for always go by stored ones.",
            extra={"off": "stored"},
        ),
    ] = False
    channel: Annotated[str, Meta(description="Only deliveries of this channel.")] = ""
    tag: Annotated[str, Meta(description="Only deliveries with this tag.")] = ""
    account: Annotated[str, Meta(description="Only deliveries of this account; `default` is the default one.")] = ""
    status: Annotated[Status | None, Meta(description="Only deliveries in this status.")] = None
    search: Annotated[str, Meta(description="Only where label, name or code contain this.")] = ""
    sort: Annotated[Sort, Meta(description="By this column; what is not known comes last.")] = "contact_date"
    order: Annotated[
        Literal["descending", "ascending"], Meta(description="Largest, latest first, or the other way round.")
    ] = "descending"
    limit: Annotated[int, Meta(ge=1, le=10_000, description="So many.")] = 50
    offset: Annotated[int, Meta(ge=0, le=1_000_000_000, description="Leave out the first so many.")] = 0


def _build(context: Context, asked: Asked) -> Report:
    filters = Filters(
        asked.channel, asked.tag, asked.account, asked.status, asked.search, asked.sort, asked.order == "descending",
        asked.limit, asked.offset,
    )  # fmt: skip
    return build(context.queries, asked.cut, asked.live, filters, context.accounts)


REPORT = Definition(
    name="deliveries",
    title="Deliveries",
    answers="which deliveries there are: to deliver, success, opens, clicks, unsubscribes, machine share",
    more="A line of small bars shows the hits of the first 48 hours.",
    example="--tag newsletter --sort recipient_click --format csv",
    options=Asked,
    parts={"deliveries": COLUMNS},
    build=_build,
)
