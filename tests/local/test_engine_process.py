"""The engine as a process: crashes, orderly ends, locks, log-in."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import httpx
from clickhouse_driver.errors import NetworkError

from sendtrail.local.engine import Engine
from sendtrail.local.process import accepts_connections, free_port
from tests.support.stack import ClickHouse

MakeEngine = Callable[[], Engine]
COLUMNS = "(n UInt32) ENGINE = MergeTree ORDER BY n SETTINGS non_replicated_deduplication_window = 100"


def test_rows_and_tokens_outlive_a_kill(make_engine: MakeEngine) -> None:
    engine = make_engine()
    settings = {"insert_deduplication_token": "one"}
    with ClickHouse.of(engine).client() as client:
        client.execute("CREATE DATABASE d")
        client.execute(f"CREATE TABLE d.t {COLUMNS}")
        client.execute("INSERT INTO d.t VALUES", [(1,)], settings=settings)
    for _ in range(2):
        engine.kill()
        engine.start()
        engine.wait_ready()
        with ClickHouse.of(engine).client("d") as client:
            client.execute("INSERT INTO t VALUES", [(1,)], settings=settings)
            assert client.execute("SELECT count() FROM t") == [(1,)]


def test_a_kill_amid_inserts_leaves_whole_inserts(make_engine: MakeEngine) -> None:
    engine = make_engine()
    with ClickHouse.of(engine).client() as client:
        client.execute("CREATE DATABASE d")
        client.execute(f"CREATE TABLE d.t {COLUMNS}")
    answered = []

    def work() -> None:
        with ClickHouse.of(engine).client("d") as client:
            for number in range(10_000):
                try:
                    client.execute("INSERT INTO t VALUES", [[number] * 1000], columnar=True)
                except (OSError, EOFError, NetworkError):
                    return
                answered.append(number)

    worker = threading.Thread(target=work)
    worker.start()
    while len(answered) < 20:
        time.sleep(0.01)
    engine.kill()
    worker.join(30)
    engine.start()
    engine.wait_ready()
    with ClickHouse.of(engine).client("d") as client:
        counts = dict(client.execute("SELECT n, count() FROM t GROUP BY n"))
    assert set(counts.values()) == {1000}
    assert set(answered) <= set(counts)


def test_sigterm_lets_a_running_query_finish(make_engine: MakeEngine) -> None:
    engine = make_engine()
    results = []

    def work() -> None:
        with ClickHouse.of(engine).client() as client:
            results.extend(client.execute("SELECT sleepEachRow(0.5) FROM numbers(3) SETTINGS max_block_size = 1"))

    with ClickHouse.of(engine).client() as idle:
        idle.execute("SELECT 1")
        worker = threading.Thread(target=work)
        worker.start()
        while idle.execute("SELECT count() FROM system.processes WHERE query LIKE '%sleepEachRow%'") == [(1,)]:
            time.sleep(0.01)
        assert engine.stop() == 0
        worker.join(30)
    assert len(results) == 3


def test_a_second_engine_on_the_same_data_is_refused(make_engine: MakeEngine) -> None:
    engine = make_engine()
    command = [sys.executable, "-m", "sendtrail.local.engine", "--data", str(engine.data_dir)]
    command += ["--native-port", str(free_port()), "--http-port", str(free_port())]
    second = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert second.returncode == 1
    assert f"an engine already runs on {engine.data_dir}" in second.stderr


def test_a_taken_port_is_named(make_engine: MakeEngine, tmp_path: Path) -> None:
    engine = make_engine()
    command = [sys.executable, "-m", "sendtrail.local.engine", "--data", str(tmp_path / "other")]
    command += ["--native-port", str(engine.native_port), "--http-port", str(free_port())]
    second = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert second.returncode == 1
    assert f"127.0.0.1:{engine.native_port}" in second.stderr


def test_password_and_ports_stay_with_the_data(tmp_path: Path) -> None:
    first, second = Engine(tmp_path / "a"), Engine(tmp_path / "a")
    assert (first.password, first.native, first.http) == (second.password, second.native, second.http)
    assert len(first.password) >= 32
    assert stat.S_IMODE(first.password_file.stat().st_mode) == 0o600


def test_the_engine_ends_with_its_parent(tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from sendtrail.local.engine import Engine\n"
        "engine = Engine(Path(sys.argv[1])); engine.start(); engine.wait_ready()\n"
        "print(engine.pid, flush=True); time.sleep(600)"
    )
    parent = subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "e")], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    with parent.stdout:
        pid = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    engine = Engine(tmp_path / "e")
    deadline = time.monotonic() + 30
    while accepts_connections(engine.native_port):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    while Path(f"/proc/{pid}").exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_only_a_local_program_may_ask(make_engine: MakeEngine) -> None:
    engine = make_engine()
    port = engine.http_port
    with httpx.Client(base_url=engine.http) as client:
        for host in (f"127.0.0.1:{port}", f"localhost:{port}", f"[::1]:{port}"):
            assert client.get("/ping", headers={"Host": host}).status_code == 200
        for host in ("127.0.0.1", f"evil.example:{port}", f"127.0.0.1:{port + 1}"):
            assert client.get("/ping", headers={"Host": host}).status_code == 403
        for origin in ("https://evil.example", engine.http, "null"):
            assert client.get("/ping", headers={"Origin": origin}).status_code == 403
            assert client.post("/", content="SELECT 1", headers={"Origin": origin}).status_code == 403


def test_the_fronts_listen_on_the_loopback_interface_only(make_engine: MakeEngine) -> None:
    engine = make_engine()
    listening = Path("/proc/net/tcp").read_text().splitlines()[1:]
    ports = {engine.native_port, engine.http_port}
    addresses = [line.split()[1] for line in listening if line.split()[3] == "0A"]
    found = [address for address in addresses if int(address.partition(":")[2], 16) in ports]
    assert [address.partition(":")[0] for address in found] == ["0100007F"] * 2


def test_garbage_does_not_end_the_engine(make_engine: MakeEngine) -> None:
    engine = make_engine()
    for garbage in (b"GET / HTTP/1.1\r\n\r\n", b"\x00", b"\x00" + b"\xff" * 8, bytes(range(256)), b"\x01" * 64):
        send(engine.native_port, garbage)
    with ClickHouse.of(engine).client() as client:
        assert client.execute("SELECT 1") == [(1,)]
    assert engine.running


def send(port: int, data: bytes) -> None:
    import socket

    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        try:
            while connection.recv(4096):
                pass
        except ConnectionResetError:
            # The server closed with our bytes unread.
            return


def test_sigint_ends_it_like_sigterm(make_engine: MakeEngine) -> None:
    engine = make_engine()
    assert engine.pid is not None
    os.kill(engine.pid, signal.SIGINT)
    deadline = time.monotonic() + 30
    while engine.running:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert engine.returncode == 0


def test_a_large_file_result_is_not_held_in_memory(make_engine: MakeEngine) -> None:
    """Parquet and CSV with names are whole only at their end; the engine passes them on through a file."""
    engine = make_engine()
    log_in = {"X-ClickHouse-User": engine.user, "X-ClickHouse-Key": engine.password, "Connection": "close"}
    query = "SELECT number, repeat('x', 40) AS s FROM numbers({}) FORMAT CSVWithNames"
    with httpx.Client(base_url=engine.http, headers=log_in, timeout=120) as http:
        http.post("/", content=query.format(1_000_000))
        before, size = _peak_bytes(engine), 0
        with http.stream("POST", "/", content=query.format(10_000_000)) as answer:
            for piece in answer.iter_raw():
                size += len(piece)
        assert size > 500_000_000
        assert _peak_bytes(engine) - before < size / 3
    assert list((engine.data_dir / "results").iterdir()) == []


def _peak_bytes(engine: Engine) -> int:
    """The most memory the engine's process ever had."""
    status = Path(f"/proc/{engine.pid}/status").read_text()
    return 1024 * int(next(line for line in status.splitlines() if line.startswith("VmHWM:")).split()[1])
