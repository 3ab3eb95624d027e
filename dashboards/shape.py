"""What a report is, whoever shows it: parts with named, typed columns. Keys are stable, titles may change."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import MappingProxyType
from typing import Any, Literal

from dashboards.indicators import Cut

Kind = Literal[
    "text",  # str
    "count",  # int
    "rank",  # int, None on rows outside the ranking
    "rate",  # Fraction of 1, None = no rate
    "day",  # str, a day of the reader's calendar, YYYY-MM-DD
    "number",  # Fraction, None = none
    "money",  # Money value: (amount in minor units as int or Fraction, currency)
    "time",  # datetime with zone, shown in the reader's
    "span",  # milliseconds
    "names",  # list of str
    "series",  # list of int, oldest first, drawn as a small line
]


@dataclass(frozen=True)
class Lead:
    """The report behind a value. `asked`: its options, each with the column of the same row that holds the option's
    value; `always`: options with values of their own. Deliveries and cut asked for are kept where it has such options.
    """

    report: str
    asked: Mapping[str, str] = field(default_factory=dict)
    always: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Column:
    """A column or a single figure: stable key, title for people, kind of its values, one line of explanation.

    `leads_to`: the report behind a value of this column.

    `shown` and `gives_way` matter in a terminal only, machines get every column: where a row is too wide, columns
    with the highest `gives_way` leave first; 0 stays.
    """

    key: str
    title: str
    kind: Kind = "text"
    help: str = ""
    shown: bool = True
    gives_way: int = 0
    leads_to: Lead | None = None


@dataclass(frozen=True)
class Chart:
    """How a table is drawn: `x` is the column of the categories or times, `values` those of the numbers.

    `split`: a column whose values each make a series of their own, for tables with one row per series and x; a heat
    map has it as its other axis. `stacked`: series stand on each other. Rows from `total_from` are not drawn.
    """

    kind: Literal["line", "bar", "heat", "funnel"]
    x: str
    values: Sequence[str]
    split: str = ""
    stacked: bool = False


@dataclass(frozen=True)
class Page:
    """Which rows of a longer table these are. `matches`: how many rows there are in all."""

    offset: int
    limit: int
    matches: int


@dataclass(frozen=True)
class Table:
    """A part with rows, each as long as `columns`. `total_from`: rows from there on are sums, set apart.

    `page`: where the rows are a page of a longer table.
    """

    key: str
    title: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Any]]
    total_from: int | None = None
    chart: Chart | None = None
    page: Page | None = None


@dataclass(frozen=True)
class Stream:
    """All rows of a part, however many: read once, batch by batch, while the connection they come from is open."""

    key: str
    columns: Sequence[Column]
    batches: Iterator[Sequence[Sequence[Any]]]


@dataclass(frozen=True)
class Section:
    """Figures that belong together."""

    title: str
    figures: Sequence[tuple[Column, Any]]


@dataclass(frozen=True)
class Record:
    """A part with one value per figure, in sections."""

    key: str
    title: str
    sections: Sequence[Section]


def row_of(columns: Sequence[Column], counted: object, known: Mapping[str, Any]) -> list[Any]:
    """A value for each column: of `known`, else the attribute of that name that `counted` has."""
    return [known[one.key] if one.key in known else getattr(counted, one.key) for one in columns]


def sections_of(
    titled: Mapping[str, Sequence[Column]], counted: object, known: Mapping[str, Any] = MappingProxyType({})
) -> list[Section]:
    """Sections by title, their values as in `row_of`."""
    return [
        Section(title, list(zip(columns, row_of(columns, counted, known), strict=True)))
        for title, columns in titled.items()
    ]


class Note(str):
    """Words of ours in a report, filled in: a str like any other, which pages can say in another language.

    `template` and `values` are what it is made of; a value may be a Note itself. `context` tells apart what English
    says with one word and others with several, as the catalogues' msgctxt.
    """

    __slots__ = ("context", "template", "values")
    context: str
    template: str
    values: Mapping[str, Any]

    def __new__(cls, template: str, context: str = "", /, **values: Any) -> "Note":
        note = super().__new__(cls, template.format(**values))
        note.context, note.template, note.values = context, template, values
        return note

    def __getnewargs_ex__(self) -> tuple[tuple[str, str], dict[str, Any]]:
        """Copies are made of the template: made of the text, braces in a value would be taken for fields."""
        return (self.template, self.context), dict(self.values)


def listed(words: Sequence[str]) -> Note:
    """Several words, with commas; each stays translatable."""
    named = {f"word{number}": word for number, word in enumerate(words)}
    return Note(", ".join(f"{{{name}}}" for name in named), **named)


@dataclass(frozen=True)
class Hits:
    """Counted hits of both cuts."""

    people: int
    all: int


@dataclass(frozen=True)
class Subject:
    """What the report is about. `key` in decimal."""

    key: str
    name: str
    label: str


@dataclass(frozen=True)
class Report:
    """A whole report. `distinct_calculated_at`: when stored distinct numbers were, None where all is of now."""

    name: str
    title: str
    cut: Cut
    calculated_at: datetime
    parts: Sequence[Table | Record]
    subjects: Sequence[Subject] = ()
    about: Literal["deliveries", "recipient"] = "deliveries"
    hits: Hits | None = None
    distinct_calculated_at: datetime | None = None
    notes: Sequence[Note] = ()

    def part(self, key: str) -> Table | Record:
        """The part with that key. Raises KeyError naming those there are."""
        for part in self.parts:
            if part.key == key:
                return part
        raise KeyError(f"{self.name} has no part {key!r}; it has {', '.join(part.key for part in self.parts)}")

    def only(self, key: str) -> "Report":
        """The same report with one part. Raises KeyError as `part`."""
        return replace(self, parts=[self.part(key)])
