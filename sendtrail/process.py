"""What every long-running process shares: logs, the admin listener, and the wish to stop."""

import gc
import json
import logging
import shutil
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Literal, NamedTuple, NoReturn

import structlog
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from sendtrail.errors import SettingsError
from sendtrail.metrics import gauge
from sendtrail.settings import EXIT_CODE, Config, load

Log = structlog.stdlib.BoundLogger


#: How often a library may say the same thing while it lasts.
SAY_AGAIN_S = 30.0
_LIKES = 1000  # kinds of lines to remember; more can only be texts that never repeat


class Health(NamedTuple):
    """What an admin listener answers: `ready` decides 200 or 503, `facts` are shown as JSON."""

    ready: bool
    facts: dict[str, Any]


class Seldom(logging.Filter):
    """Lets a library's warning or error through once in `every_s`, and then says how many like it were left out.

    Kafka's clients log each of thousands of attempts while a broker is away. Like is what has the same logger, level
    and text before its arguments are filled in. Our own lines all pass.
    """

    def __init__(self, every_s: float = SAY_AGAIN_S, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._every_s = every_s
        self._clock = clock
        self._lock = threading.Lock()
        self._said: dict[tuple[str, int, str], tuple[float, int]] = {}  # when, and how many were left out since

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.msg, dict) or record.levelno < logging.WARNING:  # a dict: structlog's, so ours
            return True
        like = (record.name, record.levelno, str(record.msg))
        now = self._clock()
        with self._lock:
            at, left_out = self._said.get(like, (now - self._every_s, 0))
            passes = now - at >= self._every_s
            self._said[like] = (now, 0) if passes else (at, left_out + 1)
            if len(self._said) > _LIKES:
                self._said.clear()
        if passes and left_out:
            record.msg = f"{record.msg} (and {left_out} more like it since {now - at:.0f} s ago)"
        return passes


def setup_logging(process: str, level: str = "INFO") -> Log:
    """Log lines for people on a terminal, JSON lines elsewhere, on standard error. Returns the process's logger."""
    people = sys.stderr.isatty()
    renderer: Any = structlog.dev.ConsoleRenderer() if people else structlog.processors.JSONRenderer()
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(processor=renderer, foreign_pre_chain=shared))
    handler.addFilter(Seldom())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    structlog.contextvars.bind_contextvars(process=process)
    logger: Log = structlog.stdlib.get_logger(process)
    return logger


def collect_seldom() -> None:
    """Look for cycles of garbage seldom: the line's data has none, and a look goes through every live object.

    To be called when everything is imported and built.
    """
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


def run_stage(main: Callable[[Config], int]) -> NoReturn:
    """Run a stage's `main` with the settings of file and environment, and end the process with its exit code.

    A setting that is unknown or malformed is one line on standard error and exit code 3.
    """
    try:
        sys.exit(main(load()))
    except SettingsError as error:
        print(error, file=sys.stderr)
        sys.exit(EXIT_CODE)


def watch_disk(disk: str, directory: Path) -> None:
    """Export how full the disk under a directory is, under the name `disk`; not a number where it can't be asked."""

    def ask(of: Literal["free", "total"]) -> float:
        try:
            return float(getattr(shutil.disk_usage(directory), of))
        except OSError:
            return float("nan")

    gauge("sendtrail_disk_free_bytes").labels(disk).set_function(lambda: ask("free"))
    gauge("sendtrail_disk_size_bytes").labels(disk).set_function(lambda: ask("total"))


def listen(section: str, host: str, port: int, backlog: int = 1024) -> socket.socket:
    """A listening TCP socket for the host and port of a settings section. Raises OSError naming them.

    `backlog`: connections the kernel may hold until they are accepted.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=backlog)
    except OSError as error:
        text = f"{section}.host and {section}.port: {host}:{port} can't be listened on: {error}"
        raise OSError(text) from error


class StopSignal:
    """Set by SIGTERM or SIGINT; a process drains and ends when it is."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self._act: Callable[[], None] = lambda: None

    def install(self) -> "StopSignal":
        """Listen for the signals; main thread only."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self._asked())
        return self

    def then(self, act: Callable[[], None]) -> None:
        """Call `act` when the stop is asked for by a signal, at once if it was. For those who don't look by themselves.

        May call it twice. A library that takes the signals over later leaves no moment in which one is lost.
        """
        self._act = act
        if self._event.is_set():
            act()

    def _asked(self) -> None:
        self._event.set()
        self._act()

    def set(self) -> None:
        """Ask for the stop from inside."""
        self._event.set()

    def is_set(self) -> bool:
        return self._event.is_set()

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait until the stop is asked for; True if it is."""
        return self._event.wait(timeout_s)


class AdminServer:
    """`/health` (alive), `/ready` (200 or 503) and `/metrics` on a port of its own, in a thread.

    `questions`: further paths, and what gives the status that answers a query string there.
    """

    def __init__(
        self,
        host: str,
        port: int,
        health: Callable[[], Health],
        questions: Mapping[str, Callable[[str], int]] | None = None,
    ) -> None:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                path, _, query = self.path.partition("?")
                question = (questions or {}).get(path)
                if question is None:
                    self._answer(*_respond(path, health))
                else:
                    self._answer(question(query), "text/plain", b"")

            def _answer(self, status: int, content_type: str, body: bytes) -> None:
                self.send_response(status)
                self.send_header("Content-Type", content_type)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:
                """Requests to the admin listener are not logged: probes come every few seconds."""

        self._server = ThreadingHTTPServer((host, port), Handler)
        self._server.daemon_threads = True
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, name="admin", daemon=True)

    def start(self) -> "AdminServer":
        self._thread.start()
        return self

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _respond(path: str, health: Callable[[], Health]) -> tuple[int, str, bytes]:
    if path == "/metrics":
        return 200, CONTENT_TYPE_LATEST, generate_latest()
    if path not in ("/health", "/ready"):
        return 404, "application/json", b'{"error": "there are /health, /ready and /metrics"}'
    state = health()
    status = 200 if path == "/health" or state.ready else 503
    return status, "application/json", json.dumps({"ready": state.ready, **state.facts}, default=str).encode()
