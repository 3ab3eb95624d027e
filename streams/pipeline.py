"""Runs the steps over a batch of records: reads their state at once, keeps a failure to the event it happens on."""

from collections.abc import Callable, Iterator, Sequence
from time import perf_counter
from typing import NamedTuple

import structlog

from streams.items import Covering, Item, Known, Record
from streams.render import Enriched, render
from streams.state.keys import WAITING, mark_value, read_mark, spool_key
from streams.state.reject_rate import count_rejects
from streams.state.rejected import drop_known
from streams.state.waiting import settle
from streams.steps.unpack import unpack

#: Bytes of packs worked on at once: with more, the processor's cache no longer holds them.
FEW_BYTES = 64 * 1024

_log = structlog.stdlib.get_logger(__name__)


class Step(NamedTuple):
    """One step. `act` looks at one item and what is known, changes nothing else, and need not catch anything."""

    name: str
    act: Callable[[Item, Known], None]
    of: frozenset[str] | None = None  # kinds of events it looks at; None = all
    ends: bool = False  # it may end an item


class StateStep(NamedTuple):
    """A step with state: `reads` names the key of an item; all are read at once before `act` gets the items.

    `also`: one more key that `act` will look at, for some items.
    """

    name: str
    reads: Callable[[Item, Known], bytes | None]
    act: Callable[[Item, Known, bytes], None]
    also: Callable[[Item, Known], bytes | None] | None = None
    of: frozenset[str] | None = None
    ends: bool = False


Steps = Sequence[Step | StateStep]
Clock = Callable[[], float]


class Timing:
    """Seconds spent per step since the start, for benchmarks and metrics."""

    def __init__(self, clock: Clock = perf_counter) -> None:
        self.clock = clock
        self.seconds: dict[str, float] = {}

    def add(self, name: str, since: float) -> float:
        """Book the time since `since`; returns now."""
        now = self.clock()
        self.seconds[name] = self.seconds.get(name, 0.0) + now - since
        return now


def enrich(sources: Sequence[Covering], known: Known, steps: Steps, timing: Timing) -> Iterator[Enriched]:
    """The enriched records of source records in the order of the log."""
    for records in _unpacked(sources, timing):
        run(records, known, steps, timing)
        now = timing.clock()
        enriched = [render(record, known) for record in records]
        timing.add("render", now)
        yield from enriched


def apply(sources: Sequence[Covering], known: Known, steps: Steps, timing: Timing) -> None:
    """What `enrich` does to the state, without the records."""
    for records in _unpacked(sources, timing):
        run(records, known, steps, timing)


def _unpacked(sources: Sequence[Covering], timing: Timing) -> Iterator[list[Record]]:
    """A few packs at a time."""
    now = timing.clock()
    records, size = [], 0
    for source in sources:
        records.append(unpack(*source))
        size += len(source.record.value)
        if size >= FEW_BYTES:
            timing.add("unpack", now)
            yield records
            records, size, now = [], 0, timing.clock()
    if records:
        timing.add("unpack", now)
        yield records


def run(records: Sequence[Record], known: Known, steps: Steps, timing: Timing) -> None:
    """Take every item through the steps until one ends it. `records` in the order of the log."""
    known.state.turn()
    note_marks(records, known)
    items = [item for record in records for item in record.items]
    of_kinds: dict[frozenset[str] | None, list[Item]] = {None: items}
    all_items, now = len(items), timing.clock()
    for step in steps:
        chosen = of_kinds.get(step.of)
        if chosen is None:
            chosen = of_kinds[step.of] = [item for item in items if item.event.kind in (step.of or ())]
        failed = _run_with_state(step, chosen, known) if isinstance(step, StateStep) else _run(step, chosen, known)
        if step.ends or failed:
            items = [item for item in items if not item.outcome]
            of_kinds = {None: items}
        now = timing.add(step.name, now)
    if len(items) < all_items:
        drop_known(records, known)
    settle(records, known)
    count_rejects(records, known)


def note_marks(records: Sequence[Record], known: Known) -> None:
    """Give each pack the mark its spool had before it, and move the mark past it."""
    packs = [(record, spool_key(record.pack.spool)) for record in records if record.pack and record.items]
    known.state.load([WAITING, *(key for _, key in packs)])
    for record, key in packs:
        mark = record.origin.mark = read_mark(known.state.get(key))
        seen = (record.origin.segment, record.pack.last if record.pack else 0)
        if seen > mark:
            known.state.put(key, mark_value(seen, record.origin.time_ms))


def _run(step: Step, items: Sequence[Item], known: Known) -> bool:
    """True if it failed on an item."""
    act, failed = step.act, False
    for item in items:
        try:
            act(item, known)
        except Exception as error:  # the line goes on without this event
            _reject(item, step.name, error)
            failed = True
    return failed


def _run_with_state(step: StateStep, items: Sequence[Item], known: Known) -> bool:
    """As `_run`; what the items need is read before the first is acted on."""
    reads, act, also, failed = step.reads, step.act, step.also, False
    concerned: list[Item] = []
    keys: list[bytes] = []
    more: list[bytes] = []
    for item in items:
        try:
            key = reads(item, known)
            if key is None:
                continue
            another = also(item, known) if also is not None else None
        except Exception as error:  # as above
            _reject(item, step.name, error)
            failed = True
        else:
            concerned.append(item)
            keys.append(key)
            if another is not None:
                more.append(another)
    known.state.load(keys)
    if more:
        known.state.load(more)
    for item, key in zip(concerned, keys, strict=True):
        try:
            act(item, known, key)
        except Exception as error:  # as above
            _reject(item, step.name, error)
            failed = True
    return failed


def _reject(item: Item, step: str, error: Exception) -> None:
    where = {"step": step, "offset": item.origin.offset, "index": item.found.source_index}
    _log.error("a step failed on an event; it becomes a reject", exc_info=error, **where)
    item.reject("internal", f"step {step}: {type(error).__name__}: {error}")
