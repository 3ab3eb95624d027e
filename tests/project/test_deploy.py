"""docs/deploy: the files as they stand, but for ports and paths, in real servers in front of a real edge."""

from __future__ import annotations

import os
import re
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from producers.edge.tls import Allowed
from sendtrail import domains
from sendtrail.domains import Domain
from sendtrail.local.process import free_port
from sendtrail.process import AdminServer, Health
from sendtrail.settings import EdgeSettings
from tests.support.edges import Edge, running_edge

DEPLOY = Path(__file__).resolve().parents[2] / "docs" / "deploy"
#: Where requests come from: an address of this machine that is not the proxy's.
CLIENT, PROXY = "127.0.0.2", "127.0.0.1"
NEWS, FOREIGN = "news.shop.example", "evil.example"
DESTINATION = "https://shop.example/?a=%2F&b=c"
START_S = 20


@pytest.fixture
def edge(tmp_path: Path) -> Iterator[Edge]:
    with running_edge(tmp_path / "spool", EdgeSettings(port=0, trusted_proxies=[PROXY])) as running:
        yield running


@contextmanager
def running(command: list[str], port: int, environment: Mapping[str, str], log: Path) -> Iterator[None]:
    """A server of the system's, from the moment it accepts connections."""
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, env={**os.environ, **environment})
    try:
        until(lambda: accepts(port) or process.poll() is not None)
        assert process.poll() is None, log.read_text()
        yield
    finally:
        process.terminate()
        process.wait(START_S)


def until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + START_S
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.05)


def accepts(port: int) -> bool:
    with socket.socket() as tried:
        return tried.connect_ex((PROXY, port)) == 0


def ask(port: int, host: str, path: str, method: str = "GET", body: str = "") -> tuple[str, bytes]:
    """The head of an answer over TLS, and the certificate that was shown. Raises SSLError where none was."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # nobody out there knows these issuers
    request = (
        f"{method} {path} HTTP/1.1\r\nHost: {host}\r\nX-Forwarded-For: 203.0.113.9\r\nConnection: close\r\n"
        f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n{body}"
    )
    with (
        socket.create_connection((PROXY, port), START_S, source_address=(CLIENT, 0)) as plain,
        context.wrap_socket(plain, server_hostname=host) as secured,
    ):
        secured.sendall(request.encode())
        answer = b""
        while piece := secured.recv(65536):
            answer += piece
        return answer.partition(b"\r\n\r\n")[0].decode("latin-1"), secured.getpeercert(binary_form=True) or b""


def check_hits(edge: Edge, port: int, host: str) -> None:
    """A click and an opt-out through the proxy are answered and stored as the client's own."""
    head, _ = ask(port, host, edge.path("click", DESTINATION))
    assert head.startswith(("HTTP/1.1 302 ", "HTTP/2 302"))
    assert re.search(rf"^location: {re.escape(DESTINATION)}\r?$", head, re.MULTILINE | re.IGNORECASE)
    head, _ = ask(port, host, edge.path("optout"), "POST", "List-Unsubscribe=One-Click")
    assert head.startswith("HTTP/1.1 200 ")
    stored = [(event.kind, event.how, event.address, event.hints) for event in edge.events()]
    assert stored == [("click", None, CLIENT, ["proxy"]), ("optout", "one_click", CLIENT, ["proxy"])]


def present(program: str) -> str:
    """Its path. Skips where it is not there: CI installs it, and fails on a skip."""
    path = shutil.which(program) or shutil.which(program, path="/usr/sbin")
    if path is None:
        pytest.skip(f"{program} is not installed")
    return path


def test_caddy_fetches_certificates_for_verified_domains_only(edge: Edge, tmp_path: Path) -> None:
    caddy, port = present("caddy"), free_port()
    domains.save(tmp_path / "domains.toml", [Domain(NEWS, "a", "", "2026-11-24T10:00:00+00:00")])
    allowed = Allowed(tmp_path / "domains.toml", "https://t.example.com")
    admin = AdminServer(PROXY, 0, lambda: Health(True, {}), {"/tls/allowed": allowed}).start()
    trial = f"{{\n\tadmin off\n\tlocal_certs\n\tskip_install_trust\n\thttp_port {free_port()}\n\thttps_port {port}\n"
    text = (DEPLOY / "Caddyfile").read_text()
    assert text.count("\n{\n") == 1
    (tmp_path / "Caddyfile").write_text(text.replace("\n{\n", "\n" + trial, 1))
    environment = {
        "HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path),
        "SENDTRAIL_EDGE": f"{PROXY}:{edge.port}", "SENDTRAIL_EDGE_ADMIN": f"{PROXY}:{admin.port}",
    }  # fmt: skip
    command = [caddy, "run", "--config", str(tmp_path / "Caddyfile"), "--adapter", "caddyfile"]
    try:
        with running(command, port, environment, tmp_path / "caddy.log"):
            _, certificate = ask(port, NEWS, "/robots.txt")
            names = x509.load_der_x509_certificate(certificate).extensions.get_extension_for_class(
                x509.SubjectAlternativeName
            )
            assert names.value.get_values_for_type(x509.DNSName) == [NEWS]
            check_hits(edge, port, "t.example.com")
            with pytest.raises(ssl.SSLError):
                ask(port, FOREIGN, "/robots.txt")
    finally:
        admin.stop()


def self_signed(directory: Path) -> None:
    """fullchain.pem and privkey.pem, as certbot would leave them."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "t.example.com")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(
        name, name, key.public_key(), x509.random_serial_number(), now, now + timedelta(1)
    )
    (directory / "fullchain.pem").write_bytes(
        builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    )
    (directory / "privkey.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )


def test_nginx_passes_hits_on_as_they_came(edge: Edge, tmp_path: Path) -> None:
    nginx, port = present("nginx"), free_port()
    self_signed(tmp_path)
    text = (DEPLOY / "nginx.conf").read_text()
    for here, there in (
        ("listen 80;", f"listen {PROXY}:{free_port()};"),
        ("listen 443 ", f"listen {PROXY}:{port} "),
        ("/etc/ssl/sendtrail/", f"{tmp_path}/"),
        ("/run/nginx.pid", f"{tmp_path}/nginx.pid"),
        ("server 127.0.0.1:8080;", f"server {PROXY}:{edge.port};"),
        ("http {\n", f"http {{\n    client_body_temp_path {tmp_path}/body;\n    proxy_temp_path {tmp_path}/proxy;\n"),
    ):
        assert here in text
        text = text.replace(here, there)
    text = re.sub(r"\n +listen \[::\].*", "", text)  # not every machine has IPv6
    (tmp_path / "nginx.conf").write_text(text)
    command = [nginx, "-p", str(tmp_path), "-c", str(tmp_path / "nginx.conf")]
    checked = subprocess.run([*command, "-t"], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr
    with running([*command, "-g", "daemon off;"], port, {}, tmp_path / "nginx.log"):
        check_hits(edge, port, "t.example.com")
