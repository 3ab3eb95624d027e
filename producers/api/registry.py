"""The body of a PUT -> registry entries: a delivery's own fields, and its URLs. Pure."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec

from producers.api.items import readable
from producers.api.times import read_time
from sendtrail.deliveries import Delivery, DeliveryUrl
from sendtrail.errors import Invalid
from sendtrail.ids import EARLIEST_MS
from sendtrail.links import url_id_of

LATEST_MS = 4_102_444_800_000  # 2100-01-01T00:00:00Z
MAX_COUNT = 1 << 53
MAX_URL_ID = 0xFFFFFFFF

_OURS = ("account", "delivery", "name", "updated_ms")
_TIMES = {"contact_date": "contact_date_ms", "track_until": "track_until_ms"}
_PLAIN = frozenset(field.name for field in msgspec.structs.fields(Delivery))
DELIVERY_FIELDS = (_PLAIN - frozenset(_OURS) - frozenset(_TIMES.values())) | frozenset(_TIMES)
URL_FIELDS = frozenset(("url", "url_id", "label", "category", "mode"))


class BadField(NamedTuple):
    """What is wrong with a body: the field, as a path into it, and why."""

    field: str
    detail: str


def read_delivery(body: dict[str, Any], named: Delivery, now_ms: int) -> Delivery | BadField:
    """The delivery a body describes (its `urls` apart); account, key and name are those of `named`.

    Fields left out get their defaults: a PUT replaces.
    """
    unknown = next((field for field in body if field not in DELIVERY_FIELDS), None)
    if unknown is not None:
        return BadField(unknown, f"no such field; there are {', '.join(sorted(DELIVERY_FIELDS))} and urls")
    fields = dict(body)
    for field, ours in _TIMES.items():
        given = fields.pop(field, None)
        time_ms = None if given is None else read_time(given, EARLIEST_MS, LATEST_MS)
        if isinstance(time_ms, Invalid):
            return BadField(field, time_ms.detail)
        fields[ours] = time_ms
    large = next((field for field, value in fields.items() if _too_large(value)), None)
    if large is not None:
        return BadField(large, "a count is below 2^53")
    try:
        fixed = {"account": named.account, "delivery": named.delivery, "name": named.name, "updated_ms": now_ms}
        return msgspec.convert(fields | fixed, type=Delivery)
    except msgspec.ValidationError as error:
        return _located(error, "")


def read_urls(body: object, delivery: int, now_ms: int) -> list[DeliveryUrl] | BadField:
    """The URLs a list describes, each with its id: the one given, else that of the URL, else the next free one."""
    if not isinstance(body, list):
        return BadField("urls", "a list of objects with url, url_id, label, category, mode")
    found: list[DeliveryUrl] = []
    for number, fields in enumerate(body):
        entry = _read_url(fields, f"urls[{number}]", delivery, now_ms)
        if isinstance(entry, BadField):
            return entry
        found.append(entry)
    return _with_ids(found, [isinstance(fields, dict) and fields.get("url_id") is not None for fields in body])


def _read_url(fields: object, place: str, delivery: int, now_ms: int) -> DeliveryUrl | BadField:
    if not isinstance(fields, dict):
        return BadField(place, "an object with url, url_id, label, category, mode")
    unknown = next((field for field in fields if field not in URL_FIELDS), None)
    if unknown is not None:
        return BadField(f"{place}.{unknown}", f"no such field; there are {', '.join(sorted(URL_FIELDS))}")
    if not fields.get("url"):
        return BadField(f"{place}.url", "is needed: an entry replaces all that is known of its URL")
    given = {field: value for field, value in fields.items() if value is not None}
    try:
        entry = msgspec.convert(given | {"delivery": delivery, "updated_ms": now_ms}, type=DeliveryUrl)
    except msgspec.ValidationError as error:
        return _located(error, f"{place}.")
    if entry.url_id > MAX_URL_ID:
        return BadField(f"{place}.url_id", "an id has 32 bits")
    return entry


def _with_ids(entries: Sequence[DeliveryUrl], given: Sequence[bool]) -> list[DeliveryUrl] | BadField:
    """Entries by id; one URL twice is one entry, the later; two URLs never share an id (FORMATS, Link token)."""
    by_id: dict[int, DeliveryUrl] = {}
    for number, (entry, has_id) in enumerate(zip(entries, given, strict=True)):
        if not has_id:
            continue
        if entry.url_id in by_id and by_id[entry.url_id].url != entry.url:
            return BadField(f"urls[{number}].url_id", f"{entry.url_id} is given to two URLs")
        by_id[entry.url_id] = entry
    ids = {entry.url: url_id for url_id, entry in by_id.items()}
    for entry, has_id in zip(entries, given, strict=True):
        if has_id:
            continue
        url_id = ids.get(entry.url, url_id_of(entry.url))
        while url_id in by_id and by_id[url_id].url != entry.url:
            url_id = (url_id + 1) & MAX_URL_ID
        ids[entry.url] = url_id
        by_id[url_id] = msgspec.structs.replace(entry, url_id=url_id)
    return list(by_id.values())


def _too_large(value: object) -> bool:
    if isinstance(value, dict):
        return any(_too_large(inner) for inner in value.values())
    return isinstance(value, int) and value >= MAX_COUNT


def _located(error: msgspec.ValidationError, before: str) -> BadField:
    """The field a validation error speaks of, and its text."""
    text, _, place = str(error).partition(" - at `")
    field = place.rstrip("`").removeprefix("$.").removeprefix("key in ")
    names = {ours: theirs for theirs, ours in _TIMES.items()}
    return BadField(before + names.get(field, field), readable(msgspec.ValidationError(text)))
