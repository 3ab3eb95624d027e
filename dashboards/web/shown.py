"""Reports -> what the templates print: every cell as a reader sees it, beside the plain value machines get."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from dashboards.shape import Column, Record, Report, Section, Table
from dashboards.values import plain
from dashboards.web.charts import drawing
from dashboards.web.formats import NUMERIC, Formats

HEAT_STEPS = 8


@dataclass(frozen=True)
class Cell:
    """A value: as text, plain as in JSON, and how it is set. `heat`: 0 to HEAT_STEPS, None outside heat maps."""

    text: str
    plain: str
    numeric: bool
    key: str
    kind: str = "text"
    series: Sequence[float] | None = None
    names: Sequence[str] = ()
    href: str = ""
    heat: int | None = None


@dataclass(frozen=True)
class Heading:
    """A column's title and what it means."""

    key: str
    title: str
    help: str
    numeric: bool


@dataclass(frozen=True)
class ShownTable:
    """A table of a page. `more`: rows left out. `total_from`: index of the first row of sums. `keys`: what column `key`
    holds, row by row; empty without one. `columns`: all there are; `choosable`: some are usually not shown.
    `paged`: the rows are a page of a longer table, and the report's order is theirs."""

    key: str
    title: str
    headings: Sequence[Heading]
    rows: Sequence[Sequence[Cell]]
    total_from: int
    more: int
    columns: Sequence[Heading]
    choosable: bool
    paged: bool
    keys: Sequence[str]
    chart: str = ""
    heat: "HeatMap | None" = None
    funnel: Sequence[tuple[str, str, float]] = ()
    kind: Literal["table"] = "table"


@dataclass(frozen=True)
class HeatMap:
    """A matrix of counts: column titles, and rows of a title with its cells."""

    columns: Sequence[str]
    rows: Sequence[tuple[str, Sequence[Cell]]]


@dataclass(frozen=True)
class ShownRecord:
    """Figures of a page, in sections: title, then heading and cell of each."""

    key: str
    title: str
    sections: Sequence[tuple[str, Sequence[tuple[Heading, Cell]]]]
    kind: Literal["record"] = "record"


Shown = ShownTable | ShownRecord

#: Report and options -> the address where that report is asked so, "" where the reader may not read it.
Leads = Callable[[str, Mapping[str, str]], str]


def parts(
    report: Report, formats: Formats, wanted: Sequence[str] = (), limit: int | None = None, leads: Leads | None = None
) -> list[Shown]:  # fmt: skip
    """Every part. `limit`: rows of a table.

    `wanted`: columns to show instead of the usual ones, `column` of every table that has it, or `part.column`.
    """
    return [
        record(one, formats, leads) if isinstance(one, Record) else table(one, formats, wanted, limit, leads)
        for one in report.parts
    ]


def notes_of(report: Report, formats: Formats) -> list[tuple[bool, str]]:
    """What the report says of itself, and whether that is a warning."""
    return [(note.startswith("Warning"), formats.text(note)) for note in report.notes]


def record(one: Record, formats: Formats, leads: Leads | None = None) -> ShownRecord:
    """The sections of figures; those without one are left out."""
    sections = [(formats.text(each.title), _figures(each, formats, leads)) for each in one.sections if each.figures]
    return ShownRecord(one.key, formats.text(one.title), sections)


def _figures(section: Section, formats: Formats, leads: Leads | None) -> list[tuple[Heading, Cell]]:
    return [
        (heading(column, formats), replace(cell(column, value, formats), href=_way(column, {}, leads)([])))
        for column, value in section.figures
    ]


def table(
    one: Table, formats: Formats, wanted: Sequence[str] = (), limit: int | None = None, leads: Leads | None = None
) -> ShownTable:  # fmt: skip
    """The table with its chart. Sums stay when rows are left out."""
    named = [index for index, column in enumerate(one.columns) if {column.key, f"{one.key}.{column.key}"} & {*wanted}]
    chosen = named or [index for index, column in enumerate(one.columns) if column.shown]
    total_from = len(one.rows) if one.total_from is None else one.total_from
    body = one.rows[:total_from] if limit is None else one.rows[: min(limit, total_from)]
    rows = [*body, *one.rows[total_from:]]
    places = {column.key: index for index, column in enumerate(one.columns)}
    ways = [_way(column, places, leads) for column in one.columns]
    drawn = drawing(one, formats)
    return ShownTable(
        key=one.key,
        title=formats.text(one.title),
        headings=[heading(one.columns[index], formats) for index in chosen],
        rows=[
            [replace(cell(one.columns[index], row[index], formats), href=ways[index](row)) for index in chosen]
            for row in rows
        ],
        total_from=len(body),
        more=total_from - len(body),
        columns=[heading(column, formats) for column in one.columns],
        choosable=not all(column.shown for column in one.columns),
        paged=one.page is not None,
        keys=[str(row[places["key"]]) for row in rows] if "key" in places else [],
        chart=json.dumps(drawn, ensure_ascii=False) if drawn else "",
        heat=_heat(one, formats),
        funnel=_funnel(one, formats),
    )


def _way(column: Column, places: dict[str, int], leads: Leads | None) -> Callable[[Sequence[Any]], str]:
    """Row -> where the column's value leads, "" for nowhere."""
    lead = column.leads_to
    if lead is None or leads is None:
        return lambda _: ""
    known = leads

    def way(row: Sequence[Any]) -> str:
        asked = {option: str(row[places[key]]) for option, key in lead.asked.items() if row[places[key]] is not None}
        whole = all(asked.get(option) for option in lead.asked)
        return known(lead.report, {**asked, **lead.always}) if whole else ""

    return way


def heading(column: Column, formats: Formats) -> Heading:
    """A column's title in the reader's language."""
    return Heading(column.key, formats.text(column.title), formats.text(column.help), column.kind in NUMERIC)


def cell(column: Column, value: Any, formats: Formats, heat: int | None = None) -> Cell:
    """A value as text and plain."""
    if column.kind == "series":
        return Cell("", json.dumps(list(value or ())), False, column.key, series=list(value or ()))
    machine = plain(column.kind, value, formats.zone)
    text = formats.value(column.kind, value)
    return Cell(
        text,
        "" if machine is None else str(machine),
        column.kind in NUMERIC,
        column.key,
        column.kind,
        names=formats.names(value or ()) if column.kind == "names" else (),
        heat=heat,
    )


def _heat(one: Table, formats: Formats) -> HeatMap | None:
    """The matrix of a heat chart: `x` across, `split` down, shade by the share of the largest value."""
    if one.chart is None or one.chart.kind != "heat" or not one.rows:
        return None
    places = {column.key: index for index, column in enumerate(one.columns)}
    x, y, value = places[one.chart.x], places[one.chart.split], places[one.chart.values[0]]
    rows = one.rows[: one.total_from]
    across, down = list(dict.fromkeys(row[x] for row in rows)), list(dict.fromkeys(row[y] for row in rows))
    found = {(row[y], row[x]): row[value] for row in rows}
    largest = max([number or 0 for number in found.values()], default=0)

    def shade(number: int | None) -> int:
        return 0 if not number or not largest else max(1, round(HEAT_STEPS * number / largest))

    def name(index: int, each: Any) -> str:
        return formats.value(one.columns[index].kind, each)

    return HeatMap(
        [name(x, each) for each in across],
        [
            (name(y, row), [cell(one.columns[value], found.get((row, each), 0), formats, shade(found.get((row, each))))
                            for each in across])
            for row in down
        ],
    )  # fmt: skip


def _funnel(one: Table, formats: Formats) -> list[tuple[str, str, float]]:
    """Steps of a funnel: title, value as text, and its part of the largest, 0 to 1."""
    if one.chart is None or one.chart.kind != "funnel" or not one.rows:
        return []
    places = {column.key: index for index, column in enumerate(one.columns)}
    x, value = places[one.chart.x], places[one.chart.values[0]]
    largest = max([row[value] or 0 for row in one.rows], default=0) or 1
    kinds = one.columns[x].kind, one.columns[value].kind
    return [
        (formats.value(kinds[0], row[x]), formats.value(kinds[1], row[value]), (row[value] or 0) / largest)
        for row in one.rows[: one.total_from]
    ]
