"""What a message carries so that a provider's webhook, an MTA's log or a bounce says whose it is.

Written where a message is made (`sendtrail.instrument.providers`, the relay), read where its events come in. Keys, not
names: a key has digits only, so every provider's limits and character sets take it, and no address of a recipient
lands in a provider's archives (SendGrid asks for that). Names reach reports through `register` and `prepared` items.

    sendtrail_delivery   key of the delivery, decimal
    sendtrail_message    key of the message, decimal
    sendtrail_recipient  key of the recipient, decimal; left out where the message names none
    sendtrail_account    the account, as `_account_text` writes it; left out for the default one
    sendtrail_flags      1 seed, 2 proof; left out for neither

As headers they are `X-Sendtrail-Delivery` and so on. The narrowest limits met: names of 20 characters and values of 80
(Postmark), values of letters, digits, `_` and `-` (Amazon SES), 1,000 bytes in all (SparkPost).
"""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from typing import NamedTuple

from sendtrail.errors import Invalid
from sendtrail.events import FLAG_PROOF, FLAG_SEED, MAX_KEY

DELIVERY = "sendtrail_delivery"
MESSAGE = "sendtrail_message"
RECIPIENT = "sendtrail_recipient"
ACCOUNT = "sendtrail_account"
FLAGS = "sendtrail_flags"
NAMES = (DELIVERY, MESSAGE, RECIPIENT, ACCOUNT, FLAGS)

#: The header of each name.
HEADERS = {name: "X-" + "-".join(word.capitalize() for word in name.split("_")) for name in NAMES}

MAX_VALUE = 80
_PLAIN = re.compile(rf"[A-Za-z0-9_-]{{1,{MAX_VALUE}}}")
_ENCODED = "b64-"
_KEY = re.compile(r"[0-9]{1,20}")
_FLAG_BITS = FLAG_SEED | FLAG_PROOF


class MessageIdentity(NamedTuple):
    """Whose message it is: 64-bit keys as in links, `recipient` None where the message names none."""

    delivery: int
    message: int
    recipient: int | None = None
    account: str = ""
    flags: int = 0


def write_metadata(identity: MessageIdentity) -> dict[str, str]:
    """Names and values to put on a message. An account too long for 80 characters is left to the webhook's setting."""
    values = {DELIVERY: str(identity.delivery), MESSAGE: str(identity.message)}
    if identity.recipient is not None:
        values[RECIPIENT] = str(identity.recipient)
    account = _account_text(identity.account)
    if account:
        values[ACCOUNT] = account
    if identity.flags & _FLAG_BITS:
        values[FLAGS] = str(identity.flags & _FLAG_BITS)
    return values


def read_metadata(values: Mapping[str, object], account: str = "") -> MessageIdentity | Invalid:
    """The identity among a provider's custom values; `account`: the one of the webhook, where the values name none.

    Takes the spellings in which providers give the names back (`X-Sendtrail-Delivery`, `x_sendtrail_delivery`) and the
    values (text, a number, a list of one). Never raises; Invalid is `unattributed` and says what is missing or wrong.
    """
    found = {_name(name): _text(value) for name, value in values.items()}
    keys: dict[str, int | None] = {}
    for name in (DELIVERY, MESSAGE, RECIPIENT):
        text = found.get(name, "")
        if not text:
            keys[name] = None
            continue
        if not _KEY.fullmatch(text) or int(text) > MAX_KEY:
            return Invalid("unattributed", f"{name} is not a key: {text[:80]!r}")
        keys[name] = int(text)
    delivery, message = keys[DELIVERY], keys[MESSAGE]
    if delivery is None or message is None:
        return Invalid("unattributed", f"no {DELIVERY if delivery is None else MESSAGE} in the message's metadata")
    flags = found.get(FLAGS, "")
    return MessageIdentity(
        delivery,
        message,
        keys[RECIPIENT],
        _account_of(found.get(ACCOUNT, "")) or account,
        int(flags) & _FLAG_BITS if flags in ("1", "2", "3") else 0,
    )


def _account_text(account: str) -> str:
    """An account in letters, digits, `_` and `-`: as it is where that does, else `b64-` and its UTF-8 in base64url."""
    if _PLAIN.fullmatch(account) and not account.startswith(_ENCODED):
        return account
    encoded = _ENCODED + urlsafe_b64encode(account.encode()).rstrip(b"=").decode()
    return encoded if account and len(encoded) <= MAX_VALUE else ""


def _account_of(text: str) -> str:
    if not text.startswith(_ENCODED):
        return text
    encoded = text[len(_ENCODED) :]
    try:
        return urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)).decode()
    except ValueError:
        return ""


def _name(name: str) -> str:
    return name.lower().replace("-", "_").removeprefix("x_")


def _text(value: object) -> str:
    if isinstance(value, list):
        value = value[0] if len(value) == 1 else ""
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MAX_KEY:
        return str(value)
    return value.strip() if isinstance(value, str) else ""
