"""Messages of Amazon SNS: who may have signed them, and whether he did. Pure."""

import re
from base64 import b64decode
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA1, SHA256

from producers.api.body import Refusal
from producers.api.providers.found import mapping, text

_ARN = re.compile(r"arn:aws:sns:([a-z]{2}(?:-[a-z]+)+-[0-9]{1,2}):[0-9]{12}:[A-Za-z0-9_.-]{1,256}")
_SIGNED = {
    "Notification": ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    "SubscriptionConfirmation": ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
    "UnsubscribeConfirmation": ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
}


class Envelope(NamedTuple):
    """A message of a topic that is taken, whose URLs are those of SNS in the topic's region. Not verified yet."""

    type: str
    fields: Mapping[str, Any]
    certificate_url: str


def envelope(body: Any, topics: list[str]) -> Envelope | Refusal:
    """The message, before anything is fetched for it."""
    fields = mapping(body)
    kind, topic = text(fields.get("Type")), text(fields.get("TopicArn"))
    arn = _ARN.fullmatch(topic)
    if kind not in _SIGNED:
        return Refusal(400, "bad_field", "this is no message of SNS: switch raw message delivery off", "Type")
    if arn is None or topic not in topics:
        return Refusal(403, "unknown_topic", f"topic {topic[:300]!r} is not in providers.ses_topic_arns")
    certificate = text(fields.get("SigningCertURL"))
    if not is_of_sns(certificate, arn.group(1), "/") or not urlsplit(certificate).path.endswith(".pem"):
        return Refusal(403, "bad_signature", f"SigningCertURL is no address of SNS in {arn.group(1)}")
    if kind != "Notification" and not is_of_sns(text(fields.get("SubscribeURL")), arn.group(1), ""):
        return Refusal(403, "bad_signature", f"SubscribeURL is no address of SNS in {arn.group(1)}")
    return Envelope(kind, fields, certificate)


def is_of_sns(url: str, region: str, path: str) -> bool:
    """True for https on SNS's host of a region, on its own port, without a user: nowhere else is anything fetched."""
    return re.match(rf"https://sns\.{re.escape(region)}\.amazonaws\.com[/?]", url) is not None and (
        url.isascii() and url.isprintable() and urlsplit(url).path.startswith(path)
    )


def unsigned(message: Envelope, certificate: bytes, now_ms: int) -> Refusal | None:
    """None where the certificate's key signed the message. Versions 1 (SHA-1) and 2 (SHA-256)."""
    hashes = {"1": SHA1(), "2": SHA256()}
    algorithm = hashes.get(text(message.fields.get("SignatureVersion")))
    try:
        found = x509.load_pem_x509_certificate(certificate)
        key = found.public_key()
        if algorithm is None or not isinstance(key, RSAPublicKey) or not _is_valid(found, now_ms):
            raise ValueError("no such version, another kind of key, or past its time")
        signature = b64decode(text(message.fields.get("Signature")), validate=True)
        key.verify(signature, canonical(message), PKCS1v15(), algorithm)
    except (ValueError, InvalidSignature):
        return Refusal(403, "bad_signature", "the message is not signed by the certificate it names")
    return None


def canonical(message: Envelope) -> bytes:
    """What is signed: names and values, each on a line, in the order of their names."""
    lines = []
    for name in _SIGNED[message.type]:
        if name == "Subject" and message.fields.get(name) is None:
            continue
        lines += [name, text(message.fields.get(name))]
    return ("\n".join(lines) + "\n").encode("utf-8", "replace")


def _is_valid(certificate: x509.Certificate, now_ms: int) -> bool:
    since, until = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    return since.timestamp() * 1000 <= now_ms <= until.timestamp() * 1000
