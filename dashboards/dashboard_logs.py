"""Part `logs` of report `dashboard`: everything that came back from a delivery, newest first."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dashboards.queries import Row
from dashboards.scope import Scope
from dashboards.shape import Column, Lead, Page, Table
from dashboards.words import CLASSES, HitClass, HitKind, kind_of_hit, not_counted

COLUMNS = [
    Column("time", "time", "time", "of the event"),
    Column("label", "link", "text", "label of the link, else its URL, else the URL as followed or the page"),
    Column("url", "URL as followed", "text", "with the recipient's own parts", shown=False),
    Column("what", "what", "text", "the kind of hit, for people"),
    Column("kind", "kind", "text", "open, click, optout, mirror, web or transaction", shown=False),
    Column("how", "how", "text", "of an opt-out: view, form or one_click", shown=False),
    Column("recipient", "recipient", "text", "as the sender calls it, else its key; empty where nobody knows",
           leads_to=Lead("recipient", {"recipient": "recipient_key"})),
    Column("recipient_key", "recipient key", "text", "64-bit key, in decimal", shown=False),
    Column("domain", "domain", "text", "of the recipient's address, as the feed says", shown=False),
    Column("person", "person", "text", "who acted: visitor, else delivery and message", shown=False),
    Column("judged", "class", "text", "human, machine or not known, for people"),
    Column("class", "class key", "text", "human, machine or unknown", shown=False),
    Column("reasons", "because", "text", "why that class", gives_way=2),
    Column("ruleset", "ruleset", "text", "version of the rules", shown=False),
    Column("client", "client", "text", "mail client or browser", shown=False),
    Column("os", "OS", "text", "of the client", shown=False),
    Column("device", "device", "text", "of the client", shown=False),
    Column("network", "network", "text", "of the client's address", shown=False),
    Column("country", "country", "text", "of the client's address", shown=False),
    Column("address", "address", "text", "IP address of the client", shown=False),
    Column("not_counted", "not counted", "text", "why it is no hit: repeat, seed, flood, foreign, expired",
           gives_way=1),
    Column("delivery", "delivery", "text", "its label, else its name, else its key", shown=False),
    Column("delivery_key", "delivery key", "text", "64-bit key, in decimal", shown=False),
    Column("message_key", "message key", "text", "64-bit key, in decimal", shown=False),
    Column("event_id", "event id", "text", "32 hexadecimal digits", shown=False),
]  # fmt: skip


@dataclass(frozen=True)
class Wanted:
    """Which events are listed: kinds and classes (empty = any), a part of the link, and also what counts as no hit."""

    kinds: Sequence[HitKind] = ()
    classes: Sequence[HitClass] = ()
    link: str = ""
    uncounted: bool = False


def part(scope: Scope, wanted: Wanted, limit: int, offset: int) -> Table:
    """The page of events."""
    filters: dict[str, Any] = {
        "deliveries": scope.keys, "people": scope.people, "uncounted": int(wanted.uncounted),
        "kinds": list(wanted.kinds), "classes": list(wanted.classes), "link": wanted.link,
    }  # fmt: skip
    rows = scope.queries.rows("logs", **filters, limit=limit, offset=offset)
    matches = scope.queries.row("log_count", **filters)["events"]
    names = _names(scope, rows)
    titles = {one.delivery: one.title for one in scope.deliveries}
    shown = [_row(row, titles[row["delivery"]], names.get((row["delivery"], row["message"]))) for row in rows]
    return Table("logs", "Tracking logs", COLUMNS, shown, page=Page(offset, limit, matches))


def _names(scope: Scope, rows: Sequence[Row]) -> dict[tuple[int, int], Row]:
    """What the feed says of the messages that were hit."""
    messages = sorted({row["message"] for row in rows})
    found = scope.queries.rows("message_names", deliveries=scope.keys, messages=messages) if messages else []
    return {(row["delivery"], row["message"]): row for row in found}


def _row(row: Row, delivery: str, fed: Row | None) -> list[object]:
    key = row["recipient"] if row["recipient"] is not None or fed is None else fed["recipient"]
    recipient = "" if key is None else str(key)
    same = fed is not None and fed["recipient"] == key
    values = row | {
        "time": row["event_time"],
        "label": row["url_label"] or row["url"] or row["destination"] or row["page"],
        "url": row["destination"],
        "what": kind_of_hit(row["kind"], row["how"]),
        "recipient": (fed["recipient_name"] if fed is not None and same else "") or recipient,
        "recipient_key": recipient,
        "domain": "" if fed is None else fed["domain"],
        "judged": CLASSES[row["class"]],
        "not_counted": not_counted(row),
        "delivery": delivery,
        "delivery_key": str(row["delivery"]),
        "message_key": str(row["message"]),
    }
    return [values[column.key] for column in COLUMNS]
