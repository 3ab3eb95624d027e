"""Mapping files: how the JSON of any webhook is read, as TOML (docs/providers.md). Checked when they are loaded."""

import re
import tomllib
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from sendtrail.errors import SettingsError
from sendtrail.events import BounceReason

#: Formats by name, or one of strptime.
Format = Annotated[str, Meta(pattern="^(unix|unix_ms|rfc3339|.*%.*)$")]
Encoding = Literal["hex", "base64"]
Digest = Literal["sha1", "sha256", "sha512"]
WebhookKind = Literal[
    "sent", "delivered", "deferred", "bounced", "complained", "rejected", "unsubscribed", "open", "click"
]
Paths = str | list[str]
_STEP = re.compile(r"(?:[^.\\]|\\.)+")


class Field(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Where a value is: the first of `path` that has one, else `value`. `values` translates what is found."""

    path: Paths = ""
    values: dict[str, str] = {}
    value: str = ""


class KindField(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """What happened: the provider's words and ours. Those without a translation are rejects."""

    values: dict[str, WebhookKind]
    path: Paths


class ReasonField(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Why: the provider's words and ours; without a translation it is read from `diagnostic`."""

    path: Paths
    values: dict[str, BounceReason] = {}


class TimeField(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """When: a format by name, or one of strptime (with `%z`, else UTC)."""

    path: Paths
    format: Format = "rfc3339"


class Auth(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """How callers prove themselves. Files are beside the mapping file, so that it holds no secret itself."""

    secret_file: str = ""
    user: str = "sendtrail"
    password_file: str = ""
    hmac_key_file: str = ""
    hmac_header: str = ""
    hmac_prefix: str = ""
    hmac_digest: Digest = "sha256"
    hmac_encoding: Encoding = "hex"


Source = str | list[str] | Field


class Mapping(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A mapping file."""

    kind: KindField
    time: TimeField
    auth: Auth
    name: Annotated[str, Meta(pattern="^[a-z][a-z0-9_-]{0,31}$")] = ""
    account: Annotated[str, Meta(max_length=128)] = ""
    items: str = ""
    metadata: Paths = ""
    delivery: Source = ""
    message: Source = ""
    recipient: Source = ""
    id: Source = ""
    email: Source = ""
    diagnostic: Source = ""
    user_agent: Source = ""
    address: Source = ""
    url: Source = ""
    reason: ReasonField | None = None
    hints: dict[str, str] = {}


class Loaded(msgspec.Struct, frozen=True):
    """A mapping and the secrets its files hold."""

    mapping: Mapping
    name: str
    secret: str = ""
    password: str = ""
    hmac_key: str = ""


def load(path: Path) -> Loaded:
    """Read and check a mapping file. Raises SettingsError naming file and field."""
    try:
        mapping = msgspec.convert(tomllib.loads(path.read_text()), type=Mapping)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"{path} can't be read: {error}") from error
    except msgspec.ValidationError as error:
        raise SettingsError(f"{path}: {str(error).replace('`$.', '`')}") from error
    name = mapping.name or path.stem
    if not re.fullmatch(r"[a-z][a-z0-9_-]{0,31}", name):
        raise SettingsError(f"{path}: give it a `name` of small letters, digits, _ and -: it is part of the URL")
    if not mapping.metadata and not (mapping.delivery and mapping.message):
        raise SettingsError(f"{path}: `metadata`, or `delivery` and `message`, say whose an event is")
    auth = mapping.auth
    if not (auth.secret_file or auth.password_file or (auth.hmac_key_file and auth.hmac_header)):
        raise SettingsError(f"{path}: [auth] needs secret_file, password_file, or hmac_key_file with hmac_header")
    secrets = [_secret(path, file) for file in (auth.secret_file, auth.password_file, auth.hmac_key_file)]
    return Loaded(mapping, name, *secrets)


def _secret(path: Path, file: str) -> str:
    if not file:
        return ""
    try:
        found = (path.parent / file).read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: [auth] {file} can't be read: {error}") from error
    if not found:
        raise SettingsError(f"{path}: [auth] {file} is empty")
    return found


def steps_of(path: str) -> list[str]:
    r"""The names along a path: `a.b.0`; a point in a name is written `\.`."""
    return [re.sub(r"\\(.)", r"\1", step) for step in _STEP.findall(path)]
