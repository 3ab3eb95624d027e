"""Requests per second of the edge against nginx serving its built-in gif with an access log, in the same run.

    python -m bench.edge [--seconds N] [--rounds N] [--memory-hits N]

Each server gets one core (the first), wrk another (the last): one thread, 64 keep-alive connections, one request at a
time on each, 20,000 different signed pixel links, the headers of a browser. The edge checks the token and writes the
event to its spool before it answers; nginx logs in the combined format, once through a 64 KB buffer (a kill loses up to
that much) and once with a write per request. The servers take turns, so that what else runs on the machine meets all.
`cpu_us` is a server's own CPU time per request, user and system: it hardly depends on what else runs. `ratio`, of
requests per second, and `cpu_ratio` are against nginx with its log through a buffer. `p99_ms` is at half the rate a
server reached, by 256 connections that wait between requests. `mb_at_hits` is the edge's resident memory, supervisor
included, with that many hits in its spool and no forwarder.

The edge is measured as it comes (spool on, `fsync` every 100 ms), with `fsync` every 10 ms, and with visitor cookies,
where each request is of a new visitor.

Needs wrk on the path; without nginx only the edge is measured.
"""

import json
import os
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, NamedTuple
from urllib.request import urlopen

import typer

from sendtrail import keyring
from sendtrail.links import Link, mint

LINKS = 20_000
CONNECTIONS = 64
WAITING_CONNECTIONS = 256  # for the latency at half load: each waits between its requests
WARM_UP_S = 1

#: The edge's settings beside its defaults. Every link is asked for often here, which is no flood.
COMMON = {"SENDTRAIL_EDGE_FLOOD_HITS_PER_MINUTE": 10**9}
EDGES: dict[str, dict[str, object]] = {
    "edge": {},
    "edge_fsync_10ms": {"SENDTRAIL_EDGE_FSYNC_INTERVAL_MS": 10},
    "edge_cookies": {"SENDTRAIL_TRACKING_VISITOR_COOKIES": "session"},
}

NGINX = """
daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{ worker_connections 1024; }}
http {{
  access_log {folder}/access.log combined{buffer};
  client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
  uwsgi_temp_path {folder}; scgi_temp_path {folder};
  keepalive_requests 1000000000;
  server {{ listen 127.0.0.1:{port}; location /o/ {{ empty_gif; }} }}
}}
"""

WRK = """
local requests, n = {}, 0
local headers = "Host: 127.0.0.1\\r\\n" ..
  "User-Agent: Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko)\\r\\n" ..
  "Accept: image/avif,image/webp,*/*\\r\\nAccept-Language: en-GB,en;q=0.9\\r\\n" ..
  "Accept-Encoding: gzip, deflate, br\\r\\n\\r\\n"
for path in io.lines(os.getenv("BENCH_PATHS")) do
  requests[#requests + 1] = "GET " .. path .. " HTTP/1.1\\r\\n" .. headers
end
function request() n = n % #requests + 1; return requests[n] end
local wait = tonumber(os.getenv("BENCH_WAIT_MS"))
if wait > 0 then function delay() return wait end end
"""


class Sample(NamedTuple):
    """One round of one server: requests per second, CPU microseconds per request, answers that were not 2xx or 3xx, and
    milliseconds within which 99 % were answered at half that rate."""

    rate: float
    cpu_us: float
    errors: int
    p99_ms: float


class Server(NamedTuple):
    """How to start one of the servers, and where it will answer."""

    command: list[str]
    environment: dict[str, str]
    port: int


def main(
    seconds: Annotated[int, typer.Option(help="Per server and round.")] = 10,
    rounds: Annotated[int, typer.Option(help="Turns of each server; medians are told.")] = 1,
    memory_hits: Annotated[int, typer.Option(help="Hits in the spool when memory is read; 0: not read.")] = 1_000_000,
) -> None:
    """Print the figures for people on standard error, and as one JSON line."""
    if shutil.which("wrk") is None:
        raise SystemExit("wrk is not on the path: install it to run this benchmark")
    with tempfile.TemporaryDirectory(prefix="bench-edge-") as name:
        folder = Path(name)
        samples = measure(folder, seconds, rounds)
        memory = _memory(folder, memory_hits) if memory_hits else {}
    figures = {server: _summary(taken) for server, taken in samples.items()}
    for server, figure in figures.items():
        if "nginx" in figures:
            figure["ratio"] = round(figure["requests_per_s"] / figures["nginx"]["requests_per_s"], 2)
            figure["cpu_ratio"] = round(figures["nginx"]["cpu_us"] / figure["cpu_us"], 2)
        print(f"{server:16} " + ", ".join(f"{name} {value:,}" for name, value in figure.items()), file=sys.stderr)
    settings = {"connections": CONNECTIONS, "links": LINKS, "seconds": seconds, "rounds": rounds}
    print(json.dumps({**figures, **memory, "settings": settings}))


def _summary(samples: list[Sample]) -> dict[str, float]:
    return {
        "requests_per_s": round(statistics.median(sample.rate for sample in samples)),
        "best_per_s": round(max(sample.rate for sample in samples)),
        "cpu_us": round(statistics.median(sample.cpu_us for sample in samples), 2),
        "p99_ms": round(statistics.median(sample.p99_ms for sample in samples), 2),
        "errors": sum(sample.errors for sample in samples),
    }


def measure(folder: Path, seconds: int, rounds: int) -> dict[str, list[Sample]]:
    """Let the servers take turns."""
    _prepare(folder)
    servers = {name: _edge(folder, settings) for name, settings in EDGES.items()}
    if shutil.which("nginx"):
        servers["nginx"] = _nginx(folder, " buffer=64k flush=1s")
        servers["nginx_unbuffered"] = _nginx(folder, "")
    samples: dict[str, list[Sample]] = {name: [] for name in servers}
    for _ in range(rounds):
        for name, server in servers.items():
            with _running(server) as process:
                _wrk(folder, server.port, WARM_UP_S)
                samples[name].append(_round(folder, server.port, seconds, process.pid))
            shutil.rmtree(folder / "spool", ignore_errors=True)
            (folder / "access.log").unlink(missing_ok=True)
    return samples


def _memory(folder: Path, hits: int) -> dict[str, dict[str, float]]:
    """Resident memory of the edge's processes when so many hits wait in its spool."""
    server, sent = _edge(folder, {}), 0
    with _running(server) as process:
        before = _resident_mb(process.pid)
        while sent < hits:
            sent += int(_found(r"(\d+) requests in", _wrk(folder, server.port, 5)))
        after = _resident_mb(process.pid)
    return {"memory": {"hits": sent, "mb_at_start": before, "mb_at_hits": after}}


def _prepare(folder: Path) -> None:
    keys = keyring.new_keyring()
    keyring.save(folder / "keys.toml", keys)
    tokens = (mint(keys.active, Link("open", 17, number, number)) for number in range(LINKS))
    (folder / "paths").write_text("".join(f"/o/{token}\n" for token in tokens))
    (folder / "wrk.lua").write_text(WRK)


def _edge(folder: Path, settings: Mapping[str, object]) -> Server:
    port = _free_port()
    own = {
        "SENDTRAIL_KEYS_FILE": folder / "keys.toml",
        "SENDTRAIL_EDGE_SPOOL_DIR": folder / "spool",
        "SENDTRAIL_EDGE_PORT": port,
        "SENDTRAIL_EDGE_ADMIN_PORT": 0,
    }
    environment = {name: str(value) for name, value in {**COMMON, **own, **settings}.items()}
    return Server([sys.executable, "-m", "producers.edge.main"], environment, port)


def _nginx(folder: Path, buffer: str) -> Server:
    port = _free_port()
    configuration = folder / f"nginx-{port}.conf"
    configuration.write_text(NGINX.format(folder=folder, port=port, buffer=buffer))
    return Server(["nginx", "-p", str(folder), "-c", str(configuration)], {}, port)


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def _pinned(core: int) -> list[str]:
    return ["taskset", "-c", str(core)]


@contextmanager
def _running(server: Server) -> Iterator[subprocess.Popen[bytes]]:
    environment = os.environ | server.environment
    process = subprocess.Popen([*_pinned(0), *server.command], env=environment, stderr=subprocess.DEVNULL)
    try:
        _await(server.port)
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def _await(port: int) -> None:
    for _ in range(200):
        try:
            urlopen(f"http://127.0.0.1:{port}/o/x", timeout=1).read()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise SystemExit(f"nothing answers on port {port}")


def _round(folder: Path, port: int, seconds: int, pid: int) -> Sample:
    before = _cpu_s(pid)
    text = _wrk(folder, port, seconds)
    used = _cpu_s(pid) - before
    requests = int(_found(r"(\d+) requests in", text))
    errors = re.search(r"Non-2xx or 3xx responses: (\d+)", text)
    rate = float(_found(r"Requests/sec:\s+([\d.]+)", text))
    half = _wrk(folder, port, seconds, WAITING_CONNECTIONS, wait_ms=round(WAITING_CONNECTIONS * 2000 / rate))
    number, unit = re.findall(r"99%\s+([\d.]+)(us|ms|s)\b", half)[0]
    p99_ms = float(number) * {"us": 0.001, "ms": 1, "s": 1000}[unit]
    return Sample(rate, used * 1e6 / requests, int(errors[1]) if errors else 0, p99_ms)


def _wrk(folder: Path, port: int, seconds: int, connections: int = CONNECTIONS, *, wait_ms: int = 0) -> str:
    """What wrk says. With `wait_ms` each connection waits so long before each request."""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "-s", str(folder / "wrk.lua")]
    environment = os.environ | {"BENCH_PATHS": str(folder / "paths"), "BENCH_WAIT_MS": str(wait_ms)}
    last = (os.cpu_count() or 1) - 1
    return subprocess.run(
        [*_pinned(last), *command, f"http://127.0.0.1:{port}"],
        env=environment, capture_output=True, text=True, check=True, timeout=seconds + 30,
    ).stdout  # fmt: skip


def _found(pattern: str, text: str) -> str:
    match = re.search(pattern, text)
    if match is None:
        raise SystemExit(f"wrk said nothing that matches {pattern}:\n{text}")
    return match[1]


def _cpu_s(pid: int) -> float:
    """CPU seconds of a process and its children, threads included."""
    ticks = 0
    for each in _family(pid):
        fields = Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def _resident_mb(pid: int) -> float:
    pages = sum(int(Path(f"/proc/{each}/statm").read_text().split()[1]) for each in _family(pid))
    return round(pages * os.sysconf("SC_PAGE_SIZE") / 1e6, 1)


def _family(pid: int) -> list[int]:
    return [pid, *map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())]


if __name__ == "__main__":
    typer.run(main)
