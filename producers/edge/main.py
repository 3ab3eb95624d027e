"""The edge as a process: it owns the public socket and the admin listener; workers serve the hits (worker.py)."""

import os
import signal
import sys
import threading
from collections import Counter
from collections.abc import Iterable
from typing import Any

from prometheus_client import PROCESS_COLLECTOR, REGISTRY
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from producers.edge.known import known_of
from producers.edge.limits import BACKLOG
from producers.edge.sums import own_process
from producers.edge.supervisor import Supervisor, Worker
from producers.edge.tls import Allowed
from producers.spool_watch import watch_spool
from sendtrail import keyring
from sendtrail.errors import KeysError, SettingsError
from sendtrail.process import AdminServer, Health, StopSignal, listen, run_stage, setup_logging, watch_disk
from sendtrail.settings import EXIT_CODE, Config, DomainSettings, EdgeSettings, KeySettings, TrackingSettings
from sendtrail.spool_files import backlog_bytes, read_lost

_CHECK_S = 0.05


def main(config: Config) -> int:
    """Run workers until SIGTERM or SIGINT; SIGHUP replaces them one after the other.

    Exit code 0, 1 where address or spool can't be had, 3 for bad settings.
    """
    log = setup_logging("edge")
    stop, replace = StopSignal().install(), threading.Event()
    signal.signal(signal.SIGHUP, lambda *_: replace.set())
    try:
        settings = config.section(EdgeSettings)
        known_of(keyring.load(config.section(KeySettings).file), config)
    except (SettingsError, KeysError) as error:
        print(error, file=sys.stderr)
        return EXIT_CODE
    try:
        listener = listen("edge", settings.host, settings.port, BACKLOG)
        port = listener.getsockname()[1]
        supervisor = Supervisor(listener, settings.processes or _cores())
        allowed = Allowed(config.section(DomainSettings).file, config.section(TrackingSettings).base_url)
        admin = AdminServer(
            settings.admin_host,
            settings.admin_port,
            lambda: health(supervisor, settings),
            {"/tls/allowed": allowed},
        )
    except OSError as error:
        log.error("address_unusable", error=str(error))
        return 1
    _export(supervisor, settings)
    try:
        code = supervisor.start()
        if code is not None:
            return code
        admin.start()
        where = {"host": settings.host, "port": port, "admin_port": admin.port, "spool": str(settings.spool_dir)}
        log.info("listening", **where, workers=len(supervisor.workers()))
        while not stop.wait(_CHECK_S):
            if replace.is_set():
                replace.clear()
                supervisor.replace_all()
            supervisor.check()
    finally:
        supervisor.stop()
    admin.stop()
    log.info("stopped")
    return 0


def _cores() -> int:
    return len(os.sched_getaffinity(0))


def health(supervisor: Supervisor, settings: EdgeSettings) -> Health:
    """Ready while at least one worker serves, none has trouble with its spool, and not too much waits in it."""
    silent = supervisor.ask_all()
    workers = supervisor.workers()
    reports = [worker.report for worker in workers if worker not in silent and worker.report is not None]
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


class _Collector(Collector):
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


def _export(supervisor: Supervisor, settings: EdgeSettings) -> None:
    watch_spool(settings.name, settings.spool_dir)
    watch_disk("spool", settings.spool_dir)
    REGISTRY.unregister(PROCESS_COLLECTOR)
    REGISTRY.register(_Collector(supervisor))


if __name__ == "__main__":
    run_stage(main)
