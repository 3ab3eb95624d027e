"""The one user of the embedded engine and its generated password."""

from __future__ import annotations

import hmac
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from sendtrail.local.engine.errors import AUTHENTICATION_FAILED, EngineError, engine_error

USER = "default"
_PASSWORD_BYTES = 24


def ensure_password(path: Path) -> str:
    """The password in `path`; made once, file mode 600."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text().strip()
    with os.fdopen(descriptor, "w") as file:
        file.write(secrets.token_urlsafe(_PASSWORD_BYTES))
    return path.read_text().strip()


@dataclass(frozen=True)
class Credentials:
    """What a client must present."""

    password: str

    def check(self, user: str, password: str) -> EngineError | None:
        """None if user and password are right, else the error ClickHouse answers with."""
        matches = hmac.compare_digest(password.encode(), self.password.encode())
        if matches and user == USER:
            return None
        text = f"{user}: Authentication failed: password is incorrect, or there is no user with such name."
        return engine_error(AUTHENTICATION_FAILED, text, "AUTHENTICATION_FAILED")
