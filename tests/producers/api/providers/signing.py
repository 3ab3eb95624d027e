"""Requests as providers sign them, with keys of the tests' own."""

from __future__ import annotations

import hmac
import json
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from producers.api.providers.found import Call
from producers.api.providers.sendgrid import SIGNATURE, TIMESTAMP
from producers.api.providers.sns import Envelope, canonical

NOW_MS = 1_790_000_000_000
TOPIC = "arn:aws:sns:eu-west-1:123456789012:mail-events"
CERTIFICATE_URL = "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-1234.pem"
METADATA = {"sendtrail_delivery": "7", "sendtrail_message": "8", "sendtrail_recipient": "9"}


def call(body: Any = b"", headers: dict[str, str] | None = None, secret: str = "", now_ms: int = NOW_MS) -> Call:
    """A request to a webhook."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Call(headers or {}, data, secret, now_ms)


class SendGrid:
    """Signs as SendGrid does."""

    def __init__(self, secret: int = 0) -> None:
        """`secret`: a number for the same key again; 0 for a new one."""
        curve = ec.SECP256R1()
        self._key = ec.derive_private_key(secret, curve) if secret else ec.generate_private_key(curve)
        self.key = self._key.public_key()
        self.public = b64encode(self.key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()

    def headers(self, body: bytes, at_ms: int = NOW_MS) -> dict[str, str]:
        """The two headers of a request signed at that time."""
        timestamp = str(at_ms // 1000)
        signature = self._key.sign(timestamp.encode() + body, ec.ECDSA(SHA256()))
        return {SIGNATURE: b64encode(signature).decode(), TIMESTAMP: timestamp}

    def call(self, items: Any, at_ms: int = NOW_MS, now_ms: int = NOW_MS) -> Call:
        """A signed request."""
        body = json.dumps(items).encode()
        return call(body, self.headers(body, at_ms), now_ms=now_ms)


def mailgun(event: Any, key: str, token: str = "t" * 50, at_ms: int = NOW_MS) -> dict[str, Any]:
    """A body as Mailgun signs it."""
    timestamp = str(at_ms // 1000)
    signature = hmac.digest(key.encode(), (timestamp + token).encode(), "sha256").hex()
    return {"signature": {"timestamp": timestamp, "token": token, "signature": signature}, "event-data": event}


class Sns:
    """A topic of SNS: signs with a key whose certificate it shows."""

    def __init__(self, since_ms: int = NOW_MS) -> None:
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
        since = datetime.fromtimestamp(since_ms / 1000, UTC) - timedelta(days=1)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(self._key.public_key())
            .serial_number(1)
            .not_valid_before(since)
            .not_valid_after(since + timedelta(days=3))
            .sign(self._key, SHA256())
        )
        self.certificate = certificate.public_bytes(Encoding.PEM)

    def message(self, content: Any, version: str = "2", **changes: Any) -> dict[str, Any]:
        """A signed message; `changes` are made before it is signed."""
        fields: dict[str, Any] = {
            "Type": "Notification",
            "MessageId": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
            "TopicArn": TOPIC,
            "Subject": "Amazon SES Email Event Notification",
            "Message": content if isinstance(content, str) else json.dumps(content),
            "Timestamp": "2026-09-21T13:33:20.000Z",
            "SignatureVersion": version,
            "SigningCertURL": CERTIFICATE_URL,
        }
        fields |= changes
        fields = {name: value for name, value in fields.items() if value is not None}
        over = canonical(Envelope(fields["Type"], fields, ""))
        algorithm = SHA256() if version == "2" else SHA1()
        return fields | {"Signature": b64encode(self._key.sign(over, padding.PKCS1v15(), algorithm)).decode()}

    def subscription(self, url: str, **changes: Any) -> dict[str, Any]:
        """A signed request to confirm a subscription at `url`."""
        told = "You have chosen to subscribe to the topic."
        fields = {"Type": "SubscriptionConfirmation", "SubscribeURL": url, "Token": "2336412f37", "Subject": None}
        return self.message(told, **{**fields, **changes})
