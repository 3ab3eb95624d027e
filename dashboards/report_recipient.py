"""Report `recipient`: every hit of a recipient over all deliveries still stored, newest first (METRICS, report 10)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

from msgspec import Meta

from dashboards.choice import keys_of
from dashboards.definition import Context, Definition
from dashboards.indicators import Cut
from dashboards.options import Options
from dashboards.queries import Queries, ReportError, Row
from dashboards.shape import Column, Hits, Note, Report, Subject, Table

COLUMNS = [
    Column("time", "time", "time", "of the event"),
    Column("kind", "kind", "text", "open, click, optout, mirror, web or transaction"),
    Column("how", "how", "text", "of an opt-out: view, form or one_click", shown=False),
    Column("delivery", "delivery", "text", "its label, else its name, else its key"),
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
    Column("order_id", "order", "text", "of a transaction", shown=False),
    Column("amount", "amount", "money", "of a transaction", shown=False),
    Column("articles", "articles", "count", "of a transaction", shown=False),
    Column("page", "page", "text", "of a visit or transaction", shown=False),
    Column("event_id", "event id", "text", "32 hexadecimal digits", shown=False),
]
_MARKS = {2: "flood", 4: "foreign", 8: "expired"}


@dataclass(frozen=True)
class Wanted:
    """Which events are listed: kinds (empty = any), the newest `limit`, and whether those that are no hits too."""

    kinds: Sequence[str] = ()
    limit: int = 100
    uncounted: bool = False


def build(queries: Queries, name: str, naming_key: bytes | None, cut: Cut, wanted: Wanted) -> Report:
    """The report. Raises BadName, or ReportError for a recipient nothing is known of."""
    recipient, known = _known(queries, name, naming_key)
    rows = queries.rows(
        "recipient",
        recipient=recipient,
        people=int(cut == "people"),
        uncounted=int(wanted.uncounted),
        kinds=list(wanted.kinds),
        limit=wanted.limit,
    )
    return Report(
        name="recipient",
        title="Tracking of a recipient",
        cut=cut,
        calculated_at=known["asked_at"],
        parts=[Table("hits", "Hits", COLUMNS, [_row(row) for row in rows])],
        about="recipient",
        subjects=[Subject(str(recipient), known["name"], "")],
        hits=Hits(known["hits_people"], known["hits_all"]),
        notes=_notes(known, wanted, len(rows)),
    )


def _known(queries: Queries, name: str, naming_key: bytes | None) -> tuple[int, Row]:
    for key in keys_of(name, "recipient", naming_key):
        known = queries.row("recipient_known", recipient=key)
        if known["stored"] or known["messages"]:
            return key, known
    raise ReportError(f"no recipient {name!r}: no message was prepared for it and no event of it is stored")


def _notes(known: Row, wanted: Wanted, shown: int) -> list[Note]:
    notes = [Note("Messages of the feed to this recipient: {messages}.", messages=known["messages"])]
    silent = known["stored"] - known["hits_all"]
    if silent and not wanted.uncounted:
        text = "{silent} stored events are no hits (repeats, seeds, marked ones): --uncounted lists them."
        notes.append(Note(text, silent=silent))
    if shown == wanted.limit:
        notes.append(Note("The newest {shown} are shown: raise --limit for more.", shown=shown))
    return notes


def _row(row: Row) -> list[object]:
    values = row | {
        "time": row["event_time"],
        "delivery": row["delivery_label"] or row["delivery_name"] or str(row["delivery"]),
        "delivery_key": str(row["delivery"]),
        "message_key": str(row["message"]),
        "link": row["url_label"] or row["url"] or row["destination"] or row["page"],
        "url": row["destination"],
        "client": f"{row['client']} {row['client_version']}".strip(),
        "not_counted": "" if row["hit"] else ", ".join(_why_not(row)),
        "amount": (row["amount"], row["currency"]) if row["kind"] == "transaction" else None,
        "articles": row["articles"] if row["kind"] == "transaction" else None,
    }
    return [values[column.key] for column in COLUMNS]


def _why_not(row: Row) -> list[str]:
    marks = [name for bit, name in _MARKS.items() if row["marks"] & bit]
    return ["repeat"] * row["repeat"] + ["seed"] * row["seed"] + marks


class Asked(Options, frozen=True, kw_only=True):
    """What this report can be asked."""

    recipient: Annotated[
        str,
        Meta(description="The recipient, as the sender calls it.", extra={"metavar": "NAME|KEY", "argument": "yes"}),
    ]
    kind: Annotated[
        list[Literal["open", "click", "optout", "mirror", "web", "transaction"]],
        Meta(description="Only hits of this kind; repeatable."),
    ] = []
    limit: Annotated[int, Meta(ge=1, le=100_000, description="The newest so many.")] = 100
    uncounted: Annotated[
        bool, Meta(description="Also repeats, seeds and other events that count as no hit.")
    ] = False  # fmt: skip


def _build(context: Context, asked: Asked) -> Report:
    wanted = Wanted(asked.kind, asked.limit, asked.uncounted)
    return build(context.queries, asked.recipient, context.naming_key, asked.cut, wanted)


REPORT = Definition(
    name="recipient",
    title="Tracking of a recipient",
    answers="every hit of a recipient over all deliveries, newest first",
    example="4711 --kind click --columns time,delivery,url",
    options=Asked,
    parts={"hits": COLUMNS},
    build=_build,
    role="analyst",
)
