"""ClickHouse errors: numeric code, message, and the HTTP status ClickHouse gives them."""

from __future__ import annotations

import re

SYNTAX_ERROR = 62
UNKNOWN_DATABASE = 81
UNEXPECTED_PACKET = 101
UNKNOWN_SETTING = 115
NOT_IMPLEMENTED = 48
NO_SUCH_COLUMN = 16
INTO_OUTFILE_NOT_ALLOWED = 358
TOO_MANY_QUERIES = 202
QUERY_WAS_CANCELLED = 394
AUTHENTICATION_FAILED = 516
UNKNOWN_EXCEPTION = 1002

_TEXT = re.compile(r"Code: (\d+)\. (.*)", re.DOTALL)
# Status per code as in ClickHouse's exceptionCodeToHTTPStatus; everything else is 500.
_HTTP_STATUS = {
    **dict.fromkeys((192, 193, 516, 497, 164), 403),
    194: 401,
    **dict.fromkeys((6, 7, 8, 26, 27, 36, 38, 41, 42, 43, 50, 53, 62, 69, 70, 72, 117, 441, 456, 457, 467), 400),
    **dict.fromkeys((46, 47, 60, 63, 73, 78, 81, 115, 16, 56, 336), 404),
    411: 411,
    158: 500,
    202: 500,
    209: 503,
    159: 408,
    48: 501,
}


class EngineError(Exception):
    """An error as ClickHouse reports it; `message` starts with "DB::Exception: "."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(f"Code: {code}. {message}")
        self.code = code
        self.message = message

    @property
    def http_status(self) -> int:
        """The HTTP status that ClickHouse answers with."""
        return _HTTP_STATUS.get(self.code, 500)


class ProtocolError(EngineError):
    """The client's stream can't be followed any further: answer, then close the connection."""


def engine_error(code: int, text: str, name: str) -> EngineError:
    """An error of our own in ClickHouse's words, e.g. name "SYNTAX_ERROR"."""
    return EngineError(code, f"DB::Exception: {text} ({name})")


def from_engine(error: Exception) -> EngineError:
    """Read code and message out of the text of an engine exception."""
    match = _TEXT.search(str(error))
    if match is None:
        return EngineError(UNKNOWN_EXCEPTION, f"DB::Exception: {error}")
    return EngineError(int(match[1]), match[2])
