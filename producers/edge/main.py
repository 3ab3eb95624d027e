"""hits -> spool. The edge collector as a process."""

import asyncio
import resource
import signal
import sys

import uvloop

from producers.edge.known import known_of
from producers.edge.reread import Files, files_of, keep_current
from producers.edge.server import EdgeServer
from producers.spool import SpoolWriter
from sendtrail import keyring
from sendtrail.errors import KeysError, SettingsError
from sendtrail.metrics import begin
from sendtrail.process import AdminServer, Health, Log, collect_seldom, run_stage, setup_logging, watch_disk
from sendtrail.settings import EXIT_CODE, Config, EdgeSettings, KeySettings

DRAIN_S = 10.0
_FILES_BESIDE_CONNECTIONS = 128


def main(config: Config) -> int:
    """Serve hits until SIGTERM or SIGINT. Exit code 0, 1 where address or spool can't be had, 3 for bad settings."""
    log = setup_logging("edge")
    try:
        settings = config.section(EdgeSettings)
        known = known_of(keyring.load(config.section(KeySettings).file), config)
        server = EdgeServer(known, _spool(settings), settings)
    except (SettingsError, KeysError) as error:
        print(error, file=sys.stderr)
        return EXIT_CODE
    except OSError as error:
        log.error("spool_unusable", directory=str(settings.spool_dir), error=str(error))
        return 1
    begin("edge", "spool")
    watch_disk("spool", settings.spool_dir)
    _allow_files(settings.max_connections, log)
    collect_seldom()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_serve(server, settings, files_of(config), log))


def _spool(settings: EdgeSettings) -> SpoolWriter:
    return SpoolWriter(
        settings.spool_dir,
        settings.name,
        fsync=settings.fsync,
        fsync_interval_ms=settings.fsync_interval_ms,
        segment_bytes=settings.segment_bytes,
        segment_age_ms=settings.segment_age_ms,
    )


async def _serve(server: EdgeServer, settings: EdgeSettings, files: Files, log: Log) -> int:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    try:
        port = await server.start()
        admin = AdminServer(settings.admin_host, settings.admin_port, lambda: _health(server, settings)).start()
    except OSError as error:
        log.error("address_unusable", error=str(error))
        return 1
    log.info("listening", host=settings.host, port=port, admin_port=admin.port, spool=str(settings.spool_dir))
    watching = asyncio.create_task(keep_current(server, files, log))
    await stop.wait()
    watching.cancel()
    log.info("draining", connections=server.connections)
    await server.stop(DRAIN_S)
    admin.stop()
    log.info("stopped")
    return 0


def _health(server: EdgeServer, settings: EdgeSettings) -> Health:
    backlog = server.spool.backlog_bytes()
    ready = backlog <= settings.ready_backlog_bytes and not server.spool.failing and not server.draining
    facts = {
        "backlog_bytes": backlog,
        "spool_failing": server.spool.failing,
        "lost": server.spool.lost,
        "connections": server.connections,
        "draining": server.draining,
        "bad_links_per_minute": server.bad_links.per_minute(),
    }
    return Health(ready, facts)


def _allow_files(connections: int, log: Log) -> None:
    """Every connection is an open file: ask the kernel for as many as the settings allow."""
    wanted = connections + _FILES_BESIDE_CONNECTIONS
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
        if allowed < wanted:
            log.warning("few_open_files", allowed=allowed, wanted=wanted)


if __name__ == "__main__":
    run_stage(main)
