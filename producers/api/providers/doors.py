"""Who may call a webhook that nobody signs: a secret in the path, basic auth, or a bearer token. Pure."""

import hmac
from base64 import b64decode
from typing import NamedTuple

from pydantic import SecretStr

from producers.api.body import Refusal
from producers.api.providers.found import Call

_EMPTY = SecretStr("")


class Door(NamedTuple):
    """What opens it; what is empty opens nothing. Any of those that are set does."""

    name: str
    user: str = ""
    password: SecretStr = _EMPTY
    secret: SecretStr = _EMPTY

    @property
    def closed(self) -> bool:
        """True where nothing is set: such a webhook takes nothing at all."""
        return not (self.password.get_secret_value() or self.secret.get_secret_value())

    def refusal(self, call: Call) -> Refusal | None:
        """None where the caller proved itself."""
        secret, password = self.secret.get_secret_value(), self.password.get_secret_value()
        kind, _, given = call.headers.get("authorization", "").partition(" ")
        if secret and same(call.secret, secret):
            return None
        if secret and kind.lower() == "bearer" and same(given.strip(), secret):
            return None
        if password and kind.lower() == "basic" and same(_decoded(given), f"{self.user}:{password}"):
            return None
        return Refusal(401, "bad_credentials", f"{self.name} calls with the secret or the password of the settings")


def same(given: str, wanted: str) -> bool:
    """Compares in a time that does not tell how much is right."""
    return hmac.compare_digest(given.encode("utf-8", "replace"), wanted.encode("utf-8", "replace"))


def _decoded(credentials: str) -> str:
    try:
        return b64decode(credentials.strip(), validate=True).decode()
    except ValueError:
        return ""
