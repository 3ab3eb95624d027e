"""What is not signed, too old, sent again or from elsewhere is refused before it is read."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any

import pytest
from pydantic import SecretStr

from producers.api.body import Refusal
from producers.api.providers import mailgun, sendgrid
from producers.api.providers.all import webhooks
from producers.api.providers.doors import Door
from producers.api.providers.found import Call, Found, Happening
from producers.api.providers.sns import is_of_sns
from producers.api.providers.sns_fetch import FetchFailed
from sendtrail.errors import SettingsError
from sendtrail.settings import ProvidersSettings
from tests.producers.api.providers import payloads, signing
from tests.producers.api.providers.signing import CERTIFICATE_URL, NOW_MS, TOPIC, SendGrid, Sns, call

KEY = "signing-key"
SUBSCRIBE = "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn=x&Token=2336412f37"
DELIVERED = [payloads.sendgrid()[2]]


def error(found: list[Found] | Refusal) -> str:
    return found.error if isinstance(found, Refusal) else ""


def test_sendgrid_signs_timestamp_and_body() -> None:
    signer = SendGrid()
    good = signer.call(DELIVERED)

    def read(one: Call) -> str:
        return error(sendgrid.parse(one, signer.key, 60))

    assert read(good) == ""
    assert read(good._replace(body=good.body + b" ")) == "bad_signature"
    assert read(good._replace(headers={})) == "bad_signature"
    assert read(good._replace(headers={**good.headers, sendgrid.TIMESTAMP: "1790000001"})) == "bad_signature"
    assert read(good._replace(headers={**good.headers, sendgrid.SIGNATURE: "no base64"})) == "bad_signature"
    assert read(SendGrid().call(DELIVERED)) == "bad_signature"
    assert read(signer.call(DELIVERED, at_ms=NOW_MS - 60_000)) == ""
    assert read(signer.call(DELIVERED, at_ms=NOW_MS - 61_000)) == "too_old"
    assert read(signer.call(DELIVERED, at_ms=NOW_MS + 61_000)) == "too_old"
    body = b"{broken"
    assert read(call(body, signer.headers(body))) == "bad_json"


@pytest.mark.parametrize("text", ["x", "MFkw", b64encode(b"0" * 80).decode()])
def test_a_key_that_is_none_ends_the_start(text: str) -> None:
    with pytest.raises(SettingsError, match="sendgrid_public_key"):
        webhooks(ProvidersSettings(sendgrid_public_key=text), bytes(32))


def test_mailgun_signs_timestamp_and_token_and_each_token_is_taken_once() -> None:
    body = signing.mailgun(payloads.mailgun()[1], KEY)
    tokens = mailgun.Tokens(most=2)

    def read(one: Any) -> str:
        return error(mailgun.parse(call(one), KEY, 60, tokens))

    assert read(body) == ""
    assert read(body) == ""  # not kept yet: a retry after a full spool is taken
    tokens.add(mailgun.token_of(call(body)))
    assert read(body) == "replayed"
    other = signing.mailgun(payloads.mailgun()[1], KEY, token="u" * 50)
    assert read(other) == ""
    assert read({**other, "signature": {**other["signature"], "token": "v" * 50}}) == "bad_signature"
    assert read({**other, "signature": None}) == "bad_signature"
    assert read(signing.mailgun({}, "another key", token="w")) == "bad_signature"
    assert read(signing.mailgun({}, KEY, token="x", at_ms=NOW_MS - 61_000)) == "too_old"
    assert read([]) == "bad_signature"
    for token in "ab":
        tokens.add(token)
    assert "t" * 50 not in tokens  # bounded; the event's id still tells


def test_doors() -> None:
    door = Door("it", "me", SecretStr("pass"), SecretStr("hidden"))

    def basic(text: str) -> dict[str, str]:
        return {"authorization": "Basic " + b64encode(text.encode()).decode()}

    assert door.refusal(call(secret="hidden")) is None
    assert door.refusal(call(headers={"authorization": "Bearer hidden"})) is None
    assert door.refusal(call(headers=basic("me:pass"))) is None
    for wrong in (
        call(), call(secret="hidde"), call(headers=basic("me:")), call(headers=basic("you:pass")),
        call(headers={"authorization": "Basic !"}), call(headers={"authorization": "Bearer"}), call(secret="\udce4"),
    ):  # fmt: skip
        refused = door.refusal(wrong)
        assert refused is not None
        assert (refused.status, refused.error) == (401, "bad_credentials")
    only_secret = Door("it", "me", secret=SecretStr("hidden"))
    assert only_secret.refusal(call(headers=basic("me:"))) is not None


def test_a_secret_that_is_no_part_of_a_path_ends_the_start() -> None:
    with pytest.raises(SettingsError, match="slash"):
        webhooks(ProvidersSettings(postmark_secret=SecretStr("a/b")), bytes(32))


def test_nothing_is_taken_until_it_is_set_up() -> None:
    for name, hook in webhooks(ProvidersSettings(), bytes(32)).items():
        refused = hook.read(call(b"[]"))
        assert isinstance(refused, Refusal)
        assert (refused.status, refused.error) == (403, "not_configured")
        assert f"providers.{name}_" in refused.detail


class Amazon:
    """What SNS's hosts answer, and what they were asked."""

    def __init__(self, topic: Sns) -> None:
        self.pages = {CERTIFICATE_URL: topic.certificate, SUBSCRIBE: b"<ConfirmSubscriptionResponse/>"}
        self.asked: list[str] = []

    def fetch(self, url: str) -> bytes:
        self.asked.append(url)
        if url not in self.pages:
            raise FetchFailed(url)
        return self.pages[url]

    def read(self, message: Any) -> list[Found] | Refusal:
        self._hook = getattr(self, "_hook", None) or webhooks(
            ProvidersSettings(ses_topic_arns=[TOPIC]), bytes(32), self.fetch
        )
        return self._hook["ses"].read(Call({}, json.dumps(message).encode(), "", NOW_MS))


@pytest.fixture(scope="module")
def topic() -> Sns:
    return Sns()


@pytest.mark.parametrize("version", ["1", "2"])
def test_a_signed_message_of_sns_is_read_and_its_certificate_fetched_once(topic: Sns, version: str) -> None:
    amazon = Amazon(topic)
    for _ in range(2):
        read = amazon.read(topic.message(payloads.ses()[1], version))
        assert not isinstance(read, Refusal)
        (found,) = read
        assert isinstance(found, Happening)
        assert found.kind == "delivered"
    assert amazon.asked == [CERTIFICATE_URL]
    assert error(amazon.read(topic.message(payloads.ses()[1], version) | {"Message": "{}"})) == "bad_signature"
    assert error(amazon.read(topic.message(payloads.ses()[1], version, Subject=None))) == ""


def test_a_subscription_is_confirmed_only_after_a_valid_signature(topic: Sns) -> None:
    amazon = Amazon(topic)
    assert error(amazon.read(topic.subscription(SUBSCRIBE) | {"Signature": "AAAA"})) == "bad_signature"
    assert error(amazon.read(topic.subscription(SUBSCRIBE) | {"Token": "other"})) == "bad_signature"
    assert SUBSCRIBE not in amazon.asked
    assert amazon.read(topic.subscription(SUBSCRIBE)) == []
    assert amazon.asked[-1] == SUBSCRIBE
    asked = len(amazon.asked)
    assert amazon.read(topic.subscription(SUBSCRIBE, Type="UnsubscribeConfirmation")) == []
    assert len(amazon.asked) == asked


def test_what_is_not_of_a_listed_topic_makes_nothing_be_fetched(topic: Sns) -> None:
    amazon = Amazon(topic)
    other = TOPIC.replace("mail-events", "other")
    assert error(amazon.read(topic.message({}, TopicArn=other))) == "unknown_topic"
    assert error(amazon.read({"eventType": "Send", "mail": {}})) == "bad_field"
    assert error(amazon.read([])) == "bad_field"
    for url in (
        "http://sns.eu-west-1.amazonaws.com/a.pem", "https://sns.eu-west-1.amazonaws.com.evil.example/a.pem",
        "https://sns.us-east-1.amazonaws.com/a.pem", "https://user@sns.eu-west-1.amazonaws.com/a.pem",
        "https://sns.eu-west-1.amazonaws.com:444/a.pem", "https://sns.eu-west-1.amazonaws.com/a.txt",
        "https://sns.eu-west-1.amazonaws.com\\@evil.example/a.pem", "file:///etc/passwd.pem", "", "//x/a.pem",
    ):  # fmt: skip
        assert error(amazon.read(topic.message({}, SigningCertURL=url))) == "bad_signature", url
    assert error(amazon.read(topic.subscription("https://evil.example/?Action=ConfirmSubscription"))) == "bad_signature"
    assert amazon.asked == []


def test_no_certificate_is_a_reason_to_try_again_and_an_old_one_is_none(topic: Sns) -> None:
    amazon = Amazon(topic)
    gone = topic.message({}, SigningCertURL=CERTIFICATE_URL.replace("1234", "5678"))
    refused = amazon.read(gone)
    assert isinstance(refused, Refusal)
    assert (refused.status, refused.error) == (503, "fetch_failed")
    past = Sns(since_ms=NOW_MS - 10 * 86_400_000)
    assert error(Amazon(past).read(past.message({}))) == "bad_signature"


def test_addresses_of_sns() -> None:
    assert is_of_sns("https://sns.eu-west-1.amazonaws.com/x.pem", "eu-west-1", "/")
    assert is_of_sns("https://sns.eu-west-1.amazonaws.com?Action=x", "eu-west-1", "")
    assert not is_of_sns("https://sns.eu-west-1.amazonaws.com/\nx", "eu-west-1", "/")
    assert not is_of_sns("https://snsxeu-west-1.amazonaws.com/x", "eu-west-1", "/")
