"""Event rows -> columns of `events`, column by column: far cheaper than row by row.

Of the 60 fields of a row most have their default in every row. Such a column is never made: it is found by comparing
the field with as many defaults, which costs a tenth of what carrying it along would.
"""

from array import array
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

from msgspec import NODEFAULT
from msgspec.structs import astuple, fields

from sendtrail.enriched import EventRow
from sendtrail.events import FLAG_PROOF, FLAG_SEED
from sinks.blocks import Block, LoadedRecord
from sinks.columns import ALWAYS_SENT, CLASSES, EVENT_COLUMNS, FIRST_FEED, HOWS, KINDS, MARKS, REASON_SEPARATOR, is_hit


class Columns(dict[str, list[Any]]):
    """Name -> values, one per row. A column of defaults need not be there: one that is asked for is made up."""

    def __init__(self, rows: int, defaults: Mapping[str, Any], columns: Mapping[str, list[Any]] | None = None) -> None:
        super().__init__(columns or {})
        self.rows = rows
        self._defaults = defaults

    def __missing__(self, name: str) -> list[Any]:
        return [self._defaults[name]] * self.rows

    def extend(self, more: "Columns") -> None:
        """Add the rows of another at the end."""
        for name in more.keys() - self.keys():
            self[name] = self[name]
        for name, values in self.items():
            values.extend(more[name])
        self.rows += more.rows

    def only(self, numbers: Sequence[int]) -> "Columns":
        """Some of the rows."""
        columns = {name: [values[number] for number in numbers] for name, values in self.items()}
        return Columns(len(numbers), self._defaults, columns)


_SEED = FLAG_SEED | FLAG_PROOF
_NOBODY = "0" * 32

#: Fields that no column is made of.
_UNUSED = frozenset(
    {"version", "delivery_label", "url_label", "campaign", "category", "type"}
    | {"target_id", "new_class", "new_repeat", "reasons", "ruleset", "run"}
)
#: Texts of few values: one object for all that are equal costs less to keep, to encode and to free.
_OF_FEW_VALUES = frozenset(
    {"account", "source", "class_ruleset", "user_agent", "client", "client_version", "os", "device", "network"}
    | {"country", "delivery_name", "domain", "reason", "site", "currency"}
)
#: Not a field of a row: what sinks/addresses.py makes of several before the address is cut.
CLIENT_ID = "client_id"

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


def _default(field: Any) -> Any:
    if field.default_factory is not NODEFAULT:
        return field.default_factory()
    return None if field.default is NODEFAULT else field.default


#: Fields that are a list or dictionary, and what stands for all empty ones.
_EMPTY: Final[dict[str, Any]] = {"class_reasons": [], "marks": [], "hints": [], "provider_hints": [], "attributes": {}}
#: Field -> what it is where a row does not say; None where every row does.
FIELD_DEFAULTS: Final[dict[str, Any]] = {field.name: _default(field) for field in fields(EventRow)} | {CLIENT_ID: 0}
COLUMN_DEFAULTS: Final[dict[str, Any]] = {
    **dict.fromkeys(EVENT_COLUMNS, 0),
    **{column: FIELD_DEFAULTS[field] for column, field in _AS_IS.items()},
    "reasons": "", "run": "", "history": (), "format": "", "src_topic": "",
}  # fmt: skip


def fields_of(rows: Sequence[EventRow], alike: dict[Any, Any] | None = None) -> Columns:
    """Field name -> its value in every row, for the fields that columns are made of.

    `alike`: values of earlier rows, which stand for their equals. To be asked of a few rows at a time: what is not
    kept of them is then freed from the processor's cache. To free a plan's worth of it later costs as much as decoding.
    """
    found = Columns(len(rows), FIELD_DEFAULTS)
    if not rows:
        return found
    share = ({} if alike is None else alike).setdefault
    for name, blank, values in zip(_NAMES, _blanks(len(rows)), zip(*map(astuple, rows), strict=True), strict=True):
        if name in _UNUSED or values == blank:
            continue
        if name in _OF_FEW_VALUES:
            first = values[0]
            same = values.count(first) == len(rows)
            found[name] = [share(first, first)] * len(rows) if same else list(map(share, values, values))
        elif name in _EMPTY:
            found[name] = [value or _EMPTY[name] for value in values]
        else:
            found[name] = list(values)
    return found


_NAMES: Final = EventRow.__struct_fields__


#: By field, what a row holds as decoded (sinks/lines.py) where it says nothing; and each such thing once, by its text.
_BLANK: Final = tuple(() if name in _EMPTY else FIELD_DEFAULTS[name] for name in _NAMES)
_TEXTS: Final = tuple(map(repr, _BLANK))
_BLANKS: Final = dict(zip(_TEXTS, _BLANK, strict=True))


@lru_cache(maxsize=64)
def _blanks(rows: int) -> tuple[tuple[Any, ...], ...]:
    """By field, what so many rows hold where none says anything: one tuple for all fields with the same default."""
    made = {text: (blank,) * rows for text, blank in _BLANKS.items()}
    return tuple(made[text] for text in _TEXTS)


def event_columns(fields: Columns, origins: Iterable[tuple[LoadedRecord, int]]) -> Columns:
    """Columns of sound rows; they take over the lists of `fields`.

    `origins`: the records the rows came from in order, with how many rows each gave.
    """
    columns = Columns(fields.rows, COLUMN_DEFAULTS)
    for name, field in _AS_IS.items():
        if field in fields:
            columns[name] = fields[field]
    for name, field, make in _MADE:
        if field in fields:
            columns[name] = make(fields[field])
    columns["sign"] = [1] * fields.rows
    columns["class"] = list(map(CLASSES.__getitem__, fields["class_"]))
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
    words = array("Q", bytes.fromhex("".join([digits or _NOBODY for digits in ids])))
    words.byteswap()
    return [high << 64 | low for high, low in zip(words[::2], words[1::2], strict=True)]


def _each(convert: Callable[[Any], Any], default: Any) -> Callable[[Sequence[Any]], list[Any]]:
    """Each value converted, falsy ones to the default."""
    return lambda values: [convert(value) if value else default for value in values]


#: Columns that are made of one field: name, field, how.
_MADE: Final[tuple[tuple[str, str, Callable[[Sequence[Any]], list[Any]]], ...]] = (
    ("event_id", "event_id", _ids),
    ("kind", "kind", lambda kinds: list(map(KINDS.__getitem__, kinds))),
    ("client_id", CLIENT_ID, list),
    ("reasons", "class_reasons", _each(REASON_SEPARATOR.join, "")),
    ("marks", "marks", _each(marks_code, 0)),
    ("seed", "flags", _each(lambda flags: int(flags & _SEED != 0), 0)),
    ("url_id", "url_id", _each(int, 0)),
    ("how", "how", _each(HOWS.__getitem__, 0)),
    ("person", "person", _numbers),
    ("visitor", "visitor", _numbers),
    ("format", "format", _each(str, "")),
)


def _hits(columns: Columns) -> list[int]:
    if columns.keys().isdisjoint(("repeat", "seed", "marks")):
        kinds = columns["kind"]
        return [1] * len(kinds) if max(kinds, default=0) < FIRST_FEED else [int(kind < FIRST_FEED) for kind in kinds]
    judged = zip(columns["kind"], columns["repeat"], columns["seed"], columns["marks"], strict=True)
    return [1 if is_hit(kind, repeat, seed, marks) else 0 for kind, repeat, seed, marks in judged]


def append_rows(columns: Columns, rows: Sequence[Mapping[str, Any]]) -> None:
    """Add whole rows, column name -> value, at the end."""
    if not rows:
        return
    for name in EVENT_COLUMNS:
        columns[name] = [*columns[name], *(row[name] for row in rows)]
    columns.rows += len(rows)


def row_at(columns: Columns, number: int) -> dict[str, Any]:
    """One row back out of the columns."""
    return {name: columns[name][number] if name in columns else COLUMN_DEFAULTS[name] for name in EVENT_COLUMNS}


def block_of(table: str, columns: Mapping[str, list[Any]], always: frozenset[str]) -> Block:
    """The columns as one insert, without those that hold only defaults."""
    sent = {name: values for name, values in columns.items() if name in always or _differs(name, values)}
    rows = len(next(iter(columns.values()), ()))
    return Block(table, tuple(sent), list(sent.values()), rows)


def event_block(columns: Columns) -> Block:
    """The insert into `events`."""
    there = {name: columns[name] for name in EVENT_COLUMNS if name in columns or name in ALWAYS_SENT}
    return block_of("events", there, ALWAYS_SENT)


def _differs(name: str, values: Sequence[Any]) -> bool:
    if name == "recipient_key":  # 0 is a key, None is the default
        return any(value is not None for value in values)
    return any(values)
