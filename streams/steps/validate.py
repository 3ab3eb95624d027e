"""A line -> an event that may be stored, or the reason why not."""

from sendtrail.errors import Invalid
from sendtrail.events import REJECT_REASONS, decode
from sendtrail.ids import EARLIEST_MS, LATEST_AHEAD_MS
from sendtrail.partitions import partition_of
from streams.items import Item, Known

#: Ids whose time is not that of the event: a relabel's is its run's, a replayed reject's is its record's.
_OWN_TIME_KINDS = frozenset(("relabel",))
_OWN_TIME_SOURCE = "tool"


def validate(item: Item, known: Known) -> None:
    """Decode and check id, times (against the record's log time) and partition."""
    event = decode(item.line)
    if isinstance(event, Invalid):
        return item.reject(event.reason, event.detail)
    item.event = event
    time_ms, id_time_ms = event.event_time_ms, int(event.event_id[:12], 16)
    item.id_time_ms = id_time_ms
    if event.original:  # an item that a webhook could not read or attribute (docs/decisions/0019)
        return item.reject(event.reason if event.reason in REJECT_REASONS else "unattributed", event.diagnostic)
    if event.kind == "transaction":
        if id_time_ms:
            return item.reject("bad_id", "the id of a transaction starts with six zero bytes")
    elif id_time_ms != time_ms and event.kind not in _OWN_TIME_KINDS and event.source != _OWN_TIME_SOURCE:
        return item.reject("bad_id", f"the id's time {id_time_ms} is not the event's time {time_ms}")
    elif not EARLIEST_MS <= id_time_ms <= item.origin.time_ms + LATEST_AHEAD_MS:
        return item.reject("bad_time", f"id time {id_time_ms} outside [2000, log time + 1 day]")
    if not EARLIEST_MS <= time_ms <= item.origin.time_ms + LATEST_AHEAD_MS:
        return item.reject("bad_time", f"event time {time_ms} outside [2000, log time + 1 day]")
    belongs = partition_of(event, known.partitions)
    if belongs != known.partition:
        return item.reject("wrong_partition", f"belongs to partition {belongs}, came in {known.partition}")
    return None
