"""Files -> items with the lines they begin on: CSV or JSON lines, packed with gzip or zstd or not."""

import csv
import gzip
import io
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any, Literal, NamedTuple, cast

import zstandard

from sendtrail.errors import BadColumns, BadItem, FileUnreadable, Invalid
from sendtrail.feed.batches import line_of
from sendtrail.feed.columns import Columns

Form = Literal["csv", "ndjson"]

MAX_LINE = 1024 * 1024
_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
_SLICE = 4096  # zstd gives all it has for its input: 128 KiB for four bytes at most
_BOM = b"\xef\xbb\xbf"
_PACKED = (".gz", ".zst")
_FORMS: dict[str, Form] = {".csv": "csv", ".tsv": "csv", ".ndjson": "ndjson", ".jsonl": "ndjson", ".json": "ndjson"}
_DELIMITERS = ",;\t|"

#: What unpackers raise for a file that is cut or damaged, besides OSError and EOFError.
BROKEN = (zlib.error, zstandard.ZstdError)

MakeColumns = Callable[[list[str]], Columns]


class Found(NamedTuple):
    """What begins on a line (from 1): an item as its JSON line, or why it is none, and its text as it stands there."""

    line: int
    item: bytes | Invalid
    text: str = ""


def unpacked(raw: IO[bytes]) -> io.BufferedReader:
    """What is in a file, unpacked where its first bytes say that it is packed."""
    source = raw if isinstance(raw, io.BufferedReader) else io.BufferedReader(cast(Any, raw))
    start = source.peek(4)[:4]
    if start[:2] == _GZIP:
        return io.BufferedReader(cast(Any, gzip.GzipFile(fileobj=source)))
    if start == _ZSTD:
        return io.BufferedReader(_ZstdReader(source), 256 * 1024)
    return source


class _ZstdReader(io.RawIOBase):
    """What zstd frames hold. The library's own reader takes a file that is cut off for a whole one."""

    def __init__(self, source: io.BufferedReader) -> None:
        self._source = source
        self._frame: Any = None
        self._packed = b""
        self._ready = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        """Raises EOFError in the middle of a frame, and ZstdError for damage."""
        while not self._ready:
            self._packed = self._packed or self._source.read(_SLICE)
            if not self._packed and self._frame is not None:
                raise EOFError("it is cut off")
            if not self._packed:
                return 0
            self._frame = self._frame or zstandard.ZstdDecompressor().decompressobj()
            self._ready = memoryview(self._frame.decompress(self._packed))
            self._packed = b""
            if self._frame.eof:
                self._packed, self._frame = self._frame.unused_data, None
        count = min(len(buffer), len(self._ready))
        buffer[:count] = self._ready[:count]
        self._ready = self._ready[count:]
        return count


def form_of(name: str, source: io.BufferedReader) -> Form:
    """By the file's name, else by its first character. Raises FileUnreadable for a JSON array."""
    suffixes = [suffix for suffix in Path(name).suffixes if suffix.lower() not in _PACKED]
    form = _FORMS.get(suffixes[-1].lower()) if suffixes else None
    start = source.peek(4096)[:4096].removeprefix(_BOM).lstrip()[:1]
    if start == b"[" and form != "csv":
        raise FileUnreadable(f"{name} is a JSON array: give one item per line, for example by `jq -c '.[]'`")
    return form or ("ndjson" if start == b"{" else "csv")


def read_lines(source: io.BufferedReader) -> Iterator[Found]:
    """The items of JSON lines as they stand. Empty lines are none."""
    number = 0
    while line := source.readline(MAX_LINE):
        number += 1
        if not line.endswith(b"\n") and len(line) == MAX_LINE:
            while (more := source.readline(MAX_LINE)) and not more.endswith(b"\n"):
                pass
            yield Found(number, Invalid("too_large", f"a line has at most {MAX_LINE} bytes"))
            continue
        text = (line.removeprefix(_BOM) if number == 1 else line).strip()
        if text:
            yield Found(number, text, text.decode("utf-8", "replace"))


def read_rows(source: io.BufferedReader, make: MakeColumns, delimiter: str = "") -> Iterator[Found]:
    """The items of CSV. `make` is given the header. Raises BadColumns, also for a file without a header."""
    text = io.TextIOWrapper(cast(Any, source), "utf-8-sig", "surrogateescape", newline="")
    head = source.peek(64 * 1024).removeprefix(_BOM).partition(b"\n")[0].decode("utf-8", "replace")
    reader = csv.reader(text, delimiter=delimiter or max(_DELIMITERS, key=head.count), strict=True)
    header = next(reader, None)
    if not header:
        raise BadColumns("the file has no header: its first line names the columns")
    columns = make(header)
    begins = reader.line_num + 1
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield Found(begins, Invalid("undecodable", str(error)))
        else:
            if cells:
                yield _row(begins, columns, cells)
        begins = reader.line_num + 1


def _row(line: int, columns: Columns, cells: list[str]) -> Found:
    text = ", ".join(cells)
    shown = text.encode("utf-8", "replace").decode()
    if shown != text:
        return Found(line, Invalid("undecodable", "not UTF-8"), shown)
    item = columns.item(cells)
    if isinstance(item, Invalid):
        return Found(line, item, text)
    try:
        return Found(line, line_of(item), text)
    except BadItem as error:
        return Found(line, Invalid("undecodable", str(error)), text)
