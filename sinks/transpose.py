"""Event rows -> columns of `events`, column by column: far cheaper than row by row."""

from array import array
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from msgspec.structs import astuple

from sendtrail.enriched import EventRow
from sendtrail.events import FLAG_PROOF, FLAG_SEED
from sinks.blocks import Block, LoadedRecord
from sinks.columns import ALWAYS_SENT, CLASSES, EVENT_COLUMNS, FIRST_FEED, HOWS, KINDS, MARKS, REASON_SEPARATOR, is_hit

Columns = dict[str, list[Any]]

_SEED = FLAG_SEED | FLAG_PROOF
_NOBODY = "0" * 32

#: Fields that no column is made of.
_UNUSED = frozenset(
    {"version", "delivery_label", "url_label", "campaign", "category", "type"}
    | {"target_id", "new_class", "new_repeat", "reasons", "ruleset", "run"}
)
_FIELDS = tuple(name for name in EventRow.__struct_fields__ if name not in _UNUSED)
#: Texts of few values: one object for all that are equal costs less to keep, to encode and to free.
_OF_FEW_VALUES = frozenset(
    {"account", "source", "class_ruleset", "user_agent", "client", "client_version", "os", "device", "network"}
    | {"country", "delivery_name", "domain", "reason", "site", "currency"}
)
#: Fields that are a list or dictionary of its own in every row though mostly empty, and what stands for all empty ones.
_EMPTY: dict[str, Any] = {"class_reasons": [], "marks": [], "hints": [], "provider_hints": [], "attributes": {}}

#: Columns that are a field as it is.
_AS_IS = {
    "delivery_id": "delivery",
    "event_time": "event_time_ms",
    "message_id": "message",
    "recipient_key": "recipient",
    "account": "account",
    "source": "source",
    "repeat": "repeat",
    "ruleset": "class_ruleset",
    "link_flags": "flags",
    "position": "position",
    "destination": "destination",
    "visitor_is_new": "visitor_is_new",
    "user_agent": "user_agent",
    "address": "address",
    "referrer": "referrer",
    "hints": "hints",
    "provider_hints": "provider_hints",
    "provider_event_id": "provider_event_id",
    "client": "client",
    "client_version": "client_version",
    "os": "os",
    "device": "device",
    "network": "network",
    "country": "country",
    "delivery_name": "delivery_name",
    "message_name": "message_name",
    "recipient_name": "recipient_name",
    "domain": "domain",
    "reason": "reason",
    "diagnostic": "diagnostic",
    "attributes": "attributes",
    "site": "site",
    "order_id": "order_id",
    "amount": "amount",
    "currency": "currency",
    "articles": "articles",
    "page": "page",
    "src_offset": "source_offset",
    "src_index": "source_index",
    "segment_index": "index",
}


#: Not a field of a row: what sinks/addresses.py makes of several before the address is cut.
CLIENT_ID = "client_id"


def fields_of(rows: Sequence[EventRow], alike: dict[Any, Any] | None = None) -> Columns:
    """Field name -> its value in every row, for the fields that columns are made of.

    `alike`: values of earlier rows, which stand for their equals. To be asked of a few rows at a time: what is not
    kept of them is then freed from the processor's cache. To free a plan's worth of it later costs as much as decoding.
    """
    if not rows:
        return {name: [] for name in _FIELDS}
    share = ({} if alike is None else alike).setdefault
    values_of = dict(zip(EventRow.__struct_fields__, zip(*map(astuple, rows), strict=True), strict=True))
    fields: Columns = {}
    for name in _FIELDS:
        values = values_of[name]
        if name in _OF_FEW_VALUES and any(values):
            fields[name] = list(map(share, values, values))
        elif name in _EMPTY:
            empty = _EMPTY[name]
            fields[name] = [value or empty for value in values] if any(values) else [empty] * len(rows)
        else:
            fields[name] = list(values)
    return fields


def event_columns(fields: Columns, origins: Sequence[tuple[LoadedRecord, int]]) -> Columns:
    """Columns of sound rows; they take over the lists of `fields`.

    `origins`: the records the rows came from in order, with how many rows each gave.
    """
    count = len(fields["kind"])
    columns: Columns = {name: fields[field] for name, field in _AS_IS.items()}
    columns["client_id"] = fields[CLIENT_ID]
    columns["event_id"] = _ids(fields["event_id"])
    columns["rev"] = [0] * count
    columns["sign"] = [1] * count
    columns["kind"] = [KINDS[kind] for kind in fields["kind"]]
    columns["class"] = [CLASSES[name] for name in fields["class_"]]
    columns["reasons"] = _each(fields["class_reasons"], REASON_SEPARATOR.join, "")
    columns["run"] = [""] * count
    columns["history"] = [()] * count
    columns["marks"] = _each(fields["marks"], marks_code, 0)
    columns["seed"] = _each(fields["flags"], lambda flags: int(flags & _SEED != 0), 0)
    columns["url_id"] = [url_id or 0 for url_id in fields["url_id"]]
    columns["how"] = _each(fields["how"], HOWS.__getitem__, 0)
    columns["person"] = _numbers(fields["person"])
    columns["visitor"] = _numbers(fields["visitor"])
    columns["format"] = _each(fields["format"], str, "")
    columns["hit"] = _hits(columns)
    columns["src_topic"], columns["src_partition"], columns["log_time"] = [], [], []
    for record, rows in origins:
        columns["src_topic"] += [record.header.topic_id] * rows
        columns["src_partition"] += [record.partition] * rows
        columns["log_time"] += [record.log_time_ms] * rows
    return columns


def marks_code(marks: Sequence[str]) -> int:
    """The bits of `events.marks`."""
    return sum({MARKS[mark] for mark in marks})


def _ids(ids: Sequence[str]) -> list[bytes]:
    raw = bytes.fromhex("".join(ids))
    return [raw[start : start + 16] for start in range(0, len(raw), 16)]


def _numbers(ids: Sequence[str | None]) -> list[int]:
    """128-bit numbers of 32 hexadecimal digits each; 0 for none."""
    if not any(ids):
        return [0] * len(ids)
    words = array("Q", bytes.fromhex("".join([digits or _NOBODY for digits in ids])))
    words.byteswap()
    return [high << 64 | low for high, low in zip(words[::2], words[1::2], strict=True)]


def _each(values: Sequence[Any], convert: Callable[[Any], Any], default: Any) -> list[Any]:
    """Each value converted, falsy ones to the default; mostly all are."""
    if not any(values):
        return [default] * len(values)
    return [convert(value) if value else default for value in values]


def _hits(columns: Columns) -> list[int]:
    if not (any(columns["repeat"]) or any(columns["seed"]) or any(columns["marks"])):
        return [1 if kind < FIRST_FEED else 0 for kind in columns["kind"]]
    judged = zip(columns["kind"], columns["repeat"], columns["seed"], columns["marks"], strict=True)
    return [1 if is_hit(kind, repeat, seed, marks) else 0 for kind, repeat, seed, marks in judged]


def append_rows(columns: Columns, rows: Sequence[Mapping[str, Any]]) -> None:
    """Add whole rows, column name -> value, at the end."""
    for name in EVENT_COLUMNS:
        columns[name].extend(row[name] for row in rows)


def row_at(columns: Columns, number: int) -> dict[str, Any]:
    """One row back out of the columns."""
    return {name: columns[name][number] for name in EVENT_COLUMNS}


def block_of(table: str, columns: Mapping[str, list[Any]], always: frozenset[str]) -> Block:
    """The columns as one insert, without those that hold only defaults."""
    sent = {name: values for name, values in columns.items() if name in always or _differs(name, values)}
    rows = len(next(iter(columns.values()), ()))
    return Block(table, tuple(sent), list(sent.values()), rows)


def event_block(columns: Columns) -> Block:
    """The insert into `events`."""
    return block_of("events", {name: columns[name] for name in EVENT_COLUMNS}, ALWAYS_SENT)


def _differs(name: str, values: Sequence[Any]) -> bool:
    if name == "recipient_key":  # 0 is a key, None is the default
        return any(value is not None for value in values)
    return any(values)
