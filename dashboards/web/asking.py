"""A request's address -> which report, what it is asked, and the addresses of its neighbours."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from starlette.datastructures import ImmutableMultiDict

from dashboards.catalogue import REPORTS
from dashboards.definition import Definition
from dashboards.options import BadOption, OfDeliveries, Option, Options, options_of, read, texts
from dashboards.web.access.reader import Reader
from dashboards.web.view import VIEW_PARAMETERS

#: Query parameters that choose from a report and how it is given, not what it is asked.
PART, COLUMNS, FORMAT = "part", "columns", "format"
GIVEN_PARAMETERS = frozenset({PART, COLUMNS, FORMAT})
#: What the form of a report's part asks, where it is not all.
FORM_FIELDS = {
    ("dashboard", ""): ("live", "hours"),
    ("dashboard", "messages"): ("state", "limit"),
    ("dashboard", "logs"): ("kind", "hit_class", "link", "uncounted", "limit"),
    ("dashboard", "urls"): (),
}
#: Options that a page asks elsewhere than in its form.
ELSEWHERE = ("delivery", "sort", "order", "offset")
#: Options that a form keeps folded away.
RARELY = ("live", "account", "limit")
#: What forms call options whose names say too little.
LABELS = {
    "hit_class": "class",
    "uncounted": "also what does not count",
    "live": "count messages and persons now",
    "limit": "rows",
    "by": "rows by",
    "top": "rows of their own",
}
#: What stays when a reader goes on to another report.
KEPT = ("delivery", "cut")

THESE = "These deliveries"
#: The reports as the menu groups them.
MENU = {
    "Everything": ("deliveries", "over-time", "site"),
    THESE: (
        "dashboard", "indicators", "urls", "hot-clicks", "statistics", "activity", "summary", "clients", "machines",
        "compare", "who",
    ),
    "Recipients": ("recipient",),
}  # fmt: skip

Address = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Question:
    """What an address asks. `bad`: why it can't be, then `options` is None."""

    report: Definition[Any]
    given: Address
    view: Address
    options: Options | None
    bad: BadOption | None = None
    part: str = ""
    columns: Sequence[str] = field(default=())

    @property
    def of_deliveries(self) -> bool:
        """Whether the report is one of deliveries that are to be chosen."""
        return issubclass(self.report.options, OfDeliveries)

    @property
    def fields(self) -> tuple[Option, ...]:
        """What a form asks; the cut has a switch of its own."""
        return tuple(option for option in options_of(self.report.options) if option.name != "cut")

    @property
    def filters(self) -> tuple[Option, ...]:
        """What the form above a report asks; deliveries, order and page are chosen elsewhere on it."""
        names = FORM_FIELDS.get((self.report.name, self.part))
        shown = [option for option in self.fields if option.name not in ELSEWHERE]
        return tuple(option for option in shown if names is None or option.name in names)

    @property
    def usual(self) -> tuple[Option, ...]:
        """The filters that are seen at once, what is searched for first."""
        folded = {option.name for option in self.folded}
        shown = [option for option in self.filters if option.name not in folded]
        return tuple(sorted(shown, key=lambda option: option.name != "search"))

    @property
    def folded(self) -> tuple[Option, ...]:
        """The filters that few need; none where there are few filters anyway."""
        asked = self.filters
        return tuple(option for option in asked if option.name in RARELY) if len(asked) > 3 else ()

    def is_set(self, option: Option) -> bool:
        """Whether the address asks something of an option."""
        return any(text != "" for text in self.given.get(option.name, ()))

    @staticmethod
    def label(option: Option) -> str:
        """What a form calls an option."""
        return LABELS.get(option.name, option.name.replace("_", " "))

    def values(self, option: Option) -> list[str]:
        """What a form shows for an option, as texts."""
        if option.name in self.given:
            return list(self.given[option.name])
        return [] if option.many or option.default is None else [str(option.default)]

    @property
    def hidden(self) -> dict[str, list[str]]:
        """What a form of this report keeps beside its own fields."""
        shown = {COLUMNS: [",".join(self.columns)]} if self.columns else {}
        part = {PART: [self.part]} if self.part else {}
        kept = {name: list(self.given[name]) for name in (*KEPT, "sort", "order") if name in self.given}
        return {**kept, **shown, **part, **{name: list(values) for name, values in self.view.items()}}

    def menu(self, reader: Reader) -> list[tuple[str, list[Definition[Any]]]]:
        """The reports this reader may go on to, in groups."""
        groups = []
        for title, names in MENU.items():
            found = [REPORTS[name] for name in names if name in REPORTS and REPORTS[name].allows(reader.role)]
            if found and (title != THESE or self.given.get("delivery")):
                groups.append((title, found))
        return groups

    def address(self, path: str | None = None, **changes: str | Sequence[str]) -> str:
        """The address of this report with some parameters changed; an empty text leaves one out."""
        return _address(path or page_of(self.report.name), self._parameters(changes))

    def without_columns(self, part: str) -> list[tuple[str, str]]:
        """What a form keeps that chooses a part's columns: all parameters but those columns."""
        others = [name for name in self.columns if "." in name and not name.startswith(f"{part}.")]
        return _pairs(self._parameters({COLUMNS: ",".join(others)}))

    def _parameters(self, changes: Mapping[str, str | Sequence[str]]) -> dict[str, Sequence[str]]:
        asked = texts(self.options) if self.options is not None else self.given
        shown = {COLUMNS: [",".join(self.columns)]} if self.columns else {}
        shown |= {PART: [self.part]} if self.part else {}
        return {**asked, **shown, **self.view, **_several(changes)}

    def neighbour(self, name: str, **changes: str | Sequence[str]) -> str:
        """The address of another report, of the same deliveries and cut where it has such."""
        known = {option.name for option in options_of(REPORTS[name].options)}
        asked = texts(self.options) if self.options is not None else self.given
        kept = {key: values for key, values in asked.items() if key in KEPT and key in known}
        return _address(page_of(name), {**kept, **self.view, **_several(changes)})


def question(report: Definition[Any], query: ImmutableMultiDict[str, str]) -> Question:
    """What the query string of a report's address asks; never raises."""
    several = {name: query.getlist(name) for name in query}
    view = {name: values for name, values in several.items() if name in VIEW_PARAMETERS}
    given = {name: values for name, values in several.items() if name not in VIEW_PARAMETERS | GIVEN_PARAMETERS}
    part = query.get(PART, "")
    columns = [name for names in query.getlist(COLUMNS) for name in names.split(",") if name]
    try:
        return Question(report, given, view, read(report.options, given), None, part, columns)
    except BadOption as error:
        return Question(report, given, view, None, error, part, columns)


def page_of(name: str) -> str:
    """The path of a report's page."""
    return f"/reports/{name}"


def _several(changes: Mapping[str, str | Sequence[str]]) -> dict[str, Sequence[str]]:
    return {name: [value] if isinstance(value, str) else list(value) for name, value in changes.items()}


def _address(path: str, parameters: Mapping[str, Sequence[str]]) -> str:
    pairs = _pairs(parameters)
    return f"{path}?{urlencode(pairs)}" if pairs else path


def _pairs(parameters: Mapping[str, Sequence[str]]) -> list[tuple[str, str]]:
    return [(name, value) for name, values in parameters.items() for value in values if value != ""]
