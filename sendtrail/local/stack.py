"""The whole line on one machine: Kafka, the ClickHouse engine, and every stage under one supervisor."""

import json
import os
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

from sendtrail.local.datadir import DataDir
from sendtrail.local.engine.secret import USER, ensure_password
from sendtrail.local.ports import LOOPBACK, Ports
from sendtrail.local.prepare import make_keys, make_topics_and_tables
from sendtrail.local.process import accepts_connections
from sendtrail.local.supervisor import Say, Service, Supervisor
from sendtrail.settings import (
    AnswerSettings,
    ApiSettings,
    ClickHouseSettings,
    Config,
    DomainSettings,
    KeySettings,
    RelaySettings,
    Section,
    TrackingSettings,
)

ENDPOINTS = "endpoints.json"
STAGES = {
    "edge": ("producers.edge.main", "edge_admin"),
    "api": ("producers.api.main", "api_admin"),
    "forward": ("producers.forward.main", "forward_admin"),
    "worker": ("streams.main", "worker_admin"),
    "loader": ("sinks.main", "loader_admin"),
    "web": ("dashboards.main", "web_admin"),
}
RELAY = {"relay": ("producers.relay.main", "relay_admin")}


class Stack:
    """The embedded stack on one data directory."""

    def __init__(self, directory: DataDir, ports: Ports, config: Config, say: Say) -> None:
        self._directory = directory
        self.data = directory.path
        self.ports = ports
        self._config = config
        self._say = say
        self.supervisor = Supervisor(self.data / "logs", say)
        #: The processes of the line, with their ports for the operator.
        self.stages = STAGES | (RELAY if config.section(RelaySettings).enabled else {})

    @property
    def tables(self) -> dict[str, dict[str, Any]]:
        """Settings that lead a program to this stack, as the tables of a settings file."""
        ports, data = self.ports, self.data
        base = f"http://{LOOPBACK}:{ports.edge}"
        if self._config.is_set(TrackingSettings, "base_url"):
            base = self._config.section(TrackingSettings).base_url
        engine = {
            "address": f"{LOOPBACK}:{ports.native}",
            "http_url": f"http://{LOOPBACK}:{ports.http}",
            "user": USER,
        }
        return {
            "kafka": {"bootstrap": f"{LOOPBACK}:{ports.kafka}"},
            "clickhouse": engine | {"password_file": str(data / "engine" / "password")},
            "keys": {"file": self._file(KeySettings, "file", "keys.toml")},
            "tracking": {"base_url": base},
            "answers": {
                "overrides_file": self._file(AnswerSettings, "overrides_file", "overrides.toml"),
                "contents_dir": self._file(AnswerSettings, "contents_dir", "contents"),
            },
            "domains": {"file": self._file(DomainSettings, "file", "domains.toml")},
            "edge": {"port": ports.edge, "admin_port": ports.edge_admin, "spool_dir": str(data / "spool" / "edge")},
            "api": {
                "port": ports.api,
                "admin_port": ports.api_admin,
                "spool_dir": str(data / "spool" / "api"),
                "keys_file": self._file(ApiSettings, "keys_file", "api-keys.toml"),
            },
            "feed": {"url": f"http://{LOOPBACK}:{ports.api}"},
            "forward": {
                "admin_port": ports.forward_admin,
                "spool_dirs": [str(data / "spool" / name) for name in ("edge", "api", "relay")],
            },
            "relay": {
                "port": ports.relay,
                "admin_port": ports.relay_admin,
                "data_dir": str(data / "relay"),
                "spool_dir": str(data / "spool" / "relay"),
            },
            "streams": {
                "admin_port": ports.worker_admin,
                "state_dir": str(data / "state"),
                "checkpoint_dir": str(data / "checkpoints"),
                "reclassify_dir": str(data / "reclassify"),
            },
            "loader": {"admin_port": ports.loader_admin, "data_dir": str(data / "loader")},
            "web": {
                "port": ports.web,
                "admin_port": ports.web_admin,
                "secret_file": str(data / "web" / "secret"),
                "api_url": f"http://{LOOPBACK}:{ports.api}",
            },
        }

    def environment(self) -> dict[str, str]:
        """Every setting given, and those of this stack on top, as environment variables for the stages."""
        return self._config.with_tables(self.tables).environment()

    def start(self) -> None:
        """Start everything, in order, until every stage answers.

        Raises StartError with the log's tail if a process fails.
        """
        config = self._config.with_tables(self.tables)
        make_keys(config, self._say)
        self._say("starting Apache Kafka and the ClickHouse engine")
        self.supervisor.start([self._kafka(), self._engine()])
        self._say("checking topics and tables")
        make_topics_and_tables(config, self._say)
        self._say("starting edge, api, forwarder, stream worker, loader and report pages")
        self.supervisor.start([self._stage(name) for name in self.stages])
        self._write_endpoints()

    def stop(self) -> None:
        """End every process in reverse order and let the data directory go."""
        self.supervisor.stop()
        (self.data / ENDPOINTS).unlink(missing_ok=True)
        self._directory.release()

    def _file(self, cls: type[Section], field: str, name: str) -> str:
        """Where a file is that commands write and stages read: as set, since commands look there; else here."""
        given = getattr(self._config.section(cls), field) if self._config.is_set(cls, field) else None
        return str(given or self.data / name)

    def _kafka(self) -> Service:
        command = [sys.executable, "-m", "sendtrail.local.kafka", "--data", str(self.data / "kafka")]
        port = self.ports.kafka
        return Service("kafka", [*command, "--port", str(port)], lambda: accepts_connections(port), stop_s=30)

    def _engine(self) -> Service:
        data, ports = self.data / "engine", self.ports
        data.mkdir(exist_ok=True)
        ensure_password(data / "password")
        command = [
            sys.executable, "-m", "sendtrail.local.engine", "--data", str(data),
            "--native-port", str(ports.native), "--http-port", str(ports.http),
            "--password-file", str(data / "password"),
        ]  # fmt: skip
        ready = _both(lambda: accepts_connections(ports.native), lambda: accepts_connections(ports.http))
        return Service("engine", command, ready, stop_s=40)

    def _stage(self, name: str) -> Service:
        module, admin = self.stages[name]
        port = getattr(self.ports, admin)
        command = [sys.executable, "-m", "sendtrail.local.child", module]
        return Service(name, command, lambda: healthy(port), environment=self.environment())

    def _write_endpoints(self) -> None:
        database = self._config.section(ClickHouseSettings).database
        ports = self.ports
        endpoints = {
            "kafka": f"{LOOPBACK}:{ports.kafka}",
            "clickhouse_native": f"{LOOPBACK}:{ports.native}",
            "clickhouse_http": f"http://{LOOPBACK}:{ports.http}",
            "user": USER,
            "password": (self.data / "engine" / "password").read_text().strip(),
            "database": database,
            "edge": f"http://{LOOPBACK}:{ports.edge}",
            "api": f"http://{LOOPBACK}:{ports.api}",
            "web": f"http://{LOOPBACK}:{ports.web}",
            "admin": {name: f"http://{LOOPBACK}:{getattr(ports, admin)}" for name, (_, admin) in self.stages.items()},
            **({"relay": f"{LOOPBACK}:{ports.relay}"} if "relay" in self.stages else {}),
            "pid": os.getpid(),
            "settings": self.tables,
        }
        path = self.data / ENDPOINTS
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(endpoints, file, indent=2)


def _both(one: Callable[[], bool], other: Callable[[], bool]) -> Callable[[], bool]:
    return lambda: one() and other()


def healthy(port: int) -> bool:
    """True where the admin listener on this loopback port says that its process is ready."""
    try:
        with urllib.request.urlopen(f"http://{LOOPBACK}:{port}/health", timeout=2) as answer:
            return bool(answer.status == 200)
    except (OSError, urllib.error.URLError):
        return False
