"""The metadata by which a provider's webhook brings delivery, message and recipient back (see `provider_metadata`)."""

import json
from typing import Any, Literal, NamedTuple, get_args

from sendtrail.provider_metadata import HEADERS, MessageIdentity, write_metadata

Provider = Literal["sendgrid", "ses", "mailgun", "postmark", "sparkpost", "kumomta", "generic"]
PROVIDERS: tuple[Provider, ...] = get_args(Provider)


class ForProvider(NamedTuple):
    """What to give a provider with a message: `headers` over SMTP, or `fields` in its own API's JSON."""

    headers: list[tuple[str, str]]
    fields: dict[str, Any]


def headers_for(provider: str, identity: MessageIdentity) -> ForProvider:
    """Headers and fields for a provider. Raises ValueError for one that is not among PROVIDERS.

    sendgrid: unique arguments; ses: message tags, which need a configuration set; mailgun: user variables; postmark:
    metadata; sparkpost: recipient metadata; kumomta: headers, for its log hook to name (or `import_x_headers`);
    generic: the same headers, and for an API of its own the plain names.
    """
    values = write_metadata(identity)
    match provider:
        case "sendgrid":
            return ForProvider([("X-SMTPAPI", _json({"unique_args": values}))], {"custom_args": values})
        case "ses":
            tags = [{"Name": name, "Value": value} for name, value in values.items()]
            line = ", ".join(f"{name}={value}" for name, value in values.items())
            return ForProvider([("X-SES-MESSAGE-TAGS", line)], {"EmailTags": tags})
        case "mailgun":
            variables = {f"v:{name}": value for name, value in values.items()}
            return ForProvider([("X-Mailgun-Variables", _json(values))], variables)
        case "postmark":
            return ForProvider(
                [(f"X-PM-Metadata-{name}", value) for name, value in values.items()], {"Metadata": values}
            )
        case "sparkpost":
            return ForProvider([("X-MSYS-API", _json({"metadata": values}))], {"metadata": values})
        case "kumomta" | "generic":
            return ForProvider([(HEADERS[name], value) for name, value in values.items()], dict(values))
    raise ValueError(f"the provider {provider!r} is none of {', '.join(PROVIDERS)}")


def _json(value: dict[str, Any]) -> str:
    """JSON of one line with spaces, at which a mail library may fold it."""
    return json.dumps(value)
