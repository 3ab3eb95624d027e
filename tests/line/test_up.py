"""sendtrail up: addresses, loopback only, one stack per directory, ports."""

from __future__ import annotations

import socket
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from sendtrail.local.process import free_port
from tests.line.processes import listeners
from tests.line.running import SERVICES, Line, run


def test_endpoints_are_for_the_owner_alone_and_lead_to_everything(line: Line) -> None:
    path = line.data / "endpoints.json"
    assert path.stat().st_mode & 0o777 == 0o600
    assert line.data.stat().st_mode & 0o077 == 0
    found = line.endpoints
    assert found["pid"] == line.pid
    auth = {"X-ClickHouse-User": found["user"], "X-ClickHouse-Key": found["password"]}
    assert len(found["password"]) >= 20
    with httpx.Client(trust_env=False) as http:
        query = {"query": "SELECT 6 * 7"}
        assert http.get(found["clickhouse_http"], params=query, headers=auth).text == "42\n"
        assert http.get(found["clickhouse_http"], params=query).status_code in (401, 403)
        assert http.get(found["clickhouse_http"], params=query, headers=auth | {"Host": "evil.example"}).is_error
        assert http.get(found["clickhouse_http"], params=query, headers=auth | {"Origin": "null"}).is_error
        for address in found["admin"].values():
            assert http.get(f"{address}/health").status_code == 200
            assert http.get(f"{address}/metrics").status_code == 200
    assert line.rows("SELECT 6 * 7") == [(42,)]


def test_everything_listens_on_the_loopback_interface_only(line: Line) -> None:
    assert set(line.services()) == set(SERVICES)
    found = listeners(line.tree())
    assert {listener for listener in found if not listener.loopback} == set()
    said = [line.endpoints[name] for name in ("edge", "api", "clickhouse_http")]
    said += [f"//{line.endpoints[name]}" for name in ("kafka", "clickhouse_native")]
    said += line.endpoints["admin"].values()
    assert {urlsplit(address).port for address in said} <= {listener.port for listener in found}


def test_a_second_start_on_the_same_data_is_refused(line: Line) -> None:
    done = run("up", "--free-ports", "--data", str(line.data), cwd=line.home)
    assert done.returncode == 3
    message = " ".join(done.stderr.split())
    assert f"already runs on {line.data} (process {line.pid})" in message
    assert "--data" in message
    assert "Traceback" not in message
    assert line.running
    assert (line.data / "endpoints.json").exists()
    assert line.rows("SELECT 1") == [(1,)]


def test_a_port_that_is_taken_is_named_with_the_way_out(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", free_port()))
        taken.listen()
        port = taken.getsockname()[1]
        done = run(
            "up", "--data", str(tmp_path / "data"), cwd=tmp_path, variables={"SENDTRAIL_LOCAL_KAFKA_PORT": str(port)}
        )
    assert done.returncode == 3
    assert done.stderr.startswith(f"sendtrail: port {port} (kafka) is taken")
    assert "--free-ports" in done.stderr
