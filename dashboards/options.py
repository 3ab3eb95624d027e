"""What a report can be asked: one struct per report, read alike from a command line, a query string and a form."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from typing import Annotated, Any, Literal, TypeVar, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Meta, inspect

from dashboards.indicators import Cut
from dashboards.queries import ReportError

#: Nothing that is stored lies outside; at the ends of what calendars and databases can count, they stop counting.
EARLIEST, LATEST = date(2000, 1, 1), date(2099, 12, 31)

OptionKind = Literal["text", "choice", "number", "flag", "date"]
_CHECKED = {"on": "true", "yes": "true", "off": "false", "no": "false"}  # what forms and people say


class BadOption(ReportError):
    """A value that a report can't be asked for. `option`: its name."""

    def __init__(self, option: str, why: str) -> None:
        super().__init__(f"{option}: {why}" if option else why)
        self.option = option
        self.why = why


class Options(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What every report can be asked."""

    cut: Annotated[Cut, Meta(description="people: class human or unknown. all: machines too.")] = "people"


_MOST_DELIVERIES = 200
#: Names or keys of deliveries, and what a command shows for them.
DeliveryNames = Annotated[list[str], Meta(max_length=_MOST_DELIVERIES)]
DELIVERY_NAMES = {"metavar": "NAME|KEY", "short": "-d"}


class OfDeliveries(Options, frozen=True, kw_only=True):
    """What every report of one or several deliveries can be asked."""

    delivery: Annotated[
        Annotated[list[str], Meta(min_length=1, max_length=_MOST_DELIVERIES)],
        Meta(description="The delivery. Give several to add them up.", extra=DELIVERY_NAMES),
    ]


class OfDistinct(OfDeliveries, frozen=True, kw_only=True):
    """Those whose distinct numbers are stored ones unless asked otherwise."""

    live: Annotated[
        bool,
        Meta(
            description="Count distinct numbers (messages, persons) now, or take those stored seconds ago. "
            "Hits are of now.",
            extra={"off": "stored"},
        ),
    ] = False


@dataclass(frozen=True)
class Option:
    """One option of a report, as commands, forms and the API's description show it.

    `extra`: `metavar`, `short` (a one-letter flag), `off` (the flag that means no), `argument` (a command takes it by
    place).
    """

    name: str
    kind: OptionKind
    help: str
    required: bool
    many: bool
    default: Any = None
    choices: tuple[str, ...] = ()
    least: int | None = None
    most: int | None = None
    extra: Mapping[str, str] = field(default_factory=dict)


O = TypeVar("O", bound=Options)  # noqa: E741


def read(kind: type[O], given: Mapping[str, Sequence[str]]) -> O:
    """Options from texts: the last value counts where an option takes one; an empty text is as if not given.

    Raises BadOption naming the option.
    """
    known = {option.name: option for option in options_of(kind)}
    values: dict[str, Any] = {}
    for name, texts in given.items():
        if name not in known:
            raise BadOption(name, f"no such option; there are {', '.join(known)}")
        filled = [text for text in texts if text != "" or known[name].required]
        if filled:
            values[name] = list(filled) if known[name].many else _plain(known[name], filled[-1])
    for option in known.values():
        if option.required and option.name not in values:
            raise BadOption(option.name, "is needed")
    try:
        asked = msgspec.convert(values, kind, strict=False)
    except msgspec.ValidationError as error:
        raise _bad(str(error)) from error
    for name in values:
        day = getattr(asked, name)
        if isinstance(day, date) and not EARLIEST <= day <= LATEST:
            raise BadOption(name, f"a day between {EARLIEST} and {LATEST}")
    return asked


def _plain(option: Option, text: str) -> str:
    return _CHECKED.get(text.lower(), text.lower()) if option.kind == "flag" else text.strip()


def _bad(said: str) -> BadOption:
    why, _, path = said.partition(" - at `$.")
    return BadOption(path.partition("[")[0].rstrip("`"), why.replace("`", ""))


def options_of(kind: type[Options]) -> tuple[Option, ...]:
    """The options of a struct, those that are needed first."""
    return _options_of(kind)


@cache
def _options_of(kind: Any) -> tuple[Option, ...]:
    info = inspect.type_info(kind)
    assert isinstance(info, inspect.StructType)  # noqa: S101  # Options is one
    hints = get_type_hints(kind)
    found = [_option(each, hints[each.name]) for each in info.fields]
    return tuple(sorted(found, key=lambda option: not option.required))


def _option(one: inspect.Field, hint: Any) -> Option:
    kind, schema, extra = _unwrapped(one.type)
    many = isinstance(kind, inspect.ListType)
    item = _unwrapped(kind.item_type)[0] if isinstance(kind, inspect.ListType) else kind
    if isinstance(item, inspect.UnionType):  # … or None
        item = _unwrapped(next(each for each in item.types if not isinstance(each, inspect.NoneType)))[0]
    default = one.default if one.default is not msgspec.NODEFAULT else None
    return Option(
        name=one.name,
        kind=_KINDS.get(type(item), "text"),
        help=schema.get("description", ""),
        required=one.required,
        many=many,
        default=default,
        choices=_choices(hint),
        least=item.ge if isinstance(item, inspect.IntType) else None,
        most=item.le if isinstance(item, inspect.IntType) else None,
        extra=extra,
    )


def _choices(hint: Any) -> tuple[str, ...]:
    """The values of a Literal, wherever in the type it stands, in their own order."""
    if get_origin(hint) is Literal:
        return tuple(map(str, get_args(hint)))
    return tuple(choice for each in get_args(hint) for choice in _choices(each))


_KINDS: dict[type, OptionKind] = {
    inspect.LiteralType: "choice",
    inspect.IntType: "number",
    inspect.BoolType: "flag",
    inspect.DateType: "date",
}


def _unwrapped(kind: inspect.Type) -> tuple[inspect.Type, dict[str, Any], dict[str, str]]:
    schema: dict[str, Any] = {}
    extra: dict[str, str] = {}
    while isinstance(kind, inspect.Metadata):
        schema |= kind.extra_json_schema or {}
        extra |= kind.extra or {}
        kind = kind.type
    return kind, schema, extra


def texts(asked: Options) -> dict[str, list[str]]:
    """The options as texts, those left at their default apart: `read` of them gives the same options."""
    found: dict[str, list[str]] = {}
    for option in options_of(type(asked)):
        value = getattr(asked, option.name)
        if option.required or value != option.default:
            found[option.name] = [_text(each) for each in value] if option.many else [_text(value)]
    return {name: values for name, values in found.items() if values}


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value.isoformat() if isinstance(value, date) else str(value)
