"""The line between the edge's supervisor and one of its workers: a byte asks, a report answers.

The worker ends when the line does, so none outlives its supervisor. Its last report comes unasked, when it has stopped.
"""

import asyncio
import socket
import struct
import threading
import time
from collections.abc import Callable
from typing import Any, cast

import msgspec
from prometheus_client import REGISTRY
from prometheus_client.metrics_core import Metric

_LENGTH = struct.Struct(">I")
#: What the supervisor exports itself, and what every process has of its own.
_NOT_SUMMED = (
    "sendtrail_edge_workers", "sendtrail_edge_worker_exits", "sendtrail_spool_bytes", "sendtrail_spool_oldest_seconds",
    "sendtrail_disk_free_bytes", "sendtrail_disk_size_bytes",
)  # fmt: skip
_OF_A_PROCESS = ("process_cpu_seconds", "process_resident_memory_bytes", "process_open_fds")


class Family(msgspec.Struct):
    """A metric with its samples: name, labels, value."""

    name: str
    help: str
    kind: str
    samples: list[tuple[str, dict[str, str], float]]


class Report(msgspec.Struct):
    """How a worker is: what its health shows, and what it has counted since its start."""

    ready: bool
    facts: dict[str, Any]
    families: list[Family]


def families() -> list[Family]:
    """The metrics of this process that add up over several."""
    return [
        family_of(metric)
        for metric in REGISTRY.collect()
        if metric.name in _OF_A_PROCESS or (metric.name.startswith("sendtrail_") and metric.name not in _NOT_SUMMED)
    ]


def family_of(metric: Metric) -> Family:
    """A metric as it travels."""
    samples = [(one.name, one.labels, one.value) for one in metric.samples if not one.name.endswith("_created")]
    return Family(metric.name, metric.documentation, metric.type, samples)


class Reporter(asyncio.Protocol):
    """The worker's end, served by its event loop: a loop that hangs does not answer."""

    def __init__(self, report: Callable[[], Report], ended: Callable[[], None]) -> None:
        self._report = report
        self._ended = ended
        self._transport: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.WriteTransport", transport)

    def data_received(self, data: bytes) -> None:
        self.tell()

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._ended()

    def tell(self) -> None:
        """Send a report."""
        if self._transport is not None:
            body = msgspec.msgpack.encode(self._report())
            self._transport.write(_LENGTH.pack(len(body)) + body)

    def close(self) -> None:
        """Send what is under way and end the line."""
        if self._transport is not None:
            self._transport.close()


class ControlLine:
    """The supervisor's end. Safe to share between threads."""

    def __init__(self, end: socket.socket) -> None:
        self._socket = end
        self._data = b""
        self._lock = threading.Lock()

    def ask(self) -> None:
        """Ask for a report; `read` gives it."""
        try:
            self._socket.sendall(b"?")
        except OSError:
            return  # the worker has ended, which its process tells

    def fetch(self, timeout_s: float) -> Report | None:
        """Ask, and wait for the answer. None where none comes in time."""
        with self._lock:
            self.ask()
            return self._read(timeout_s)

    def read(self, timeout_s: float) -> Report | None:
        """The newest report that came or comes. None where none comes in time."""
        with self._lock:
            return self._read(timeout_s)

    def close(self) -> None:
        with self._lock:
            self._socket.close()

    def _read(self, timeout_s: float) -> Report | None:
        newest = None
        end = time.monotonic() + timeout_s
        while self._receive(0.0 if newest is not None else max(0.0, end - time.monotonic())):
            newest = self._last_whole() or newest
        return newest

    def _receive(self, timeout_s: float) -> bool:
        """True where something came within the time."""
        try:
            self._socket.settimeout(timeout_s)
            data = self._socket.recv(1 << 16)
        except OSError:
            return False
        self._data += data
        return bool(data)

    def _last_whole(self) -> Report | None:
        found = None
        while len(self._data) >= _LENGTH.size:
            end = _LENGTH.size + _LENGTH.unpack_from(self._data)[0]
            if len(self._data) < end:
                break
            found = msgspec.msgpack.decode(self._data[_LENGTH.size : end], type=Report)
            self._data = self._data[end:]
        return found
