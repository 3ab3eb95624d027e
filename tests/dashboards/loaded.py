"""Happenings -> tables as the loader fills them: enriched lines, its row mapping, its look-ups, its inserts.

Records come in any order, plans are inserted twice now and then, late events come again, re-labels after what they
correct.
"""

from collections.abc import Iterator, Sequence
from random import Random

from clickhouse_driver import Client

from sendtrail.enriched import EventRow, Mark, RelabelRow
from sendtrail.ids import relabel_id
from sinks.stored import ClickHouseLookup
from tests.dashboards.happenings import EXPIRED, FLOOD, FOREIGN, LATE, Happening, Judgement
from tests.support.tracked import AnyRow, load, record

PER_RECORD = 500
PER_PLAN = 50_000
_MARKS: dict[int, list[Mark]] = {
    0: [], LATE: ["late"], FLOOD: ["flood"], FOREIGN: ["foreign"], EXPIRED: ["expired"],
}  # fmt: skip


def load_all(client: Client, happenings: Sequence[Happening], random: Random) -> int:
    """Load them; returns how many rows of events the loader says it stored, re-labels apart."""
    lines = [_event(one) for one in happenings]
    again = [_event(one) for one in happenings if one.marks == LATE and random.random() < 0.2]
    random.shuffle(lines)
    rounds = max(len(one.judgements) for one in happenings)
    waves: list[list[AnyRow]] = [[*lines], [*again]]
    waves += [[_relabel(one, rev) for one in happenings if rev < len(one.judgements)] for rev in range(1, rounds)]
    offset, stored = 0, 0
    for number, wave in enumerate(waves):
        for plan in _pieces(wave, PER_PLAN):
            records = [record(offset + n, rows) for n, rows in enumerate(_pieces(plan, PER_RECORD))]
            times = 2 if random.random() < 0.3 else 1
            blocks = load(client, records, ClickHouseLookup(client), f"big-{offset}", times)
            assert blocks.late_duplicates == (len(plan) if number == 1 else 0)
            assert blocks.relabelled == (len(plan) if number > 1 else 0)
            stored += blocks.stored
            offset += len(records)
    return stored


def _pieces(rows: Sequence[AnyRow], size: int) -> Iterator[list[AnyRow]]:
    return (list(rows[start : start + size]) for start in range(0, len(rows), size))


def _event(one: Happening) -> EventRow:
    judged = one.judgements[0]
    return EventRow(
        version=1, event_id=one.event_id.hex(), kind=one.kind, event_time_ms=one.time_ms, source="edge",  # type: ignore[arg-type]
        delivery=one.delivery, message=one.message, recipient=one.recipient, recipient_name=one.recipient_name,
        url_id=one.url_id or None, position=one.position, destination=one.destination, flags=int(one.seed),
        how=one.how or None, domain=one.domain, format=one.format or None, reason=one.reason,  # type: ignore[arg-type]
        site=one.site, page=one.page, referrer=one.referrer, order_id="o" * (one.kind == "transaction"),
        amount=one.amount, currency=one.currency, articles=one.articles, client=one.client,
        client_version=one.client_version, os=one.os, device=one.device, network=one.network, country=one.country,
        person=f"{one.person:032x}", marks=_MARKS[one.marks], class_=judged.class_, class_reasons=_reasons(judged),  # type: ignore[arg-type]
        class_ruleset=judged.ruleset, repeat=judged.repeat, source_offset=0, source_index=0,
    )  # fmt: skip


def _relabel(one: Happening, rev: int) -> RelabelRow:
    judged = one.judgements[rev]
    at_ms = one.time_ms + rev
    return RelabelRow(
        version=1, event_id=relabel_id(at_ms, f"run-{rev}", one.event_id.hex()), kind="relabel", event_time_ms=at_ms,
        delivery=one.delivery, message=one.message, target_id=one.event_id.hex(), new_class=judged.class_,  # type: ignore[arg-type]
        new_repeat=judged.repeat, reasons=_reasons(judged), ruleset=judged.ruleset, run=judged.run, source_offset=0,
        source_index=0,
    )  # fmt: skip


def _reasons(judged: Judgement) -> list[str]:
    return judged.reasons.split(",") if judged.reasons else []
