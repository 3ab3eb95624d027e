"""Reports as terminal tables, JSON and CSV."""

import csv
import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, tzinfo
from typing import Any

from dashboards.shape import Column, Record, Report, Stream, Table
from dashboards.terminal import part, text
from dashboards.values import FORMULA, plain

__all__ = ["as_csv", "as_json", "as_ndjson", "csv_of", "part", "text"]


def as_json(report: Report, zone: tzinfo = UTC) -> str:
    """One JSON object: what the report says of itself, then each part by its key (docs/reports.md)."""
    subjects = [{"key": one.key, "name": one.name, "label": one.label} for one in report.subjects]
    distinct = report.distinct_calculated_at
    about = {"deliveries": subjects} if report.about == "deliveries" else {"recipient": subjects[0]}
    document: dict[str, Any] = {
        "report": report.name,
        "cut": report.cut,
        "calculated_at": plain("time", report.calculated_at, zone),
        "distinct_calculated_at": plain("time", distinct, zone),
        "hits": None if report.hits is None else {"people": report.hits.people, "all": report.hits.all},
        **about,
        "notes": list(report.notes),
        **_pages(report),
        "parts": {one.key: _plain_part(one, zone) for one in report.parts},
    }
    return json.dumps(document, ensure_ascii=False, indent=2)


def _pages(report: Report) -> dict[str, Any]:
    """Which rows are shown of the parts that are pages of longer tables."""
    paged = {one.key: one.page for one in report.parts if isinstance(one, Table) and one.page is not None}
    if not paged:
        return {}
    return {"pages": {key: asdict(page) for key, page in paged.items()}}


def _plain_part(one: Table | Record, zone: tzinfo) -> Any:
    if isinstance(one, Table):
        return [_plain_row(one.columns, row, zone) for row in one.rows]
    return {
        column.key: plain(column.kind, value, zone) for section in one.sections for column, value in section.figures
    }


def _plain_row(columns: Sequence[Column], row: Sequence[Any], zone: tzinfo) -> dict[str, Any]:
    return {column.key: plain(column.kind, value, zone) for column, value in zip(columns, row, strict=True)}


def as_csv(one: Table | Record, zone: tzinfo = UTC) -> str:
    """A part as CSV with a header line; a record as one line per figure: section, indicator, value."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    if isinstance(one, Table):
        writer.writerow([column.key for column in one.columns])
        writer.writerows(
            [_cell(plain(column.kind, value, zone)) for column, value in zip(one.columns, row, strict=True)]
            for row in one.rows
        )
    else:
        writer.writerow(["section", "indicator", "value"])
        writer.writerows(
            [section.title, column.key, _cell(plain(column.kind, value, zone))]
            for section in one.sections
            for column, value in section.figures
        )
    return out.getvalue()


def csv_of(stream: Stream, zone: tzinfo = UTC) -> Iterator[str]:
    """All rows of a part as CSV with a header line, as they come."""
    yield as_csv(Table(stream.key, "", stream.columns, []), zone)
    for batch in stream.batches:
        yield as_csv(Table(stream.key, "", stream.columns, batch), zone).partition("\n")[2]


def as_ndjson(one: Table | Record, zone: tzinfo = UTC) -> str:
    """A part as JSON lines: one per row, a record as one line."""
    plain_part = _plain_part(one, zone)
    rows = plain_part if isinstance(plain_part, list) else [plain_part]
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def _cell(value: Any) -> Any:
    """Empty for none; text that a spreadsheet would take for a formula gets an apostrophe before it.

    Line breaks are newlines: the writer does not quote a lone carriage return, and readers would begin a row there.
    """
    if isinstance(value, list):
        value = ", ".join(value) if all(isinstance(one, str) for one in value) else " ".join(map(str, value))
    if isinstance(value, str):
        defused = f"'{value}" if value.startswith(FORMULA) else value
        return defused.replace("\r\n", "\n").replace("\r", "\n")
    return "" if value is None else value
