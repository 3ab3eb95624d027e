"""Who may call the API: senders with a key, each for one account; without any key, programs of this machine."""

import math
import time

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from producers.api.answers import refuse
from producers.api.body import Refusal
from producers.api.keys_file import KeysFile
from sendtrail.api_keys import ApiKey
from sendtrail.errors import SettingsError
from sendtrail.hosts import FORWARDED, is_loopback, split_host
from sendtrail.settings import ApiSettings

#: What describes the API is for everybody; a path that ends with a slash stands for all below it.
OPEN_PATHS: tuple[str, ...] = ("/docs", "/openapi.json")
#: What proves itself by other means than an API key, such as a provider's signature.
SELF_PROVEN_PATHS: tuple[str, ...] = ("/v1/webhooks/",)
_CHALLENGE = {"WWW-Authenticate": "Bearer"}
_NO_KEY = "send your API key as `Authorization: Bearer KEY`; `sendtrail api-keys new NAME` makes one"
_MAX_KEY = 512


class Access:
    """Decides over a request: the account it acts for, or why it is refused."""

    def __init__(self, settings: ApiSettings) -> None:
        """Raises SettingsError where strangers could feed, ApiKeysError for a keys file that can't be read."""
        self._keys = KeysFile(settings.keys_file)
        self._per_minute = settings.requests_per_minute
        self._limiter = SlidingWindowCounterRateLimiter(MemoryStorage())
        keys = self._keys.now()
        if not is_loopback(settings.host) and (keys is None or not keys.by_name):
            raise SettingsError(
                f"api.host is {settings.host}, but there is no API key in {settings.keys_file}: whoever reaches the "
                "port could feed. Make a key with `sendtrail api-keys new NAME`, or listen on 127.0.0.1"
            )

    def admit(self, headers: Headers) -> str | tuple[Refusal, dict[str, str]]:
        """The account a request acts for, or its refusal with the headers of the answer."""
        keys = self._keys.now()
        if keys is None:
            return self._local(headers)
        scheme, _, given = headers.get("authorization", "").partition(" ")
        given = given.strip()
        if scheme.lower() != "bearer" or not given:
            return Refusal(401, "no_key", _NO_KEY), _CHALLENGE
        key = keys.find(given) if len(given) <= _MAX_KEY else None
        if key is None:
            return Refusal(401, "bad_key", "this API key is unknown or revoked"), _CHALLENGE
        return self._counted(key)

    def _local(self, headers: Headers) -> str | tuple[Refusal, dict[str, str]]:
        """Without keys: neither a browser that was led here by a foreign name may feed, nor whom a proxy lets in."""
        if any(name in headers for name in FORWARDED):
            detail = "a proxy sent this request to an API without keys; `sendtrail api-keys new NAME` makes one"
            return Refusal(403, "proxied", detail), {}
        if is_loopback(split_host(headers.get("host", ""))[0]):
            return ""
        detail = "without API keys only programs of this machine are served, by a name of it such as 127.0.0.1"
        return Refusal(421, "misdirected", detail), {}

    def _counted(self, key: ApiKey) -> str | tuple[Refusal, dict[str, str]]:
        limit = RateLimitItemPerMinute(key.requests_per_minute or self._per_minute)
        if self._limiter.hit(limit, key.digest):
            return key.account
        wait_s = self._limiter.get_window_stats(limit, key.digest).reset_time - time.time()
        detail = f"key {key.name!r} has {limit.amount} requests a minute; put up to 1,000 items into each"
        return Refusal(429, "too_many_requests", detail), {"Retry-After": str(max(1, math.ceil(wait_s)))}


class Gate:
    """Middleware in front of every route: sets `request.state.account`, or answers in the application's place."""

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self._app = app
        self._access = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        account: str | tuple[Refusal, dict[str, str]] = ""
        if not _needs_no_key(scope["path"]):
            account = self._access.admit(Headers(scope=scope))
        if isinstance(account, str):
            scope.setdefault("state", {})["account"] = account
            await self._app(scope, receive, send)
            return
        await refuse(*account)(scope, receive, send)


def account_of(request: Request) -> str:
    """The account a request acts for; "" is the default one."""
    account: str = request.state.account
    return account


def _needs_no_key(path: str) -> bool:
    return any(path.startswith(one) if one.endswith("/") else path == one for one in OPEN_PATHS + SELF_PROVEN_PATHS)
