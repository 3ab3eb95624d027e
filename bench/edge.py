"""Requests per second of the edge against nginx serving its built-in gif with an access log, in the same run.

    python -m bench.edge [--seconds 10] [--rounds 3] [--fsync interval] [--report bench-edge.json]

Both get one core (the first), wrk the other (the last): one thread, 64 keep-alive connections, one request at a time on
each, 20,000 different signed pixel links, the headers of a browser. The edge checks the token, writes the event to its
spool before it answers, and syncs the spool as `--fsync` says; nginx writes a combined access log through a 64 KB
buffer. The servers take turns, so that what else runs on the machine meets both. `CPU µs` is the server's own CPU time
per request, user and system: it hardly depends on what else runs.

Needs wrk and nginx on the path; without nginx only the edge is measured.
"""

import argparse
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
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.request import urlopen

from sendtrail import keyring
from sendtrail.links import Link, mint

LINKS = 20_000
CONNECTIONS = 64

NGINX = """
daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{ worker_connections 1024; }}
http {{
  access_log {folder}/access.log combined buffer=64k flush=1s;
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
  "Accept: image/avif,image/webp,*/*\\r\\nAccept-Language: en-GB,en;q=0.9\\r\\nAccept-Encoding: gzip, deflate, br\\r\\n\\r\\n"
for path in io.lines(os.getenv("BENCH_PATHS")) do
  requests[#requests + 1] = "GET " .. path .. " HTTP/1.1\\r\\n" .. headers
end
function request() n = n % #requests + 1; return requests[n] end
"""


class Sample(NamedTuple):
    """One round of one server: requests per second, CPU microseconds per request, answers that were not 2xx or 3xx."""

    rate: float
    cpu_us: float
    errors: int


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seconds", type=int, default=10, help="per server and round (default 10)")
    parser.add_argument("--rounds", type=int, default=1, help="default 1")
    parser.add_argument("--fsync", choices=("none", "interval", "batch"), default="interval")
    parser.add_argument("--report", type=Path, help="write the figures here as JSON")
    options = parser.parse_args(arguments)
    if shutil.which("wrk") is None:
        print("wrk is not on the path: install it to run this benchmark", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="sendtrail-bench-") as name:
        figures = _measure(Path(name), options.seconds, options.rounds, options.fsync)
    _print(figures, options.fsync)
    if options.report:
        options.report.write_text(json.dumps(figures, indent=2) + "\n")
    return 0


def _measure(folder: Path, seconds: int, rounds: int, fsync: str) -> dict[str, list[Sample]]:
    _prepare(folder)
    servers = {"edge": _edge(folder, fsync)}
    if shutil.which("nginx"):
        servers["nginx"] = _nginx(folder)
    figures: dict[str, list[Sample]] = {name: [] for name in servers}
    for _ in range(rounds):
        for name, (command, environment, port) in servers.items():
            with _running(command, environment, port) as process:
                _wrk(folder, port, 2)
                figures[name].append(_round(folder, port, seconds, process.pid))
            shutil.rmtree(folder / "spool", ignore_errors=True)
    return figures


def _prepare(folder: Path) -> None:
    keys = keyring.new_keyring()
    keyring.save(folder / "keys.toml", keys)
    tokens = (mint(keys.active, Link("open", 17, number, number)) for number in range(LINKS))
    (folder / "paths").write_text("".join(f"/o/{token}\n" for token in tokens))
    (folder / "wrk.lua").write_text(WRK)


Server = tuple[list[str], dict[str, str], int]


def _edge(folder: Path, fsync: str) -> Server:
    port = _free_port()
    settings = {
        "SENDTRAIL_KEYS_FILE": folder / "keys.toml",
        "SENDTRAIL_EDGE_SPOOL_DIR": folder / "spool",
        "SENDTRAIL_EDGE_PORT": port,
        "SENDTRAIL_EDGE_ADMIN_PORT": 0,
        "SENDTRAIL_EDGE_FSYNC": fsync,
    }
    environment = {name: str(value) for name, value in settings.items()}
    return [sys.executable, "-m", "producers.edge.main"], environment, port


def _nginx(folder: Path) -> Server:
    port = _free_port()
    configuration = folder / "nginx.conf"
    configuration.write_text(NGINX.format(folder=folder, port=port))
    return ["nginx", "-p", str(folder), "-c", str(configuration)], {}, port


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def _pinned(core: int) -> list[str]:
    return ["taskset", "-c", str(core)]


@contextmanager
def _running(command: list[str], environment: dict[str, str], port: int) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen([*_pinned(0), *command], env=os.environ | environment, stderr=subprocess.DEVNULL)
    try:
        _await(port)
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
    return Sample(float(_found(r"Requests/sec:\s+([\d.]+)", text)), used * 1e6 / requests, int(errors[1]) if errors else 0)


def _wrk(folder: Path, port: int, seconds: int) -> str:
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "-s", str(folder / "wrk.lua"), f"http://127.0.0.1:{port}"]
    environment = os.environ | {"BENCH_PATHS": str(folder / "paths")}
    last = (os.cpu_count() or 1) - 1
    return subprocess.run(
        [*_pinned(last), *command], env=environment, capture_output=True, text=True, check=True, timeout=seconds + 30
    ).stdout


def _found(pattern: str, text: str) -> str:
    match = re.search(pattern, text)
    if match is None:
        raise SystemExit(f"wrk said nothing that matches {pattern}:\n{text}")
    return match[1]


def _cpu_s(pid: int) -> float:
    """CPU seconds of a process and its children, threads included."""
    ticks = 0
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    for each in (str(pid), *children):
        fields = Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def _print(figures: dict[str, list[Sample]], fsync: str) -> None:
    print(f"wrk -t1 -c{CONNECTIONS}, {LINKS} links, one core per server, edge fsync={fsync}")
    medians = {}
    for name, samples in figures.items():
        medians[name] = statistics.median(sample.rate for sample in samples)
        cpu = statistics.median(sample.cpu_us for sample in samples)
        best = max(sample.rate for sample in samples)
        errors = sum(sample.errors for sample in samples)
        print(f"{name:6} {medians[name]:9,.0f} requests/s (best {best:,.0f}), {cpu:5.2f} CPU µs each, {errors} errors")
    if "nginx" in medians:
        print(f"edge / nginx = {medians['edge'] / medians['nginx']:.2f}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
