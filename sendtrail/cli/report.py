"""sendtrail report: numbers of deliveries and recipients as a table, JSON or CSV."""

import sys
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Annotated

import typer

from sendtrail.cli.report_options import (
    By,
    Columns,
    Cut,
    CutOption,
    Deliveries,
    Format,
    FormatOption,
    Group,
    Kind,
    Live,
    Part,
    Timezone,
)  # fmt: skip

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from dashboards.queries import Queries
    from dashboards.scope import Scope
    from dashboards.shape import Report
    from sendtrail.settings import Config

EXIT_UNREACHABLE = 4

reports = typer.Typer(
    help="Numbers of deliveries and recipients. Every number exists in two cuts, people and all.",
    epilog="Exit codes: 0 done, 1 unknown delivery or refused query, 2 wrong usage, 3 settings, 4 ClickHouse away.",
    no_args_is_help=True,
)


def register(app: typer.Typer) -> None:
    """Add the verbs of this file to the command."""
    app.add_typer(reports, name="report")


@reports.command(epilog="Example: sendtrail report deliveries --tag newsletter --format csv")
def deliveries(
    cut: CutOption = Cut.PEOPLE,
    form: FormatOption = Format.TABLE,
    live: Live = False,
    channel: Annotated[str, typer.Option(help="Only deliveries of this channel.")] = "",
    tag: Annotated[str, typer.Option(help="Only deliveries with this tag.")] = "",
    search: Annotated[str, typer.Option(help="Only where label, name or code contain this.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="The newest so many.")] = 50,
    columns: Columns = None,
    timezone: Timezone = None,
) -> None:
    """List deliveries, newest first: to deliver, success, opens, clicks, unsubscribes, machine share."""

    def build(queries: "Queries", _config: "Config") -> "Report":
        from dashboards.report_deliveries import Filters
        from dashboards.report_deliveries import build as build_report

        return build_report(queries, cut.value, live, Filters(channel, tag, search, limit))

    _show(build, form, None, timezone, _split(columns))


@reports.command(epilog="Example: sendtrail report indicators -d june-news -d july-news --by domain --cut all")
def indicators(
    delivery: Deliveries,
    cut: CutOption = Cut.PEOPLE,
    form: FormatOption = Format.TABLE,
    live: Live = False,
    by: Annotated[Group | None, typer.Option(help="Add a row per e-mail domain.")] = None,
    part: Part = None,
    timezone: Timezone = None,
) -> None:
    """Show every indicator of a delivery: delivered, opens, clicks, people, opt-outs, site, machines, times.

    Of several deliveries messages and counts add up, persons are a union, estimates and forwards are sums of each
    delivery's own. A rate over nothing is shown as – (null in JSON).

    Parts: indicators, excluded, transactions, shares, domains (with --by domain).
    """

    def build(queries: "Queries", config: "Config") -> "Report":
        from dashboards.report_indicators import build as build_report

        scope, settings = _scope(queries, config, delivery, cut, live), queries.settings
        return build_report(scope, by is Group.DOMAIN, settings.share_networks, settings.report_domains)

    _show(build, form, part, timezone)


@reports.command(epilog="Example: sendtrail report urls -d june-news --by category --top 20")
def urls(
    delivery: Deliveries,
    cut: CutOption = Cut.PEOPLE,
    form: FormatOption = Format.TABLE,
    live: Live = False,
    by: Annotated[By, typer.Option(help="What makes a row. label is the URL for links without one.")] = By.LABEL,
    top: Annotated[int, typer.Option(min=1, max=10_000, help="Links with a row of their own.")] = 10,
    part: Part = None,
    timezone: Timezone = None,
) -> None:
    """Show which links were clicked, and the click rates beside the platform's average.

    The rows add up to the total: the rest is Others, and links that are not registered are a row of their own.
    Opt-out and mirror links are no clicks and are listed apart.

    Parts: rates, links, other_links.
    """

    def build(queries: "Queries", config: "Config") -> "Report":
        from dashboards.report_urls import build as build_report

        return build_report(_scope(queries, config, delivery, cut, live), by.value, top)

    _show(build, form, part, timezone)


@reports.command(epilog="Example: sendtrail report statistics -d june-news --format csv --part elapsed")
def statistics(
    delivery: Deliveries,
    cut: CutOption = Cut.PEOPLE,
    form: FormatOption = Format.TABLE,
    part: Part = None,
    timezone: Timezone = None,
) -> None:
    """Show how opens, clicks and transactions grew since the start, and when 10 %, 20 % … 90 % were reached.

    The start is the contact date, else the first message sent, else the first hit.

    Parts: starts, cumulated, elapsed.
    """

    def build(queries: "Queries", config: "Config") -> "Report":
        from dashboards.report_statistics import build as build_report

        return build_report(_scope(queries, config, delivery, cut, live=True))

    _show(build, form, part, timezone)


@reports.command(epilog="Example: sendtrail report recipient 4711 --kind click --columns time,delivery,url")
def recipient(
    name: Annotated[str, typer.Argument(metavar="NAME|KEY", help="The recipient, as the sender calls it.")],
    cut: CutOption = Cut.PEOPLE,
    form: FormatOption = Format.TABLE,
    kind: Annotated[list[Kind] | None, typer.Option(help="Only hits of this kind; repeatable.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="The newest so many.")] = 100,
    uncounted: Annotated[
        bool, typer.Option("--uncounted", help="Also repeats, seeds and other events that count as no hit.")
    ] = False,
    columns: Columns = None,
    timezone: Timezone = None,
) -> None:
    """List every hit of a recipient over all deliveries, newest first."""

    def build(queries: "Queries", config: "Config") -> "Report":
        from dashboards.report_recipient import Wanted
        from dashboards.report_recipient import build as build_report

        wanted = Wanted([one.value for one in kind or ()], limit, uncounted)
        return build_report(queries, name, _naming_key(config), cut.value, wanted)

    _show(build, form, None, timezone, _split(columns))


def _show(
    build: "Callable[[Queries, Config], Report]",
    form: Format,
    part: str | None,
    timezone: str | None,
    columns: Collection[str] = (),
) -> None:
    from dashboards.queries import Queries, Unreachable
    from sendtrail.cli.config import load
    from sendtrail.clickhouse import connect
    from sendtrail.settings import ClickHouseSettings, ReportSettings

    config = load()
    settings = config.section(ReportSettings)
    zone = _zone(timezone or settings.timezone)
    try:
        with connect(config.section(ClickHouseSettings)) as client:
            report = build(Queries(client, settings), config)
    except Unreachable as error:
        print(f"sendtrail: {error}", file=sys.stderr)
        raise typer.Exit(EXIT_UNREACHABLE) from None
    _print(_only(report, part), form, zone, columns)


def _print(report: "Report", form: Format, zone: "ZoneInfo", columns: Collection[str]) -> None:
    from rich.console import Console

    from dashboards import render

    _check_columns(report, columns)
    match form:
        case Format.JSON:
            print(render.as_json(report, zone))
        case Format.CSV:
            print(render.as_csv(report.parts[0], zone), end="")
        case _:
            Console(highlight=False).print(render.text(report, zone, columns))


def _only(report: "Report", part: str | None) -> "Report":
    from dataclasses import replace

    if part is None:
        return report
    found = [one for one in report.parts if one.key == part]
    if not found:
        there = ", ".join(one.key for one in report.parts)
        raise typer.BadParameter(f"this report has no part {part!r}; it has {there}", param_hint="--part")
    return replace(report, parts=found)


def _check_columns(report: "Report", columns: Collection[str]) -> None:
    from dashboards.shape import Table

    known = [column.key for part in report.parts if isinstance(part, Table) for column in part.columns]
    for name in columns:
        if name not in known:
            raise typer.BadParameter(f"no column {name!r}; there are {', '.join(known)}", param_hint="--columns")


def _split(columns: str | None) -> list[str]:
    return [name.strip() for name in (columns or "").split(",") if name.strip()]


def _scope(queries: "Queries", config: "Config", names: list[str], cut: Cut, live: bool) -> "Scope":
    from dashboards.choice import by_names
    from dashboards.scope import Scope
    from sendtrail.settings import TrackingSettings

    persons = config.section(TrackingSettings).visitor_cookies != "off"
    return Scope(queries, by_names(queries, names, _naming_key(config)), cut.value, live, persons)


def _naming_key(config: "Config") -> bytes | None:
    from sendtrail import keyring
    from sendtrail.errors import KeysError
    from sendtrail.settings import KeySettings

    try:
        return keyring.load(config.section(KeySettings).file).naming_key
    except KeysError:
        return None


def _zone(name: str) -> "ZoneInfo":
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise typer.BadParameter(f"no time zone {name!r}, try Europe/Madrid", param_hint="--timezone") from error
