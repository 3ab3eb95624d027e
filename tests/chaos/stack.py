"""The line under the harness: three brokers, two of each stage, one supervisor that starts again what dies."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from clickhouse_driver import Client

from sendtrail.clickhouse import connect
from sendtrail.local.engine import Engine
from sendtrail.local.kafka_cluster import KafkaCluster
from sendtrail.local.prepare import make_keys, make_topics_and_tables
from sendtrail.local.process import Child, accepts_connections, free_port
from sendtrail.local.stack import STAGES, healthy
from sendtrail.local.supervisor import Say, Service, Supervisor
from sendtrail.settings import ClickHouseSettings, Config, KafkaSettings
from tests.chaos.clocks import Clocks
from tests.chaos.schedule import BROKERS, EDGES, EXTRA_LOADERS, EXTRA_WORKERS, FORWARDERS, LOADERS, SESSION_S, WORKERS
from tests.chaos.spools import Spools
from tests.line.running import SENDGRID, SITE, SITE_ORIGIN, run

START_S = 180.0
BACK_S = 150.0
#: An answer of ClickHouse that takes longer counts as none: freezing the engine is to outlast it.
ANSWER_S = 8.0
#: A send that is not acknowledged by then goes again with a new producer: an outage of brokers is to outlast it too.
DELIVERY_MS = 12_000
PARTITIONS = 4
STAGED = (*EDGES, "api", *FORWARDERS, *WORKERS, *LOADERS)
EXTRA = (*EXTRA_WORKERS, *EXTRA_LOADERS)


class NotBack(AssertionError):
    """A process did not come back, or not to health."""


class Stack:
    """Every process of the line on one directory. `check` is to be called a few times a second."""

    def __init__(self, data: Path, say: Say) -> None:
        self.data, self.logs = data, data / "logs"
        self.spools = Spools(data / "spool", (*EDGES, "api"))
        self.clocks = Clocks(data / "clocks")
        self.engine_files = Engine(data / "engine")
        self.cluster = KafkaCluster(data / "kafka", len(BROKERS))
        self._say = say
        self._supervisor = Supervisor(self.logs, say)
        self._starting = threading.Lock()
        names = (*STAGED, *EXTRA)
        self.ports = {name: free_port() for name in (*EDGES, "api")}
        self.admin_ports = {name: free_port() for name in names}
        self._extra = {name: Child(name, self.logs / f"{name}.log") for name in EXTRA}
        self.config = Config(self._tables())

    def start(self) -> None:
        """Start everything, in order. Raises StartError with the log's tail."""
        self.spools.mount()
        make_keys(self.config, self._say)
        self._say("starting three brokers and the ClickHouse engine")
        brokers = zip(BROKERS, self.cluster.brokers, strict=True)
        services = [Service(name, one.command, _answers(one.node.port), stop_s=3) for name, one in brokers]
        ready = _answers(self.engine_files.native_port, self.engine_files.http_port)
        self._supervisor.start([*services, Service("engine", self.engine_files.command, ready)], START_S)
        self.cluster.wait_members(START_S)
        make_topics_and_tables(self.config, self._say)
        self._say("starting edges, API, forwarders, workers and loaders")
        self._supervisor.start([self._stage(name) for name in STAGED], START_S)

    def stop(self) -> None:
        """End every process and let the disks go."""
        for child in self._extra.values():
            child.kill()
        self._supervisor.stop()

    def check(self) -> None:
        """Start again what has died and whose pause is over."""
        if self._starting.acquire(blocking=False):
            try:
                self._supervisor.check()
            finally:
                self._starting.release()

    @contextlib.contextmanager
    def nothing_starts(self) -> Iterator[None]:
        """While the block runs, nothing that died is started again."""
        with self._starting:
            yield

    def pid(self, name: str) -> int | None:
        """Process id, None while it is down."""
        return self._extra[name].pid if name in self._extra else self._supervisor.pids().get(name)

    def pids(self) -> dict[str, int | None]:
        """Process id of each process that the supervisor keeps."""
        return self._supervisor.pids()

    def healthy(self, name: str) -> bool:
        """True where it answers as somebody who needs it would find it."""
        if name in self.admin_ports:
            return healthy(self.admin_ports[name])
        if name == "engine":
            return _answers(self.engine_files.native_port, self.engine_files.http_port)()
        return accepts_connections(self.cluster.brokers[BROKERS.index(name)].node.port)

    def wait_back(self, name: str, before: int | None) -> None:
        """Wait until another process than `before` answers. Raises NotBack."""

        def back() -> bool:
            return self.pid(name) not in (None, before) and self.healthy(name)

        wait(back, f"{name} is back", BACK_S)

    def start_extra(self, name: str) -> Child:
        """Start one of EXTRA; its end is the caller's."""
        service, child = self._stage(name), self._extra[name]
        child.start(service.command, die_with_parent=True, extra=service.environment)
        return child

    def directory(self, kind: str, name: str) -> Path:
        """Where a process keeps what: `state` or `loader`."""
        return self.data / kind / name

    def client(self, timeout_s: float = 30.0) -> Client:
        """A connection to ClickHouse (a context manager)."""
        return connect(self.config.section(ClickHouseSettings, timeout_s=timeout_s, connect_timeout_s=5.0))

    @property
    def kafka(self) -> KafkaSettings:
        """Where the brokers are."""
        return self.config.section(KafkaSettings)

    def command(self, *args: str, timeout_s: float = 300.0) -> subprocess.CompletedProcess[str]:
        """The `sendtrail` command beside the line, to its end."""
        return run(*args, cwd=self.data, variables=self.config.environment(), timeout_s=timeout_s)

    def _stage(self, name: str) -> Service:
        kind = name.rstrip("0123456789")
        module, _ = STAGES[kind]
        counted = self.data / "metrics" / name
        counted.mkdir(parents=True, exist_ok=True)
        environment = {
            **self.config.with_tables(self._tables_of(kind, name)).environment(),
            **self.clocks.environment(name),
            # The library's own way to keep counters in files: they outlive a killed process.
            "PROMETHEUS_MULTIPROC_DIR": str(counted),
            "PYTHONWARNINGS": "ignore:Removal of labels",
        }
        command = [sys.executable, "-m", "sendtrail.local.child", module]
        return Service(name, command, lambda: self.healthy(name), environment=environment)

    def _tables_of(self, kind: str, name: str) -> dict[str, dict[str, Any]]:
        """What the processes of one stage don't have in common."""
        own: dict[str, Any] = {"admin_port": self.admin_ports[name]}
        if kind in ("edge", "api"):
            own |= {"port": self.ports[name], "spool_dir": str(self.spools.path(name))}
        if kind == "edge":
            own["name"] = name
        if kind == "forward":  # each has a spool of its own to care for, and one that either may take over
            spools = ("edge1", "api") if name == "forward1" else ("edge2", "edge1")
            own["spool_dirs"] = [str(self.spools.path(spool)) for spool in spools]
        if kind == "worker":
            kind, own["state_dir"] = "streams", str(self.directory("state", name))
        if kind == "loader":
            own["data_dir"] = str(self.directory("loader", name))
        return {kind: own}

    def _tables(self) -> dict[str, dict[str, Any]]:
        data, engine = self.data, self.engine_files
        return {
            "kafka": {"bootstrap": self.cluster.bootstrap, "partitions": PARTITIONS, "replication": len(BROKERS)},
            "clickhouse": {
                "address": engine.native, "http_url": engine.http, "user": engine.user,
                "password_file": str(engine.password_file), "timeout_s": ANSWER_S, "connect_timeout_s": 3.0,
            },
            "keys": {"file": str(data / "keys.toml")},
            "tracking": {"base_url": f"http://127.0.0.1:{self.ports['edge1']}"},
            "answers": {"overrides_file": str(data / "overrides.toml"), "contents_dir": str(data / "contents")},
            "domains": {"file": str(data / "domains.toml")},
            "edge": {
                "sites": f"{SITE}={SITE_ORIGIN}", "trusted_proxies": "127.0.0.1/32", "segment_age_ms": 300,
            },
            "api": {"keys_file": str(data / "api-keys.toml")},
            "providers": {"sendgrid_public_key": SENDGRID.public},
            "forward": {
                "spool_dirs": [str(self.spools.path(name)) for name in (*EDGES, "api")],
                "delivery_timeout_ms": DELIVERY_MS,
            },
            "streams": {
                "checkpoint_dir": str(data / "checkpoints"), "checkpoint_every_s": 5, "session_timeout_s": SESSION_S,
            },
            "loader": {"batch_wait_ms": 200, "session_timeout_s": SESSION_S},
        }  # fmt: skip


def wait(true: Callable[[], bool], what: str, timeout_s: float) -> None:
    """Wait until something holds. NotBack naming it when the time is over."""
    deadline = time.monotonic() + timeout_s
    while not true():
        if time.monotonic() > deadline:
            raise NotBack(f"after {timeout_s:g} s not yet: {what}")
        time.sleep(0.05)


def _answers(*ports: int) -> Callable[[], bool]:
    return lambda: all(accepts_connections(port) for port in ports)
