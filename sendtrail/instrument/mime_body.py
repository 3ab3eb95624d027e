"""The body of a text part <-> text: transfer encoding and charset both ways (RFC 2045, RFC 3676)."""

import binascii
import codecs
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

#: Bytes of a line at most without its break (RFC 5321, 4.5.3.1.6): servers cut longer ones.
MAX_LINE = 998

_SAFE_LINE = 76
_PLAIN = ("", "7bit", "8bit", "binary")
_NEEDS_QUOTING = re.compile(rb"[^\t -<>-~]")
_END_BLANK = re.compile(rb"[\t ]$")
#: Blanks that a server has put behind a soft break; they are none of the text (RFC 2045, 6.7).
_PADDING = re.compile(rb"(?<==)[\t ]+(?=\r?\n|\Z)")
#: Codecs of Python's that no mail is written in, and that don't write back what they read.
_NO_CHARSETS = ("idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined", "mbcs", "oem")
#: Charsets as mail names them, and those that read the same bytes and hold more.
_WIDER = {"gb2312": "gb18030", "gbk": "gb18030", "euc-kr": "cp949", "ks_c_5601-1987": "cp949", "shift_jis": "cp932"}


class Form(NamedTuple):
    """How a part's text is written: its transfer encoding, charset (as Python calls it) and line break.

    `quoted`: of a quoted-printable part each line as the sender's program wrote it, by what it says. A line without
    links goes out so again, wherever that program breaks lines and whatever it escapes.
    """

    encoding: str
    charset: str
    line_break: bytes
    quoted: Mapping[bytes, bytes] = MappingProxyType({})


class Written(NamedTuple):
    """A body. `encoding` is the part's own, or what it has to become; `lost`: characters the charset could not hold."""

    body: bytes
    encoding: str
    lost: bool = False


def read(body: bytes, encoding: str, charset: str, line_break: bytes) -> tuple[str, Form] | None:
    """The text of a body, so that `write` gives its bytes back; None where encoding or charset can't be read.

    Bytes that don't fit the charset become lone surrogates, as Python's `surrogateescape` makes them: a link that
    holds one is not minted, and everything else stays readable. `line_break`: the message's, for a body without any.
    """
    encoding = encoding.strip().lower()
    raw = _decode(body, encoding)
    name = _codec(charset)
    if raw is None or name is None:
        return None
    line_break = b"\r\n" if b"\r\n" in body else b"\n" if b"\n" in body else line_break
    if name == "ascii" and not raw.isascii():
        name = "utf-8"
    quoted = _quoted_lines(body, raw, line_break) if encoding == "quoted-printable" else {}
    form = Form(encoding, name, line_break, quoted)
    try:
        return raw.decode(name), form
    except UnicodeError:
        pass
    try:
        text = raw.decode(name, "surrogateescape")
        return (text, form) if _encode(text, name, "html") == raw else None
    except UnicodeError:
        return None


def write(text: str, form: Form, is_html: bool, before: bytes) -> Written:
    """The body of a text that was read from `before`. What the charset can't hold is a reference in HTML, else `?`.

    A part written as it is keeps to that, unless its lines were within the limits and would not be any more, or a 7-bit
    part now holds more: then it is quoted.
    """
    raw = _encode(text, form.charset, "html" if is_html else "text")
    lost = not is_html and raw.decode(form.charset, "surrogateescape") != text
    if form.encoding == "base64":
        tail = before[len(before.rstrip(b"\r\n")) :]
        return Written(_base64(raw, form.line_break) + tail, "base64", lost)
    if form.encoding == "quoted-printable":
        return Written(quote(raw, form.line_break, form.quoted), "quoted-printable", lost)
    is_new = form.encoding in ("", "7bit") and before.isascii() and not raw.isascii()
    if is_new and is_html:
        raw = _references(text, form.charset) or raw
        is_new = not raw.isascii()
    if is_new or longest_line(raw) > MAX_LINE >= longest_line(before):
        return Written(quote(raw, form.line_break), "quoted-printable", lost)
    return Written(raw, form.encoding, lost)


def longest_line(raw: bytes) -> int:
    """Bytes of the longest line, without its break."""
    return max(len(line) - line.endswith(b"\r") for line in raw.split(b"\n"))


def quote(raw: bytes, line_break: bytes, quoted: Mapping[bytes, bytes] = MappingProxyType({})) -> bytes:
    """Quoted-printable: lines of at most 76 bytes; only breaks of the body's own kind stay breaks.

    Lines that `quoted` has are written as they are there.
    """
    lines = ((quoted.get(line), line) for line in raw.split(line_break))
    return line_break.join(_quoted_line(line, line_break) if known is None else known for known, line in lines)


def _quoted_lines(body: bytes, raw: bytes, line_break: bytes) -> dict[bytes, bytes]:
    """The lines of a quoted-printable body by what they say; nothing where its lines can't be told apart for sure."""
    written, said = [b""], []
    for piece in body.split(line_break):
        written[-1] += piece
        if piece.rstrip(b"\t ").endswith(b"="):
            written[-1] += line_break
        else:
            said.append(_unquoted(written[-1]))
            written.append(b"")
    same = line_break.join(said) == raw and not written.pop()
    return dict(zip(said, written, strict=True)) if same else {}


def _quoted_line(line: bytes, line_break: bytes) -> bytes:
    quoted = _NEEDS_QUOTING.sub(lambda match: b"=%02X" % match[0][0], line)
    quoted = _END_BLANK.sub(lambda match: b"=%02X" % match[0][0], quoted)
    if quoted.startswith(b"From "):  # mailbox files begin a message so, and some programs put a `>` before it
        quoted = b"=46" + quoted[1:]
    elif quoted == b".":
        quoted = b"=2E"
    if len(quoted) <= _SAFE_LINE:
        return quoted
    pieces = []
    start = 0
    while len(quoted) - start > _SAFE_LINE:
        end = start + _SAFE_LINE - 1
        escape = quoted.rfind(b"=", end - 2, end)
        end = end if escape == -1 else escape
        pieces.append(quoted[start:end] + b"=" + line_break)
        start = end
    return b"".join(pieces) + quoted[start:]


def _decode(body: bytes, encoding: str) -> bytes | None:
    if encoding == "base64":
        try:
            return binascii.a2b_base64(body)
        except binascii.Error:
            return None
    if encoding == "quoted-printable":
        return _unquoted(body)
    return body if encoding in _PLAIN else None


def _unquoted(body: bytes) -> bytes:
    return binascii.a2b_qp(_PADDING.sub(b"", body))


def _base64(raw: bytes, line_break: bytes) -> bytes:
    lines = (binascii.b2a_base64(raw[start : start + 57], newline=False) for start in range(0, len(raw), 57))
    return line_break.join(lines)


def _codec(charset: str) -> str | None:
    """Python's name of a charset; None where it has none, or one that is no charset of texts, such as `hex`."""
    try:
        name = codecs.lookup(_WIDER.get(charset.lower(), charset)).name
        if name.replace("-", "_") in _NO_CHARSETS:
            return None
        _encode("a\xe9\u65e5\U0001f600", name, "html")
    except (LookupError, ValueError, UnicodeError):
        return None
    return name


def _references(text: str, charset: str) -> bytes | None:
    """An HTML text of a 7-bit part in ASCII; None for a charset that is not ASCII with more (UTF-16)."""
    ascii_too = "".join(map(chr, range(128))).encode(charset, "replace") == bytes(range(128))
    return _encode(text, "ascii", "html") if ascii_too else None


def _encode(text: str, charset: str, errors: str) -> bytes:
    return text.encode(charset, f"sendtrail-{errors}")


def _unencodable(error: UnicodeError, instead: bool) -> tuple[str | bytes, int]:
    """Lone surrogates are the bytes they stand for; other characters a reference, or `?`."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    code = ord(error.object[error.start])
    if 0xDC80 <= code <= 0xDCFF:
        return bytes((code - 0xDC00,)), error.start + 1
    return f"&#{code};" if instead else "?", error.start + 1


codecs.register_error("sendtrail-html", lambda error: _unencodable(error, True))
codecs.register_error("sendtrail-text", lambda error: _unencodable(error, False))
