"""Controls the engine's process: start, wait, stop, kill."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from sendtrail.local.engine.secret import USER, ensure_password
from sendtrail.local.files import write_whole
from sendtrail.local.process import Child, accepts_connections, free_port, require_free

_STOP_TIMEOUT_S = 40.0


class Engine:
    """The embedded ClickHouse engine on one data directory. Ports and password are kept with the data.

    A port of 0 takes the one kept, or a free one the first time.
    """

    def __init__(
        self,
        data_dir: Path,
        native_port: int = 0,
        http_port: int = 0,
        *,
        die_with_parent: bool = True,
    ) -> None:
        self.data_dir = Path(data_dir).absolute()
        self._die_with_parent = die_with_parent
        self._child = Child("engine", self.data_dir / "engine.log")
        self.data_dir.mkdir(parents=True, exist_ok=True)
        self.native_port, self.http_port = self._keep_ports(native_port, http_port)
        self.user = USER
        self.password = ensure_password(self.password_file)

    def _keep_ports(self, native_port: int, http_port: int) -> tuple[int, int]:
        path = self.data_dir / "ports.json"
        kept = json.loads(path.read_text()) if path.exists() else {}
        native = native_port or kept.get("native") or free_port()
        http = http_port or kept.get("http") or free_port()
        write_whole(path, json.dumps({"native": native, "http": http}))
        return native, http

    @property
    def password_file(self) -> Path:
        """File (mode 600) with the password of user `default`."""
        return self.data_dir / "password"

    @property
    def native(self) -> str:
        """Native-protocol address, "127.0.0.1:port"."""
        return f"127.0.0.1:{self.native_port}"

    @property
    def http(self) -> str:
        """Base URL of the HTTP interface."""
        return f"http://127.0.0.1:{self.http_port}"

    @property
    def running(self) -> bool:
        """True while the engine's process lives."""
        return self._child.running

    @property
    def pid(self) -> int | None:
        """Process id while it runs."""
        return self._child.pid

    @property
    def returncode(self) -> int | None:
        """Exit code of the last run (negative = signal), None before."""
        return self._child.returncode

    @property
    def command(self) -> list[str]:
        """What runs this engine, for whoever supervises it."""
        command = [sys.executable, "-m", "sendtrail.local.engine", "--data", str(self.data_dir)]
        command += ["--native-port", str(self.native_port), "--http-port", str(self.http_port)]
        return [*command, "--password-file", str(self.password_file)]

    def start(self) -> None:
        """Start the engine; returns at once. StartError if one of its ports is taken."""
        require_free("engine", self.native_port, self.http_port)
        self._child.start(self.command, die_with_parent=self._die_with_parent)

    def wait_ready(self, timeout_s: float = 60.0) -> None:
        """Wait until both fronts accept connections. StartError with the log's tail otherwise."""
        self._child.wait_until(
            lambda: accepts_connections(self.native_port) and accepts_connections(self.http_port), timeout_s
        )

    def stop(self, timeout_s: float = _STOP_TIMEOUT_S) -> int | None:
        """Let running queries finish (bounded) and end; SIGKILL after `timeout_s`. Returns the exit code."""
        return self._child.stop(timeout_s)

    def kill(self) -> None:
        """SIGKILL, as in a crash."""
        self._child.kill()

    def __enter__(self) -> Engine:
        self.start()
        self.wait_ready()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
