"""The relay's process: mail in -> next hop, `sent` events -> spool."""

import asyncio
import socket
import sqlite3
import sys
import threading
import time

from producers.relay.access import Access
from producers.relay.journal import Journal
from producers.relay.next_hop import NextHop
from producers.relay.passing import Passing
from producers.relay.server import Relay
from producers.relay.spool import RelaySpool
from producers.relay.track import Tracker
from sendtrail import keyring
from sendtrail.errors import BadLink, KeysError, PolicyError, SettingsError
from sendtrail.instrument.policy_file import load_policy
from sendtrail.metrics import begin
from sendtrail.process import AdminServer, Health, StopSignal, listen, run_stage, setup_logging, watch_disk
from sendtrail.settings import EXIT_CODE, Config, KeySettings, RelaySettings, TrackingSettings

_TICK_S = 0.05
_SETTLE_EVERY = 20  # ticks
_EXPIRE_S = 3600.0


class _Parts:
    """Everything the process is made of. Raises what `main` catches."""

    def __init__(self, config: Config) -> None:
        self.settings = settings = config.section(RelaySettings)
        hostname = settings.hostname or socket.getfqdn()
        self.spool = RelaySpool(settings)
        self.journal = Journal(settings.data_dir)
        tracker = Tracker(
            keyring.load(config.section(KeySettings).file),
            config.section(TrackingSettings).base_url,
            settings.delivery,
            settings.account,
            None if settings.policy_file is None else load_policy(settings.policy_file),
            settings.headers_for or None,
        )
        self.passing = Passing(tracker, self.journal, NextHop(settings, hostname), self.spool, now_ms)
        self.relay = Relay(settings, Access(settings), self.passing, hostname)

    def health(self) -> Health:
        """Not ready while the spool has no room: then mail is put off."""
        backlog = self.spool.backlog_bytes()
        return Health(self.spool.has_room(), {"backlog_bytes": backlog, "failing": self.spool.failing})

    def keep(self, ending: threading.Event) -> None:
        """Finish aged segments, bring in what the spool owes, and forget old mails, until the end."""
        ticks, expire_at = 0, 0.0
        while not ending.wait(_TICK_S):
            self.spool.tick()
            ticks += 1
            if ticks % _SETTLE_EVERY == 0:
                self.passing.settle()
            if time.monotonic() >= expire_at:
                expire_at = time.monotonic() + _EXPIRE_S
                self.journal.expire(now_ms())


def now_ms() -> int:
    """UTC milliseconds."""
    return time.time_ns() // 1_000_000


def main(config: Config) -> int:
    """Relay until SIGTERM or SIGINT. Exit code 0, or 3 where settings, keys or the port are not to be had."""
    log = setup_logging("relay")
    stop = StopSignal().install()
    try:
        parts = _Parts(config)
        settings = parts.settings
        listener = listen("relay", settings.host, settings.port)
        begin("relay", "spool")
        watch_disk("spool", settings.spool_dir)
        admin = AdminServer(settings.admin_host, settings.admin_port, parts.health).start()
    except (SettingsError, KeysError, PolicyError, BadLink, OSError, sqlite3.Error) as error:
        print(error, file=sys.stderr)
        return EXIT_CODE
    log.info("started", port=listener.getsockname()[1], admin_port=admin.port, next_hop=settings.next_hop)
    ending = threading.Event()
    keeping = threading.Thread(target=parts.keep, args=(ending,), name="keep", daemon=True)
    keeping.start()
    try:
        asyncio.run(_serve(parts.relay, listener, stop))
    finally:
        ending.set()
        keeping.join()
        admin.stop()
        parts.spool.close()
        parts.journal.close()
    log.info("stopped")
    return 0


async def _serve(relay: Relay, listener: socket.socket, stop: StopSignal) -> None:
    ending = asyncio.Event()
    serving = asyncio.create_task(relay.serve(listener, ending))
    while not stop.is_set() and not serving.done():
        await asyncio.sleep(_TICK_S)
    ending.set()
    await serving


if __name__ == "__main__":
    run_stage(main)
