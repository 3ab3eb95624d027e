"""The metadata for each provider, within its limits, and read back from where its webhook has it."""

from __future__ import annotations

import json
import re
from email.message import EmailMessage
from typing import Any

import pytest

from sendtrail.instrument import headers_for
from sendtrail.instrument.providers import PROVIDERS
from sendtrail.provider_metadata import NAMES, MessageIdentity, read_metadata
from tests.instrument.making import made

WIDEST = MessageIdentity(2**64 - 1, 2**64 - 1, 2**64 - 1, "Größe " * 6, 3)
SMALL = MessageIdentity(7, 8)


def _came_back(provider: str, headers: dict[str, str]) -> dict[str, Any]:
    """The values as the provider has them from the headers."""
    match provider:
        case "sendgrid":
            return dict(json.loads(headers["X-SMTPAPI"])["unique_args"])
        case "ses":
            pairs = [pair.split("=") for pair in headers["X-SES-MESSAGE-TAGS"].split(", ")]
            return {name: [value] for name, value in pairs}
        case "mailgun":
            return dict(json.loads(headers["X-Mailgun-Variables"]))
        case "postmark":
            return {name.removeprefix("X-PM-Metadata-"): value for name, value in headers.items()}
        case "sparkpost":
            return dict(json.loads(headers["X-MSYS-API"])["metadata"])
        case "kumomta":
            return {name.lower().replace("-", "_"): value for name, value in headers.items()}
    return dict(headers)


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("identity", [WIDEST, SMALL])
def test_what_a_provider_gets_comes_back(provider: str, identity: MessageIdentity) -> None:
    made_for = headers_for(provider, identity)
    assert read_metadata(_came_back(provider, dict(made_for.headers))) == identity
    fields: dict[str, Any] = made_for.fields
    match provider:
        case "ses":
            values = {tag["Name"]: tag["Value"] for tag in fields["EmailTags"]}
        case "mailgun":
            values = {name.removeprefix("v:"): value for name, value in fields.items()}
        case "sendgrid" | "postmark" | "sparkpost":
            (values,) = fields.values()
        case _:
            values = fields
    assert read_metadata(values) == identity
    assert set(values) <= set(NAMES)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_headers_are_headers(provider: str) -> None:
    message = EmailMessage()
    headers = headers_for(provider, WIDEST).headers
    for name, value in headers:
        assert re.fullmatch(r"[A-Za-z0-9_-]+", name)
        assert re.fullmatch(r"[ -~]{1,900}", value)
        message[name] = value
    message.set_content("x")
    raw = message.as_bytes()
    assert max(map(len, raw.splitlines())) < 200
    for name, value in headers:
        assert re.sub(r"\r?\n", "", message[name]) == value


def test_postmarks_and_amazons_limits() -> None:
    for name, value in headers_for("postmark", WIDEST).fields["Metadata"].items():
        assert len(name) <= 20
        assert len(value) <= 80
    for tag in headers_for("ses", WIDEST).fields["EmailTags"]:
        assert re.fullmatch(r"[A-Za-z0-9_-]{1,256}", tag["Value"])


def test_a_template_knows_its_messages() -> None:
    template = made("x", account="shop")
    identity = template.identity("m-1", "anna@example.com", proof=True)
    assert identity.account == "shop"
    assert template.headers_for("generic", "m-1", "anna@example.com", proof=True) == headers_for("generic", identity)
    assert "anna" not in str(template.headers_for("sendgrid", "m-1", "anna@example.com"))


def test_a_provider_nobody_knows() -> None:
    with pytest.raises(ValueError, match="sendgrid, ses"):
        headers_for("carrier-pigeon", SMALL)
