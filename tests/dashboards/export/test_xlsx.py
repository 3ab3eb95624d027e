"""Spreadsheets, read back: numbers are numbers, texts are texts whatever they start with."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook

from dashboards.export.xlsx import as_xlsx
from dashboards.shape import Column, Hits, Note, Record, Report, Section, Subject, Table

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
COLUMNS = [
    Column("text", "text"), Column("clicks", "clicks", "count"), Column("rate", "rate", "rate"),
    Column("amount", "amount", "money"), Column("time", "time", "time"), Column("tags", "tags", "names"),
]  # fmt: skip


def report(*parts: Table | Record) -> Report:
    return Report(
        "urls", "URLs", "people", NOON, parts, [Subject("1", "june", "=June")], hits=Hits(2, 3),
        notes=[Note("{n} rows", n=3)],
    )  # fmt: skip


def sheets(content: bytes) -> dict[str, list[list[Any]]]:
    book = load_workbook(io.BytesIO(content))
    return {sheet.title: [[cell.value for cell in row] for row in sheet.iter_rows()] for sheet in book.worksheets}


def test_every_kind_of_value_comes_back() -> None:
    rows = [["a", 12_345, Fraction(1, 3), (12_345, "EUR"), NOON, ["x", "y"]], ["b", 0, None, (None, ""), None, []]]
    found = sheets(as_xlsx(report(Table("links", "Links", COLUMNS, rows)), ZoneInfo("Asia/Tokyo")))
    first, second = found["Links"][1:]
    assert first[:2] == ["a", 12_345]
    assert first[2] == pytest.approx(1 / 3, abs=1e-6)
    assert first[3:] == [123.45, datetime(2026, 11, 24, 21, 0), "x, y"]
    assert [value or None for value in second] == ["b", None, None, None, None, None]
    about = dict(row[:2] for row in found["About"])
    assert (about["report"], about["of"], about["cut"]) == ("URLs", "=June", "people")
    assert (about["hits in all"], about["note"], about["time zone"]) == (3, "3 rows", "Asia/Tokyo")


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", '=HYPERLINK("http://x")', "{=1}"])
def test_what_looks_like_a_formula_is_text(text: str) -> None:
    content = as_xlsx(report(Table("links", text, [Column("label", text)], [[text]])))
    book = load_workbook(io.BytesIO(content))
    cell = book.worksheets[1]["A2"]
    assert cell.data_type == "s"
    assert str(cell.value).replace("_x000D_", "\r") == text
    assert cell.quotePrefix or not text.startswith(("=", "+", "-", "@", "\t", "\r"))
    assert book.worksheets[1]["A1"].data_type == "s"


def test_keys_of_64_bits_stay_exact() -> None:
    key = 18_138_031_762_647_447_197
    found = sheets(as_xlsx(report(Table("x", "X", [Column("n", "n", "count")], [[key], [10**15]]))))
    assert [row[0] for row in found["X"][1:]] == [str(key), 10**15]


@settings(deadline=None, max_examples=40)
@given(st.lists(st.text(max_size=40), max_size=5))
def test_any_titles_make_sheets_excel_takes(titles: list[str]) -> None:
    content = as_xlsx(report(*(Table(str(n), title, COLUMNS[:1], []) for n, title in enumerate(titles))))
    names = load_workbook(io.BytesIO(content)).sheetnames
    assert len(names) == len(titles) + 1 == len({name.casefold() for name in names})


def test_a_record_is_a_line_per_figure() -> None:
    section = Section(
        "Clicks", [(Column("rate", "click rate", "rate"), Fraction(1, 4)), (Column("n", "n", "count"), 7)]
    )
    found = sheets(as_xlsx(report(Record("indicators", "Indicators", [section]))))
    assert found["Indicators"][1:] == [["Clicks", "click rate", 0.25], ["Clicks", "n", 7]]
