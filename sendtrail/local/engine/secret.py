"""The one user of the embedded engine and its generated password."""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass
from pathlib import Path

from sendtrail.local.engine.errors import AUTHENTICATION_FAILED, EngineError, engine_error
from sendtrail.local.files import create_whole

USER = "default"
_PASSWORD_BYTES = 24


def ensure_password(path: Path) -> str:
    """The password in `path`; made once, file mode 600."""
    if not path.exists():
        create_whole(path, secrets.token_urlsafe(_PASSWORD_BYTES))
    return path.read_text().strip()


@dataclass(frozen=True)
class Credentials:
    """What a client must present."""

    password: str

    def check(self, user: str, password: str) -> EngineError | None:
        """None if user and password are right, else the error ClickHouse answers with."""
        matches = hmac.compare_digest(password.encode(), self.password.encode())
        if matches and user == USER and self.password:
            return None
        text = f"{user}: Authentication failed: password is incorrect, or there is no user with such name."
        return engine_error(AUTHENTICATION_FAILED, text, "AUTHENTICATION_FAILED")
