"""Metrics of several processes -> one: the same series of each added up."""

from collections.abc import Iterable, Iterator

from prometheus_client import PROCESS_COLLECTOR
from prometheus_client.metrics_core import Metric

from producers.edge.control import Family, family_of

_Series = tuple[str, tuple[tuple[str, str], ...]]


class Sums:
    """Adds families up. What a process that has ended counted stays in, so that no counter ever falls."""

    def __init__(self) -> None:
        self._kinds: dict[str, tuple[str, str]] = {}
        self._values: dict[str, dict[_Series, float]] = {}

    def add(self, families: Iterable[Family], *, counters_only: bool = False) -> None:
        """Add what one process reports; only counters of a process that is no more."""
        for family in families:
            if counters_only and family.kind != "counter":
                continue
            self._kinds[family.name] = (family.help, family.kind)
            values = self._values.setdefault(family.name, {})
            for name, labels, value in family.samples:
                series = (name, tuple(sorted(labels.items())))
                values[series] = values.get(series, 0.0) + value

    def copy(self) -> "Sums":
        """The same, to add to."""
        made = Sums()
        made._kinds = dict(self._kinds)
        made._values = {name: dict(values) for name, values in self._values.items()}
        return made

    def metrics(self) -> Iterator[Metric]:
        """For the exposition."""
        for name, (told, kind) in self._kinds.items():
            metric = Metric(name, told, kind)
            for (sample, labels), value in self._values[name].items():
                metric.add_sample(sample, dict(labels), value)
            yield metric


def own_process() -> list[Family]:
    """This process's own share of what is told of processes."""
    return [family_of(metric) for metric in PROCESS_COLLECTOR.collect()]
