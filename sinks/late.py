"""Events below the id window: streams could not look them up, `events` can.

A late event is a duplicate only if its id is there from an earlier place in the source: so a redo, which finds its own
rows, drops none of them.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sinks.blocks import Place, StoredLookup, Target

LATE = "late"


def late_duplicates(fields: Mapping[str, Sequence[Any]], topic_ids: Sequence[str], stored: StoredLookup) -> set[int]:
    """Numbers of the rows that are marked late and were stored before, or came earlier in this batch.

    `fields`: EventRow's fields by row; `topic_ids`: the source topic of each row.
    """
    late = [number for number, marks in enumerate(fields["marks"]) if LATE in marks]
    if not late:
        return set()
    targets = {number: _target(fields, number) for number in late}
    first = dict(stored.first_places(set(targets.values())))
    duplicates = set()
    for number in _of_same_ids(fields, set(targets.values())):
        target = _target(fields, number)
        place = Place(topic_ids[number], fields["source_offset"][number], fields["source_index"][number])
        before = first.get(target)
        if before is not None and before.is_below(place):
            if number in targets:
                duplicates.add(number)
        else:
            first[target] = place
    return duplicates


def _target(fields: Mapping[str, Sequence[Any]], number: int) -> Target:
    return Target(fields["delivery"][number], bytes.fromhex(fields["event_id"][number]))


def _of_same_ids(fields: Mapping[str, Sequence[Any]], targets: set[Target]) -> list[int]:
    """Rows with one of these ids, marked late or not, in order."""
    ids = {target.event_id.hex() for target in targets}
    found = [number for number, event_id in enumerate(fields["event_id"]) if event_id in ids]
    return [number for number in found if _target(fields, number) in targets]
