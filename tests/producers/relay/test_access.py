"""Who may send: this machine, listed networks, whoever logs in over TLS; and nobody through an open relay."""

from __future__ import annotations

import asyncio
import datetime
import smtplib
import ssl
import subprocess
import sys
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from producers.relay import next_hop, users
from producers.relay.access import Access
from producers.relay.next_hop import NextHop
from producers.relay.server import Relay
from sendtrail.errors import SettingsError, UsersError
from sendtrail.local.process import free_port
from sendtrail.settings import RelaySettings
from tests.producers.relay.running import Hop, RelayProcess
from tests.producers.relay.test_relay import mail

PASSWORD = "twelve characters"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with a certificate of this machine, its key, and a users file."""
    place = tmp_path_factory.mktemp("access")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    (place / "relay.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    private = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    (place / "relay.key").write_bytes(key.private_bytes(serialization.Encoding.PEM, *private))
    users.write(place / "users.toml", {"shop": users.hash_password(PASSWORD)})
    return place


def settings(place: Path, **more: object) -> dict[str, object]:
    return {
        "users_file": place / "users.toml",
        "tls_certificate_file": place / "relay.pem",
        "tls_key_file": place / "relay.key",
        **more,
    }


def test_logging_in_over_tls(place: Path, hop: Hop, tmp_path: Path) -> None:
    trusting = ssl.create_default_context(cafile=str(place / "relay.pem"))
    trusting.check_hostname = False
    with RelayProcess(tmp_path, hop, **settings(place)) as relay:
        with relay.client() as client:
            client.ehlo()
            assert "auth" not in client.esmtp_features
            assert client.docmd("AUTH", "PLAIN AHNob3AAeA==")[0] == 538
        for name, password in (("shop", "another password"), ("nobody", PASSWORD)):
            with relay.client() as client:
                client.starttls(context=trusting)
                with pytest.raises((smtplib.SMTPAuthenticationError, smtplib.SMTPServerDisconnected)):
                    client.login(name, password)
        with relay.client() as client:
            client.starttls(context=trusting)
            client.login("shop", PASSWORD)
            assert client.sendmail("shop@e.example", ["anna@e.example"], mail("1")) == {}
        assert b"with ESMTPSA;" in hop.mails[0].content
        assert PASSWORD not in relay.log.read_text()
        users.write(place / "users.toml", {})
        with relay.client() as client:
            client.starttls(context=trusting)
            with pytest.raises((smtplib.SMTPAuthenticationError, smtplib.SMTPServerDisconnected)):
                client.login("shop", PASSWORD)
        users.write(place / "users.toml", {"shop": users.hash_password(PASSWORD)})


class _Keeping:
    """A handler that keeps what it takes, and whether its sender has logged in."""

    def __init__(self) -> None:
        self.taken: list[tuple[bool, bytes]] = []

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        self.taken.append((bool(session.authenticated), envelope.original_content or b""))
        return "250 2.0.0 kept"


@pytest.mark.parametrize("tls", ["starttls", "tls"])
def test_a_next_hop_over_tls_with_a_log_in(place: Path, tls: str) -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(place / "relay.pem", place / "relay.key")
    handler, secure = _Keeping(), {"tls_context": context} if tls == "starttls" else {"ssl_context": context}
    server = Controller(
        handler, hostname="localhost", port=free_port(), auth_require_tls=tls == "starttls",
        authenticator=lambda *args: AuthResult(success=args[-1].password == PASSWORD.encode(), handled=False), **secure,  # type: ignore[arg-type]
    )  # fmt: skip
    server.start()
    try:
        known = {"next_hop": f"localhost:{server.port}", "next_hop_tls": tls, "next_hop_ca_file": place / "relay.pem"}
        for password, outcome in (("wrong", "deferred"), (PASSWORD, "accepted")):
            settings = RelaySettings.model_validate({**known, "next_hop_user": "me", "next_hop_password": password})
            passed = NextHop(settings, "relay.example").send(next_hop.Envelope("a@e.example", "b@e.example"), mail("1"))
            assert passed.outcome == outcome, passed
        stranger = RelaySettings.model_validate({**known, "next_hop_ca_file": None})
        passed = NextHop(stranger, "relay.example").send(next_hop.Envelope("a@e.example", "b@e.example"), mail("1"))
        assert (passed.outcome, "certificate" in passed.answer.text) == ("deferred", True)
    finally:
        server.stop()
    assert handler.taken == [(True, mail("1"))]


@pytest.mark.parametrize(
    ("peer", "networks", "logged_in", "code"),
    [
        ("127.0.0.1", [], False, "250"),
        ("::1", [], False, "250"),
        ("203.0.113.5", ["198.51.100.0/24"], False, "530"),
        ("203.0.113.5", ["203.0.113.0/24"], False, "250"),
        ("::ffff:203.0.113.5", ["203.0.113.5"], False, "250"),
        ("fe80::1%eth0", ["203.0.113.0/24"], False, "530"),
        ("203.0.113.5", [], True, "250"),
    ],
)
def test_who_needs_to_log_in(peer: str, networks: list[str], logged_in: bool, code: str) -> None:
    section = RelaySettings(networks=networks)
    relay = Relay(section, Access(section), None, "relay.example")  # type: ignore[arg-type]
    loop = asyncio.new_event_loop()
    try:
        session = Session(loop)
        session.peer, session.authenticated = (peer, 4711), logged_in  # type: ignore[assignment]
        answer = relay.handle_MAIL(None, session, Envelope(), "a@e.example", [])  # type: ignore[arg-type]
        assert loop.run_until_complete(answer)[:3] == code
    finally:
        loop.close()


@pytest.mark.parametrize(
    "bad",
    [{"host": "0.0.0.0"}, {"host": "::"}, {"host": "0.0.0.0", "networks": ["0.0.0.0/0"]}, {"networks": ["nowhere"]}],
)
def test_an_open_relay_does_not_start(bad: dict[str, object]) -> None:
    with pytest.raises(SettingsError):
        Access(RelaySettings.model_validate(bad))


def test_passwords_come_over_tls_only(place: Path) -> None:
    with pytest.raises(SettingsError, match="TLS"):
        Access(RelaySettings(host="0.0.0.0", users_file=place / "users.toml"))
    Access(RelaySettings.model_validate({"host": "0.0.0.0", **settings(place)}))


def test_a_users_file_that_others_may_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "users.toml"
    users.write(path, {"shop": users.hash_password(PASSWORD)})
    assert path.stat().st_mode & 0o777 == 0o600
    path.chmod(0o640)
    with pytest.raises(UsersError, match="chmod 600"):
        users.read(path)


def test_log_ins_from_one_address_are_few(place: Path) -> None:
    access = Access(RelaySettings.model_validate(settings(place, logins_per_minute=2)))
    loop = asyncio.new_event_loop()
    session = Session(loop)
    loop.close()
    session.peer = ("203.0.113.5", 4711)  # type: ignore[assignment]
    results = [access.log_in(None, session, None, "PLAIN", None).message for _ in range(3)]  # type: ignore[arg-type]
    assert [message is None for message in results] == [True, True, False]


@pytest.mark.parametrize(
    "changed",
    [
        {"next_hop": ""},
        {"next_hop": "mail.example"},
        {"next_hop": "mail.example:0"},
        {"next_hop_user": "me"},
        {"next_hop_password_file": "none"},
    ],
)
def test_a_next_hop_that_can_not_be(changed: dict[str, str]) -> None:
    with pytest.raises(SettingsError, match=r"^relay\.next_hop"):
        NextHop(RelaySettings.model_validate({"next_hop": "mail.example:25", **changed}), "relay.example")


def test_settings_that_can_not_be_end_the_process(tmp_path: Path, hop: Hop) -> None:
    environment = RelayProcess(tmp_path, hop, host="0.0.0.0").environment
    run = subprocess.run(
        [sys.executable, "-m", "producers.relay.main"], env=environment, capture_output=True, text=True, check=False
    )
    assert run.returncode == 3
    assert run.stderr.startswith("relay.host 0.0.0.0")
    assert run.stderr.count("\n") == 1
