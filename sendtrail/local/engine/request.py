"""An HTTP request in ClickHouse's terms: who asks, which statement, which data, settings and parameters."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass

import cramjam
from starlette.requests import Request

from sendtrail.local.engine.errors import NOT_IMPLEMENTED, engine_error
from sendtrail.local.engine.secret import USER
from sendtrail.local.engine.statements import Insert, parse_insert

_DEFAULT_FORMAT = "TabSeparated"
_PARAM_PREFIX = "param_"
_OWN_PARAMETERS = frozenset(
    {
        "query", "database", "default_format", "user", "password", "query_id", "quota_key", "session_id",
        "session_timeout", "session_check", "wait_end_of_query", "buffer_size", "compress", "decompress",
        "client_protocol_version", "stacktrace", "role",
    }
)  # fmt: skip
_LINE_BREAK = re.compile(rb"[ \t]*\r?\n?")


@dataclass(frozen=True)
class Statement:
    """What to run. For an insert with data, `insert` is set and `data` is in `data_format`."""

    text: str
    insert: Insert | None
    data: bytes
    data_format: str


@dataclass(frozen=True)
class HttpQuery:
    """Everything a request says besides its statement."""

    user: str
    password: str
    database: str
    default_format: str
    query_id: str
    settings: dict[str, str]
    params: dict[str, str]
    changes_allowed: bool


def read_request(request: Request) -> HttpQuery:
    """Read headers and URL parameters."""
    query = request.query_params
    user, password = _credentials(request.headers, query)
    return HttpQuery(
        user,
        password,
        query.get("database") or request.headers.get("x-clickhouse-database", ""),
        query.get("default_format") or request.headers.get("x-clickhouse-format", _DEFAULT_FORMAT),
        query.get("query_id", ""),
        {
            name: value
            for name, value in query.items()
            if name not in _OWN_PARAMETERS and not name.startswith(_PARAM_PREFIX)
        },
        {name.removeprefix(_PARAM_PREFIX): value for name, value in query.items() if name.startswith(_PARAM_PREFIX)},
        request.method == "POST",
    )


def _credentials(headers: Mapping[str, str], query: Mapping[str, str]) -> tuple[str, str]:
    """Own headers, basic authorisation or URL parameters, in ClickHouse's order."""
    if "x-clickhouse-user" in headers or "x-clickhouse-key" in headers:
        return headers.get("x-clickhouse-user", USER), headers.get("x-clickhouse-key", "")
    scheme, _, encoded = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "basic":
        try:
            user, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return "", ""
        return user or USER, password
    return query.get("user", USER), query.get("password", "")


def read_statement(query: str, body: bytes) -> Statement:
    """Join the `query` parameter and the body as ClickHouse does: a body behind an INSERT is its data."""
    insert = parse_insert(query)
    if insert is not None:
        inline = query[insert.data_start :].encode()
        data = (inline if inline.strip(b"; \t\r\n") else b"") + body
        return Statement(query, insert, data, insert.format or "Values")
    # Binary data may follow the statement in the body.
    text = query + body.decode("utf-8", "surrogateescape")
    insert = parse_insert(text)
    if insert is None:
        return Statement(text, None, b"", "")
    data = text[insert.data_start :].encode("utf-8", "surrogateescape")
    return Statement(text, insert, _LINE_BREAK.sub(b"", data, count=1), insert.format or "Values")


def decode_body(body: bytes, encoding: str) -> bytes:
    """Undo the Content-Encoding. EngineError for one that is not known."""
    decoders = {"gzip": cramjam.gzip, "deflate": cramjam.zlib, "zstd": cramjam.zstd, "lz4": cramjam.lz4}
    if encoding in ("", "identity") or not body:
        return body
    if encoding not in decoders:
        text = f"Content-Encoding {encoding} is not known"
        raise engine_error(NOT_IMPLEMENTED, text, "NOT_IMPLEMENTED")
    return bytes(decoders[encoding].decompress(body))
