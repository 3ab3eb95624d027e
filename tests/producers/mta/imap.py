"""IMAP servers of the tests: Dovecot where it is installed, and a small one of our own that is always there."""

from __future__ import annotations

import grp
import os
import pwd
import re
import shutil
import socket
import socketserver
import ssl
import subprocess
import tempfile
import threading
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

USER, PASSWORD = "bounces", 'pass "word"'
DOVECOT = shutil.which("dovecot", path=f"{os.environ.get('PATH', '')}:/usr/sbin")


def certificate(place: Path) -> Path:
    """A certificate for 127.0.0.1 with its key in one file, which is its own authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mailbox of a test")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, SHA256())
    )
    file = place / "mailbox.pem"
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file.write_bytes(made.public_bytes(Encoding.PEM) + secret)
    return file


class Dovecot:
    """The real one: a Maildir behind TLS, in a process of its own."""

    def __init__(self, place: Path) -> None:
        self.ca = certificate(place)
        self.port = _free_port()
        self._run = Path(tempfile.mkdtemp(prefix="sendtrail-dovecot-"))
        self._run.chmod(0o755)
        (self._run / "users").write_text(f"{USER}:{{PLAIN}}{PASSWORD}\n")
        owner = Path("/proc/self").owner()
        root = owner == "root"  # Dovecot does not log anybody in as root; its package brings users for that
        reader = pwd.getpwnam("dovecot" if root else owner)
        self.maildir = self._run / "maildir"
        for folder in (".", "new", "cur", "tmp"):
            (self.maildir / folder).mkdir(parents=True, exist_ok=True)
            os.chown(self.maildir / folder, reader.pw_uid, reader.pw_gid)
        config = place / "dovecot.conf"
        config.write_text(f"""
base_dir = {self._run}
state_dir = {place}/state
log_path = {place}/dovecot.log
protocols = imap
listen = 127.0.0.1
default_internal_user = {reader.pw_name}
default_login_user = {"dovenull" if root else owner}
default_internal_group = {grp.getgrgid(reader.pw_gid).gr_name}
first_valid_gid = 0
ssl = required
ssl_cert = <{self.ca}
ssl_key = <{self.ca}
disable_plaintext_auth = yes
first_valid_uid = 0
mail_location = maildir:{self.maildir}
passdb {{
  driver = passwd-file
  args = {self._run}/users
}}
userdb {{
  driver = static
  args = uid={reader.pw_uid} gid={reader.pw_gid} home={self._run}
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = 0
  }}
  inet_listener imaps {{
    port = {self.port}
    ssl = yes
  }}
}}
service anvil {{
  chroot =
}}
service stats {{
  chroot =
}}
""")
        self._process = subprocess.Popen([str(DOVECOT), "-F", "-c", str(config)])
        self._log = place / "dovecot.log"

    def __enter__(self) -> Dovecot:
        end = time.monotonic() + 30
        while True:
            with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
                return self
            assert self._process.poll() is None, self._log.read_text() if self._log.exists() else "no log"
            assert time.monotonic() < end, "Dovecot does not answer"
            time.sleep(0.05)

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(20)
        shutil.rmtree(self._run, ignore_errors=True)

    def put(self, name: str, content: bytes) -> None:
        (self.maildir / "new" / name).write_bytes(content)

    def flags(self, name: str) -> str:
        """Flags as a Maildir writes them: S seen, F flagged."""
        found = [path.name for folder in ("cur", "new") for path in (self.maildir / folder).glob(f"{name}*")]
        assert len(found) == 1, found
        return found[0].partition(":2,")[2]


class SmallImap:
    """As much of IMAP as the reader of bounces needs, over TLS. Mails and flags are in memory."""

    def __init__(self, place: Path) -> None:
        self.ca = certificate(place)
        self.mails: list[tuple[str, bytes, set[str]]] = []
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.ca)
        small = self

        class Session(socketserver.StreamRequestHandler):
            def setup(self) -> None:
                self.request = context.wrap_socket(self.request, server_side=True)
                super().setup()

            def finish(self) -> None:
                super().finish()
                self.request.close()

            def handle(self) -> None:
                with suppress(OSError):
                    self.wfile.write(b"* OK ready\r\n")
                    for line in self.rfile:
                        tag, _, command = line.decode().strip().partition(" ")
                        for part in small.answer(command):
                            self.wfile.write(part)
                        self.wfile.write(f"{tag} {small.state(command)} done\r\n".encode())

        class Server(socketserver.ThreadingTCPServer):
            allow_reuse_address = True
            daemon_threads = True

            def handle_error(self, request: Any, client_address: Any) -> None:
                """A client that does not trust the certificate goes away; that is what is tested."""

        self._server = Server(("127.0.0.1", 0), Session)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def __enter__(self) -> SmallImap:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def put(self, name: str, content: bytes) -> None:
        self.mails.append((name, content, set()))

    def flags(self, name: str) -> str:
        return "".join(sorted(flag for one, _, flags in self.mails if one == name for flag in flags))

    def state(self, command: str) -> str:
        wrong = command.startswith("LOGIN") and 'pass \\"word\\"' not in command
        return "NO" if wrong or (command.startswith("SELECT") and "INBOX" not in command) else "OK"

    def answer(self, command: str) -> list[bytes]:
        """Untagged answers."""
        if command.startswith("CAPABILITY"):
            return [b"* CAPABILITY IMAP4rev1\r\n"]
        if command.startswith("UID SEARCH"):
            unseen = [str(uid) for uid, mail in enumerate(self.mails, 1) if "S" not in mail[2]]
            return [f"* SEARCH {' '.join(unseen)}\r\n".encode()]
        fetch = re.match(r"UID FETCH (\d+) \(BODY\.PEEK\[\]<0\.(\d+)>\)", command)
        if fetch is not None:
            content = self.mails[int(fetch[1]) - 1][1][: int(fetch[2])]
            return [f"* {fetch[1]} FETCH (UID {fetch[1]} BODY[]<0> {{{len(content)}}}\r\n".encode(), content, b")\r\n"]
        store = re.match(r"UID STORE (\d+) \+FLAGS\.SILENT \((.*)\)", command)
        if store is not None:
            self.mails[int(store[1]) - 1][2].update(flag[1] for flag in store[2].split())
        return []


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port
