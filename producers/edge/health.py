"""What the edge's admin listener shows: the workers one by one, and their sum."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from producers.edge.sums import own_process
from producers.edge.supervisor import Supervisor, Worker
from sendtrail.process import Health
from sendtrail.settings import EdgeSettings
from sendtrail.spool_files import backlog_bytes, read_lost


def health(supervisor: Supervisor, settings: EdgeSettings) -> Health:
    """Ready while at least one worker serves, none has trouble with its spool, and not too much waits in it."""
    silent = supervisor.ask_all()
    workers = supervisor.workers()
    reports = [report for worker in workers if worker not in silent and (report := worker.report) is not None]
    backlog = backlog_bytes(settings.spool_dir)
    failing = any(report.facts["spool_failing"] for report in reports)
    bad_links: dict[int, Counter[str]] = {}
    for report in reports:
        for minute, reasons in report.facts["bad_links_per_minute"].items():
            bad_links.setdefault(minute, Counter()).update(reasons)
    facts = {
        "backlog_bytes": backlog,
        "spool_failing": failing,
        "lost": read_lost(settings.spool_dir).events + sum(report.facts["lost_uncounted"] for report in reports),
        "connections": sum(report.facts["connections"] for report in reports),
        "bad_links_per_minute": bad_links,
        "workers": [_shown(worker, worker in silent) for worker in workers],
    }
    serving = any(report.ready for report in reports)
    return Health(serving and not failing and backlog <= settings.ready_backlog_bytes, facts)


def _shown(worker: Worker, silent: bool) -> dict[str, Any]:
    report = worker.report
    state = "starting" if report is None else "does not answer" if silent else "ready" if report.ready else "not ready"
    facts = {} if report is None else {name: report.facts[name] for name in ("connections", "lost", "spool_failing")}
    return {"pid": worker.pid, "state": state, **facts}


class WorkerMetrics(Collector):
    """The metrics of all workers, and of this process, as one."""

    def __init__(self, supervisor: Supervisor) -> None:
        self._supervisor = supervisor

    def describe(self) -> Iterable[Metric]:
        """None is known beforehand: the workers bring their own."""
        return ()

    def collect(self) -> Iterable[Metric]:
        self._supervisor.ask_all()
        sums = self._supervisor.sums()
        sums.add(own_process())
        return sums.metrics()
