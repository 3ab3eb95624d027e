"""A `sendtrail up` of the tests' own: started, asked, interrupted, killed piece by piece."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from clickhouse_driver import Client

from sendtrail import keyring
from sendtrail.keyring import Keyring
from sendtrail.local.process import accepts_connections
from tests.line.processes import Process, children, descendants
from tests.producers.api.providers.signing import SendGrid
from tests.producers.relay.running import Hop

SENDTRAIL = str(Path(sys.executable).parent / "sendtrail")
START_S = 150.0
STOP_S = 90.0
SOON_S = 90.0
_POLL_S = 0.1
#: The site whose visits the edge takes.
SITE, SITE_ORIGIN = "shop.example.com", "https://www.shop.example.com"
#: Whose signature the line's webhook of SendGrid takes.
SENDGRID = SendGrid(secret=1)
#: What the command line of each process of the stack holds.
SERVICES = {
    "kafka": "kafka.Kafka", "engine": "sendtrail.local.engine", "edge": "producers.edge.main",
    "api": "producers.api.main", "forward": "producers.forward.main", "worker": "streams.main", "loader": "sinks.main",
    "web": "dashboards.main", "relay": "producers.relay.main",
}  # fmt: skip


def clean_environment(**variables: str) -> dict[str, str]:
    """This process's environment without settings of Sendtrail, but with these variables."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SENDTRAIL_")}
    return {**kept, "COLUMNS": "200", **variables}


def run(
    *args: str, cwd: Path, variables: Mapping[str, str] | None = None, timeout_s: float = 90
) -> subprocess.CompletedProcess[str]:
    """The `sendtrail` command with these arguments, to its end."""
    environ = clean_environment(**(variables or {}))
    return subprocess.run(
        [SENDTRAIL, *args], cwd=cwd, env=environ, capture_output=True, text=True, timeout=timeout_s, check=False
    )


def until(true: Callable[[], bool], what: str, timeout_s: float = SOON_S) -> None:
    """Wait until something holds. AssertionError naming it when the time is over."""
    deadline = time.monotonic() + timeout_s
    while not true():
        assert time.monotonic() < deadline, f"after {timeout_s:g} s not yet: {what}"
        time.sleep(_POLL_S)


class Line:
    """`sendtrail up --free-ports` on a directory of its own. The edge trusts this machine as a proxy."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.data = home / "data"
        self.output = home / "up.log"
        self.hop = Hop()
        self.endpoints: dict[str, Any] = {}
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def running(self) -> bool:
        """True while `sendtrail up` lives."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """Process id of `sendtrail up`."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start, and wait until every stage answers."""
        environ = clean_environment(
            SENDTRAIL_EDGE_TRUSTED_PROXIES="127.0.0.1/32",
            SENDTRAIL_PROVIDERS_SENDGRID_PUBLIC_KEY=SENDGRID.public,
            SENDTRAIL_RELAY_ENABLED="true",
            SENDTRAIL_RELAY_NEXT_HOP=f"127.0.0.1:{self.hop.port}",
        )
        environ["SENDTRAIL_EDGE_SITES"] = f"{SITE}={SITE_ORIGIN}"
        with self.output.open("ab") as output:
            command = [SENDTRAIL, "up", "--free-ports", "--data", str(self.data)]
            self._process = subprocess.Popen(
                command, cwd=self.home, env=environ, stdin=subprocess.DEVNULL, stdout=output, stderr=output
            )
        path = self.data / "endpoints.json"
        until(lambda: path.exists() or not self.running, "endpoints.json", START_S)
        assert self.running, self.output.read_text()
        until(lambda: "Ctrl-C stops" in self.output.read_text(), "the table of endpoints")
        self.endpoints = json.loads(path.read_text())

    def interrupt(self) -> int:
        """What Ctrl-C does to it. Returns the exit code."""
        assert self._process is not None
        self._process.send_signal(signal.SIGINT)
        return self._process.wait(STOP_S)

    def end(self) -> None:
        """Make sure that it is gone."""
        if self.running:
            self.interrupt()

    def services(self) -> dict[str, Process]:
        """The processes of the stack, by service."""
        found = {}
        for child in children(self.pid):
            for name, mark in SERVICES.items():
                if mark in child.command:
                    found[name] = child
        return found

    def tree(self) -> list[Process]:
        """`sendtrail up` and every process below it."""
        return descendants(self.pid)

    def kill(self, service: str) -> None:
        """SIGKILL one service and wait until the supervisor has started it again and it answers."""
        old = self.services()[service]
        os.kill(old.pid, signal.SIGKILL)
        until(lambda: self.services().get(service, old) != old, f"{service} is started again")
        until(lambda: accepts_connections(self._port(service)), f"{service} answers again")

    def _port(self, service: str) -> int:
        names = {"kafka": "kafka", "engine": "clickhouse_native"}
        address = self.endpoints[names[service]] if service in names else self.endpoints["admin"][service]
        return int(address.rpartition(":")[2])

    def run(self, *args: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """A command as a person types it in another terminal beside `sendtrail up`."""
        return run(*args, cwd=self.home, variables={"SENDTRAIL_LOCAL_DATA": str(self.data), **variables})

    def lines(self, *args: str, code: int = 0) -> list[Any]:
        """The JSON lines of a command that ends with this code."""
        done = self.run(*args)
        assert done.returncode == code, done.stdout + done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

    def refused(self, *args: str, code: int = 1) -> str:
        """The one line on standard error of a command that ends with this code."""
        done = self.run(*args)
        assert (done.returncode, done.stdout) == (code, ""), done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done.stderr

    def keys(self) -> Keyring:
        """Its keys as they are now."""
        return keyring.load(self.data / "keys.toml")

    def client(self) -> Client:
        """A connection to its ClickHouse (a context manager)."""
        host, _, port = self.endpoints["clickhouse_native"].rpartition(":")
        return Client(host, int(port), self.endpoints["database"], self.endpoints["user"], self.endpoints["password"])

    def rows(self, query: str, **parameters: Any) -> list[Any]:
        """Rows of a query."""
        with self.client() as client:
            return list(client.execute(query, parameters))

    def wait_until_empty(self) -> None:
        """No segment of events is left on disk, so that an event is seen in the topic and the tables alone."""
        spool = self.data / "spool"
        until(lambda: not [*spool.glob("*/*.seg"), *spool.glob("*/*.open")], "the spools are empty")

    def audit(self) -> dict[str, Any]:
        """The audit of the drained line; AssertionError if it is not even at any time."""
        result: dict[str, Any] = {}

        def drained() -> bool:
            result.update(self.lines("audit", "--format", "json")[0])
            return bool(result["total"]["waiting"] == 0)

        until(drained, "nothing waits")
        assert (result["even"], result["problems"]) == (True, [])
        return result
