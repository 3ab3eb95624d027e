"""The API in a process of its own, and what it left in its spools."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import msgspec

from sendtrail import keyring
from sendtrail.deliveries import Delivery, DeliveryUrl, RegistryRecord, decode_record
from sendtrail.errors import Invalid
from sendtrail.events import Event, decode
from sendtrail.segments import decode_header, frames
from sendtrail.spool_files import segment_files


class ApiProcess:
    """`python -m producers.api.main` on free ports."""

    def __init__(self, place: Path, **settings: object) -> None:
        self.keys = keyring.new_keyring()
        self.spool = place / "spool"
        self.log = place / "api.log"
        keyring.save(place / "keys.toml", self.keys)
        self.environment = os.environ | {
            "SENDTRAIL_KEYS_FILE": str(place / "keys.toml"),
            "SENDTRAIL_API_SPOOL_DIR": str(self.spool),
            "SENDTRAIL_API_PORT": "0",
            "SENDTRAIL_API_ADMIN_PORT": "0",
            "SENDTRAIL_API_FSYNC": "none",
            "SENDTRAIL_API_KEYS_FILE": str(place / "api-keys.toml"),
        }
        self.environment |= {f"SENDTRAIL_API_{name.upper()}": str(value) for name, value in settings.items()}

    def start(self) -> ApiProcess:
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "producers.api.main"], env=self.environment, stderr=log, stdout=log
            )
        ports = self._wait_started()
        self.client = httpx.Client(base_url=f"http://127.0.0.1:{ports['port']}", timeout=30)
        self.admin = httpx.Client(base_url=f"http://127.0.0.1:{ports['admin_port']}", timeout=30)
        return self

    @property
    def pid(self) -> int:
        return self._process.pid

    def kill(self) -> None:
        self._process.kill()
        self._process.wait(10)

    def stop(self) -> int:
        """SIGTERM; the exit code."""
        self._process.terminate()
        return self._process.wait(30)

    def __enter__(self) -> ApiProcess:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.client.close()
        self.admin.close()
        self.kill()

    def feed(self, *items: Any) -> list[dict[str, str]]:
        """Post items; their results."""
        reply = self.client.post("/v1/events", json=list(items))
        assert reply.status_code == 200, reply.text
        results: list[dict[str, str]] = reply.json()["results"]
        assert len(results) == len(items)
        return results

    def events(self) -> list[Event]:
        """Every event in the spool, in order of the segments."""
        found = []
        for payload in payloads(self.spool):
            event = decode(payload)
            assert not isinstance(event, Invalid), event
            found.append(event)
        return found

    def entries(self) -> list[Delivery | DeliveryUrl]:
        """Every registry entry in the spool, in order."""
        found = []
        for payload in payloads(self.spool / "registry"):
            record = msgspec.json.decode(payload, type=RegistryRecord)
            entry = decode_record(record.key.encode(), bytes(record.value))
            assert not isinstance(entry, Invalid), entry
            found.append(entry)
        return found

    def _wait_started(self) -> dict[str, int]:
        end = time.monotonic() + 30
        while time.monotonic() < end:
            for line in self.log.read_text().splitlines():
                if '"started"' in line:
                    started: dict[str, int] = json.loads(line)
                    return started
            assert self._process.poll() is None, self.log.read_text()
            time.sleep(0.02)
        raise AssertionError(f"the API did not start: {self.log.read_text()}")


def payloads(directory: Path) -> list[bytes]:
    """What is in the segments of a directory, in order."""
    found = []
    for file in segment_files(directory):
        data = file.path.read_bytes()
        header = decode_header(data)
        assert header is not None
        found += [frame.payload for frame in frames(data, header[1])]
    return found
