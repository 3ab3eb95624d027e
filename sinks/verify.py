"""Does ClickHouse show what it holds? Aggregates against a recount of events, indicators against the live count, and
the same counts from several tables (METRICS, Sums that must hold).

While loaders insert, a table may be a moment ahead of another. So what differs is looked at twice: the second time
while the loaders hold (sinks/control.py), and only that counts.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import NamedTuple

from clickhouse_driver import Client

from sendtrail.settings import ClickHouseSettings
from sinks.control import paused
from sinks.mutations import let_end
from sinks.queries import query
from sinks.recount import Aggregate, aggregates, differing_by_delivery
from sinks.unknown import settle_aggregates

#: Rows of events looked at in one go: bounds the memory of a recount.
ROWS_AT_ONCE = 2_000_000
_DELIVERIES_AT_ONCE = 200
#: The indicators are calculated every two seconds, for large deliveries every ten.
_CALCULATED_WITHIN_S = 60.0
_POLL_S = 0.5
_DAY_S = 86_400


class Difference(NamedTuple):
    """A delivery whose numbers contradict each other. `keys`: how many rows or numbers do; `detail`: for people."""

    delivery: int
    check: str
    keys: int
    detail: str = ""


class Scope(NamedTuple):
    """What is looked at: deliveries with their rows of events, smallest first; and those that events can't prove."""

    provable: dict[int, int]
    not_provable: tuple[int, ...]


#: A check takes deliveries and says what differs.
Check = Callable[[Sequence[int]], Iterable[Difference]]
Progress = Callable[[int], None]


def scope(client: Client, since_ms: int = 0, only: Sequence[int] | None = None) -> Scope:
    """Deliveries loaded since a moment (UTC milliseconds), or only some. Lets the driver's errors through.

    A delivery is provable where all its events are still kept: aggregates outlive them.
    """
    found = dict(client.execute(query("verify_deliveries"), {"since_ms": since_ms}))
    if only is not None:
        found = {delivery: found.get(delivery, 0) for delivery in only}
    days = client.execute(query("verify_retention"))[0][0]
    if not days:
        return Scope(found, ())
    before_s = int(time.time()) - days * _DAY_S
    older: set[int] = set()
    for some in pieces(found):
        older.update(row[0] for row in client.execute(
            query("verify_older"), {"deliveries": some, "before_s": before_s}
        ))  # fmt: skip
    return Scope({d: rows for d, rows in found.items() if d not in older}, tuple(sorted(older)))


def checks(client: Client) -> dict[str, Check]:
    """Every check by name, in the order to make them."""
    found: dict[str, Check] = {
        f"{aggregate.target} = events": partial(_recounted, client, aggregate) for aggregate in aggregates(client)
    }
    found["counts agree"] = partial(_sums, client)
    found["indicators = live"] = partial(_indicators, client)
    return found


def look(checks: dict[str, Check], deliveries: dict[int, int], progress: Progress) -> list[Difference]:
    """Make every check of every delivery. `progress` gets the rows of events that are done with."""
    found: list[Difference] = []
    for some in pieces(deliveries):
        for check in checks.values():
            found += check(some)
        progress(sum(deliveries[delivery] for delivery in some))
    return found


def verify(
    settings: ClickHouseSettings, client: Client, checks: dict[str, Check], deliveries: dict[int, int],
    progress: Progress = lambda rows: None, repair: bool = False,
) -> tuple[list[Difference], int]:  # fmt: skip
    """What differs, and how many keys of aggregates were put right (only if `repair`; what is then left differs still).

    Raises PauseError if the loaders don't come to rest; lets the driver's errors through.
    """
    suspects = sorted({difference.delivery for difference in look(checks, deliveries, progress)})
    if not suspects:
        return [], 0
    again = {delivery: deliveries[delivery] for delivery in suspects}
    with paused(settings, "verify") as pause:
        let_end(client)
        found = look(checks, again, lambda rows: pause.check())
        repaired = 0
        if found and repair:
            repaired = settle_aggregates(client, sorted({difference.delivery for difference in found}))
            pause.check()
            found = look(checks, again, lambda rows: pause.check())
    return found, repaired


def pieces(deliveries: dict[int, int]) -> Iterator[list[int]]:
    """Deliveries in groups of at most so many rows; a larger one alone."""
    group: list[int] = []
    size = 0
    for delivery, rows in deliveries.items():
        if group and (size + rows > ROWS_AT_ONCE or len(group) == _DELIVERIES_AT_ONCE):
            yield group
            group, size = [], 0
        group.append(delivery)
        size += rows
    if group:
        yield group


def _recounted(client: Client, aggregate: Aggregate, deliveries: Sequence[int]) -> Iterator[Difference]:
    for delivery, keys in differing_by_delivery(client, aggregate, deliveries).items():
        yield Difference(delivery, f"{aggregate.target} = events", keys)


def _sums(client: Client, deliveries: Sequence[int]) -> Iterator[Difference]:
    rows, columns = client.execute(query("verify_sums"), {"deliveries": deliveries}, with_column_types=True)
    names = [name for name, _ in columns[2:]]
    counts: dict[int, dict[str, tuple[int, ...]]] = {}
    for source, delivery, *values in rows:
        counts.setdefault(delivery, {})[source] = tuple(values)
    nothing = (0,) * len(names)
    for delivery, by_source in counts.items():
        sources = [by_source.get(source, nothing) for source in ("url_activity", "stat_minute", "message_activity")]
        odd = [name for name, *values in zip(names, *sources, strict=True) if len(set(values)) > 1]
        if odd:
            yield Difference(delivery, "counts agree", len(odd), ", ".join(odd))


def _indicators(client: Client, deliveries: Sequence[int]) -> Iterator[Difference]:
    """Waits until the indicators of these deliveries are due no more; those that stay due differ."""
    end = time.monotonic() + _CALCULATED_WITHIN_S
    while client.execute(query("verify_due"), {"deliveries": deliveries})[0][0] and time.monotonic() < end:
        time.sleep(_POLL_S)
    names = [name for name, *_ in client.execute("DESCRIBE indicators") if name not in ("delivery_id", "calculated")]
    text = f"SELECT delivery_id, {', '.join(names)} FROM {{}} WHERE delivery_id IN {{{{deliveries:Array(UInt64)}}}}"
    stored, live = (
        {row[0]: row[1:] for row in client.execute(text.format(source), {"deliveries": deliveries})}
        for source in ("indicators FINAL", "indicators_live")
    )
    for delivery in sorted({*stored, *live}):
        ours, theirs = stored.get(delivery), live.get(delivery)
        if ours is None or theirs is None:
            yield Difference(delivery, "indicators = live", 1, "never calculated" if ours is None else "no events")
        elif ours != theirs:
            odd = [name for name, one, other in zip(names, ours, theirs, strict=True) if one != other]
            yield Difference(delivery, "indicators = live", len(odd), ", ".join(odd))
