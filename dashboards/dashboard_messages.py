"""Part `messages` of report `dashboard`: one row per message, latest state first."""

from collections.abc import Sequence
from typing import Literal, get_args

from dashboards.base import Numbers
from dashboards.queries import Row
from dashboards.scope import Scope
from dashboards.shape import Column, Lead, Page, Table
from dashboards.words import FLAGS, REASONS, STATES

MessageState = Literal["none", "sent", "deferred", "bounced_soft", "bounced_hard", "rejected", "delivered"]
_CODES = {state: code for code, state in enumerate(get_args(MessageState))}

COLUMNS = [
    Column("recipient", "recipient", "text", "as the sender calls it, else its key",
           leads_to=Lead("recipient", {"recipient": "recipient_key"})),
    Column("recipient_key", "recipient key", "text", "64-bit key, in decimal", shown=False),
    Column("domain", "domain", "text", "of the recipient's address, as the feed says", gives_way=2),
    Column("state", "state", "text", "what became of the message, for people"),
    Column("state_key", "state key", "text", "none, sent, deferred, bounced_soft, … delivered", shown=False),
    Column("reason", "reason", "text", "why it bounced, was rejected or waits, for people"),
    Column("reason_key", "reason key", "text", "one of the closed list", shown=False),
    Column("time", "time", "time", "of the event that made the state"),
    Column("flags", "also", "names", "complained, unsubscribed: as the feed says", gives_way=1),
    Column("format", "format", "text", "html, text or multipart", shown=False),
    Column("mirror", "mirror page", "text", "where the template's mirror link leads; to look at it is no hit",
           shown=False),
    Column("delivery", "delivery", "text", "its label, else its name, else its key", shown=False),
    Column("delivery_key", "delivery key", "text", "64-bit key, in decimal", shown=False),
    Column("message", "message", "text", "as the sender calls it, else its key", shown=False),
    Column("message_key", "message key", "text", "64-bit key, in decimal", shown=False),
]  # fmt: skip


def part(scope: Scope, found: Numbers, states: Sequence[MessageState], limit: int, offset: int) -> Table:
    """The page of messages in any of `states`, empty = any."""
    rows = scope.queries.rows(
        "messages", deliveries=scope.keys, states=[_CODES[state] for state in states], limit=limit, offset=offset
    )
    titles = {one.delivery: one.title for one in scope.deliveries}
    mirrors = _mirrors(scope)
    shown = [_row(row, titles[row["delivery"]], mirrors.get(row["delivery"], "")) for row in rows]
    return Table("messages", "Messages", COLUMNS, shown, page=Page(offset, limit, _matches(found, states)))


def _matches(found: Numbers, states: Sequence[MessageState]) -> int:
    """How many messages there are in those states: the report's own base numbers."""
    if not states:
        return sum(base.messages for base in found.bases)
    none = sum(base.messages - base.processed for base in found.bases) if "none" in states else 0
    named = [state for state in set(states) if state != "none"]
    counts: list[int] = [getattr(base, state) for base in found.bases for state in named]
    return none + sum(counts)


def _mirrors(scope: Scope) -> dict[int, str]:
    """Delivery -> address of its mirror page, where the template names one for everybody."""
    rows = scope.queries.rows("template_links", deliveries=scope.keys, people=scope.people)
    web = ("http://", "https://")
    return {row["delivery"]: row["url"] for row in rows if row["mode"] == "mirror" and row["url"].startswith(web)}


def _row(row: Row, delivery: str, mirror: str) -> list[object]:
    recipient = "" if row["recipient"] is None else str(row["recipient"])
    flags = [word for name, word in FLAGS.items() if row[name]]
    values = {
        "recipient": row["recipient_name"] or recipient,
        "recipient_key": recipient,
        "domain": row["domain"],
        "state": STATES[row["state"]],
        "state_key": row["state"] or "none",
        "reason": REASONS[row["reason"]],
        "reason_key": row["reason"],
        "time": row["state_time"],
        "flags": flags,
        "format": row["format"],
        "mirror": mirror,
        "delivery": delivery,
        "delivery_key": str(row["delivery"]),
        "message": row["message_name"] or str(row["message"]),
        "message_key": str(row["message"]),
    }
    return [values[column.key] for column in COLUMNS]
