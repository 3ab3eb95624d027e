"""Sessions: a signed cookie that says who logged in, when, and with which password hash."""

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from itsdangerous import BadData, URLSafeSerializer

from dashboards.web.access.ended import Ended
from dashboards.web.access.secret import Secret
from dashboards.web.access.users import User, Users

_VERSION = 1


@dataclass(frozen=True)
class Session:
    """One browser's session; `name` is empty before a log-in. Times are UTC seconds.

    `fingerprint` is made of the user's password hash: another password gives another one.
    """

    sid: str
    name: str
    fingerprint: str
    issued_s: int
    seen_s: int


class Sessions:
    """Makes, reads and ends sessions. `clock` gives UTC seconds."""

    def __init__(self, secret: Secret, idle_s: int, max_s: int, ended: Ended, clock: Callable[[], float]) -> None:
        self._secret = secret
        self._idle_s = idle_s
        self._max_s = max_s
        self._ended = ended
        self._clock = clock
        self._signer = URLSafeSerializer(
            secret.key("session"),
            salt="session",
            signer_kwargs={"key_derivation": "hmac", "digest_method": staticmethod(hashlib.sha256)},
        )
        # Two servers on one machine share a browser's cookies, whatever their ports: each has its own name.
        self._name = "sendtrail-" + secret.proof("cookie")[:8]

    def cookie_name(self, https: bool) -> str:
        """With https the browser itself refuses that name from other hosts, from subdomains and from plain HTTP."""
        return f"__Host-{self._name}" if https else self._name

    def cookie(self, session: Session, https: bool) -> str:
        """The value of the `Set-Cookie` header. The browser forgets it when it ends."""
        text = self._signer.dumps(
            [_VERSION, session.sid, session.name, session.fingerprint, session.issued_s, session.seen_s]
        )
        secure = "; Secure" if https else ""
        return f"{self.cookie_name(https)}={text}; Path=/; HttpOnly; SameSite=Lax{secure}"

    def anonymous(self) -> Session:
        """A session of nobody, which form tokens are bound to."""
        now = int(self._clock())
        return Session(secrets.token_urlsafe(16), "", "", now, now)

    def of(self, user: User) -> Session:
        """A fresh session of a user who proved to be them: its id was never a browser's before the log-in."""
        return replace(self.anonymous(), name=user.name, fingerprint=self._fingerprint(user))

    def read(self, cookie: str, users: Users) -> Session | None:
        """The session of a cookie; None for one that is forged, ended, expired, or of a user or password now gone."""
        session = self._unsigned(cookie)
        if session is None or self._ended.has(session.sid):
            return None
        if session.name == "":
            return session
        now, user = self._clock(), users.by_name.get(session.name)
        if now - session.seen_s > self._idle_s or now - session.issued_s > self._max_s:
            return None
        return session if user is not None and session.fingerprint == self._fingerprint(user) else None

    def seen(self, session: Session) -> Session | None:
        """The session as seen now; None where it was seen so lately that the cookie can stay."""
        now = int(self._clock())
        if session.name == "" or now - session.seen_s < min(60, self._idle_s / 4):
            return None
        return replace(session, seen_s=now)

    def end(self, session: Session) -> None:
        """No cookie of this session, nor a copy of one, is taken from now on."""
        self._ended.add(session.sid, session.issued_s + self._max_s)

    def form_token(self, session: Session) -> str:
        """What a form of this session carries and another site can't know."""
        return self._secret.proof("form", session.sid, session.name)

    def _fingerprint(self, user: User) -> str:
        return self._secret.proof("password", user.password)

    def _unsigned(self, cookie: str) -> Session | None:
        try:
            content: Any = self._signer.loads(cookie)
        except BadData:
            return None
        return Session(*content[1:]) if content[0] == _VERSION else None
