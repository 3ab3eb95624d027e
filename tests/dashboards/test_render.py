"""Reports as text, JSON and CSV."""

import csv
import io
import json
from dataclasses import replace
from datetime import UTC, datetime
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest
from rich.console import Console, RenderableType

from dashboards.render import as_csv, as_json, part, text
from dashboards.shape import Column, Hits, Note, Page, Record, Report, Section, Subject, Table

AT = datetime(2026, 7, 1, 12, 0, tzinfo=UTC)
LINKS = Table(
    "links",
    "Links",
    [
        Column("link", "link"),
        Column("clicks", "clicks in all", "count"),
        Column("share", "share", "rate", gives_way=1),
        Column("key", "key", shown=False),
    ],
    [["[bold]Shop[/bold]", 1200, Fraction(1, 3), "1"], ["=1+1", 3, None, "-2"], ["Total", 1203, Fraction(1), ""]],
    total_from=2,
)
FIGURES = Record(
    "indicators",
    "Indicators",
    [
        Section("Opens", [(Column("opened", "opened", "count"), 5), (Column("rate", "open rate", "rate"), None)]),
        Section("Times", [(Column("median_ms", "half had opened after", "span"), 65_000)]),
    ],
)
REPORT = Report(
    "urls", "URLs", "people", AT, [FIGURES, LINKS], [Subject("7", "june", "June [letter]\x1b[2J")],
    hits=Hits(8, 10), distinct_calculated_at=AT, notes=[Note("Warning: {what}", what="look")],
)  # fmt: skip


def shown(what: RenderableType, width: int = 80) -> str:
    console = Console(width=width, file=io.StringIO(), color_system=None)
    console.print(what)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_a_report_says_cut_other_cut_and_when() -> None:
    seen = shown(text(REPORT, ZoneInfo("Europe/Madrid")), 200)
    assert "People only. Hits: 8; the cut 'all' holds 10, 2 of them by machines." in seen
    assert "Calculated at 2026-07-01 14:00:00 CEST; distinct numbers at 14:00:00." in seen
    assert "Warning: look" in seen


def test_text_of_senders_is_text() -> None:
    seen = shown(text(REPORT))
    assert "[bold]Shop[/bold]" in seen
    assert "June [letter] [2J" in seen
    assert "\x1b" not in seen


@pytest.mark.parametrize("width", [40, 60, 80, 100, 120, 200])
def test_nothing_is_wider_than_the_terminal(width: int) -> None:
    assert max(len(line) for line in shown(text(REPORT), width).splitlines()) <= width


def test_columns_give_way_and_that_is_said() -> None:
    seen = shown(part(LINKS), 26)
    assert "share" not in seen.split("Not shown")[0]
    assert "Not shown at this width: share" in " ".join(seen.split())


def test_columns_are_chosen() -> None:
    seen = shown(part(LINKS, columns=["key", "link"]))
    assert "clicks" not in seen
    assert "-2" in seen
    assert "Not shown" not in seen


def test_an_empty_table_says_so() -> None:
    assert shown(part(Table("links", "Links", LINKS.columns, []))).strip() == "Links: none"


def test_json_has_stable_keys() -> None:
    document = json.loads(as_json(REPORT))
    assert document == {
        "report": "urls",
        "cut": "people",
        "calculated_at": "2026-07-01T12:00:00.000+00:00",
        "distinct_calculated_at": "2026-07-01T12:00:00.000+00:00",
        "hits": {"people": 8, "all": 10},
        "deliveries": [{"key": "7", "name": "june", "label": "June [letter]\x1b[2J"}],
        "notes": ["Warning: look"],
        "parts": {
            "indicators": {"opened": 5, "rate": None, "median_ms": 65_000},
            "links": [
                {"link": "[bold]Shop[/bold]", "clicks": 1200, "share": 0.333333, "key": "1"},
                {"link": "=1+1", "clicks": 3, "share": None, "key": "-2"},
                {"link": "Total", "clicks": 1203, "share": 1.0, "key": ""},
            ],
        },
    }


def test_a_page_of_a_table_says_which() -> None:
    table = replace(LINKS, page=Page(2, 3, 5))
    document = json.loads(as_json(replace(REPORT, parts=[FIGURES, table])))
    assert document["pages"] == {"links": {"offset": 2, "limit": 3, "matches": 5}}


def test_csv_of_a_series_is_its_numbers() -> None:
    table = Table("t", "T", [Column("s", "s", "series"), Column("n", "n", "names")], [[[1, 0, 2], ["a", "b"]]])
    assert as_csv(table).splitlines() == ["s,n", '1 0 2,"a, b"']


def test_csv_has_a_header_and_no_formulas() -> None:
    assert list(csv.reader(io.StringIO(as_csv(LINKS)))) == [
        ["link", "clicks", "share", "key"],
        ["[bold]Shop[/bold]", "1200", "0.333333", "1"],
        ["'=1+1", "3", "", "'-2"],
        ["Total", "1203", "1.0", ""],
    ]


@pytest.mark.parametrize("text", ["a\r=1+1", "a\r\n=1+1", "a\n=1+1", "\r=1+1", 'a"\r=1+1'])
def test_csv_of_a_text_with_line_breaks_is_one_cell(text: str) -> None:
    table = Table("t", "", [Column("a", "", "text", ""), Column("b", "", "count", "")], [[text, 1]])
    for newline in (None, ""):  # readers that take every kind of line break for one, and those that keep them
        [_, row] = csv.reader(io.StringIO(as_csv(table), newline=newline))
        assert [row[0].removeprefix("'").replace("\r\n", "\n").replace("\r", "\n"), row[1]] == [
            text.replace("\r\n", "\n").replace("\r", "\n"), "1",
        ]  # fmt: skip


def test_csv_of_figures_is_one_line_each() -> None:
    assert as_csv(FIGURES).splitlines() == [
        "section,indicator,value", "Opens,opened,5", "Opens,rate,", "Times,median_ms,65000",
    ]  # fmt: skip


def test_a_missing_part_is_named() -> None:
    with pytest.raises(KeyError, match="urls has no part 'x'; it has indicators, links"):
        REPORT.part("x")
