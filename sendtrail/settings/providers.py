"""Settings of providers' webhooks."""

from pathlib import Path
from typing import ClassVar

from pydantic import Field, SecretStr

from sendtrail.settings.section import Section

_ACCOUNT = "whose events these are; empty: the default account, and whichever the metadata names"
_EMPTY = SecretStr("")


class ProvidersSettings(Section):
    """Webhooks of mail providers. One without its key, secret or topic takes nothing."""

    section: ClassVar[str] = "providers"
    sendgrid_public_key: str = Field("", description="verification key of SendGrid's signed event webhook, base64")
    sendgrid_max_age_s: int = Field(90_000, ge=1, description="a signature may be so old; SendGrid repeats for a day")
    sendgrid_account: str = Field("", description=_ACCOUNT)
    ses_topic_arns: list[str] = Field(default_factory=list, description="SNS topics on which Amazon SES publishes")
    ses_account: str = Field("", description=_ACCOUNT)
    mailgun_signing_key: SecretStr = Field(_EMPTY, description="HTTP webhook signing key of Mailgun")
    mailgun_max_age_s: int = Field(43_200, ge=1, description="a signature may be so old; Mailgun repeats for 8 hours")
    mailgun_account: str = Field("", description=_ACCOUNT)
    postmark_user: str = Field("sendtrail", description="of basic auth in the webhook's URL")
    postmark_password: SecretStr = Field(_EMPTY, description="of basic auth in the webhook's URL")
    postmark_secret: SecretStr = Field(_EMPTY, description="instead of a password: last part of the webhook's path")
    postmark_account: str = Field("", description=_ACCOUNT)
    sparkpost_user: str = Field("sendtrail", description="of the webhook's basic auth")
    sparkpost_password: SecretStr = Field(_EMPTY, description="of the webhook's basic auth")
    sparkpost_secret: SecretStr = Field(_EMPTY, description="instead of a password: last part of the webhook's path")
    sparkpost_account: str = Field("", description=_ACCOUNT)
    kumomta_secret: SecretStr = Field(_EMPTY, description="bearer token of KumoMTA's log hook")
    kumomta_account: str = Field("", description=_ACCOUNT)
    mappings: list[Path] = Field(default_factory=list, description="mapping files of other webhooks, one each")
