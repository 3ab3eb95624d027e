"""Builds the report that a command asks for and prints it."""

import sys
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import typer
from rich.console import Console

from dashboards import render
from dashboards.definition import Context, Definition
from dashboards.options import BadOption, options_of, read
from dashboards.queries import Queries, Unreachable
from dashboards.shape import Report, Table
from sendtrail import keyring
from sendtrail.cli.config import load
from sendtrail.cli.report_options import Format
from sendtrail.clickhouse import connect
from sendtrail.errors import KeysError
from sendtrail.settings import ClickHouseSettings, Config, KeySettings, ReportSettings, TrackingSettings

EXIT_UNREACHABLE = 4


def show(
    report: Definition[Any],
    given: Mapping[str, Any],
    form: Format,
    part: str | None,
    columns: str | None,
    timezone: str | None,
) -> None:
    """Print the report to standard output. Raises BadParameter, SendtrailError, or Exit 4 where ClickHouse is away."""
    try:
        asked = read(report.options, _texts(given))
    except BadOption as error:
        raise typer.BadParameter(error.why, param_hint=_hint(report, error.option)) from error
    config = load()
    settings = config.section(ReportSettings)
    zone = _zone(timezone or settings.timezone)
    try:
        with connect(config.section(ClickHouseSettings)) as client:
            context = replace(_context(config, Queries(client, settings), zone), part=part or "")
            built = report.answer(context, asked)
    except Unreachable as error:
        print(f"sendtrail: {error}", file=sys.stderr)
        raise typer.Exit(EXIT_UNREACHABLE) from None
    wanted = [name.strip() for name in (columns or "").split(",") if name.strip()]
    _print(_only(built, part, report.on_request), form, zone, wanted)


def _texts(given: Mapping[str, Any]) -> dict[str, Sequence[str]]:
    """Values as a command line has them, as texts; what was not given is left out."""
    several = {name: value if isinstance(value, list) else [value] for name, value in given.items()}
    return {name: [str(one) for one in values if one is not None] for name, values in several.items()}


def _hint(report: Definition[Any], name: str) -> str:
    argument = any(one.name == name and "argument" in one.extra for one in options_of(report.options))
    return name.upper() if argument else f"--{name.replace('_', '-')}"


def _context(config: Config, queries: Queries, zone: ZoneInfo) -> Context:
    persons = config.section(TrackingSettings).visitor_cookies != "off"
    return Context(queries, _naming_key(config), persons, zone)


def _naming_key(config: Config) -> bytes | None:
    try:
        return keyring.load(config.section(KeySettings).file).naming_key
    except KeysError:
        return None


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise typer.BadParameter(f"no time zone {name!r}, try Europe/Madrid", param_hint="--timezone") from error


def _print(report: Report, form: Format, zone: ZoneInfo, columns: Collection[str]) -> None:
    _check_columns(report, columns)
    match form:
        case Format.JSON:
            print(render.as_json(report, zone))
        case Format.CSV:
            print(render.as_csv(report.parts[0], zone), end="")
        case _:
            Console(highlight=False).print(render.text(report, zone, columns))


def _only(report: Report, part: str | None, on_request: Collection[str]) -> Report:
    if part is None:
        return report
    found = [one for one in report.parts if one.key == part]
    if not found:
        there = ", ".join([*(one.key for one in report.parts), *on_request])
        raise typer.BadParameter(f"this report has no part {part!r}; it has {there}", param_hint="--part")
    return replace(report, parts=found)


def _check_columns(report: Report, columns: Collection[str]) -> None:
    known = [column.key for part in report.parts if isinstance(part, Table) for column in part.columns]
    for name in columns:
        if name not in known:
            raise typer.BadParameter(f"no column {name!r}; there are {', '.join(known)}", param_hint="--columns")
