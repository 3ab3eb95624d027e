"""Where everyone is asked who they are: users, sessions and trusted proxies of one server."""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import structlog
from starlette.requests import Request

from dashboards.roles import Role
from dashboards.web.access.answers import Refusal, is_api
from dashboards.web.access.attempts import Attempts
from dashboards.web.access.ended import Ended
from dashboards.web.access.passwords import hash_token, nobodys_hash
from dashboards.web.access.places import Address, Hosts, Networks, is_loopback, parse_address
from dashboards.web.access.reader import LOCAL, Reader
from dashboards.web.access.secret import load_secret
from dashboards.web.access.sessions import Session, Sessions
from dashboards.web.access.users import MAX_NAME, Users, normal_name
from dashboards.web.access.users_file import UsersFile
from sendtrail.errors import SettingsError, UsersError
from sendtrail.hosts import FORWARDED
from sendtrail.metrics import counter
from sendtrail.settings import WebSettings

Clock = Callable[[], float]

_HOST = re.compile(r"[A-Za-z0-9._:\[\]-]{1,255}")
_BEARER = {"WWW-Authenticate": 'Bearer error="invalid_token"'}

_log = structlog.stdlib.get_logger("access")


class Caller(NamedTuple):
    """Who a request is from. `reader` None: nobody known, `refusal` says why where a log-in would not help.

    `session`: that of the browser's cookie, also one of nobody. `by_token`: a program; no site can forge its requests.
    """

    reader: Reader | None
    session: Session | None = None
    refusal: Refusal | None = None
    by_token: bool = False


@dataclass(frozen=True)
class Desk:
    """What access is decided by. `open`: on loopback without users, where everybody is an analyst."""

    open: bool
    has_login: bool
    hosts: Hosts
    proxies: Networks
    user_header: str
    default_role: Role | None
    always_https: bool
    users: UsersFile
    sessions: Sessions
    attempts: Attempts

    def misdirected(self, request: Request) -> Refusal | None:
        """Why a request did not mean this server, or came to it by a way nobody set up; None where all is well."""
        named = request.headers.getlist("host")
        if len(named) != 1 or not _HOST.fullmatch(named[0]):
            return Refusal(400, "a request has one Host header with a name in it")
        if not self.hosts.accepts(named[0]):
            return Refusal(
                421, f"these pages are not reached as {named[0]}; names they may be reached by go in web.allowed_hosts"
            )
        if self.open and any(name in request.headers for name in FORWARDED):
            return Refusal(
                403,
                "a proxy sent this request to a server that asks for no log-in; set web.users_file, or web.user_header "
                "and web.trusted_proxy_networks",
            )
        return None

    def peer(self, request: Request) -> Address | None:
        """The other end of the connection."""
        return parse_address(request.client.host) if request.client else None

    def client(self, request: Request) -> Address | None:
        """Who sent the request: the peer, or the one a trusted proxy forwards for."""
        return self.proxies.client(self.peer(request), ",".join(request.headers.getlist("x-forwarded-for")))

    def is_https(self, request: Request) -> bool:
        """True where the browser came by https, as set, as seen, or as a trusted proxy says."""
        if self.always_https or request.scope.get("scheme") == "https":
            return True
        forwarded = request.headers.get("x-forwarded-proto", "").partition(",")[0].strip().lower()
        return forwarded == "https" and self.proxies.trusts(self.peer(request))

    def identify(self, request: Request) -> Caller:
        """Who sends a request: by token, by a trusted proxy's word, by session, or as anybody where no log-in is."""
        users = self.users.now()
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        if self.has_login and is_api(request) and kind.lower() == "bearer":
            user = users.by_token.get(hash_token(token.strip()))
            if user is None:
                return Caller(None, refusal=Refusal(401, "no user has this token", _BEARER))
            return Caller(user.reader(), by_token=True)
        session = self.sessions.read(request.cookies.get(self.sessions.cookie_name(self.is_https(request)), ""), users)
        if self.user_header and self.proxies.trusts(self.peer(request)):
            named = request.headers.getlist(self.user_header)
            if named:
                return self._named(named, users)._replace(session=session)
        if session is not None and session.name:
            return Caller(users.by_name[session.name].reader(), session)
        if self.open:
            return Caller(LOCAL, session)
        if not self.has_login:
            return Caller(None, session, Refusal(403, f"no trusted proxy said in {self.user_header} who asks"))
        return Caller(None, session)

    def _named(self, values: list[str], users: Users) -> Caller:
        """The reader a trusted proxy names. Two names, or one that is no UTF-8, could be anybody's doing."""
        try:
            names = {normal_name(value.encode("latin-1").decode()) for value in values}
        except UnicodeDecodeError:
            names = set()
        name = names.pop() if len(names) == 1 and len(values) == 1 else ""
        if not 0 < len(name) <= MAX_NAME:
            return Caller(None, refusal=Refusal(400, f"the proxy sends one name in {self.user_header}"))
        user = users.by_name.get(name)
        if user is not None:
            return Caller(user.reader())
        if self.default_role is None:
            return Caller(None, refusal=Refusal(403, f"{name} may not see these pages: `sendtrail users add` says who"))
        return Caller(Reader(name, self.default_role, None))


def open_desk(settings: WebSettings, clock: Clock = time.time) -> Desk:
    """Build it from settings. Raises SettingsError where they would let strangers in or can't be followed."""
    loopback = is_loopback(settings.host)
    _check(settings, loopback)
    has_login = settings.users_file is not None
    is_open = not has_login and not settings.user_header
    try:
        secret = load_secret(settings.secret_file)
        ended = Ended(settings.secret_file.with_name("ended-sessions"), clock)
        users = UsersFile(settings.users_file)
    except (UsersError, OSError, ValueError) as error:
        raise SettingsError(f"access to the report pages: {error}") from error
    if has_login:
        nobodys_hash()
        counter("sendtrail_web_logins_total")  # its series are there before the first log-in
    return Desk(
        open=is_open,
        has_login=has_login,
        hosts=Hosts(settings.allowed_hosts, loopback, any_name=not is_open and not settings.allowed_hosts),
        proxies=Networks(settings.trusted_proxy_networks),
        user_header=settings.user_header,
        default_role=settings.proxy_default_role or None,
        always_https=settings.https,
        users=users,
        sessions=Sessions(secret, settings.session_idle_s, settings.session_max_s, ended, clock),
        attempts=Attempts(settings.login_per_minute),
    )


def _check(settings: WebSettings, loopback: bool) -> None:
    """Refuse what would let strangers in."""
    if settings.user_header and not settings.trusted_proxy_networks:
        raise SettingsError("web.user_header is set: set web.trusted_proxy_networks to the proxies that send it")
    if settings.user_header and not settings.allowed_hosts:
        # Else a foreign page whose name is made to mean this server could send the header from a trusted machine.
        raise SettingsError(
            "web.user_header is set: set web.allowed_hosts to the name of the pages, as readers type it"
        )
    if settings.user_header and not (settings.users_file or settings.proxy_default_role):
        raise SettingsError(
            "web.user_header is set: set web.users_file or web.proxy_default_role, else nobody may read"
        )
    if not loopback and not settings.users_file and not settings.user_header:
        raise SettingsError(
            f"web.host is {settings.host}, where others can reach it: set web.users_file (`sendtrail users add NAME`), "
            "or web.user_header and web.trusted_proxy_networks for a proxy that logs readers in"
        )
    if not loopback and not settings.https and not settings.trusted_proxy_networks:
        _log.warning("passwords and reports travel unencrypted: put a proxy with https in front, see docs/web.md")
