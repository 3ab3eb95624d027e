"""Items -> the bodies of requests, bounded in items and bytes. Pure."""

import gzip
from collections.abc import Iterable, Mapping
from typing import Any, Literal, NamedTuple

import msgspec
import zstandard

from sendtrail.errors import BadItem

#: An item as docs/api.md has it, or its JSON: an object without line breaks outside of texts.
Item = Mapping[str, Any] | bytes
Packing = Literal["zstd", "gzip", "none"]

BATCH_ITEMS = 1_000
BATCH_BYTES = 4 * 1024 * 1024  # before packing; one item may have more
_WORTH_PACKING = 1024
NDJSON = "application/x-ndjson"


class Batch(NamedTuple):
    """Consecutive items, the number of the first, and the lines they are sent as."""

    first: int
    items: list[Item]
    lines: list[bytes]


class Batcher:
    """Gathers items; `add` gives a batch that is full, `rest` what is left."""

    def __init__(self) -> None:
        self._first = 0
        self._items: list[Item] = []
        self._lines: list[bytes] = []
        self._bytes = 0

    @property
    def empty(self) -> bool:
        return not self._items

    def add(self, item: Item) -> Batch | None:
        """Take one item; the batch before it, where that is full. Raises BadItem."""
        line = line_of(item)
        full = self._bytes + len(line) > BATCH_BYTES or len(self._items) == BATCH_ITEMS
        batch = self.rest() if full else None
        self._items.append(item)
        self._lines.append(line)
        self._bytes += len(line) + 1
        return batch

    def rest(self) -> Batch | None:
        """What was gathered; None where there is nothing."""
        if not self._items:
            return None
        batch = Batch(self._first, self._items, self._lines)
        self._first += len(batch.items)
        self._items, self._lines, self._bytes = [], [], 0
        return batch


def batch_of(items: Iterable[Item]) -> Batch:
    """All of these items as one batch. Raises BadItem."""
    kept = list(items)
    return Batch(0, kept, [line_of(item) for item in kept])


def line_of(item: Item) -> bytes:
    """The line of one item. Raises BadItem for one that is no JSON object."""
    try:
        line = item if isinstance(item, bytes) else msgspec.json.encode(item)
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise BadItem(f"an item can't be written as JSON: {error}") from error
    if b"\n" in line or not line.strip():
        raise BadItem("an item given as bytes is one line of JSON")
    return line


def body_of(lines: Iterable[bytes], packing: Packing) -> tuple[bytes, dict[str, str]]:
    """The body of a request and its headers."""
    return packed(b"\n".join(lines), NDJSON, packing)


def packed(body: bytes, content_type: str, packing: Packing) -> tuple[bytes, dict[str, str]]:
    """A body, packed where that saves anything, and its headers."""
    headers = {"Content-Type": content_type}
    if packing == "none" or len(body) < _WORTH_PACKING:
        return body, headers
    smaller = zstandard.compress(body) if packing == "zstd" else gzip.compress(body, 1, mtime=0)
    return smaller, headers | {"Content-Encoding": packing}
