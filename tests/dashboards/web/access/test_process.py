"""The real process over real connections: what it lets in, and with which settings it does not start."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from dashboards.web.access.users import Users, save
from tests.dashboards.web.access.site import ANA, PASSWORD, TOKEN, VERA

_STARTED = re.compile(r'^{.*"event": "started".*}$', re.MULTILINE)
_FIELD = re.compile(r'name="csrf" value="([0-9a-f]+)"')


def environment(place: Path, **settings: str) -> dict[str, str]:
    """Of a process without ClickHouse: nothing here needs it."""
    given = {"port": "0", "admin_port": "0", "secret_file": str(place / "secret")} | settings
    plain = {name: value for name, value in os.environ.items() if not name.startswith("SENDTRAIL_")}
    return plain | {"SENDTRAIL_CLICKHOUSE": "127.0.0.1:9"} | {f"SENDTRAIL_WEB_{k.upper()}": v for k, v in given.items()}


@contextmanager
def serving(place: Path, **settings: str) -> Iterator[int]:
    """The process; its port."""
    log = place / "web.log"
    with log.open("wb") as file:
        command = [sys.executable, "-m", "dashboards.main"]
        process = subprocess.Popen(command, env=environment(place, **settings), cwd=place, stdout=file, stderr=file)
    try:
        while (found := _STARTED.search(log.read_text())) is None:
            assert process.poll() is None, log.read_text()
            time.sleep(0.02)
        yield json.loads(found[0])["port"]
    finally:
        process.terminate()
        assert process.wait(60) == 0


@pytest.fixture
def users_file(tmp_path: Path) -> Path:
    save(tmp_path / "users.toml", Users([ANA, VERA]))
    return tmp_path / "users.toml"


def test_log_in_over_a_real_connection(tmp_path: Path, users_file: Path) -> None:
    with (
        serving(tmp_path, users_file=str(users_file), login_per_minute="5") as port,
        httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as browser,
    ):
        assert browser.get("/reports/deliveries").headers["location"] == "/login?next=%2Freports%2Fdeliveries"
        page = browser.get("/login?next=/openapi.json")
        found = _FIELD.search(page.text)
        assert found is not None
        assert 'name="next" value="/openapi.json"' in page.text
        fields = {"name": "ana", "password": PASSWORD, "next": "/openapi.json", "csrf": found[1]}
        origin = {"Origin": f"http://127.0.0.1:{port}", "Sec-Fetch-Site": "same-origin"}
        assert browser.post("/login", data=fields, headers={"Origin": "http://evil.example"}).status_code == 403
        wrong = browser.post("/login", data=fields | {"password": "no"}, headers=origin)
        assert (wrong.status_code, "The name or the password is wrong." in wrong.text) == (403, True)
        reply = browser.post("/login", data=fields, headers=origin)
        assert (reply.status_code, reply.headers["location"]) == (303, "/openapi.json")
        assert "HttpOnly" in reply.headers["set-cookie"]
        assert browser.get("/openapi.json").json()["openapi"]
    with serving(tmp_path, users_file=str(users_file)) as port:
        cookies = dict(browser.cookies.items())
        assert httpx.get(f"http://127.0.0.1:{port}/openapi.json", cookies=cookies, timeout=60).status_code == 200


def test_guessing_over_real_connections_is_stopped(tmp_path: Path, users_file: Path) -> None:
    with (
        serving(tmp_path, users_file=str(users_file), login_per_minute="3") as port,
        httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as browser,
    ):
        found = _FIELD.search(browser.get("/login").text)
        assert found is not None
        answers = []
        for number in range(5):
            fields = {"name": "ana", "password": PASSWORD if number == 4 else "no", "csrf": found[1]}
            headers = {"X-Forwarded-For": f"192.0.2.{number}"}
            answers.append(browser.post("/login", data=fields, headers=headers).status_code)
        assert answers == [403, 403, 403, 429, 429]


def test_no_header_makes_a_stranger_the_proxy(tmp_path: Path, users_file: Path) -> None:
    """uvicorn by itself would take the address of X-Forwarded-For for the peer's, where the peer is this machine."""
    settings = {
        "users_file": str(users_file),
        "user_header": "X-Remote-User",
        "trusted_proxy_networks": "10.0.0.0/8",
        "allowed_hosts": "reports.test",
    }
    with serving(tmp_path, **settings) as port:
        forged = {"X-Remote-User": "ana", "X-Forwarded-For": "10.0.0.1", "X-Forwarded-Proto": "https"}
        reply = httpx.get(f"http://127.0.0.1:{port}/openapi.json", headers=forged, timeout=60)
        assert reply.status_code == 401
    with serving(tmp_path, **settings | {"trusted_proxy_networks": "127.0.0.1"}) as port:
        reply = httpx.get(f"http://127.0.0.1:{port}/openapi.json", headers=forged, timeout=60)
        assert reply.json()["openapi"]


def test_open_on_loopback_by_its_names_only(tmp_path: Path) -> None:
    with serving(tmp_path) as port:
        address = f"http://127.0.0.1:{port}/openapi.json"
        assert httpx.get(address, timeout=60).json()["openapi"]
        reply = httpx.get(address, headers={"Host": "rebound.example"}, timeout=60)
        assert reply.status_code == 421
        assert "web.allowed_hosts" in reply.json()["detail"]
        assert "default-src 'none'" in reply.headers["content-security-policy"]
        assert "server" not in reply.headers
        assert httpx.get(address, headers={"X-Forwarded-For": "192.0.2.1"}, timeout=60).status_code == 403
        for request in (b"GET /openapi.json HTTP/1.0\r\n\r\n", _UPGRADE % port):
            answer = _raw(port, request)
            assert not answer.startswith((b"HTTP/1.1 200", b"HTTP/1.1 101", b"HTTP/1.0 200")), answer


_UPGRADE = (
    b"GET /no-such-socket HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)


def _raw(port: int, request: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        connection.sendall(request)
        return connection.recv(65536)


def test_a_program_with_a_token(tmp_path: Path, users_file: Path) -> None:
    with serving(tmp_path, users_file=str(users_file)) as port:
        address = f"http://127.0.0.1:{port}/v1/reports"
        assert httpx.get(address, timeout=60).headers["www-authenticate"] == "Bearer"
        reply = httpx.get(address, headers={"Authorization": f"Bearer {TOKEN}"}, timeout=60)
        assert reply.json()["reports"]


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"host": "0.0.0.0"}, "web.users_file"),
        ({"host": "::"}, "sendtrail users add"),
        ({"users_file": "missing.toml"}, "missing.toml"),
        ({"user_header": "X-User"}, "web.trusted_proxy_networks"),
        ({"user_header": "X User"}, "SENDTRAIL_WEB_USER_HEADER"),
        ({"proxy_default_role": "admin"}, "SENDTRAIL_WEB_PROXY_DEFAULT_ROLE"),
        ({"session_idle_s": "0"}, "SENDTRAIL_WEB_SESSION_IDLE_S"),
    ],
)
def test_settings_that_would_let_strangers_in_end_it_with_exit_code_3(
    tmp_path: Path, settings: dict[str, str], named: str
) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "dashboards.main"],
        env=environment(tmp_path, **settings), cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 3
    assert named in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
