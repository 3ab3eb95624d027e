"""Settings of what is read beside a sender's own mail server."""

from pathlib import Path
from typing import ClassVar

from pydantic import Field, SecretStr

from sendtrail.settings.section import Port, Section


class MtaSettings(Section):
    """Bounces, complaints and logs of a mail server of one's own. The API is that of section feed."""

    section: ClassVar[str] = "mta"
    verp_pattern: str = Field(
        "", description="of the bounces' address, e.g. bounce+{delivery}-{message}@shop.example; empty: not looked at"
    )
    signed_only: bool = Field(
        False, description="believe only a signed link in the returned message, not its headers or a VERP address"
    )
    message_id_pattern: str = Field(
        "", description="of Message-IDs in Postfix's log, e.g. {delivery}.{message}@shop.example; empty: not looked at"
    )
    imap_host: str = Field("", description="mailbox of bounces and complaints, over TLS")
    imap_port: Port = 993
    imap_user: str = ""
    imap_password: SecretStr = SecretStr("")
    imap_folder: str = "INBOX"
    imap_ca_file: Path | None = Field(None, description="authorities of the mailbox's certificate; else the system's")
    kumomta_kafka: str = Field("127.0.0.1:9092", description="brokers of KumoMTA's log topic, comma between")
    kumomta_topic: str = Field("kumomta.logs", description="KumoMTA's log topic")
    kumomta_group: str = Field("sendtrail-kumomta", description="consumer group that remembers what was read")
