"""hits -> spool. One worker process of the edge: it serves the listening socket its supervisor hands it."""

import asyncio
import resource
import signal
import socket
import sys

import uvloop

from producers.edge.control import Report, Reporter, families
from producers.edge.known import known_of
from producers.edge.reread import Files, files_of, keep_current
from producers.edge.server import EdgeServer
from producers.spool import SpoolWriter
from sendtrail import keyring
from sendtrail.errors import KeysError, SettingsError
from sendtrail.metrics import begin
from sendtrail.process import Log, collect_seldom, run_stage, setup_logging
from sendtrail.settings import EXIT_CODE, Config, EdgeSettings, KeySettings

DRAIN_S = 10.0
_FILES_BESIDE_CONNECTIONS = 128


def main(config: Config) -> int:
    """Serve hits until SIGTERM, SIGINT or the end of the supervisor. Its two descriptors are its arguments.

    Exit code 0, 1 where the spool can't be had, 3 for bad settings.
    """
    listener, control = (socket.socket(fileno=int(number)) for number in sys.argv[1:3])
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # it is the supervisor who restarts
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
    _allow_files(settings.max_connections, log)
    collect_seldom()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(server, listener, control, files_of(config), log))
    return 0


def _spool(settings: EdgeSettings) -> SpoolWriter:
    return SpoolWriter(
        settings.spool_dir,
        settings.name,
        fsync=settings.fsync,
        fsync_interval_ms=settings.fsync_interval_ms,
        segment_bytes=settings.segment_bytes,
        segment_age_ms=settings.segment_age_ms,
    )


async def _serve(server: EdgeServer, listener: socket.socket, control: socket.socket, files: Files, log: Log) -> None:
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await server.start(listener)
    reporter = Reporter(lambda: report(server), stop.set)
    await loop.create_unix_connection(lambda: reporter, sock=control)
    watching = asyncio.create_task(keep_current(server, files, log))
    await stop.wait()
    watching.cancel()
    log.info("draining", connections=server.connections)
    await server.stop(DRAIN_S)
    reporter.tell()
    reporter.close()
    await asyncio.sleep(0)  # the line's last bytes leave in the loop's next turn
    log.info("stopped")


def report(server: EdgeServer) -> Report:
    """What the supervisor shows of this worker."""
    server.counts.publish()
    facts = {
        "spool_failing": server.spool.failing,
        "lost": server.spool.lost,
        "lost_uncounted": server.spool.uncounted,
        "connections": server.connections,
        "draining": server.draining,
        "bad_links_per_minute": server.bad_links.per_minute(),
    }
    return Report(not server.spool.failing and not server.draining, facts, families())


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
