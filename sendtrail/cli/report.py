"""sendtrail report: numbers of deliveries and recipients as a table, JSON or CSV. One command per report."""

import inspect
from collections.abc import Callable, MutableMapping
from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from sendtrail.cli.report_options import Columns, Format, FormatOption, Output, Part, Timezone

if TYPE_CHECKING:
    from dashboards.definition import Definition
    from dashboards.options import Option


class _Reports(TyperGroup):
    """The reports' commands, made when one is asked for: other commands need not wait for what reports import."""

    @property
    def commands(self) -> MutableMapping[str, Any]:
        """Command of each report."""
        return _commands()

    @commands.setter
    def commands(self, _none: Any) -> None:
        """They are made from the catalogue alone."""


reports = typer.Typer(
    cls=_Reports,
    help="Numbers of deliveries and recipients. Every number exists in two cuts, people and all.",
    epilog="Exit codes: 0 done, 1 unknown delivery or refused query, 2 wrong usage, 3 settings, 4 ClickHouse away.",
    no_args_is_help=True,
)


def register(app: typer.Typer) -> None:
    """Add the verbs of this file to the command."""
    app.add_typer(reports, name="report")


@cache
def _commands() -> dict[str, Any]:
    from dashboards.catalogue import REPORTS

    made = typer.Typer(rich_markup_mode="rich")
    made.callback()(lambda: None)
    for report in REPORTS.values():
        example = f"Example: sendtrail report {report.name} {report.example}".rstrip()
        made.command(report.name, help=_help(report), epilog=example)(_command(report))
    group = typer.main.get_command(made)
    assert isinstance(group, TyperGroup)  # noqa: S101  # it has a callback
    return dict(group.commands)


def _help(report: "Definition[Any]") -> str:
    parts = f"Parts: {', '.join(report.parts)}." if len(report.parts) > 1 else ""
    return "\n\n".join(text for text in (f"Show {report.answers}.", report.more, parts) if text)


def _command(report: "Definition[Any]") -> Callable[..., None]:
    """A function with one parameter for every option of the report, and those of how it is shown."""
    from dashboards.options import options_of

    asked = [_parameter(option) for option in options_of(report.options)]
    shown = [
        _keyword("form", FormatOption, Format.TABLE),
        _keyword("part", Part, None),
        _keyword("columns", Columns, None),
        _keyword("timezone", Timezone, None),
        _keyword("output", Output, None),
    ]

    def run(
        form: Format, part: str | None, columns: str | None, timezone: str | None, output: str | None, **given: Any
    ) -> None:
        from sendtrail.cli.report_show import Shown, show

        show(report, given, Shown(form, part, columns, timezone, output))

    parameters = [*asked, *shown]
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {one.name: one.annotation for one in parameters}
    return run


def _keyword(name: str, annotation: Any, default: Any) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=annotation, default=default)


def _parameter(option: "Option") -> inspect.Parameter:
    simple: dict[str, Any] = {"number": int, "flag": bool}
    kind: Any = simple.get(option.kind, str)
    if option.kind == "choice":  # Typer knows choices as enumerations
        kind = _choice(option)
    default = option.default
    if option.required:
        default = inspect.Parameter.empty
    elif option.many or default is None:
        kind, default = (list[kind] if option.many else kind) | None, None
    elif option.kind == "choice":
        default = kind(default)
    if option.required and option.many:
        kind = list[kind]
    return _keyword(option.name, Annotated[kind, _info(option)], default)


def _choice(option: "Option") -> Any:
    make: Any = StrEnum  # mypy takes only constants for its name
    return make(option.name, {value: value for value in option.choices})


def _info(option: "Option") -> Any:
    about: dict[str, Any] = {"help": option.help, "metavar": option.extra.get("metavar")}
    if option.kind == "number":
        about |= {"min": option.least, "max": option.most}
    if "argument" in option.extra:
        return typer.Argument(**about)
    flag = f"--{option.name.replace('_', '-')}"
    if "off" in option.extra:
        return typer.Option(f"{flag}/--{option.extra['off']}", **about)
    return typer.Option(flag, *([option.extra["short"]] if "short" in option.extra else []), **about)
