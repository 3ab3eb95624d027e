"""A report -> a spreadsheet: one sheet per part, and one that says what the report is of."""

import io
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, tzinfo
from typing import Any

from xlsxwriter import Workbook
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from dashboards.shape import Column, Kind, Note, Record, Report, Table
from dashboards.values import FORMULA, local, plain

#: What Excel takes; XLSX has no more.
MAX_ROWS = 1_048_575
MAX_TEXT = 32_767
_NO_XML = re.compile("[\ufffe\uffff\ud800-\udfff]")
_OPTIONS = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
_NUMBERS: dict[Kind, str] = {
    "count": "#,##0", "rank": "0", "rate": "0.00%", "number": "#,##0.00", "money": "#,##0.00##", "span": "#,##0",
    "time": "yyyy-mm-dd hh:mm:ss",
}  # fmt: skip
_WIDTHS: dict[Kind, int] = {"time": 19, "text": 28, "names": 28}

_NAME = 31  # characters of a sheet's name, as UTF-16 counts them

Translate = Callable[[str], str]


def as_xlsx(report: Report, zone: tzinfo = UTC, say: Translate = str) -> bytes:
    """The whole report. `say` translates our own words.

    Texts are text cells whatever they start with, and those a spreadsheet could take for a formula when edited are
    marked as quoted. Times are the zone's, without it: XLSX has no zones. Spans are in milliseconds.
    """
    out = io.BytesIO()
    with Workbook(out, {"in_memory": True, "constant_memory": False, **_OPTIONS}) as book:
        sheets = _Sheets(book, zone, say)
        sheets.about(report)
        for part in report.parts:
            sheets.part(part)
    return out.getvalue()


class _Sheets:
    """Writes sheets of one book."""

    def __init__(self, book: Workbook, zone: tzinfo, say: Translate) -> None:
        self._book, self._zone, self._say = book, zone, say
        self._bold = book.add_format({"bold": True, "text_wrap": True, "valign": "top"})
        self._quoted = book.add_format({"quote_prefix": True})
        self._formats: dict[Kind, Format] = {
            kind: book.add_format({"num_format": text}) for kind, text in _NUMBERS.items()
        }

    def about(self, report: Report) -> None:
        """Title, deliveries, cut, when it was calculated, and the notes."""
        sheet = self._sheet(Note("About"))
        hits = report.hits
        lines: list[tuple[str, Kind, Any]] = [
            (Note("report"), "text", self._say(report.title)),
            *((Note("of", "subject"), "text", one.label or one.name or one.key) for one in report.subjects),
            (Note("cut"), "text", self._say(report.cut)),
            (Note("calculated at"), "time", report.calculated_at),
            (Note("distinct numbers at"), "time", report.distinct_calculated_at),
            (Note("time zone"), "text", str(self._zone)),
            (Note("hits by people"), "count", hits and hits.people),
            (Note("hits in all"), "count", hits and hits.all),
            *((Note("note"), "text", note) for note in report.notes),
        ]
        sheet.set_column(0, 0, 22)
        sheet.set_column(1, 1, 100)
        for row, (title, kind, value) in enumerate(line for line in lines if line[2] is not None):
            sheet.write_string(row, 0, self._say(title), self._bold)
            self._write(sheet, row, 1, kind, value)

    def part(self, part: Table | Record) -> None:
        """A table as it is; a record as one line per figure."""
        if isinstance(part, Table):
            self._rows(part.title, part.columns, part.rows)
            return
        columns = [Column("section", "section"), Column("indicator", "indicator")]
        sheet = self._head(part.title, [*columns, Column("value", "value", "number")])
        line = 1
        for section in part.sections:
            for column, value in section.figures:
                for place, text in enumerate((section.title, column.title)):
                    self._write(sheet, line, place, "text", self._say(text))
                self._write(sheet, line, 2, column.kind, value)
                line += 1

    def _rows(self, title: str, columns: Sequence[Column], rows: Sequence[Sequence[Any]]) -> None:
        sheet = self._head(title, columns)
        for line, row in enumerate(rows[:MAX_ROWS], 1):
            for place, (column, value) in enumerate(zip(columns, row, strict=True)):
                self._write(sheet, line, place, column.kind, value)

    def _head(self, title: str, columns: Sequence[Column]) -> Worksheet:
        sheet = self._sheet(title)
        for place, column in enumerate(columns):
            sheet.write_string(0, place, self._say(column.title), self._bold)
            sheet.set_column(place, place, _WIDTHS.get(column.kind, 14))
        sheet.freeze_panes(1, 0)
        return sheet

    def _sheet(self, title: str) -> Worksheet:
        """A sheet with a name Excel takes: 31 characters, none of []:*?/\\, no other sheet's."""
        wished = re.sub(r"[\[\]:*?/\\\x00-\x1f\ufffe\uffff]", " ", self._say(title)).strip("' ")
        wished = _cut(wished, _NAME) or "Sheet"
        taken = {one.get_name().casefold() for one in self._book.worksheets()}
        name, number = wished, 2
        while name.casefold() in taken:
            name, number = f"{_cut(wished, _NAME - 4)} {number}", number + 1
        return self._book.add_worksheet(name)

    def _write(self, sheet: Worksheet, row: int, place: int, kind: Kind, value: Any) -> None:
        if value is None:
            return
        if isinstance(value, datetime):
            sheet.write_datetime(row, place, local(value, self._zone).replace(tzinfo=None), self._formats["time"])
            return
        if kind == "money":
            self._write_money(sheet, row, place, value)
            return
        cell = plain(kind, value, self._zone)
        if isinstance(cell, int | float) and not isinstance(cell, bool):
            self._number(sheet, row, place, kind, cell)
            return
        text = ", ".join(map(self._said, value)) if isinstance(cell, list) else self._said(value)
        quoted = self._quoted if text.startswith(FORMULA) else None
        sheet.write_string(row, place, _NO_XML.sub("\ufffd", text[:MAX_TEXT]), quoted)

    def _number(self, sheet: Worksheet, row: int, place: int, kind: Kind, value: float) -> None:
        """Whole numbers beyond 15 digits stay exact as text: a spreadsheet's numbers are doubles."""
        if isinstance(value, int) and abs(value) > 10**15:
            sheet.write_string(row, place, str(value))
        else:
            sheet.write_number(row, place, value, self._formats.get(kind))

    def _write_money(self, sheet: Worksheet, row: int, place: int, value: Any) -> None:
        amount = plain("money", value, self._zone)
        if amount is not None:
            sheet.write_number(row, place, amount, self._formats["money"])

    def _said(self, value: Any) -> str:
        return self._say(value) if isinstance(value, Note) else str(value)


def _cut(text: str, units: int) -> str:
    """The start of a text, in so many units of UTF-16, no character cut in two."""
    return text.encode("utf-16-le", "replace")[: 2 * units].decode("utf-16-le", "ignore").strip("' ")
