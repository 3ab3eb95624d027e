"""sendtrail audit: prove that everything accepted is counted, and say where what is not was lost."""

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sendtrail.cli import screen

if TYPE_CHECKING:
    from rich.console import Console

    from sendtrail.settings import Config
    from sinks.audit import Audit
    from sinks.audit_findings import Finding

_SHOWN_MINUTES = 20
_SHOWN_FINDINGS = 20
COLUMNS = (
    "accepted", "in_topic", "resent", "duplicate", "rejected", "enriched", "stored", "waiting", "given_up",
    "difference",
)  # fmt: skip

_HEADINGS = (
    "ac-\ncepted", "in\ntopic", "re-\nsent", "dupli-\ncate", "re-\njected", "en-\nriched", "\nstored",
    "wait-\ning", "given\nup", "differ-\nence",
)  # fmt: skip


def register(app: typer.Typer) -> None:
    """Add the verbs of this file to the command."""
    app.command("audit")(audit)


def audit(
    since: Annotated[
        float, typer.Option(help="Only event times of the last so many hours; 0 = everything there is.", min=0)
    ] = 0.0,
    until: Annotated[float, typer.Option(help="Only event times up to so many hours ago; 0 = up to now.", min=0)] = 0.0,
    all_minutes: Annotated[
        bool, typer.Option("--all", help=f"Every minute and every finding, not the last {_SHOWN_MINUTES} minutes.")
    ] = False,
    format: screen.TableOrObject = "table",
) -> None:
    """Compare what edges and API accepted with what ClickHouse holds, and say where a difference comes from.

    Derived from segment, pack and record headers and from rows, never from a process's counters. Accepted = stored +
    duplicate + rejected + waiting + given up; the difference is 0. Each difference is explained: how many events, of
    which minutes, in which spool file, topic, partition and offsets, the likely cause, and what to do.

    May run beside traffic. Spools of other machines are seen as far as their events arrived. On a large installation
    `--since 24` takes a fraction of the time. Exit code 1 if anything differs or contradicts.
    """
    from sendtrail.cli.config import load

    result = _run(load(), since, until)
    if format == "json":
        print(json.dumps(as_json(result)))
    else:
        _print_table(result, all_minutes)
    raise typer.Exit(0 if result.even else 1)


def _run(config: "Config", since: float, until: float) -> "Audit":
    from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn

    from sendtrail.clickhouse import connect
    from sendtrail.settings import ClickHouseSettings, ForwardSettings, KafkaSettings, RetentionSettings
    from sinks.audit import balance
    from sinks.audit_sources import Place, read_books, since_hours

    clickhouse = config.section(ClickHouseSettings)
    patient = clickhouse.model_copy(update={"timeout_s": max(clickhouse.timeout_s, 3600.0)})
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with connect(patient) as client, screen.bars(*columns) as progress:
        task = progress.add_task("audit", total=None)
        place = Place(
            client, config.section(KafkaSettings), config.section(ForwardSettings).spool_dirs,
            config.section(RetentionSettings),
        )  # fmt: skip

        def step(what: str, number: int) -> None:
            if number % 1000 == 0:
                progress.update(task, description=f"{what}: {number:,}" if number else what)

        return balance(read_books(place, since_hours(since, until), step))


def as_json(result: "Audit") -> dict[str, Any]:
    """The balance and its findings for machines; minutes in UTC, ISO 8601."""
    from sinks.audit_findings import minute_text

    return {
        "even": result.even,
        "total": asdict(result.total),
        "minutes": [{"minute": minute_text(minute), **asdict(line)} for minute, line in result.minutes.items()],
        "not_provable_before": minute_text(result.kept_from) if result.kept_from else None,
        "problems": result.problems,
        "findings": [_finding_json(finding) for finding in result.findings],
    }


def _finding_json(finding: "Finding") -> dict[str, Any]:
    from sinks.audit_findings import minute_text

    minutes = [minute_text(minute) for minute in finding.minutes] if finding.minutes else None
    return {
        "kind": finding.kind, "weight": finding.weight, "events": finding.events, "minutes": minutes,
        "what": finding.what, "where": finding.where, "cause": finding.cause, "next": finding.next,
        "place": finding.place,
    }  # fmt: skip


def _print_table(result: "Audit", whole: bool) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False)
    title = "Audit: accepted = stored + duplicate + rejected + waiting + given up"
    table = Table(title=title, title_justify="left", box=None, padding=(0, 0, 0, 1), pad_edge=False)
    table.add_column("minute\n(UTC)", no_wrap=True)
    for heading in _HEADINGS:
        table.add_column(heading, justify="right", no_wrap=True)
    shown = _shown(result, whole)
    left_out = len(result.minutes) - len(shown)
    if left_out:
        table.add_row(f"{left_out} others", *["…" for _ in COLUMNS])
    for minute in shown:
        line = result.minutes[minute]
        style = "red" if line.difference else None
        table.add_row(_short(minute), *(str(getattr(line, column)) for column in COLUMNS), style=style)
    table.add_section()
    table.add_row("total", *(str(getattr(result.total, column)) for column in COLUMNS), style="bold")
    console.print(table)
    _print_findings(console, result, whole)
    console.print("even: nothing lost, nothing twice" if result.even else "NOT even", style="bold")


def _shown(result: "Audit", whole: bool) -> list[int]:
    """The last minutes, and before them the last uneven ones: those are what is looked for."""
    minutes = list(result.minutes)
    if whole or len(minutes) <= _SHOWN_MINUTES:
        return minutes
    uneven = [minute for minute in minutes if result.minutes[minute].difference][-_SHOWN_MINUTES:]
    return sorted({*uneven, *minutes[-_SHOWN_MINUTES:]})


def _print_findings(console: "Console", result: "Audit", whole: bool) -> None:
    from rich.padding import Padding
    from rich.text import Text

    from sinks.audit_findings import minute_text, minutes_text

    if result.kept_from:
        console.print(
            f"Before {minute_text(result.kept_from)} nothing can be proved: rows are not kept for longer "
            "(settings retention.events_days, retention.audit_days)."
        )
    ordered = result.differences + [finding for finding in result.findings if finding.weight == "note"]
    for number, finding in enumerate(ordered[: None if whole else _SHOWN_FINDINGS], 1):
        loss = finding.weight == "difference"
        console.print(Text(f"\n{number}. {finding.what}", style="red" if loss else "bold"))
        lines = (
            ("when", minutes_text(finding.minutes)), ("where", finding.where), ("why", finding.cause),
            ("do", finding.next),
        )  # fmt: skip
        for name, text in lines:
            if text:
                console.print(Padding(Text.assemble((f"{name}: ", "dim"), text), (0, 0, 0, 3)))
    if len(ordered) > _SHOWN_FINDINGS and not whole:
        console.print(f"… and {len(ordered) - _SHOWN_FINDINGS} more: --all or --format json lists them")
    if ordered:
        console.print()


def _short(minute: int) -> str:
    from sinks.audit_findings import minute_text

    return minute_text(minute)[5:-1].replace("T", " ") if minute > 0 else minute_text(minute)
