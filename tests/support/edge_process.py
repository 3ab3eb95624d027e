"""`sendtrail edge` as a process of its own, with its keys and its spool."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

from sendtrail import keyring
from sendtrail.links import Link, LinkKind, mint, url_of
from tests.support.edges import Client


class Process:
    """`python -m producers.edge.main` on free ports, with its own keys and spool. `log` is what it said since."""

    def __init__(self, directory: Path, **settings: object) -> None:
        self.directory = directory
        self.spool = directory / "spool"
        self.key_file = directory / "keys.toml"
        self.keys = keyring.new_keyring()
        keyring.save(self.key_file, self.keys)
        values = {
            "edge_spool_dir": self.spool,
            "edge_port": 0,
            "edge_admin_port": 0,
            "keys_file": self.key_file,
            **settings,
        }
        self.environment = {f"SENDTRAIL_{name}".upper(): str(value) for name, value in values.items()}
        self.process: subprocess.Popen[str] | None = None
        self.port = self.admin_port = 0
        self.log: list[str] = []

    def start(self) -> Process:
        process = subprocess.Popen(
            [sys.executable, "-m", "producers.edge.main"],
            env=os.environ | self.environment,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.process = process
        assert process.stderr is not None
        for line in process.stderr:
            if (found := re.search(r'"port": (\d+), "admin_port": (\d+)', line)) is not None:
                self.port, self.admin_port = int(found[1]), int(found[2])
                break
        else:
            raise AssertionError("the edge has ended instead of listening")
        self.drain = threading.Thread(target=lambda: self.log.extend(process.stderr or ()), daemon=True)
        self.drain.start()
        return self

    def signal(self, number: signal.Signals) -> int:
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(20)

    def end(self) -> None:
        if self.process is None:
            return
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(20)
        self.drain.join()
        assert self.process.stderr is not None
        self.process.stderr.close()
        self.process = None

    def path(self, kind: LinkKind = "open", message: int = 7, destination: str = "") -> str:
        return url_of("", kind, mint(self.keys.active, Link(kind, 17, message, 99, destination=destination)))

    def get(self, path: str) -> int:
        with Client(self.port) as client:
            client.send(f"GET {path} HTTP/1.1\r\nHost: t\r\n\r\n".encode())
            return client.answer().status

    def workers(self) -> list[dict[str, Any]]:
        """What its health says of each worker."""
        found: list[dict[str, Any]] = json.loads(self.admin("/health")[1])["workers"]
        return found

    def pids(self) -> list[int]:
        """Process ids of the workers that are ready."""
        return [worker["pid"] for worker in self.workers() if worker["state"] == "ready"]

    def all_pids(self) -> list[int]:
        """Process ids of all workers, those that are not ready too."""
        return [worker["pid"] for worker in self.workers()]

    def kill_worker(self, pid: int) -> None:
        """SIGKILL one worker and wait until its supervisor has seen it end."""
        os.kill(pid, signal.SIGKILL)
        while pid in self.pids():
            time.sleep(0.02)

    def admin(self, path: str) -> tuple[int, str]:
        try:
            with urlopen(f"http://127.0.0.1:{self.admin_port}{path}", timeout=10) as response:
                return response.status, response.read().decode()
        except HTTPError as error:
            with error:
                return error.code, error.read().decode()
