"""Report `who`: the messages, or recipients, behind a count (METRICS, report 15)."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from msgspec import Meta

from dashboards.base import Numbers, milliseconds, numbers
from dashboards.choice import by_keys, stored_as, visible_to
from dashboards.definition import Context, Definition
from dashboards.options import DELIVERY_NAMES, DeliveryNames, Options
from dashboards.paged import paged, shown
from dashboards.queries import ReportError, Row
from dashboards.scope import Scope, report
from dashboards.shape import Note, Report, Stream, Table
from dashboards.who_lists import MESSAGES, RECIPIENTS, STATES, TITLES, Sort, Wanted, Which
from sendtrail.events import MAX_KEY

SLICE = 20_000  # messages at a time, where all are written out
KEYS = 5_000  # message keys in one query


def build(scope: Scope, wanted: Wanted) -> Report:
    """A page of the list of messages. Raises ReportError for a link that no delivery has."""
    _check_link(scope, wanted)
    bases = numbers(scope.queries, scope.keys, scope.cut, live=False).bases
    unfed = [base.delivery for base in bases if base.fed == 0]

    def ask(limit: int, offset: int) -> list[Row]:
        return _messages(scope, replace(wanted, limit=limit, offset=offset), unfed)

    rows, page = paged(ask, wanted.limit, wanted.offset)
    part = Table("messages", TITLES[wanted.which], MESSAGES, _detailed(scope, rows), page=page)
    notes = [Note("Messages: {matches}.", matches=page.matches), *shown(page, len(rows))]
    return report(scope, "who", "Who", [part], Numbers(bases, None), notes)


def build_inactive(scope: Scope, wanted: Wanted, now: datetime, named: bool = True) -> Report:
    """A page of the list of recipients. `named`: the deliveries were asked for by name."""

    def ask(limit: int, offset: int) -> list[Row]:
        return list(_inactive(scope, replace(wanted, limit=limit, offset=offset), scope.queries.rows))

    rows, page = paged(ask, wanted.limit, wanted.offset)
    part = Table("recipients", TITLES["inactive"], RECIPIENTS, [_recipient(row) for row in rows], page=page)
    said = Note(
        "Recipients without a hit since {since:%Y-%m-%d %H:%M UTC}: {matches}. Deliveries looked at: {deliveries}.",
        matches=page.matches, since=wanted.silent_since.astimezone(UTC), deliveries=len(scope.deliveries),
    )  # fmt: skip
    return Report(
        name="who",
        title="Who",
        cut=scope.cut,
        calculated_at=now,
        parts=[part],
        subjects=[one.subject for one in scope.deliveries] if named else [],
        notes=[said, *shown(page, len(rows))],
    )


def _messages(scope: Scope, wanted: Wanted, unfed: Sequence[int], first: int = 0, upto: int = MAX_KEY) -> list[Row]:
    return scope.queries.rows(
        "who", deliveries=scope.keys, people=scope.people, which=wanted.which, clicks=wanted.clicks,
        by_link=int(wanted.by_link), link=wanted.link, category=wanted.category, unfed=list(unfed),
        sort=wanted.sort, limit=wanted.limit, offset=wanted.offset, **{"from": first}, upto=upto,
    )  # fmt: skip


def _inactive(scope: Scope, wanted: Wanted, ask: Callable[..., Any]) -> Any:
    return ask(
        "who_inactive", deliveries=scope.keys, people=scope.people, since=milliseconds(wanted.silent_since),
        limit=wanted.limit, offset=wanted.offset,
    )  # fmt: skip


def _recipient(row: Row) -> list[Any]:
    key = str(row["recipient"])
    return [row["name"] or key, key, row["domain"], row["messages"], row["last_hit"]]


def _detailed(scope: Scope, rows: Sequence[Row]) -> list[list[Any]]:
    """The rows of a page, with names and times: some thousand keys at a time, as a query may be 256 KiB long."""
    pieces = [rows[start : start + KEYS] for start in range(0, len(rows), KEYS)]
    return [row for piece in pieces for row in _with_details(scope, piece, [one["message"] for one in piece])]


def _with_details(scope: Scope, rows: Sequence[Row], messages: Sequence[int]) -> list[list[Any]]:
    """`messages`: empty = all those between the first and the last."""
    if not rows:
        return []
    keys = [row["message"] for row in rows]
    found = scope.queries.rows(
        "who_details", deliveries=sorted({row["delivery"] for row in rows}), people=scope.people,
        messages=sorted(set(messages)), **{"from": min(keys)}, upto=max(keys),
    )  # fmt: skip
    details = {(one["delivery"], one["message"]): one for one in found}
    titles = {one.delivery: one.title for one in scope.deliveries}
    return [_message(row, details.get((row["delivery"], row["message"]), _NOTHING), titles) for row in rows]


_NOTHING: Row = dict.fromkeys(("name", "message_name", "domain"), "") | dict.fromkeys(
    ("recipient", "first_open", "first_click", "last_hit")
)


def _message(row: Row, more: Row, titles: Mapping[int, str]) -> list[Any]:
    recipient = "" if more["recipient"] is None else str(more["recipient"])
    message, delivery = str(row["message"]), row["delivery"]
    return [
        more["name"] or recipient, recipient, more["message_name"] or message, message, titles[delivery],
        str(delivery), more["domain"], STATES[row["state"]], more["first_open"], more["first_click"], row["opens"],
        row["clicks"], more["last_hit"],
    ]  # fmt: skip


def _check_link(scope: Scope, wanted: Wanted) -> None:
    if not wanted.by_link:
        return
    if wanted.which != "clicked":
        raise ReportError(
            Note("a link or category says which clicks count: ask for clicked, not for {which}", which=wanted.which)
        )
    known = scope.queries.rows("link_names", deliveries=scope.keys, link=wanted.link, category=wanted.category)
    if not known:
        raise ReportError(
            Note("none of these deliveries has a link {link!r}; a link is named by its label, its URL or its id",
                 link=wanted.link)
            if wanted.link else Note("none of these deliveries has a link of category {name!r}", name=wanted.category)
        )  # fmt: skip


def everything(scope: Scope, wanted: Wanted) -> Stream:
    """All rows of the list, in slices: neither here nor in ClickHouse more than some thousand messages at a time."""
    if wanted.which == "inactive":
        return Stream("recipients", RECIPIENTS, _all_recipients(scope, wanted))
    _check_link(scope, wanted)
    return Stream("messages", MESSAGES, _all_messages(scope, wanted))


def _all_recipients(scope: Scope, wanted: Wanted) -> Iterator[list[list[Any]]]:
    everyone = replace(wanted, limit=MAX_KEY, offset=0)
    batch: list[list[Any]] = []
    for row in _inactive(scope, everyone, scope.queries.stream):
        batch.append(_recipient(row))
        if len(batch) == SLICE:
            yield batch
            batch = []
    yield batch


def _all_messages(scope: Scope, wanted: Wanted) -> Iterator[list[list[Any]]]:
    bases = numbers(scope.queries, scope.keys, scope.cut, live=False).bases
    unfed = [base.delivery for base in bases if base.fed == 0]
    everything = replace(wanted, limit=MAX_KEY, offset=0, sort="message")
    for one in sorted(scope.deliveries, key=lambda one: one.delivery):
        alone = Scope(scope.queries, [one], scope.cut, scope.live, scope.persons)
        cuts = [row["upto"] for row in scope.queries.stream("who_slices", delivery=one.delivery, size=SLICE)]
        first = 0
        for upto in [*cuts, MAX_KEY]:
            if first <= upto:
                rows = _messages(alone, everything, unfed, first, upto)
                yield _with_details(alone, rows, [])
                first = upto + 1


class Asked(Options, frozen=True, kw_only=True):
    """What this report can be asked."""

    delivery: Annotated[
        DeliveryNames,
        Meta(
            description="The delivery; several are one list. The inactive are looked for in all, where none is given.",
            extra=DELIVERY_NAMES,
        ),
    ] = []
    which: Annotated[Which, Meta(description="Whom to list.")] = "opened"
    link: Annotated[
        str | None, Meta(description="clicked: on this link, by its label, URL or id.", extra={"metavar": "LINK"})
    ] = None
    category: Annotated[
        str | None, Meta(description="clicked: on links of this category.", extra={"metavar": "NAME"})
    ] = None  # fmt: skip
    clicks: Annotated[int, Meta(ge=1, le=1_000_000, description="clicked: at least so often.")] = 1
    days: Annotated[int, Meta(ge=1, le=3660, description="inactive: for so many days.")] = 90
    account: Annotated[
        str | None,
        Meta(
            description="inactive: in the deliveries of this account; default is the default one.",
            extra={"metavar": "NAME"},
        ),
    ] = None
    sort: Annotated[Sort, Meta(description="By message key, or most clicks first; the inactive: longest first.")] = (
        "message"
    )
    limit: Annotated[
        int, Meta(ge=0, le=100_000, description="So many rows; 0 writes all of them, as CSV.")
    ] = 100  # fmt: skip
    offset: Annotated[int, Meta(ge=0, le=1_000_000_000, description="So many rows are left out before.")] = 0


def _scope(context: Context, asked: Asked) -> Scope:
    if asked.delivery:
        return Scope(context.queries, context.deliveries(asked.delivery), asked.cut, True, context.persons)
    if asked.which != "inactive":
        raise ReportError(Note("say whose messages: which delivery?"))
    keys = context.queries.rows("delivery_keys", account=stored_as(asked.account or ""), **visible_to(context.accounts))
    deliveries = by_keys(context.queries, [row["delivery"] for row in keys])
    if not deliveries:
        nothing = Note("there is no delivery yet")
        raise ReportError(nothing if asked.account is None else Note("no delivery of {name!r}", name=asked.account))
    return Scope(context.queries, deliveries, asked.cut, True, context.persons)


def _wanted(asked: Asked, now: datetime) -> Wanted:
    return Wanted(
        asked.which, asked.link or "", asked.category or "", asked.clicks, now - timedelta(days=asked.days),
        asked.sort, asked.limit, asked.offset,
    )  # fmt: skip


def _build(context: Context, asked: Asked) -> Report:
    if asked.limit == 0:
        raise ReportError(Note("with limit 0 all rows are written, and as CSV only: ask for the format csv"))
    scope, now = _scope(context, asked), datetime.now(UTC)
    if asked.which == "inactive":
        return build_inactive(scope, _wanted(asked, now), now, bool(asked.delivery))
    return build(scope, _wanted(asked, now))


def _stream(context: Context, asked: Asked) -> Stream | None:
    return everything(_scope(context, asked), _wanted(asked, datetime.now(UTC))) if asked.limit == 0 else None


REPORT = Definition(
    name="who",
    title="Who",
    answers="the messages behind a count: who opened, clicked or did neither, who was not reached, who is inactive",
    more="A list is as long as its count in report indicators. Limit 0 writes all of it as CSV, however long.",
    example="-d june-news --which opened-not-clicked",
    options=Asked,
    parts={"messages": MESSAGES, "recipients": RECIPIENTS},
    build=_build,
    stream=_stream,
    role="analyst",
)
