"""Settings -> the webhooks that are served."""

from collections.abc import Callable

import structlog

from producers.api.body import Refusal
from producers.api.providers import kumomta, mailgun, mapping, postmark, sendgrid, ses, sns, sparkpost
from producers.api.providers.doors import Door
from producers.api.providers.found import Call, Found, json_of, text
from producers.api.providers.mapping_file import Loaded, load
from producers.api.providers.sns_fetch import Certificates, Fetch, FetchFailed, fetch
from producers.api.providers.webhook import Read, Webhook, closed
from sendtrail.errors import SettingsError
from sendtrail.settings import ProvidersSettings

#: Sources of events that are no webhook: a mapping must not pass for one.
OWN_SOURCES = ("edge", "api", "relay", "tool", "web", "bounces", "postfix")

_log = structlog.stdlib.get_logger("api")


def webhooks(settings: ProvidersSettings, naming_key: bytes, fetch: Fetch = fetch) -> dict[str, Webhook]:
    """By name. Raises SettingsError for a key or a mapping file that is none. `fetch`: asks SNS."""
    doors = {
        postmark.NAME: Door("Postmark", settings.postmark_user, settings.postmark_password, settings.postmark_secret),
        sparkpost.NAME: Door(
            "SparkPost", settings.sparkpost_user, settings.sparkpost_password, settings.sparkpost_secret
        ),
        kumomta.NAME: Door("KumoMTA", secret=settings.kumomta_secret),
    }
    found = [
        Webhook(sendgrid.NAME, settings.sendgrid_account, _sendgrid(settings)),
        Webhook(ses.NAME, settings.ses_account, _ses(settings, fetch)),
        _mailgun(settings),
        Webhook(postmark.NAME, settings.postmark_account, _behind(doors[postmark.NAME], postmark.NAME, postmark.parse)),
        Webhook(
            sparkpost.NAME, settings.sparkpost_account, _behind(doors[sparkpost.NAME], sparkpost.NAME, sparkpost.parse)
        ),
        Webhook(kumomta.NAME, settings.kumomta_account, _behind(doors[kumomta.NAME], kumomta.NAME, kumomta.parse)),
    ]
    named = {webhook.name: webhook for webhook in found}
    for path in settings.mappings:
        loaded = load(path)
        if loaded.name in named or loaded.name in OWN_SOURCES:
            raise SettingsError(f"{path}: the name {loaded.name!r} is taken; give another with `name`")
        named[loaded.name] = _mapped(loaded, naming_key)
    return named


def _mapped(loaded: Loaded, naming_key: bytes) -> Webhook:
    return Webhook(loaded.name, loaded.mapping.account, lambda call: mapping.parse(call, loaded, naming_key))


def _sendgrid(settings: ProvidersSettings) -> Read:
    if not settings.sendgrid_public_key:
        return closed(sendgrid.NAME, "providers.sendgrid_public_key")
    try:
        key = sendgrid.public_key(settings.sendgrid_public_key)
    except ValueError as error:
        raise SettingsError(
            f"providers.sendgrid_public_key is not the verification key that SendGrid shows: {error}"
        ) from error
    return lambda call: sendgrid.parse(call, key, settings.sendgrid_max_age_s)


def _mailgun(settings: ProvidersSettings) -> Webhook:
    signing_key, tokens = settings.mailgun_signing_key.get_secret_value(), mailgun.Tokens()
    if not signing_key:
        read = closed(mailgun.NAME, "providers.mailgun_signing_key")
        return Webhook(mailgun.NAME, settings.mailgun_account, read)
    return Webhook(
        mailgun.NAME,
        settings.mailgun_account,
        lambda call: mailgun.parse(call, signing_key, settings.mailgun_max_age_s, tokens),
        lambda call: tokens.add(mailgun.token_of(call)),
    )


def _behind(door: Door, name: str, parse: Callable[[Call, Door], list[Found] | Refusal]) -> Read:
    if "/" in door.secret.get_secret_value():
        raise SettingsError(f"providers.{name}_secret must not hold a slash: it is a part of a path")
    if door.closed:
        what = f"providers.{name}_secret" + (f" or providers.{name}_password" if door.user else "")
        return closed(name, what)
    return lambda call: parse(call, door)


def _ses(settings: ProvidersSettings, fetch: Fetch) -> Read:
    if not settings.ses_topic_arns:
        return closed(ses.NAME, "providers.ses_topic_arns")
    certificates = Certificates(fetch)

    def read(call: Call) -> list[Found] | Refusal:
        body = json_of(call.body)
        message = body if isinstance(body, Refusal) else sns.envelope(body, settings.ses_topic_arns)
        if isinstance(message, Refusal):
            return message
        try:
            return _verified(message, certificates, fetch, call.now_ms)
        except FetchFailed as error:
            return Refusal(503, "fetch_failed", str(error))

    return read


def _verified(message: sns.Envelope, certificates: Certificates, fetch: Fetch, now_ms: int) -> list[Found] | Refusal:
    """The findings of a message that is signed; a subscription is confirmed only then. Raises FetchFailed."""
    certificate = certificates.get(message.certificate_url)
    refused = sns.unsigned(message, certificate, now_ms)
    if refused is not None:
        return refused
    certificates.keep(message.certificate_url, certificate)
    if message.type == "Notification":
        return ses.read(message)
    if message.type == "SubscriptionConfirmation":
        fetch(text(message.fields.get("SubscribeURL")))
    _log.info("sns", message=message.type, topic=text(message.fields.get("TopicArn")))
    return []
