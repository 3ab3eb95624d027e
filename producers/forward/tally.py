"""What a segment held: events per partition and minute, and the totals packs that say so. Pure."""

from collections import defaultdict

from producers.forward.route import APART, UNDATED
from sendtrail.packs import Totals
from sendtrail.segments import SegmentHeader

#: Entries of one totals pack: about 22 bytes each, so that its header stays below 200 KB.
MAX_ENTRIES = 8000


class Tally:
    """Counts events per partition and minute. Those that can't be decoded wait for the time of their record.

    Re-labels are no events: that there are some is known, so that their segment gets totals too, of 0 events.
    """

    def __init__(self) -> None:
        self.events = 0
        self.relabels = 0
        self.counts: dict[int, dict[int, int]] = {}

    def add(self, partition: int, minutes: dict[int, int]) -> None:
        """Count events of one partition by minute; UNDATED ones only in the sum, APART ones by themselves."""
        per_minute = self.counts.setdefault(partition, defaultdict(int))
        for minute, count in minutes.items():
            if minute == APART:
                self.relabels += count
                continue
            self.events += count
            if minute != UNDATED:
                per_minute[minute] += count

    def date(self, partition: int, minute: int, count: int) -> None:
        """Give events that were counted as UNDATED their minute."""
        self.counts.setdefault(partition, defaultdict(int))[minute] += count

    def totals(self, header: SegmentHeader, max_entries: int = MAX_ENTRIES) -> list[Totals]:
        """The segment's totals, in as many parts as it takes; none for a segment that held nothing."""
        if not self.events and not self.relabels:
            return []
        entries = [
            (str(partition), str(minute), count)
            for partition, per_minute in sorted(self.counts.items())
            for minute, count in sorted(per_minute.items())
        ]
        parts = [entries[start : start + max_entries] for start in range(0, len(entries), max_entries)] or [[]]
        return [
            Totals(header.edge, self.events, header.previous_events, _nested(part), number, len(parts))
            for number, part in enumerate(parts)
        ]


def _nested(entries: list[tuple[str, str, int]]) -> dict[str, dict[str, int]]:
    nested: dict[str, dict[str, int]] = {}
    for partition, minute, count in entries:
        nested.setdefault(partition, {})[minute] = count
    return nested
