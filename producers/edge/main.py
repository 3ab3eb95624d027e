"""The edge as a process: it owns the public socket and the admin listener; workers serve the hits (worker.py)."""

import os
import signal
import sys
import threading

from prometheus_client import PROCESS_COLLECTOR, REGISTRY

from producers.edge.health import WorkerMetrics, health
from producers.edge.known import known_of
from producers.edge.limits import BACKLOG
from producers.edge.supervisor import Supervisor
from producers.edge.tls import Allowed
from producers.spool_watch import watch_spool
from sendtrail import keyring
from sendtrail.errors import KeysError, SettingsError
from sendtrail.process import AdminServer, StopSignal, listen, run_stage, setup_logging, watch_disk
from sendtrail.settings import EXIT_CODE, Config, DomainSettings, EdgeSettings, KeySettings, TrackingSettings

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
        admin = _admin(config, settings, supervisor)
    except OSError as error:
        log.error("address_unusable", error=str(error))
        return 1
    _export(supervisor, settings)
    try:
        code = supervisor.start()
        if code is None:
            admin.start()
            where = {"host": settings.host, "port": port, "admin_port": admin.port, "spool": str(settings.spool_dir)}
            log.info("listening", **where, workers=len(supervisor.workers()))
            _watch(supervisor, stop, replace)
            code = 0
    finally:
        supervisor.stop()
    log.info("stopped")
    return code


def _admin(config: Config, settings: EdgeSettings, supervisor: Supervisor) -> AdminServer:
    allowed = Allowed(config.section(DomainSettings).file, config.section(TrackingSettings).base_url)
    pages = {"/tls/allowed": allowed}
    return AdminServer(settings.admin_host, settings.admin_port, lambda: health(supervisor, settings), pages)


def _watch(supervisor: Supervisor, stop: StopSignal, replace: threading.Event) -> None:
    while not stop.wait(_CHECK_S):
        if replace.is_set():
            replace.clear()
            supervisor.replace_all()
        supervisor.check()


def _cores() -> int:
    return len(os.sched_getaffinity(0))


def _export(supervisor: Supervisor, settings: EdgeSettings) -> None:
    watch_spool(settings.name, settings.spool_dir)
    watch_disk("spool", settings.spool_dir)
    REGISTRY.unregister(PROCESS_COLLECTOR)
    REGISTRY.register(WorkerMetrics(supervisor))


if __name__ == "__main__":
    run_stage(main)
