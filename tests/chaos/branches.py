"""Which ways out of trouble the line really took: from counters that outlive their processes, logs, and the engine."""

from __future__ import annotations

import json
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from prometheus_client.multiprocess import MultiProcessCollector

from sendtrail.local.supervisor import Say
from tests.chaos.schedule import EDGES, EXTRA_LOADERS, EXTRA_WORKERS, FORWARDERS, LOADERS, WORKERS

_ALL_WORKERS = (*WORKERS, *EXTRA_WORKERS)
_ALL_LOADERS = (*LOADERS, *EXTRA_LOADERS)

Entry = Mapping[str, Any]
Sample = tuple[str, Mapping[str, str], float]


class Records:
    """What all lives of all processes left behind: `counted` by process, `said` by process."""

    def __init__(self, data: Path) -> None:
        self._data = data
        self.counted = {path.name: list(_samples(path)) for path in (data / "metrics").iterdir()}
        self.said = {path.stem: list(_entries(path)) for path in (data / "logs").glob("*.log")}

    def count(self, processes: Iterable[str], metric: str, **labels: str) -> int:
        """The sum of a counter over all lives of some processes."""
        return round(
            sum(
                value
                for process in processes
                for name, found, value in self.counted.get(process, ())
                if name == metric and labels.items() <= found.items()
            )
        )

    def by_label(self, processes: Iterable[str], metric: str, label: str) -> Counter[str]:
        """The same, by the value of a label; without zeros."""
        found: Counter[str] = Counter()
        for process in processes:
            for name, labels, value in self.counted.get(process, ()):
                if name == metric and value:
                    found[labels[label]] += round(value)
        return found

    def logged(self, processes: Iterable[str], event: str, so: Callable[[Entry], bool] = lambda entry: True) -> int:
        """How often some processes said something."""
        entries = (entry for process in processes for entry in self.said.get(process, ()))
        return sum(1 for entry in entries if str(entry.get("event", "")).startswith(event) and so(entry))


class Branch(NamedTuple):
    """A way out of trouble. `common`: every run of some length takes it; others may be rare."""

    stage: str
    name: str
    times: int


def taken(records: Records, known_tokens: int, exits: Counter[str]) -> list[Branch]:
    """Every branch, taken or not. `known_tokens`: blocks the engine dropped. `exits`: process ends by name and code."""
    return [*_producers(records), *_streams(records, exits), *_sinks(records, known_tokens)]


def _producers(records: Records) -> Iterator[Branch]:
    sends, count, logged = FORWARDERS, records.count, records.logged
    yield Branch("edge", "hits counted as lost on a full disk", count(EDGES, "sendtrail_spool_lost_total"))
    yield Branch("edge", "dead child replaced by the edge itself", logged(EDGES, "worker_ended"))
    yield Branch("api", "requests refused while the spool was full", count(
        ("api",), "sendtrail_api_bad_requests_total", reason="spool_unavailable"))  # fmt: skip
    yield Branch("forward", "segments of dead writers taken over", logged(sends, "segment_taken_over"))
    yield Branch("forward", "torn or damaged segment tails", count(sends, "sendtrail_forward_torn_total"))
    yield Branch("forward", "sends that failed and were repeated", count(sends, "sendtrail_forward_errors_total"))
    yield Branch("forward", "waited for Kafka", logged(sends, "kafka_"))
    yield Branch("forward", "found a spool in another forwarder's hands", logged(sends, "another_forwarder"))


def _streams(records: Records, exits: Counter[str]) -> Iterator[Branch]:
    every, count, logged = _ALL_WORKERS, records.count, records.logged
    yield Branch("streams", "ended itself to be started again", sum(exits[f"{name} 1"] for name in every))
    for outcome, name in {"duplicate": "duplicates dropped", "resent": "resent copies dropped"}.items():
        yield Branch("streams", name, count(every, "sendtrail_streams_events_total", outcome=outcome))
    for reason, times in sorted(records.by_label(every, "sendtrail_streams_rejects_total", "reason").items()):
        yield Branch("streams", f"rejects: {reason}", times)
    yield Branch("streams", "re-labels", count(every, "sendtrail_streams_events_total", outcome="relabels"))
    yield Branch("streams", "stale buffered records dropped", count(every, "sendtrail_streams_stale_dropped_total"))
    yield Branch("streams", "records delivered twice dropped", count(every, "sendtrail_streams_twice_dropped_total"))
    yield Branch("streams", "hole: records Faust did not deliver", count(
        every, "sendtrail_streams_gaps_total", kind="hole"))  # fmt: skip
    yield Branch("streams", "true gap: offsets that hold nothing", count(
        every, "sendtrail_streams_gaps_total", kind="true"))  # fmt: skip
    yield Branch("streams", "state ahead of the commit: emitted again", logged(every, "partition opened", _ahead))
    yield Branch("streams", "catch-up: state read on from the source", logged(every, "state rebuilt"))
    yield Branch("streams", "rebuilt from nothing", logged(
        every, "rebuilding state", lambda said: said.get("start") == 0))  # fmt: skip
    for outcome, name in {
        "taken": "checkpoints taken", "restored": "checkpoints restored", "failed": "checkpoints not taken",
        "damaged": "damaged checkpoints passed over", "state_damaged": "damaged states set aside",
    }.items():  # fmt: skip
        yield Branch("streams", name, count(every, "sendtrail_streams_checkpoints_total", outcome=outcome))


def _sinks(records: Records, known_tokens: int) -> Iterator[Branch]:
    every, count, logged = _ALL_LOADERS, records.count, records.logged
    yield Branch("loader", "replayed records dropped", count(every, "sendtrail_loader_replayed_total"))
    yield Branch(
        "loader", "records ahead of the chain dropped (gap)", count(every, "sendtrail_loader_gap_dropped_total")
    )
    yield Branch("loader", "open plan redone", logged(every, "redoing an open plan"))
    yield Branch("loader", "open plan redone whose outcome was unknown", logged(
        every, "redoing an open plan", lambda said: bool(said.get("doubtful"))))  # fmt: skip
    yield Branch("loader", "open plan found inserted by another", logged(every, "an open plan was inserted by another"))
    yield Branch("loader", "plans repaired: rows or aggregates put right", count(
        every, "sendtrail_loader_plans_total", how="repaired"))  # fmt: skip
    put_right = "an insert was cut off; put right"
    yield Branch("loader", "rows inserted that a cut-off insert lacked", logged(
        every, put_right, lambda said: bool(said.get("rows"))))  # fmt: skip
    yield Branch("loader", "aggregates levelled", logged(
        every, put_right, lambda said: bool(said.get("aggregate_keys"))))  # fmt: skip
    yield Branch("loader", "intents forgotten: the insert began too late", count(
        every, "sendtrail_loader_plans_total", how="forgotten"))  # fmt: skip
    yield Branch("loader", "plan ended after a rebalance, left to its owner", logged(every, "a plan ended after"))
    yield Branch("loader", "commit fenced: started again from the commit", logged(every, "the group was rebalanced"))
    yield Branch("loader", "waited while others own everything", logged(every, "other loaders own every partition"))
    yield Branch("loader", "inserts tried again", count(every, "sendtrail_loader_errors_total"))
    yield Branch("loader", "late duplicates found in events", count(every, "sendtrail_loader_late_duplicates_total"))
    yield Branch("engine", "blocks dropped for their known token", known_tokens)


def _ahead(said: Entry) -> bool:
    return int(said.get("applied", 0)) > int(said.get("committed", 0))


def _samples(directory: Path) -> Iterator[Sample]:
    """All counters of all lives of one process."""
    files = [str(path) for path in directory.glob("*.db") if not path.name.startswith("gauge")]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for metric in MultiProcessCollector.merge(files):  # type: ignore[no-untyped-call]
            yield from ((sample.name, sample.labels, sample.value) for sample in metric.samples)


def _entries(log: Path) -> Iterator[Entry]:
    """The JSON lines of a log; what libraries print besides is passed over."""
    with log.open(errors="replace") as file:
        for line in file:
            if line.startswith("{"):
                try:
                    yield json.loads(line)
                except ValueError:
                    continue


class Exits:
    """Listens to the supervisor: which process ended with which code."""

    def __init__(self, say: Say) -> None:
        self._say = say
        self.codes: Counter[str] = Counter()

    def __call__(self, text: str) -> None:
        name, ended, rest = text.partition(" ended with code ")
        if ended:
            self.codes[f"{name} {rest.partition(';')[0].split()[0]}"] += 1
        self._say(text)
