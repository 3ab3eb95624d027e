"""What is in `events`: the look-ups of re-labels and late events, asked of ClickHouse by primary key."""

from collections.abc import Collection, Iterator, Mapping
from itertools import islice
from typing import Any

from clickhouse_driver import Client

from sinks.blocks import Place, StoredRow, Target
from sinks.columns import EVENT_COLUMNS
from sinks.queries import query

#: Targets in one query; a query with its parameters is limited to 256 KiB by default (`max_query_size`).
MAX_TARGETS = 1_000


class ClickHouseLookup:
    """StoredLookup over a client of the tracking database. Lets the driver's errors through."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._rows, self._places = query("stored_rows"), query("stored_places")

    def rows(self, targets: Collection[Target]) -> Mapping[Target, StoredRow]:
        """The live row of each target that is stored, as it goes over the wire."""
        return {Target(row["delivery_id"], row["event_id"]): row for row in self._read_rows(targets)}

    def _read_rows(self, targets: Collection[Target]) -> Iterator[StoredRow]:
        for values in self._ask(self._rows, targets):
            row = dict(zip(EVENT_COLUMNS, values, strict=True))
            row["event_id"] = bytes.fromhex(row["event_id"])
            yield row

    def first_places(self, targets: Collection[Target]) -> Mapping[Target, Place]:
        """Where each target that is stored was first seen."""
        return {
            Target(delivery_id, bytes.fromhex(event_id)): Place(topic_id, offset, number)
            for delivery_id, event_id, topic_id, offset, number in self._ask(self._places, targets)
        }

    def _ask(self, text: str, targets: Collection[Target]) -> Iterator[tuple[Any, ...]]:
        rest = iter(sorted(targets))
        while some := list(islice(rest, MAX_TARGETS)):
            parameters = {
                "deliveries": [target.delivery_id for target in some],
                "event_ids": [target.event_id.hex() for target in some],
            }
            yield from self._client.execute(text, parameters)
