"""Random events, repeats, seeds and re-labels for a few deliveries, as enriched records; equal for equal seeds."""

import random
from collections.abc import Sequence
from typing import Any, get_args

from sendtrail.enriched import EventRow, RelabelRow
from sendtrail.events import FeedKind, HitKind
from sinks.blocks import LoadedRecord
from tests.support.tracked import NOW_MS, event, record, relabel

CLASSES = ("human", "machine", "unknown")
REASONS: tuple[list[str], ...] = ([], ["known_bot"], ["burst", "prefetch"])


class Traffic:
    """`records` in order, by partition; `rows` in the order they are judged."""

    def __init__(self, seed: int, deliveries: Sequence[int], messages: int, records: int, per_record: int) -> None:
        self.random = random.Random(seed)
        self.deliveries, self.messages = deliveries, messages
        self.rows: list[EventRow | RelabelRow] = []
        self.records: list[LoadedRecord] = []
        hits: list[EventRow] = []
        for offset in range(records):
            lines: list[Any] = [self._event() for _ in range(per_record)]
            hits += [row for row in lines if row.kind in get_args(HitKind)]
            lines += [self._relabel(hits) for _ in range(self.random.randrange(per_record // 2)) if hits]
            self.rows += lines
            self.records.append(record(offset, lines))

    def _event(self) -> EventRow:
        pick = self.random
        kind = pick.choice([*get_args(HitKind) * 2, "click", "open", *get_args(FeedKind)])
        row = event(
            kind=kind,
            event_time_ms=NOW_MS + pick.randrange(90_000) * 1_000,
            delivery=pick.choice(self.deliveries),
            message=pick.randrange(self.messages),
            class_=pick.choice(CLASSES),
            class_reasons=pick.choice(REASONS),
            class_ruleset=pick.choice("12"),
            flags=pick.choice([0] * 12 + [1, 2, 4]),
            client=pick.choice(["", "Gmail", "Safari"]),
            client_version=pick.choice(["", "17"]),
            os=pick.choice(["iOS", "Windows"]),
            network=pick.choice(["", "example-net"]),
            person=f"{pick.randrange(self.messages * 2) + 1:032x}",
        )
        row.recipient = 1_000 + row.message
        if kind in get_args(FeedKind):
            row.reason, row.format = pick.choice(["", "spam", "unknown_user"]), pick.choice([None, "html", "text"])
            row.class_, row.class_reasons, row.class_ruleset = "unknown", [], ""
            return row
        row.repeat = pick.random() < 0.2
        row.marks = pick.choice([[]] * 10 + [["flood"], ["expired"], ["foreign"]])
        row.url_id, row.position = pick.choice([(None, 0), (5, 1), (6, 2)])
        row.how = pick.choice(["view", "form", "one_click"]) if kind == "optout" else None
        if kind == "transaction":
            row.amount, row.articles, row.currency = (
                pick.randrange(-5, 500),
                pick.randrange(4),
                pick.choice(["EUR", "USD"]),
            )
        return row

    def _relabel(self, hits: Sequence[EventRow]) -> RelabelRow:
        pick = self.random
        return relabel(
            pick.choice(hits),
            pick.choice(CLASSES),
            new_repeat=pick.choice([None, True, False]),
            reasons=pick.choice(REASONS),
            ruleset=pick.choice("23"),
        )
