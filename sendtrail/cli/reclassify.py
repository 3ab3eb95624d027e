"""sendtrail reclassify: stored hits judged again by other rules."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sendtrail.cli import screen

if TYPE_CHECKING:
    from dashboards.choice import Delivery
    from sendtrail.cli.reclassifying import Job, Judged
    from sendtrail.settings import Config

_NAMES = {
    "recipient_open": "recipients who opened", "total_open": "opens", "recipient_click": "recipients who clicked",
    "total_click": "clicks", "opt_out_clicks": "opt-out page views", "mirror": "mirror page views", "hits": "hits",
}  # fmt: skip


def register(app: typer.Typer) -> None:
    """Add the verbs of this file to the command."""
    app.command("reclassify")(reclassify)


def reclassify(
    delivery: Annotated[list[str], typer.Option("--delivery", "-d", help="Name or key; may be repeated.")],
    ruleset: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Rules, *.toml as for streams.rules_dir; without it those the worker has (that setting).",
        ),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would change, and change nothing.")] = False,
    reasons: Annotated[
        bool, typer.Option("--reasons", help="Also re-label hits whose class stays and only the reasons are others.")
    ] = False,
    wait: Annotated[bool, typer.Option(help="Wait until the loader has put the re-labels into the tables.")] = True,
    format: screen.TableOrLines = "table",
) -> None:
    """Judge a delivery's stored hits again by other rules, and re-label those that come out differently.

    Shows the difference first, then publishes re-labels into tracking.events: nothing is updated in place, and every
    hit keeps the classes it had (`sendtrail trace`). Hits younger than an hour are the worker's and stay; hits that are
    right already are not touched, so doing it twice changes nothing, and doing it with the old rules takes it back.

    A run that was killed is finished by the same command. Exit code 1 if it was interrupted, if another run over the
    delivery is on, or if there is no such delivery; 3 if a rules file is wrong.
    """
    from sendtrail.cli.config import load
    from sendtrail.cli.reclassifying import Job
    from sendtrail.settings import StreamSettings
    from streams.check_rules import load_checked

    config = load()
    rules = load_checked(ruleset or config.section(StreamSettings).rules_dir)
    for found in _deliveries(config, delivery):
        _one(Job(config, found.delivery, rules, reasons, wait), found.title, dry_run, format == "json")


def _one(job: "Job", title: str, dry_run: bool, as_json_: bool) -> None:
    from sendtrail.cli import reclassifying

    if dry_run:
        _show(job, title, reclassifying.look(job), "dry run", as_json_)
        return
    with reclassifying.alone(job) as held:
        earlier = reclassifying.finish_earlier(job)
        if earlier is not None and not as_json_:
            print(f"run {earlier.name} of before is finished: {earlier.relabels:,} re-labels, rules {earlier.ruleset}")
        judged = reclassifying.prepare(job, held)
        if not as_json_:
            _show(job, title, judged, "", False)
        reclassifying.publish(job, judged.run)
    if as_json_:
        _show(job, title, judged, "published", True)
    elif judged.run.relabels:
        where = "are in the tables" if job.wait else "are in Kafka"
        print(f"{judged.run.relabels:,} re-labels {where}: run {judged.run.name}")
    else:
        print("nothing to re-label")


def as_json(job: "Job", judged: "Judged", dry_run: bool) -> dict[str, Any]:
    """The outcome for machines; the key as text, since many JSON readers lose digits of large numbers."""
    found = judged.difference
    return {
        "delivery": str(job.delivery),
        "ruleset": job.rules.version,
        "run": None if dry_run or not judged.run.relabels else judged.run.name,
        "dry_run": dry_run,
        "hits": found.hits,
        "younger_than_an_hour": found.young,
        "relabels": judged.run.relabels,
        "changes": [{**change._asdict(), "hits": hits} for change, hits in found.changes.most_common()],
        "indicators": {
            cut: {name: {"before": before, "after": after} for name, (before, after) in numbers.items()}
            for cut, numbers in found.numbers().items()
        },
        "not_by_all_rules": judged.missing,
    }


def _show(job: "Job", title: str, judged: "Judged", kind: str, as_json_: bool) -> None:
    if as_json_:
        print(json.dumps(as_json(job, judged, kind == "dry run")))
        return
    from rich.console import Console

    console, found = Console(highlight=False, soft_wrap=True), judged.difference
    console.print(f"{title} by rules {job.rules.version}{', dry run' if kind else ''}", style="bold", markup=False)
    console.print(f"{found.hits:,} hits, {found.young:,} of them younger than an hour: {judged.run.relabels:,} change")
    if found.changes:
        table = screen.table("kind", "now", "then", "reason")
        table.add_column("hits", justify="right")
        for change, hits in found.changes.most_common():
            table.add_row(*change, f"{hits:,}")
        console.print(table)
        console.print(_indicators(judged))
    for why, hits in judged.missing.items():
        console.print(f"not by all rules: {hits:,} {why}", markup=False)


def _indicators(judged: "Judged") -> Any:
    table = screen.table("indicator")
    for cut in ("people", "all"):
        for when in ("now", "then"):
            table.add_column(f"{cut}, {when}", justify="right")
    numbers = judged.difference.numbers()
    for name, text in _NAMES.items():
        table.add_row(text, *(f"{number:,}" for cut in ("people", "all") for number in numbers[cut][name]))
    return table


def _deliveries(config: "Config", names: list[str]) -> "list[Delivery]":
    from dashboards.choice import by_names
    from dashboards.queries import Queries
    from sendtrail.cli.config import naming_key, tables
    from sendtrail.settings import ReportSettings

    with tables(config) as client:
        return by_names(Queries(client, config.section(ReportSettings)), names, naming_key(config))
