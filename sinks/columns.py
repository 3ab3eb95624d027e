"""The columns of `events` in the order rows are mapped, and what ClickHouse takes in each.

Values are as they go over the wire: times in milliseconds, enums as numbers, ids as bytes. tests/sinks/test_schema.py
holds this module against the migrations.
"""

from typing import Final, get_args

from sendtrail.events import FeedKind, HitKind

#: Enum8 of `events.kind`: hits below FIRST_FEED, feed from there on.
KINDS: Final[dict[str, int]] = {
    **{kind: code for code, kind in enumerate(get_args(HitKind), start=1)},
    **{kind: code for code, kind in enumerate(get_args(FeedKind), start=10)},
}
FIRST_FEED: Final = 10
CLASSES: Final[dict[str, int]] = {"human": 1, "machine": 2, "unknown": 3}
HOWS: Final[dict[str | None, int]] = {None: 0, "view": 1, "form": 2, "one_click": 3}
MARKS: Final[dict[str, int]] = {"late": 1, "flood": 2, "foreign": 4, "expired": 8}
#: Marks that keep a hit from being counted (METRICS, hit).
UNCOUNTED_MARKS: Final = MARKS["flood"] | MARKS["foreign"] | MARKS["expired"]

MAX_UINT16: Final = (1 << 16) - 1
MAX_UINT32: Final = (1 << 32) - 1
MAX_UINT64: Final = (1 << 64) - 1
#: The last millisecond of a ClickHouse DateTime (2106-02-07): `stat_minute` has no later minute.
MAX_TIME_MS: Final = MAX_UINT32 * 1000 + 999
#: Between reasons in one string.
REASON_SEPARATOR: Final = ","

#: Every column of `events`. A column of defaults only (all falsy) is not sent, except ALWAYS_SENT.
EVENT_COLUMNS: Final[tuple[str, ...]] = (
    "delivery_id", "event_id", "rev", "sign", "kind", "event_time", "message_id", "recipient_key", "account",
    "source", "hit", "class", "repeat", "reasons", "ruleset", "run", "history", "marks", "seed", "link_flags",
    "url_id", "position", "destination", "how", "person", "visitor", "visitor_is_new", "user_agent",
    "address", "referrer", "hints", "provider_hints", "provider_event_id", "client", "client_version", "os",
    "device", "network", "country", "client_id", "delivery_name", "message_name", "recipient_name", "domain", "format",
    "reason", "diagnostic", "attributes", "site", "order_id", "amount", "currency", "articles", "page",
    "src_topic", "src_partition", "src_offset", "src_index", "segment_index", "log_time",
)  # fmt: skip

#: Columns that are sent even where every value is a default: the key, and what the views tell apart.
ALWAYS_SENT: Final = frozenset(
    {"delivery_id", "event_id", "sign", "kind", "event_time", "message_id", "class", "src_topic", "src_partition"}
    | {"src_offset", "src_index", "log_time"}
)


def is_hit(kind: int, repeat: bool | int, seed: int, marks: int) -> bool:
    """METRICS, hit: what counts. The one definition; `events.hit` keeps its answer."""
    return kind < FIRST_FEED and not (repeat or seed or marks & UNCOUNTED_MARKS)
