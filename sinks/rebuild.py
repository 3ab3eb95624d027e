"""Aggregates made anew from `events`, without a moment of wrong numbers.

Where an aggregate can be put right by inserting what it lacks (sums, rows that replace each other, maxima that are too
low), that is done. A maximum that is too high, or a bit that should not be set, can't be taken back by an insert: then
the table is built aside and the two are exchanged, which readers and views see at once. Deliveries with events that are
kept no more have their rows copied.
"""

from collections.abc import Callable, Sequence

from clickhouse_driver import Client

from sendtrail.settings import ClickHouseSettings
from sinks.control import Pause, paused
from sinks.migrate import migrations, render
from sinks.mutations import let_end, on_cluster
from sinks.queries import query
from sinks.recount import Aggregate, differing, insert_difference, of_deliveries, surplus, touch
from sinks.verify import Scope, pieces

_ROUNDS = 3
_ASIDE = "_replayed"
_COPY_SETTINGS = {"insert_deduplicate": 0, "deduplicate_insert": "disable", "async_insert": 0}

#: Gets how many rows of events are done with since the last call.
Progress = Callable[[int], None]


def rebuild(
    settings: ClickHouseSettings, client: Client, aggregate: Aggregate, scope: Scope, dedup_window: int,
    progress: Progress = lambda rows: None, dry_run: bool = False,
) -> int:  # fmt: skip
    """Make an aggregate equal to a recount of the deliveries that events can prove; returns how many keys differed.

    Killed anywhere, the next run finds what is left. Raises PauseError, and lets the driver's errors through.
    """
    differed, stubborn = 0, False
    for some in pieces(scope.provable):
        keys = _wrong(client, aggregate, some)
        if keys and not dry_run:
            with paused(settings, "replay") as pause:
                let_end(client)
                keys = _wrong(client, aggregate, some)  # now that nothing is on its way
                _insert_differences(client, aggregate, some, pause)
                stubborn = _wrong(client, aggregate, some) > 0 or stubborn
                touch(client, some)
        differed += keys
        progress(sum(scope.provable[delivery] for delivery in some))
    if stubborn:
        with paused(settings, "replay") as pause:
            let_end(client)
            _exchange(settings, client, aggregate, scope, dedup_window, pause)
            touch(client, list(scope.provable))
    return differed


def _wrong(client: Client, aggregate: Aggregate, deliveries: Sequence[int]) -> int:
    return differing(client, aggregate, deliveries) + surplus(client, aggregate, deliveries)


def _insert_differences(client: Client, aggregate: Aggregate, deliveries: Sequence[int], pause: Pause) -> None:
    for _ in range(_ROUNDS):
        pause.check()
        if not differing(client, aggregate, deliveries):
            return
        insert_difference(client, aggregate, deliveries)


def _exchange(
    settings: ClickHouseSettings, client: Client, aggregate: Aggregate, scope: Scope, dedup_window: int, pause: Pause
) -> None:
    name, aside = aggregate.target, aggregate.target + _ASIDE
    cluster = on_cluster(settings)
    client.execute(f"DROP TABLE IF EXISTS {aside}{cluster} SYNC")
    client.execute(_create(settings, name, aside, dedup_window))
    columns = ", ".join((*aggregate.keys, *(value for value, _ in aggregate.values)))
    provable = list(scope.provable)
    client.execute(
        f"INSERT INTO {aside} ({columns}) SELECT {columns} FROM {name} "
        "WHERE delivery_id NOT IN {provable:Array(UInt64)}",
        {"provable": provable}, settings=_COPY_SETTINGS,
    )  # fmt: skip
    for some in pieces(scope.provable):
        pause.check()
        client.execute(
            f"INSERT INTO {aside} ({columns}) SELECT {columns} FROM ({of_deliveries(aggregate)})",
            {"deliveries": some}, settings=_COPY_SETTINGS,
        )  # fmt: skip
    pause.check()
    # Open plans can't trust their tokens afterwards: the new table remembers none. Said before it is so.
    client.execute(query("tables_changed"))
    client.execute(f"EXCHANGE TABLES {name} AND {aside}{cluster}")
    client.execute(f"DROP TABLE {aside}{cluster} SYNC")


def _create(settings: ClickHouseSettings, name: str, aside: str, dedup_window: int) -> str:
    """The statement that makes the table, as its migration has it, under another name."""
    head = f"CREATE TABLE IF NOT EXISTS {{database}}.{name}{{on_cluster}}"
    text = next(step.text for step in migrations() if head in step.text)
    return render(text.replace(head, head.replace(name, aside, 1)), settings, dedup_window)
