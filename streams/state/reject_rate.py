"""How much of a partition was rejected lately, by log time: above a limit the worker holds (hold.py).

Counted with the batch that the state is written with, and only behind what is counted already: so it survives a
restart, and a record that is read again is not counted twice. What a webhook could not attribute (docs/decisions/0019)
is rejected by design and says nothing of a broken producer.
"""

from collections import Counter
from collections.abc import Sequence

import msgspec

from streams.items import Known, Record, RejectLimit
from streams.state.keys import REJECT_RATE

MINUTE_MS = 60_000
#: Minutes that are remembered, whatever the limit looks at.
REMEMBERED = 60
_EXPECTED = frozenset(("unattributed", "unknown_type"))


class Minute(msgspec.Struct, array_like=True, gc=False):
    """Events of a minute of log time, and how many were rejected for which reason."""

    minute: int
    events: int
    rejected: dict[str, int]


class RejectRate(msgspec.Struct, array_like=True, gc=False):
    """`counted`: the next offset to count. `let_pass`: an operator has looked; until it is below the limit again."""

    counted: int = 0
    let_pass: bool = False
    minutes: list[Minute] = []

    def within(self, limit: RejectLimit) -> tuple[int, dict[str, int]]:
        """Events of the limit's last minutes, and the rejected ones by reason."""
        latest = self.minutes[-1].minute if self.minutes else 0
        shown = [minute for minute in self.minutes if minute.minute > latest - limit.minutes]
        rejected: Counter[str] = Counter()
        for minute in shown:
            rejected.update(minute.rejected)
        return sum(minute.events for minute in shown), dict(rejected)

    def is_above(self, limit: RejectLimit) -> bool:
        """True where too much was rejected."""
        events, by_reason = self.within(limit)
        rejected = sum(by_reason.values())
        return rejected >= limit.events and rejected > limit.ratio * events


_decoder = msgspec.msgpack.Decoder(RejectRate)
_encoder = msgspec.msgpack.Encoder()


def rate_value(rate: RejectRate) -> bytes:
    """As the state keeps it."""
    return _encoder.encode(rate)


def read_rate(value: bytes | None) -> RejectRate:
    """Of a partition; nothing counted where there is none."""
    return RejectRate() if value is None else _decoder.decode(value)


def count_rejects(records: Sequence[Record], known: Known) -> None:
    """Count records that went through the steps, in the order of the log."""
    limit = known.reject_limit
    if limit is None or not records:
        return
    known.state.load([REJECT_RATE])
    rate = read_rate(known.state.get(REJECT_RATE))
    for record in records:
        if record.source.offset >= rate.counted:
            _add(record, rate)
            rate.counted = record.source.offset + 1
    if rate.let_pass and not rate.is_above(limit):
        rate.let_pass = False
    known.state.put(REJECT_RATE, rate_value(rate))


def _add(record: Record, rate: RejectRate) -> None:
    minute = record.source.time_ms // MINUTE_MS
    if not rate.minutes or rate.minutes[-1].minute < minute:
        rate.minutes = [*(one for one in rate.minutes if one.minute > minute - REMEMBERED), Minute(minute, 0, {})]
    last = rate.minutes[-1]
    if record.refusal is not None:
        last.events += record.refusal.events
        last.rejected[record.refusal.reason] = last.rejected.get(record.refusal.reason, 0) + record.refusal.events
        return
    last.events += len(record.items)
    for item in record.items:
        if item.outcome == "rejected" and item.reason not in _EXPECTED:
            last.rejected[item.reason] = last.rejected.get(item.reason, 0) + 1
