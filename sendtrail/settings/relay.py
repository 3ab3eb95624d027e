"""Settings of the SMTP relay."""

from pathlib import Path
from typing import ClassVar, Literal

from pydantic import Field, SecretStr

from sendtrail.errors import SettingsError
from sendtrail.settings.section import Port, Section


class RelaySettings(Section):
    """The SMTP relay: takes mail of any application, instruments it, passes it on to one next hop."""

    section: ClassVar[str] = "relay"
    enabled: bool = Field(False, description="`sendtrail up` starts a relay too")
    host: str = Field(
        "127.0.0.1", description="elsewhere than on loopback it takes networks, or TLS and users, to start"
    )
    port: Port = 2525
    hostname: str = Field("", pattern=r"^[A-Za-z0-9.-]{0,253}$", description="in greetings; empty: the machine's name")
    next_hop: str = Field("", description="host:port of the one server that mail is passed on to")
    next_hop_tls: Literal["off", "starttls", "tls"] = Field("off", description="how the next hop is spoken to")
    next_hop_ca_file: Path | None = Field(
        None, description="PEM: who signs the next hop's certificate, where that is nobody known to this machine"
    )
    next_hop_user: str = Field("", description="log in at the next hop as this user; not without next_hop_tls")
    next_hop_password: SecretStr = SecretStr("")
    next_hop_password_file: Path | None = Field(None, description="read that password from this file")
    next_hop_timeout_s: float = Field(60.0, gt=0, le=600, description="for one answer of the next hop")
    networks: list[str] = Field(
        default_factory=list, description="clients that need not log in: addresses or networks, beside this machine"
    )
    tls_certificate_file: Path | None = Field(None, description="PEM, with its chain: STARTTLS is offered")
    tls_key_file: Path | None = Field(None, description="PEM, the certificate's private key")
    users_file: Path | None = Field(None, description="who may log in, mode 600; `sendtrail relay-users` writes it")
    logins_per_minute: int = Field(10, ge=1, description="passwords tried from one address")
    delivery: str = Field("", max_length=128, description="of mail that names none; empty: such mail is not tracked")
    policy_file: Path | None = Field(None, description="what to do with links, as `sendtrail instrument --policy`")
    headers_for: Literal["", "sendgrid", "ses", "mailgun", "postmark", "sparkpost", "kumomta", "generic"] = Field(
        "", description="add the headers by which this provider's webhook, or a bounce (generic), knows the message"
    )
    account: str = Field("", max_length=128, description="of the names; empty is the default account")
    max_message_bytes: int = Field(25 * 1024 * 1024, ge=1024, le=256 * 1024 * 1024)
    max_connections: int = Field(200, ge=1, le=10_000)
    transfers: int = Field(16, ge=1, le=256, description="mails passed on at a time")
    timeout_s: float = Field(300.0, gt=0, description="a client that says nothing for so long is let go")
    data_dir: Path = Field(Path(".sendtrail/relay"), description="the journal of mails that are being passed on")
    spool_dir: Path = Field(Path(".sendtrail/spool/relay"), description="events; registry records in its `registry`")
    fsync: Literal["none", "interval", "batch"] = Field("batch", description="when the spool reaches the disk")
    fsync_interval_ms: int = Field(100, ge=1)
    segment_bytes: int = Field(8 * 1024 * 1024, ge=4096)
    segment_age_ms: int = Field(1000, ge=10, description="a segment with events is finished after this long")
    ready_backlog_bytes: int = Field(4 * 1024**3, description="above this spool size mail is put off with 451")
    admin_host: str = "127.0.0.1"
    admin_port: Port = 9107

    def secret(self) -> str:
        """The next hop's password, from the file where one is named. Raises SettingsError if it can't be read."""
        if self.next_hop_password_file is None:
            return self.next_hop_password.get_secret_value()
        try:
            return self.next_hop_password_file.read_text().strip()
        except OSError as error:
            raise SettingsError(f"relay.next_hop_password_file can't be read: {error}") from error
