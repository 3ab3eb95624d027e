"""Registry entries -> rows of `deliveries`, `delivery_urls`, `delivery_contents` and `consents` (pure): ranges proved,
so that ClickHouse takes all."""

from collections.abc import Sequence
from typing import Any

from sendtrail.consents import Consent
from sendtrail.contents import Content
from sendtrail.deliveries import Delivery, DeliveryUrl
from sendtrail.errors import Invalid
from sinks.blocks import Block
from sinks.columns import MAX_TIME_MS, MAX_UINT32, MAX_UINT64

Columns = dict[str, Any]


def delivery_row(entry: Delivery) -> Columns | Invalid:
    """One delivery's own fields by column."""
    counts = (entry.delivery, entry.targeted, entry.to_deliver, entry.success, *entry.excluded.values())
    times = (entry.contact_date_ms, entry.track_until_ms, entry.updated_ms)
    if _beyond(counts, MAX_UINT64) or _beyond(times, MAX_TIME_MS):
        return Invalid("bad_field", f"delivery {entry.delivery}: a count or a time is out of range")
    return {
        "delivery_id": entry.delivery,
        "account": entry.account,
        "name": entry.name,
        "label": entry.label,
        "code": entry.code,
        "campaign": entry.campaign,
        "channel": entry.channel,
        "type": entry.type,
        "category": entry.category,
        "tags": list(entry.tags),
        "sender": entry.sender,
        "subject": entry.subject,
        "contact_date": entry.contact_date_ms,
        "status": entry.status or "",
        "targeted": entry.targeted,
        "excluded": dict(entry.excluded),
        "to_deliver": entry.to_deliver,
        "success": entry.success,
        "track_until": entry.track_until_ms,
        "hits_from": entry.hits_from,
        "updated": entry.updated_ms,
    }


def url_row(entry: DeliveryUrl) -> Columns | Invalid:
    """One link by column."""
    if entry.delivery > MAX_UINT64 or entry.url_id > MAX_UINT32 or entry.updated_ms > MAX_TIME_MS:
        return Invalid("bad_field", f"link {entry.url_id} of delivery {entry.delivery}: a number is out of range")
    return {
        "delivery_id": entry.delivery,
        "url_id": entry.url_id,
        "url": entry.url,
        "label": entry.label,
        "category": entry.category,
        "mode": entry.mode,
        "updated": entry.updated_ms,
    }


def content_row(entry: Content) -> Columns | Invalid:
    """One part of a message by column."""
    if entry.delivery > MAX_UINT64 or entry.updated_ms > MAX_TIME_MS:
        return Invalid("bad_field", f"the {entry.part} of delivery {entry.delivery}: a number is out of range")
    return {
        "delivery_id": entry.delivery,
        "part": entry.part,
        "content": entry.content,
        "updated": entry.updated_ms,
    }


def consent_row(entry: Consent) -> Columns | Invalid:
    """One entry of the log of consents by column."""
    if entry.recipient > MAX_UINT64 or _beyond((entry.time_ms, entry.updated_ms), MAX_TIME_MS):
        return Invalid("bad_field", f"consent of recipient {entry.recipient}: a number is out of range")
    return {
        "recipient_key": entry.recipient,
        "purpose": entry.purpose,
        "time": entry.time_ms,
        "state": entry.state,
        "account": entry.account,
        "recipient_name": entry.recipient_name,
        "received": entry.updated_ms,
    }


def block(table: str, rows: Sequence[Columns]) -> Block:
    """Rows as one insert, every column sent: an edit may clear a field."""
    names = tuple(rows[0]) if rows else ()
    return Block(table, names, [[row[name] for row in rows] for name in names], len(rows))


def _beyond(values: Sequence[int | None], limit: int) -> bool:
    return any(value is not None and value > limit for value in values)
