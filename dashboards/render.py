"""Reports as terminal tables, JSON and CSV."""

import csv
import io
import json
from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, tzinfo
from typing import Any

from rich import box
from rich.columns import Columns
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table as RichTable
from rich.text import Text

from dashboards.shape import Column, Record, Report, Section, Table
from dashboards.values import clean, local, plain, readable

_RIGHT = {"count", "rate", "number", "money", "span"}
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_CUTS = {"people": "People only", "all": "People and machines"}


# ---- people


def text(report: Report, zone: tzinfo = UTC, columns: Collection[str] = ()) -> RenderableType:
    """The whole report for a terminal. `columns`: keys to show instead of the usual ones, in tables that have them."""
    shown = [Padding(part(one, zone, columns), (1, 0, 0, 0)) for one in report.parts]
    notes = [Text(clean(note), style="yellow" if note.startswith("Warning") else "dim") for note in report.notes]
    return Group(header(report, zone), *shown, *([Text("")] if notes else []), *notes)


def header(report: Report, zone: tzinfo = UTC) -> RenderableType:
    """What the report is of, which cut it shows, what the other one holds, and when it was calculated."""
    title = Text(report.title, style="bold")
    names = ", ".join(one.label or one.name or one.key for one in report.subjects)
    if names:
        title.append(f": {clean(names)}")
    return Group(title, Text(". ".join(_said(report, zone)) + ".", style="dim"))


def _said(report: Report, zone: tzinfo) -> Iterator[str]:
    yield _CUTS[report.cut]
    if report.hits is not None:
        own, machine = getattr(report.hits, report.cut), report.hits.all - report.hits.people
        if report.cut == "people":
            yield f"{own:,} hits; the cut 'all' holds {report.hits.all:,}, {machine:,} of them by machines"
        else:
            yield f"{own:,} hits, {machine:,} of them by machines; the cut 'people' holds {report.hits.people:,}"
    at = local(report.calculated_at, zone)
    yield f"Calculated at {at:%Y-%m-%d %H:%M:%S %Z}"
    if report.distinct_calculated_at is not None:
        yield f"Distinct numbers as of {local(report.distinct_calculated_at, zone):%Y-%m-%d %H:%M:%S %Z}"


def part(one: Table | Record, zone: tzinfo = UTC, columns: Collection[str] = ()) -> RenderableType:
    """A part for a terminal."""
    return rich_table(one, zone, columns) if isinstance(one, Table) else rich_record(one, zone)


def rich_table(table: Table, zone: tzinfo = UTC, columns: Collection[str] = ()) -> RichTable:
    """A table for a terminal; numbers to the right, sums below a line."""
    chosen = [(i, column) for i, column in enumerate(table.columns) if _wanted(column, table.columns, columns)]
    rich = RichTable(title=table.title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
    for _, column in chosen:
        right = column.kind in _RIGHT
        rich.add_column(column.title, justify="right" if right else "left", no_wrap=right, overflow="fold")
    for number, row in enumerate(table.rows):
        if number == table.total_from and number:
            rich.add_section()
        rich.add_row(*(Text(readable(column.kind, row[i], zone)) for i, column in chosen))
    return rich


def _wanted(column: Column, all_columns: Sequence[Column], keys: Collection[str]) -> bool:
    if any(one.key in keys for one in all_columns):
        return column.key in keys
    return column.shown


def rich_record(record: Record, zone: tzinfo = UTC) -> RenderableType:
    """Figures by section, as many sections side by side as the terminal takes."""
    return Columns([_section(section, zone) for section in record.sections], padding=(0, 3))


def _section(section: Section, zone: tzinfo) -> RenderableType:
    grid = RichTable(title=section.title, title_justify="left", title_style="bold", box=None, show_header=False,
                     pad_edge=False, padding=(0, 2, 0, 0))  # fmt: skip
    grid.add_column(min_width=22)
    grid.add_column(justify="right", no_wrap=True, min_width=9)
    for column, value in section.figures:
        grid.add_row(column.title, Text(readable(column.kind, value, zone)))
    return Padding(grid, (0, 0, 1, 0))


# ---- machines


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
        "parts": {one.key: _plain_part(one, zone) for one in report.parts},
    }
    return json.dumps(document, ensure_ascii=False, indent=2)


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


def _cell(value: Any) -> Any:
    """Empty for none; text that a spreadsheet would take for a formula gets an apostrophe before it."""
    if isinstance(value, list):
        value = ", ".join(value)
    if isinstance(value, str) and value.startswith(_FORMULA):
        return f"'{value}"
    return "" if value is None else value
