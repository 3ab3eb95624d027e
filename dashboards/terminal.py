"""Reports for a terminal, as rich renderables that fit its width."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, tzinfo
from typing import Literal

from rich import box
from rich.console import Console, ConsoleOptions, Group, RenderableType
from rich.padding import Padding
from rich.table import Table as RichTable
from rich.text import Text

from dashboards.shape import Column, Record, Report, Section, Table
from dashboards.values import clean, local, readable

_RIGHT = {"count", "rank", "rate", "number", "money", "span"}
_CUTS = {"people": "People only", "all": "People and machines"}
_GAP = 2  # between columns
_TEXT_WIDTH = 14  # at least, of a column that may wrap
_SECTION_WIDTH = 37


def text(report: Report, zone: tzinfo = UTC, columns: Collection[str] = ()) -> RenderableType:
    """The whole report. `columns`: keys to show instead of the usual ones, in tables that have them."""
    alone = len(report.parts) == 1
    shown = [Padding(part(one, zone, columns, titled=not alone), (1, 0, 0, 0)) for one in report.parts]
    notes = [Text(clean(note), style="yellow" if note.startswith("Warning") else "dim") for note in report.notes]
    return Group(header(report, zone), *shown, *([Text("")] if notes else []), *notes)


def header(report: Report, zone: tzinfo = UTC) -> RenderableType:
    """What the report is of, which cut it shows, what the other one holds, and when it was calculated."""
    title = Text(report.title, style="bold")
    names = ", ".join(one.label or one.name or one.key for one in report.subjects)
    if names:
        title.append(f": {clean(names)}")
    said = [Text(line, style="dim") for line in (_whose(report), _when(report, zone)) if line]
    return Group(title, *said)


def _whose(report: Report) -> str:
    if report.hits is None:
        return f"{_CUTS[report.cut]}."
    people, everybody = report.hits.people, report.hits.all
    machines = f"{everybody - people:,} of them by machines"
    if report.cut == "people":
        return f"{_CUTS['people']}. Hits: {people:,}; the cut 'all' holds {everybody:,}, {machines}."
    return f"{_CUTS['all']}. Hits: {everybody:,}, {machines}; the cut 'people' holds {people:,}."


def _when(report: Report, zone: tzinfo) -> str:
    now = local(report.calculated_at, zone)
    said = f"Calculated at {now:%Y-%m-%d %H:%M:%S %Z}"
    if report.distinct_calculated_at is None:
        return f"{said}."
    stored = local(report.distinct_calculated_at, zone)
    return f"{said}; distinct numbers at {stored:{'%H:%M:%S' if stored.date() == now.date() else '%Y-%m-%d %H:%M:%S'}}."


def part(one: Table | Record, zone: tzinfo = UTC, columns: Collection[str] = (), titled: bool = True) -> RenderableType:
    """One part, with its title."""
    if isinstance(one, Record):
        return _Sections([_section(section, zone) for section in one.sections])
    return _Fitted(one, zone, columns, titled)


@dataclass(frozen=True)
class _Fitted:
    """A table of the columns that fit; numbers to the right, sums below a line, what was left out said below."""

    table: Table
    zone: tzinfo
    keys: Collection[str]
    titled: bool

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        cells = [[readable(c.kind, v, self.zone) for c, v in zip(self.table.columns, row, strict=True)]
                 for row in self.table.rows]  # fmt: skip
        if not cells:
            yield Text(f"{self.table.title}: none")
            return
        widths = [_least(column, [row[i] for row in cells]) for i, column in enumerate(self.table.columns)]
        chosen, left_out = _fitting(self.table.columns, widths, self.keys, options.max_width)
        wished = [max([len(self.table.columns[i].title), *(len(row[i]) for row in cells)]) for i in chosen]
        rich = self._empty(chosen, _widened([widths[i] for i in chosen], wished, options.max_width))
        for number, row in enumerate(cells):
            if number == self.table.total_from and number:
                rich.add_section()
            rich.add_row(*(Text(row[i]) for i in chosen))
        yield rich
        if left_out:
            yield Text(f"Not shown at this width: {', '.join(left_out)}", style="dim")

    def _empty(self, chosen: Sequence[int], widths: Sequence[int]) -> RichTable:
        rich = RichTable(
            title=Text(self.table.title) if self.titled else None, title_justify="left", title_style="bold",
            box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, collapse_padding=True, padding=(0, _GAP - 1),
        )  # fmt: skip
        for i, width in zip(chosen, widths, strict=True):
            column = self.table.columns[i]
            justify: Literal["left", "right"] = "right" if column.kind in _RIGHT else "left"
            rich.add_column(column.title, justify=justify, width=width, overflow="fold")
        return rich


def _least(column: Column, cells: Sequence[str]) -> int:
    """The width a column can't do without: numbers never wrap, texts and titles may, at blanks."""
    longest = max(len(cell) for cell in cells)
    wraps = column.kind in ("text", "names")
    return max(min(longest, _TEXT_WIDTH) if wraps else longest, *(len(word) for word in column.title.split()))


def _fitting(
    columns: Sequence[Column], widths: Sequence[int], keys: Collection[str], width: int
) -> tuple[list[int], list[str]]:
    """Indexes of the columns to show, and titles of those that had to give way."""
    named = {column.key for column in columns} & set(keys)
    chosen = [i for i, column in enumerate(columns) if (column.key in named if named else column.shown)]
    left_out: list[int] = []
    while sum(widths[i] + _GAP for i in chosen) - _GAP > width:
        weakest = max(chosen, key=lambda i: (columns[i].gives_way, i))
        if named or not columns[weakest].gives_way:
            break
        chosen.remove(weakest)
        left_out.append(weakest)
    return chosen, [columns[i].title for i in sorted(left_out)]


def _widened(least: Sequence[int], wished: Sequence[int], width: int) -> list[int]:
    """The least widths, and what is left of the terminal for those that wish more, from the left."""
    room = width - sum(least) - _GAP * (len(least) - 1)
    widths = []
    for own, wish in zip(least, wished, strict=True):
        more = max(0, min(wish - own, room))
        room -= more
        widths.append(own + more)
    return widths


def _section(section: Section, zone: tzinfo) -> tuple[int, RenderableType]:
    grid = RichTable(
        title=section.title, title_justify="left", title_style="bold", box=None, show_header=False, pad_edge=False,
        padding=(0, _GAP, 0, 0),
    )  # fmt: skip
    grid.add_column(min_width=22)
    grid.add_column(justify="right", no_wrap=True, min_width=9)
    for column, value in section.figures:
        grid.add_row(column.title, Text(readable(column.kind, value, zone)))
    return len(section.figures) + 2, Padding(grid, (0, 0, 1, 0))


@dataclass(frozen=True)
class _Sections:
    """Sections in as many columns as fit, each put where there is most room."""

    sections: Sequence[tuple[int, RenderableType]]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        count = max(1, min(len(self.sections), options.max_width // _SECTION_WIDTH))
        columns: list[list[RenderableType]] = [[] for _ in range(count)]
        heights = [0] * count
        for height, section in self.sections:
            shortest = heights.index(min(heights))
            columns[shortest].append(section)
            heights[shortest] += height
        grid = RichTable.grid(padding=(0, _GAP + 1, 0, 0))
        grid.add_row(*(Group(*column) for column in columns))
        yield grid
