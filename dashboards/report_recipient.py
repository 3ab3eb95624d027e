"""Report `recipient`: every hit of a recipient over all deliveries still stored, newest first (METRICS, report 10)."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Annotated, Any, Literal

from msgspec import Meta

from dashboards.base import milliseconds, people
from dashboards.choice import Accounts, keys_of, visible_to
from dashboards.definition import Context, Definition
from dashboards.indicators import Cut
from dashboards.options import DELIVERY_NAMES, DeliveryNames, Options
from dashboards.paged import paged, shown
from dashboards.queries import Queries, ReportError, Row
from dashboards.shape import Column, Hits, Lead, Note, Page, Report, Subject, Table
from dashboards.since import midnight
from dashboards.who_lists import STATES
from dashboards.words import CLASS_KEYS, KIND_KEYS, HitClass, HitKind, not_counted
from sendtrail.naming import key

Sort = Literal["newest", "oldest", "kind", "delivery", "link", "class", "client"]
_DELIVERY = Lead("dashboard", {"delivery": "delivery_key"})
COLUMNS = [
    Column("time", "time", "time", "of the event"),
    Column("kind", "kind", "text", "open, click, optout, mirror, web or transaction"),
    Column("how", "how", "text", "of an opt-out: view, form or one_click", shown=False),
    Column("delivery", "delivery", "text", "its label, else its name, else its key", leads_to=_DELIVERY),
    Column("delivery_key", "delivery key", "text", "64-bit key, in decimal", shown=False),
    Column("message_key", "message key", "text", "64-bit key, in decimal", shown=False),
    Column("link", "link", "text", "label of the link, else its URL, else the URL as followed"),
    Column("url", "URL as followed", "text", "with the recipient's own parts", shown=False),
    Column("class", "class", "text", "human, machine or unknown"),
    Column("reasons", "reasons", "text", "why that class", shown=False),
    Column("ruleset", "ruleset", "text", "version of the rules", shown=False),
    Column("client", "client", "text", "mail client or browser", gives_way=2),
    Column("os", "OS", "text", "of the client", shown=False),
    Column("device", "device", "text", "of the client", shown=False),
    Column("network", "network", "text", "of the client's address", shown=False),
    Column("country", "country", "text", "of the client's address", shown=False),
    Column("address", "address", "text", "IP address of the client", shown=False),
    Column("person", "person", "text", "who acted: visitor, else delivery and message", shown=False),
    Column(
        "not_counted", "not counted", "text", "why it is no hit: repeat, seed, flood, foreign, expired", gives_way=1
    ),
    Column("order_id", Note("order", "transaction"), "text", "of a transaction", shown=False),
    Column("amount", "amount", "money", "of a transaction", shown=False),
    Column("articles", "articles", "count", "of a transaction", shown=False),
    Column("page", "page", "text", "of a visit or transaction", shown=False),
    Column("event_id", "event id", "text", "32 hexadecimal digits", shown=False),
]
FIRSTS = [
    Column("delivery", "delivery", "text", "its label, else its name, else its key", leads_to=_DELIVERY),
    Column("delivery_key", "delivery key", "text", "64-bit key, in decimal", shown=False),
    Column("message_key", "message key", "text", "64-bit key, in decimal", shown=False),
    Column("state", "state", "text", "of the message, as the feed says; empty = not known"),
    Column("first_open", "first open", "time", "first open hit in the cut"),
    Column("first_click", "first click", "time", "first click hit in the cut"),
    Column("opens", "opens", "count", "open hits in the cut"),
    Column("clicks", "clicks", "count", "click hits in the cut"),
    Column("last_hit", "last hit", "time", "of any kind, in the cut", gives_way=1),
]


@dataclass(frozen=True)
class Wanted:
    """Which events are listed: kinds, classes and deliveries (empty = any), those that are no hits too, and the page.

    `since`, `until`: event times, the latter not in it; None = open. `limit` rows after the first `offset`.
    """

    kinds: Sequence[str] = ()
    limit: int = 100
    uncounted: bool = False
    classes: Sequence[str] = ()
    deliveries: Sequence[int] = ()
    since: datetime | None = None
    until: datetime | None = None
    sort: Sort = "newest"
    offset: int = 0


def build(
    queries: Queries, keys: Sequence[int], cut: Cut, wanted: Wanted, accounts: Accounts = None, name: str = ""
) -> Report:  # fmt: skip
    """The report of the recipients with these keys, in deliveries of these accounts, None = everybody's.

    Raises ReportError where nothing is known of any; `name`: as it was asked for.
    """
    seen = visible_to(accounts)
    rows = queries.rows("recipient_known", recipients=list(keys), **seen) if keys else []
    known = [row for row in rows if row["stored"] or row["messages"]]
    if not known:
        raise ReportError(Note(
            "no recipient {name!r}: no message was prepared for it and no event of it is stored. Option address "
            "looks for an e-mail address and for its hash", name=name or ", ".join(map(str, keys)),
        ))  # fmt: skip
    recipients = [row["recipient"] for row in known]
    hits, page = _hits(queries, recipients, cut, wanted, seen)
    return Report(
        name="recipient",
        title="Tracking of a recipient",
        cut=cut,
        calculated_at=known[0]["asked_at"],
        parts=[
            Table("hits", "Hits", COLUMNS, [_row(row) for row in hits], page=page),
            _firsts(queries, recipients, cut, wanted, seen),
        ],
        about="recipient",
        subjects=[Subject(str(row["recipient"]), row["name"], "") for row in known],
        hits=Hits(sum(row["hits_people"] for row in known), sum(row["hits_all"] for row in known)),
        notes=[*_notes(known, wanted), *shown(page, len(hits))],
    )


def _hits(
    queries: Queries, recipients: Sequence[int], cut: Cut, wanted: Wanted, seen: Mapping[str, Any]
) -> tuple[list[Row], Page]:
    def ask(limit: int, offset: int) -> list[Row]:
        return queries.rows(
            "recipient", recipients=list(recipients), people=people(cut), uncounted=int(wanted.uncounted),
            kinds=list(wanted.kinds), classes=list(wanted.classes), wanted=list(wanted.deliveries),
            since=milliseconds(wanted.since) if wanted.since else 0,
            until=milliseconds(wanted.until) if wanted.until else 0,
            sort=wanted.sort, limit=limit, offset=offset, **seen,
        )  # fmt: skip

    return paged(ask, wanted.limit, wanted.offset)


def _firsts(
    queries: Queries, recipients: Sequence[int], cut: Cut, wanted: Wanted, seen: Mapping[str, Any]
) -> Table:  # fmt: skip
    rows = queries.rows(
        "recipient_firsts", recipients=list(recipients), people=people(cut), wanted=list(wanted.deliveries), **seen
    )
    table = [
        [_title(row), str(row["delivery"]), str(row["message"]), STATES[row["state"]], row["first_open"],
         row["first_click"], row["opens"], row["clicks"], row["last_hit"]]
        for row in rows
    ]  # fmt: skip
    return Table("messages", "First open and first click", FIRSTS, table)


def keys_meant(
    queries: Queries, name: str, naming_key: bytes | None, accounts: Accounts, address: bool = False
) -> list[int]:  # fmt: skip
    """The keys that a typed recipient can have, in any account the reader sees.

    `address`: it is an e-mail address, which the sender feeds as it is, in lower case, or as the SHA-256 of the
    lower-case address in hexadecimal. Raises BadName.
    """
    names = _spellings(name) if address else [name]
    known = [row["account"] for row in queries.rows("accounts")] if naming_key is not None else []
    others = [one for one in known if one not in ("", "default") and (accounts is None or one in accounts)]
    keys = [one for each in names for one in keys_of(each, "recipient", naming_key)]
    if naming_key is not None:
        keys += [key(naming_key, account, "recipient", each) for account in others for each in names]
    return list(dict.fromkeys(keys))


def _spellings(address: str) -> list[str]:
    lower = address.strip().lower()
    return list(dict.fromkeys([address.strip(), lower, hashlib.sha256(lower.encode()).hexdigest()]))


def _notes(known: Sequence[Row], wanted: Wanted) -> list[Note]:
    messages = sum(row["messages"] for row in known)
    notes = [Note("Messages of the feed to this recipient: {messages}.", messages=messages)]
    if len(known) > 1:
        notes.insert(0, Note("{recipients} recipients are shown together.", recipients=len(known)))
    silent = sum(row["stored"] - row["hits_all"] for row in known)
    if silent and not wanted.uncounted:
        notes.append(Note(
            "Stored events that do not count (repeats, seeds, marked ones): {silent}. They can be listed too.",
            silent=silent,
        ))  # fmt: skip
    return notes


def _title(row: Row) -> str:
    return str(row["delivery_label"] or row["delivery_name"] or row["delivery"])


def _row(row: Row) -> list[object]:
    values = row | {
        "time": row["event_time"],
        "delivery": _title(row),
        "delivery_key": str(row["delivery"]),
        "message_key": str(row["message"]),
        "link": row["url_label"] or row["url"] or row["destination"] or row["page"],
        "url": row["destination"],
        "client": f"{row['client']} {row['client_version']}".strip(),
        "kind": KIND_KEYS[row["kind"]],
        "class": CLASS_KEYS[row["class"]],
        "not_counted": not_counted(row),
        "amount": (row["amount"], row["currency"]) if row["kind"] == "transaction" else None,
        "articles": row["articles"] if row["kind"] == "transaction" else None,
    }
    return [values[column.key] for column in COLUMNS]


class Asked(Options, frozen=True, kw_only=True):
    """What this report can be asked."""

    recipient: Annotated[
        str,
        Meta(description="The recipient, as the sender calls it.", extra={"metavar": "NAME|KEY", "argument": "yes"}),
    ]
    address: Annotated[
        bool,
        Meta(description="It is an e-mail address: look for it and for the SHA-256 of it in lower case, hexadecimal."),
    ] = False
    delivery: Annotated[DeliveryNames, Meta(description="Only this delivery; repeatable.", extra=DELIVERY_NAMES)] = []
    kind: Annotated[list[HitKind], Meta(description="Only hits of this kind; repeatable.")] = []
    classes: Annotated[list[HitClass], Meta(description="Only hits of this class; repeatable.")] = []
    since: Annotated[date | None, Meta(description="Not before this day, in the reader's time zone.")] = None
    until: Annotated[date | None, Meta(description="Not after this day.")] = None
    sort: Annotated[Sort, Meta(description="By time, or by one of the columns.")] = "newest"
    limit: Annotated[int, Meta(ge=1, le=100_000, description="So many rows.")] = 100
    offset: Annotated[int, Meta(ge=0, le=1_000_000_000, description="So many rows are left out before.")] = 0
    uncounted: Annotated[
        bool, Meta(description="Also repeats, seeds and other events that count as no hit.")
    ] = False  # fmt: skip


def _build(context: Context, asked: Asked) -> Report:
    keys = keys_meant(context.queries, asked.recipient, context.naming_key, context.accounts, asked.address)
    deliveries = context.deliveries(asked.delivery)
    wanted = Wanted(
        asked.kind, asked.limit, asked.uncounted, asked.classes, [one.delivery for one in deliveries],
        midnight(asked.since, context.zone) if asked.since else None,
        midnight(asked.until + timedelta(days=1), context.zone) if asked.until else None, asked.sort, asked.offset,
    )  # fmt: skip
    return build(context.queries, keys, asked.cut, wanted, context.accounts, asked.recipient)


REPORT = Definition(
    name="recipient",
    title="Tracking of a recipient",
    answers="every hit of a recipient over all deliveries, newest first",
    example="4711 --kind click --columns time,delivery,url",
    options=Asked,
    parts={"hits": COLUMNS, "messages": FIRSTS},
    build=_build,
    role="analyst",
)
