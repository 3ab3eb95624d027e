"""A relay in a process of its own, a next hop that does as it is told, and what the relay left in its spool."""

from __future__ import annotations

import json
import os
import signal
import smtplib
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal, NamedTuple

import httpx
import msgspec

from sendtrail import keyring
from sendtrail.deliveries import Delivery, DeliveryUrl, RegistryRecord, decode_record
from sendtrail.errors import Invalid
from sendtrail.events import Event
from tests.support import spools

BASE = "https://t.example"
#: What a next hop does at the end of a mail: answers with a text, closes, or calls something first.
End = str | Literal["close"] | Callable[[], str]


class Taken(NamedTuple):
    """A mail as the next hop got it, whole."""

    sender: str
    recipient: str
    content: bytes


class Hop:
    """An SMTP server: one thread per connection, every step scripted by `answers` (a command's first word -> text)."""

    def __init__(self) -> None:
        self.mails: list[Taken] = []
        self.commands: list[str] = []
        self.answers: dict[str, str] = {}
        self.end: End = "250 2.0.0 taken"
        self.after: Callable[[], object] = lambda: None
        self.dies_after: int | None = None
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(10)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rwb") as stream:

            def say(text: str) -> None:
                stream.write(text.replace("\n", "\r\n").encode() + b"\r\n")
                stream.flush()

            try:
                say("220 hop")
                self._talk(stream, say)
            except OSError:
                return

    def _talk(self, stream: object, say: Callable[[str], None]) -> None:
        sender = recipient = ""
        while line := stream.readline().decode().strip():  # type: ignore[attr-defined]
            self.commands.append(line)
            word = line.split(":")[0].split()[0].upper()
            usual = {
                "EHLO": "250-hop\n250-8BITMIME\n250-SMTPUTF8\n250 SIZE 99000000",
                "DATA": "354 go",
                "QUIT": "221 bye",
            }
            sender = line.partition("<")[2].partition(">")[0] if word == "MAIL" else sender
            recipient = line.partition("<")[2].partition(">")[0] if word == "RCPT" else recipient
            answer = self.answers.get(word, usual.get(word, "250 2.1.0 ok"))
            say(answer)
            if word == "DATA" and answer.startswith("354"):
                content = self._content(stream)
                if content is None:
                    return
                if not self._finish(Taken(sender, recipient, content), say):
                    return

    def _content(self, stream: object) -> bytes | None:
        lines = []
        while (line := stream.readline()) != b".\r\n":  # type: ignore[attr-defined]
            lines.append(line[1:] if line.startswith(b".") else line)
            if self.dies_after is not None and len(lines) > self.dies_after:
                return None
        return b"".join(lines)

    def _finish(self, mail: Taken, say: Callable[[str], None]) -> bool:
        end = self.end
        if end == "close":
            self.mails.append(mail)
            return False
        text = end() if callable(end) else end
        if text.startswith("2"):
            self.mails.append(mail)
        say(text)
        self.after()
        return True


class RelayProcess:
    """`python -m producers.relay.main` on free ports, passing on to a hop."""

    def __init__(self, place: Path, hop: Hop, **settings: object) -> None:
        self.place = place
        self._process: subprocess.Popen[bytes] | None = None
        self.keys = keyring.new_keyring()
        self.spool = place / "spool"
        self.log = place / "relay.log"
        keyring.save(place / "keys.toml", self.keys)
        ours: dict[str, object] = {
            "next_hop": f"127.0.0.1:{hop.port}", "hostname": "relay.example", "spool_dir": self.spool, "port": 0,
            "admin_port": 0, "data_dir": place / "data", "fsync": "none", "next_hop_timeout_s": 20,
        }  # fmt: skip
        self.environment = os.environ | {
            "SENDTRAIL_KEYS_FILE": str(place / "keys.toml"), "SENDTRAIL_TRACKING_BASE_URL": BASE,
        }  # fmt: skip
        self.environment |= {f"SENDTRAIL_RELAY_{name.upper()}": str(value) for name, value in (ours | settings).items()}

    def start(self) -> RelayProcess:
        """Start it, also again where it was killed."""
        if self._process is not None:
            self._process.wait(10)
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "producers.relay.main"], env=self.environment, stderr=log, stdout=log
            )
        ports = self._wait_started()
        self.port, self.admin_port = ports["port"], ports["admin_port"]
        return self

    def kill(self) -> None:
        process = self._running
        os.kill(process.pid, signal.SIGKILL)
        process.wait(10)

    @property
    def _running(self) -> subprocess.Popen[bytes]:
        assert self._process is not None
        return self._process

    def terminate(self) -> None:
        """SIGTERM, and no waiting."""
        self._running.terminate()

    def stop(self) -> int:
        """SIGTERM; the exit code."""
        self._running.terminate()
        return self._running.wait(30)

    def __enter__(self) -> RelayProcess:
        return self if self._process is not None and self._process.poll() is None else self.start()

    def __exit__(self, *_: object) -> None:
        if self._running.poll() is None:
            self.kill()

    def client(self) -> smtplib.SMTP:
        return smtplib.SMTP("127.0.0.1", self.port, "client.example", timeout=30)

    def send(
        self, content: bytes, recipient: str = "anna@e.example", sender: str = "shop@e.example"
    ) -> tuple[int, str]:
        """The answer to a mail."""
        with self.client() as client:
            client.ehlo()
            client.command_encoding = "utf-8"
            client.docmd(f"MAIL FROM:<{sender}>")
            client.docmd(f"RCPT TO:<{recipient}>")
            code, text = client.data(content)
            return code, text.decode()

    def events(self) -> list[Event]:
        """Every event in the spool."""
        return spools.events(self.spool)

    def entries(self) -> list[Delivery | DeliveryUrl]:
        """Every registry entry in the spool."""
        found = []
        for payload in (payload for _, held in spools.segments(self.spool / "registry") for payload in held):
            record = msgspec.json.decode(payload, type=RegistryRecord)
            entry = decode_record(record.key.encode(), bytes(record.value))
            assert not isinstance(entry, Invalid), entry
            found.append(entry)
        return found

    def metric(self, outcome: str) -> float:
        """How many mails had an outcome."""
        page = httpx.get(f"http://127.0.0.1:{self.admin_port}/metrics", trust_env=False).text
        line = next(line for line in page.splitlines() if f'relay_mails_total{{outcome="{outcome}"}}' in line)
        return float(line.split()[1])

    def _wait_started(self) -> dict[str, int]:
        end = time.monotonic() + 30
        while time.monotonic() < end:
            for line in self.log.read_text().splitlines():
                if '"started"' in line:
                    started: dict[str, int] = json.loads(line)
                    return started
            assert self._running.poll() is None, self.log.read_text()
            time.sleep(0.02)
        raise AssertionError(f"the relay did not start: {self.log.read_text()}")
