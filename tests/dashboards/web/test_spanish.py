"""Every report over the random world, read in Spanish: none of our own words is left in English."""

from __future__ import annotations

import html
import io
import json
import re
import string
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from babel import Locale
from openpyxl import load_workbook

from dashboards.catalogue import REPORTS
from dashboards.definition import Context
from dashboards.export.forms import give
from dashboards.options import read
from dashboards.queries import Queries
from dashboards.shape import Column, Note, Record, Report
from dashboards.web.charts import drawing
from dashboards.web.formats import Formats
from dashboards.web.languages import catalogue, key_of
from dashboards.web.shown import ShownTable, parts
from dashboards.web.site import Site
from tests.dashboards.web.conftest import LOCAL, browser

SPANISH = Formats("es", Locale("es", "ES"), ZoneInfo("Europe/Madrid"))
ALL = {"delivery": ["1", "2", "3", "4"], "cut": ["all"]}
AUTUMN = {"since": ["2026-09-01"], "until": ["2026-10-31"]}
DAYS = {"first_day": ["2026-09-01"], "last_day": ["2026-10-31"]}
Asked = tuple[str, dict[str, list[str]], str]
#: Report, its options as in an address, and the part: what is needed to see every word a report knows.
QUESTIONS: list[Asked] = [
    ("deliveries", {}, ""),
    ("deliveries", {"limit": ["2"], "offset": ["1"]}, ""),
    ("dashboard", ALL, ""),
    ("dashboard", ALL, "messages"),
    ("dashboard", {**ALL, "uncounted": ["true"], "limit": ["3000"]}, "logs"),
    ("indicators", {**ALL, "by": ["domain"]}, ""),
    *(("urls", {**ALL, "by": [by], "top": ["2"]}, "") for by in ("label", "url", "category", "position")),
    ("urls", {**ALL, "period": ["3d"]}, ""),
    ("statistics", ALL, ""),
    ("over-time", {}, ""),
    ("over-time", {**DAYS, "split": ["tag"]}, ""),
    ("over-time", {**DAYS, "split": ["channel"], "top": ["1"]}, ""),
    ("over-time", {**DAYS, "split": ["domain"], "by": ["cohort"]}, ""),
    ("summary", ALL, ""),
    ("hot-clicks", ALL, ""),
    ("activity", ALL, ""),
    ("clients", {**ALL, "top": ["1"]}, ""),
    ("machines", ALL, ""),
    ("compare", ALL, ""),
    ("compare", {"delivery": ["1", "2"], "against": ["first"]}, ""),
    ("recipient", {"recipient": ["1000003"], "uncounted": ["true"], "limit": ["5"]}, ""),
    *(("site", {**AUTUMN, "by": [by], "top": ["1"]}, "") for by in ("delivery", "campaign", "referrer")),
    *(("who", {**ALL, "which": [which], "limit": ["50"]}, "")
      for which in ("opened", "clicked", "neither", "sent", "bounced", "inactive")),
]  # fmt: skip


def built(queries: Queries, asked: Asked) -> Report:
    name, options, part = asked
    report = REPORTS[name]
    return report.answer(Context(queries, persons=name != "site", zone=SPANISH.zone, part=part),
                         read(report.options, options))  # fmt: skip


def figures(report: Report) -> Iterator[tuple[Column, Any]]:
    """Every value with its column."""
    for part in report.parts:
        if isinstance(part, Record):
            for section in part.sections:
                yield from section.figures
        else:
            for row in part.rows:
                yield from zip(part.columns, row, strict=True)


def words(report: Report) -> Iterator[str]:
    """Everything that the report itself says: titles, headings, notes, and the words of ours in cells."""
    yield from (report.title, *report.notes)
    for part in report.parts:
        yield part.title
        if isinstance(part, Record):
            yield from (section.title for section in part.sections)
    for column, value in figures(report):
        yield from (column.title, column.help)
        yield from (each for each in (value if isinstance(value, list) else [value]) if isinstance(each, Note))


def keys(text: str) -> Iterator[str]:
    """Under which the catalogue must have a text, and the words that are filled in."""
    if not isinstance(text, Note):
        yield text
        return
    yield key_of(text.template, text.context)
    for value in text.values.values():
        yield from keys(value) if isinstance(value, Note) else ()


def says_something(key: str) -> bool:
    """Whether a template has more than a letter of its own beside its fields."""
    return sum(sign.isalpha() for literal, *_ in string.Formatter().parse(key) for sign in literal) > 1


@pytest.mark.parametrize("asked", QUESTIONS, ids=str)
def test_every_word_of_a_report_is_translated(world_queries: Queries, asked: Asked) -> None:
    report = built(world_queries, asked)
    wanted = {key for text in words(report) for key in keys(text) if says_something(key)}
    assert wanted - catalogue("es").keys() == set()


@pytest.mark.parametrize("asked", QUESTIONS, ids=str)
def test_no_word_of_ours_is_left_in_a_cell(world_queries: Queries, asked: Asked) -> None:
    """Columns that are usually not shown hold keys for programs, which stay as they are."""
    english = catalogue("es").keys() - {"letter"}  # the world has a tag of that name
    for column, value in figures(built(world_queries, asked)):
        if column.shown and column.kind in ("text", "names"):
            for each in value if isinstance(value, list) else [value]:
                assert isinstance(each, Note) or each is None or each not in english, (column.key, each)


def test_words_in_cells_charts_and_maps(world_queries: Queries) -> None:
    activity = {part.key: part for part in parts(built(world_queries, ("activity", ALL, "")), SPANISH)}
    week, weekdays = activity["week"], activity["weekdays"]
    assert isinstance(week, ShownTable)
    assert week.heat is not None
    assert [name for name, _ in week.heat.rows] == [
        "lunes", "martes", "miércoles", "jueves", "viernes", "sábado", "domingo",
    ]  # fmt: skip
    assert isinstance(weekdays, ShownTable)
    assert weekdays.title == "Por día de la semana"
    assert weekdays.rows[0][0].text == "lunes"
    assert '"labels": ["lunes", "martes"' in weekdays.chart
    assert '"name": "aperturas"' in weekdays.chart


def test_states_of_a_message_and_counts_of_messages_are_said_differently(world_queries: Queries) -> None:
    messages = parts(built(world_queries, ("dashboard", {"delivery": ["1"], "limit": ["500"]}, "messages")), SPANISH)[0]
    assert isinstance(messages, ShownTable)
    states = {cell.text: cell.plain for row in messages.rows for cell in row if cell.key == "state"}
    assert (states["entregado"], states["rebote duro"]) == ("delivered", "bounced, hard")
    summary = parts(built(world_queries, ("summary", {"delivery": ["1"]}, "")), SPANISH)[-2]
    assert isinstance(summary, ShownTable)
    assert "entregados" in {heading.title for heading in summary.headings}


def test_days_and_numbers_are_spanish_in_charts_and_notes(world_queries: Queries) -> None:
    report = built(world_queries, ("over-time", DAYS, ""))
    chart = drawing(report.parts[0], SPANISH)  # type: ignore[arg-type]
    assert chart is not None
    assert chart["labels"][0] == SPANISH.day(date(2026, 9, 1)) == "1 sept 2026"
    assert any("." in shown for one in chart["series"] for shown in one["shown"])
    empty = built(world_queries, ("over-time", {"first_day": ["2020-01-01"], "last_day": ["2020-01-31"]}, ""))
    assert SPANISH.text(empty.notes[-1]) == "Nada del 1 ene 2020 al 31 ene 2020: elija otros días."
    compared = built(world_queries, ("compare", {"delivery": ["1", "2"]}, ""))
    hints = {SPANISH.text(value) for column, value in figures(compared) if column.key == "hint"}
    assert any("0," in hint for hint in hints)
    assert not any("0.0" in hint for hint in hints)


@pytest.mark.asyncio
async def test_a_chosen_language_is_seen_where_it_was_chosen(site: Site, tmp_path: Path) -> None:
    async with browser(site, tmp_path, **{"accept-language": "de-DE", "origin": LOCAL}) as reader:
        here = "/reports/urls?delivery=1&by=category&lang=en"
        token = re.search(r'name="csrf" value="([^"]+)"', (await reader.get(here)).text)
        assert token
        choice = {"csrf": token[1], "lang": "es", "next": here}
        answer = await reader.post("/view", data=choice, follow_redirects=True)
    assert str(answer.url).removeprefix(LOCAL) == "/reports/urls?delivery=1&by=category"
    assert '<html lang="es"' in answer.text
    assert "Clics por categoría" in answer.text


@pytest.mark.asyncio
async def test_why_a_report_can_t_be_given(site: Site, tmp_path: Path) -> None:
    async with browser(site, tmp_path, **{"accept-language": "es"}) as reader:
        unknown = html.unescape((await reader.get("/reports/urls?delivery=nobody's")).text)
        long = html.unescape((await reader.get("/reports/over-time?first_day=2001-01-01&last_day=2020-12-31")).text)
        program = (await reader.get("/v1/reports/urls?delivery=nothing")).json()
    assert """no hay ningún envío "nobody's" registrado""" in unknown
    assert "del 1 ene 2001 al 31 dic 2020 son más de 1.100 periodos" in long
    assert program["detail"].startswith("no delivery 'nothing' is registered")


def test_a_spreadsheet_is_spanish_and_its_data_are_not(world_queries: Queries) -> None:
    report = built(world_queries, ("activity", ALL, ""))
    book = load_workbook(io.BytesIO(give(report, "xlsx", SPANISH)))
    assert book.sheetnames[:2] == ["Acerca de", "Por día de la semana y hora"]
    assert [(row[0].value, row[1].value) for row in book["Acerca de"].iter_rows(max_row=6)][5] == ("corte", "todo")
    assert [cell.value for cell in book["Por día de la semana"]["B"]][:3] == ["día de la semana", "lunes", "martes"]
    assert json.loads(give(report, "json", SPANISH))["parts"]["weekdays"][0]["weekday"] == "Monday"
