"""What keeps a deleted delivery out of reports: a filter that ClickHouse puts on every table a query reads.

Views whose names begin with `v_` have the same condition in their text (sinks/migrations).
"""

from collections.abc import Sequence

#: Tables with a column delivery_id that reports read.
TABLES = (
    "events", "message_activity", "message_state", "person_activity", "url_activity", "stat_minute", "breakdown",
    "recipient_activity", "transactions", "deliveries", "delivery_urls", "delivery_contents", "touched", "indicators",
)  # fmt: skip

_HIDDEN = r"SELECT delivery_id FROM deletions FINAL WHERE state != \'restored\'"
#: The keys that are hidden, purged ones too.
HIDDEN_KEYS = _HIDDEN.replace("\\", "")
#: Above that many the set is asked anew for every table a query reads, which takes longer than to send so many.
_MOST_SENT = 2_000


def hiding(keys: Sequence[int] | None = None, tables: Sequence[str] = TABLES) -> dict[str, str]:
    """Settings of a query that keep deliveries out of it, its database being the tracking database.

    `keys`: what HIDDEN_KEYS gives; None: the query asks for them itself. `tables`: those the query reads.
    """
    if not tables or (keys is not None and not keys):
        return {}
    inner = _HIDDEN if keys is None or len(keys) > _MOST_SENT else ", ".join(map(str, keys))
    filters = ", ".join(f"'{table}': 'delivery_id NOT IN ({inner})'" for table in tables)
    return {"additional_table_filters": f"{{{filters}}}"}
