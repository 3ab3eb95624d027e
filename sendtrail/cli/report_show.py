"""Builds the report that a command asks for and prints it."""

import io
import sys
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, BinaryIO
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import typer
from babel import Locale
from rich.console import Console

from dashboards import render
from dashboards.definition import Context, Definition
from dashboards.export.forms import give
from dashboards.options import BadOption, options_of, read
from dashboards.queries import Queries, Unreachable
from dashboards.shape import Report, Table
from dashboards.web.formats import Formats
from sendtrail.cli.config import load, naming_key
from sendtrail.cli.report_options import Format
from sendtrail.clickhouse import connect
from sendtrail.settings import ClickHouseSettings, Config, ReportSettings, TrackingSettings

EXIT_UNREACHABLE = 4


@dataclass(frozen=True)
class Shown:
    """How a report is shown: form, one part only, columns of tables, time zone, and the file it goes to."""

    form: Format
    part: str | None
    columns: str | None
    timezone: str | None
    output: str | None

    @property
    def keys(self) -> list[str]:
        """Keys of the columns."""
        return [name.strip() for name in (self.columns or "").split(",") if name.strip()]


def show(report: Definition[Any], given: Mapping[str, Any], shown: Shown) -> None:
    """Print the report. Raises BadParameter, SendtrailError, or Exit 4 where ClickHouse is away."""
    try:
        asked = read(report.options, _texts(given))
    except BadOption as error:
        raise typer.BadParameter(error.why, param_hint=_hint(report, error.option)) from error
    _check_output(shown)
    _check_part(report, shown.part)
    config = load()
    settings = config.section(ReportSettings)
    zone = _zone(shown.timezone or settings.timezone)
    try:
        with connect(config.section(ClickHouseSettings)) as client:
            context = replace(_context(config, Queries(client, settings), zone), part=shown.part or "")
            if shown.form is Format.CSV and (stream := report.everything(context, asked)) is not None:
                _stream(render.csv_of(stream, zone), shown)
                return
            built = report.answer(context, asked)
    except Unreachable as error:
        print(f"sendtrail: {error}", file=sys.stderr)
        raise typer.Exit(EXIT_UNREACHABLE) from None
    built = _only(built, shown.part)
    _check_columns(built, shown.keys)
    if shown.form is Format.TABLE:
        _table(built, zone, shown)
    else:
        _write(give(built, shown.form.value, Formats("en", Locale("en"), zone), settings.chromium), shown)


def _check_part(report: Definition[Any], part: str | None) -> None:
    if part is not None and part not in report.parts:
        there = ", ".join(report.parts)
        raise typer.BadParameter(f"this report has no part {part!r}; it has {there}", param_hint="--part")


def _check_output(shown: Shown) -> None:
    """Refuse to pour a spreadsheet or PDF into a terminal, before anything is calculated."""
    if shown.form in (Format.XLSX, Format.PDF) and _to_stdout(shown) and sys.stdout.isatty():
        raise typer.BadParameter(f"{shown.form.value} is no text: name a file", param_hint="--output")


def _to_stdout(shown: Shown) -> bool:
    return shown.output in (None, "-")


def _texts(given: Mapping[str, Any]) -> dict[str, Sequence[str]]:
    """Values as a command line has them, as texts; what was not given is left out."""
    several = {name: value if isinstance(value, list) else [value] for name, value in given.items()}
    return {name: [str(one) for one in values if one is not None] for name, values in several.items()}


def _hint(report: Definition[Any], name: str) -> str:
    argument = any(one.name == name and "argument" in one.extra for one in options_of(report.options))
    return name.upper() if argument else f"--{name.replace('_', '-')}"


def _context(config: Config, queries: Queries, zone: ZoneInfo) -> Context:
    persons = config.section(TrackingSettings).visitor_cookies != "off"
    return Context(queries, naming_key(config), persons, zone)


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise typer.BadParameter(f"no time zone {name!r}, try Europe/Madrid", param_hint="--timezone") from error


def _table(built: Report, zone: ZoneInfo, shown: Shown) -> None:
    if _to_stdout(shown):
        Console(highlight=False).print(render.text(built, zone, shown.keys))
        return
    with _opened(str(shown.output)) as file, io.TextIOWrapper(file, "utf-8") as text:
        Console(file=text, highlight=False, width=160).print(render.text(built, zone, shown.keys))


def _stream(lines: Iterable[str], shown: Shown) -> None:
    """Write as it comes: the whole may not fit into memory."""
    if _to_stdout(shown):
        sys.stdout.writelines(lines)
        return
    with _opened(str(shown.output)) as file, io.TextIOWrapper(file, "utf-8", newline="") as text:
        text.writelines(lines)


def _write(content: bytes, shown: Shown) -> None:
    if _to_stdout(shown):
        text = shown.form in (Format.JSON, Format.CSV, Format.NDJSON)
        end = "\n" if shown.form is Format.JSON else ""
        if text:
            print(content.decode(), end=end)
        else:
            sys.stdout.buffer.write(content)
        return
    with _opened(str(shown.output)) as file:
        file.write(content + (b"\n" if shown.form is Format.JSON else b""))


def _opened(path: str) -> BinaryIO:
    try:
        return open(path, "wb")  # the callers close it
    except OSError as error:
        raise typer.BadParameter(f"{path} can't be written: {error.strerror}", param_hint="--output") from error


def _only(report: Report, part: str | None) -> Report:
    if part is None:
        return report
    found = [one for one in report.parts if one.key == part]
    if not found:
        there = ", ".join(one.key for one in report.parts)
        raise typer.BadParameter(f"there is nothing in part {part!r}; there is {there}", param_hint="--part")
    return replace(report, parts=found)


def _check_columns(report: Report, columns: Collection[str]) -> None:
    known = [column.key for part in report.parts if isinstance(part, Table) for column in part.columns]
    for name in columns:
        if name not in known:
            raise typer.BadParameter(f"no column {name!r}; there are {', '.join(known)}", param_hint="--columns")
