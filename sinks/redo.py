"""An open plan -> its records and where each owned partition ends, read from Kafka as a whole."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from sinks.blocks import LoadedRecord
from sinks.decode import offer
from sinks.partition import Partition
from sinks.plan import Commit, Plan, Range, RangeGone
from sinks.resume import Open, Stop, standing

ReadRanges = Callable[[Mapping[int, Range]], Mapping[int, list[Any]]]


class Redo(NamedTuple):
    """What is to be inserted again, and the end and chain position of each partition owned.

    `records` is None where the plan is known to be inserted whole: another owner committed its end.
    """

    records: list[LoadedRecord] | None
    ends: dict[int, tuple[int, int]]


def gather(plan: Plan, own: Mapping[int, Open], others: Mapping[int, Commit | None], read: ReadRanges) -> Redo | Stop:
    """Read the ranges of an open plan, `own` partitions and those of `others`, and cut them as the first try did.

    Lets what `read` raises through, RangeGone apart.
    """
    stands = {number: standing(commit, plan, number) for number, commit in others.items()}
    odd = [number for number, how in stands.items() if how == "odd"]
    if odd:
        return Stop(
            f"a plan of partitions {sorted(plan.ranges)} is open, but the group's commits for {odd} are not of that "
            "plan: they were changed from outside"
        )
    inserted = "past" in stands.values()
    wanted = own.keys() if inserted else plan.ranges.keys()
    lasts = {number: each.metadata.src for number, each in own.items()}
    lasts |= {number: commit.metadata.src for number, commit in others.items() if commit and commit.metadata}
    try:
        read_back = read({number: plan.ranges[number] for number in wanted})
    except RangeGone as error:
        return Stop(f"an open plan can't be redone: {error}")
    records: list[LoadedRecord] = []
    ends: dict[int, tuple[int, int]] = {}
    for number in sorted(wanted):
        first, end = plan.ranges[number]
        partition: Partition[LoadedRecord] = Partition(plan.topic_id, lasts[number], first)
        for record in read_back[number]:
            offer(partition, number, record, 0.0)
        share = partition.take(len(partition.entries))
        records += share.records
        if number in own:
            ends[number] = (end, share.last)
    return Redo(None if inserted else records, ends)
