"""sendtrail chain show | repair | accept-gap: the chain from tracking.events to ClickHouse, and mending it."""

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sendtrail.cli import screen
from sendtrail.cli.config import load, tables

if TYPE_CHECKING:
    from clickhouse_driver import Client

    from sendtrail.settings import Config
    from sinks.gaps import Span
    from sinks.standing import Standing

_HOLES_SHOWN = 3
Partition = Annotated[int | None, typer.Option("--partition", "-p", help="Only this one; else all.", min=0)]


def register(app: typer.Typer) -> None:
    """Add the verbs of this file to the command."""
    group = typer.Typer(
        no_args_is_help=True,
        help="The chain of source records from tracking.events to ClickHouse: where it stands, and mending a gap.",
    )
    group.command("show")(show)
    group.command("repair")(repair)
    group.command("accept-gap")(accept_gap)
    app.add_typer(group, name="chain")


def show(
    partition: Partition = None,
    format: screen.TableOrLines = "table",
) -> None:
    """Show where each partition stands, which source records are missing, and whether they can be read again.

    Reads what is not loaded yet from tracking.enriched, so it says the same whether the loader runs or not. Changes
    nothing. Exit code 1 if records are missing anywhere.
    """
    with _tools() as (config, client):
        found = _standings(config, client, partition)
    if format == "json":
        for one in found:
            print(json.dumps(as_json(one)))
    else:
        _print(found)
    raise typer.Exit(1 if any(one.gap or one.lost or one.holes for one in found) else 0)


def repair(
    partition: Partition = None,
    from_: Annotated[
        int | None,
        typer.Option("--from", help="From this source offset on, gap or none; needs --partition.", min=0),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")] = False,
    wait: Annotated[float, typer.Option(help="So many seconds for it to be loaded; 0 = don't wait.", min=0)] = 600.0,
) -> None:
    """Have missing source records enriched and loaded.

    Sets the workers' group back to the first missing record: the workers go on from there by themselves, whether they
    run now (they pause for some seconds) or are started later. What they enrich a second time is dropped by the chain,
    so doing it twice changes nothing, and interrupting it neither. The loader's stopped partitions then go on by
    themselves. Exit code 1 if records are gone from Kafka (chain accept-gap), or were not loaded in time.
    """
    if from_ is not None and partition is None:
        raise typer.BadParameter("--from needs --partition: offsets are of one partition")
    with _tools() as (config, client):
        found = _standings(config, client, partition)
        gaps = {one.partition: (one, one.gap) for one in found if one.gap is not None}
        if from_ is not None:
            gaps = {one.partition: (one, _from(one, from_)) for one in found}
        lost = _say_plan(gaps)
        todo = {number: each for number, each in gaps.items() if number not in lost}
        whole = not lost
        if todo and not dry_run:
            whole = _repair(config, client, todo, wait) and whole
    raise typer.Exit(0 if whole else 1)


def accept_gap(
    partition: Annotated[int, typer.Option("--partition", "-p", help="Which partition.", min=0)],
    reason: Annotated[str, typer.Option(help="Why they are lost; kept in table audit with who said so.")],
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be accepted, and do nothing.")] = False,
) -> None:
    """Go on without source records that are gone for good. Their events are lost: nothing brings them back.

    Refuses for records that tracking.events still holds (chain repair). What is accepted is a row of table audit, and
    so in `sendtrail audit` for ever. The loader's stopped partition then goes on by itself.
    """
    from sendtrail.settings import ClickHouseSettings
    from sinks.mend import accept

    if not reason.strip():
        raise typer.BadParameter("--reason must say something")
    with _tools() as (config, client):
        (one,) = _standings(config, client, partition)
        missing = one.gap or one.lost or next(iter(one.holes), None)
        if missing is None:
            print(f"partition {partition}: nothing is missing")
            return
        lost = _gone_for_good(config, client, one, missing)
        told = f"source offsets {lost} of partition {partition} ({lost.records:,} records)"
        if dry_run:
            print(f"would accept that {told} are lost")
            return
        if not yes and not typer.confirm(f"Accept that {told} are lost for good?"):
            raise typer.Exit(1)
        accept(config.section(ClickHouseSettings), client, one, lost, reason)
    print(f"accepted: {told} are lost. sendtrail chain show says what is left")


def _gone_for_good(config: "Config", client: "Client", one: "Standing", missing: "Span") -> "Span":
    """What of it no topic holds. Raises MendError where all of it, or its beginning, can be had."""
    from sendtrail.settings import KafkaSettings
    from sinks.gaps import Span, gone, remedy
    from sinks.mend import MendError
    from sinks.replay import Slice, absent_spans

    lost = gone(missing, one.held)
    if missing is not one.gap:
        absent = absent_spans(config.section(KafkaSettings), client, [Slice(one, missing)]).get(one.partition, [])
        if not absent or absent[0].first != missing.first:
            raise MendError(
                f"source offsets {missing} of partition {one.partition} are still in tracking.enriched: "
                f"sendtrail replay --partition {one.partition} --from {missing.first} --to {missing.last}"
            )
        lost = Span(lost.first, min(lost.last, absent[0].last)) if lost is not None else None
    if lost is None or lost.first != missing.first:
        raise MendError(
            f"source offsets {missing} of partition {one.partition} can still be read. "
            f"{remedy(one.partition, *missing, one.held)}"
        )
    return lost


def as_json(one: "Standing") -> dict[str, Any]:
    """A partition for machines; spans as [first, last]."""
    spans = ("gap", "gone", "readable", "lost")
    return {
        "partition": one.partition, "topic_id": one.topic_id, "loaded": one.loaded, "enriched": one.waiting,
        "processed": one.processed, "log": list(one.held),
        **{name: list(span) if (span := getattr(one, name)) else None for name in spans},
        "holes": [list(hole) for hole in one.holes],
    }  # fmt: skip


@contextmanager
def _tools() -> "Iterator[tuple[Config, Client]]":
    config = load()
    with tables(config) as client:
        yield config, client


def _standings(config: "Config", client: "Client", partition: int | None) -> "list[Standing]":
    from sendtrail.settings import KafkaSettings
    from sinks.standing import standings

    kafka = config.section(KafkaSettings)
    if partition is not None and partition >= kafka.partitions:
        raise typer.BadParameter(f"there is no partition {partition}: kafka.partitions is {kafka.partitions}")
    with screen.bars() as progress:
        task = progress.add_task("reading tracking.enriched", total=None)
        found = standings(kafka, client, lambda done, of: progress.update(task, completed=done, total=of))
    return [one for one in found if partition in (None, one.partition)]


def _from(one: "Standing", first: int) -> "Span":
    from sinks.gaps import Span

    return Span(first, max(first, one.processed - 1))


def _say_plan(gaps: "dict[int, tuple[Standing, Span]]") -> set[int]:
    """Say what is to be done; the partitions of which something is gone."""
    from sinks.gaps import gone

    lost: set[int] = set()
    if not gaps:
        print("nothing is missing")
    for number, (one, span) in gaps.items():
        missing = gone(span, one.held)
        if missing is None:
            print(f"partition {number}: source offsets {span}, to be enriched again from {span.first} on")
        else:
            lost.add(number)
            print(
                f"partition {number}: source offsets {missing} are gone from tracking.events; go on without them: "
                f'sendtrail chain accept-gap --partition {number} --reason "…"',
                file=sys.stderr,
            )
    return lost


def _repair(config: "Config", client: "Client", todo: "dict[int, tuple[Standing, Span]]", wait_s: float) -> bool:
    from sendtrail.settings import KafkaSettings
    from sinks.mend import set_back, wait_loaded

    removed = set_back(config.section(KafkaSettings), {number: span.first for number, (_, span) in todo.items()})
    print(f"the workers' group is set back{f'; {removed} workers join it again' if removed else ''}")
    if not wait_s:
        return True
    wanted = {number: (one, max(span.last, one.loaded)) for number, (one, span) in todo.items()}
    total = sum(last - one.loaded for one, last in wanted.values())
    with screen.bars() as progress:
        task = progress.add_task("loading what was missing", total=total)
        whole = wait_loaded(client, wanted, lambda done: progress.update(task, completed=done), wait_s)
    if whole:
        print(f"repaired: {total:,} source records were loaded")
    else:
        print(
            f"not loaded within {wait_s:g} s: do a worker and a loader run? `sendtrail status`, then this again",
            file=sys.stderr,
        )
    return whole


def _print(found: "Sequence[Standing]") -> None:
    from rich.console import Console

    console = Console(highlight=False)
    table = screen.table(title="Source offsets", title_justify="left")
    for heading in ("partition", "loaded", "enriched", "processed", "log holds", "missing"):
        table.add_column(heading, justify="right" if heading != "missing" else "left", no_wrap=True)
    for one in found:
        cells = (one.loaded, one.waiting, one.processed - 1)
        held = f"{one.held.begin}-{one.held.end - 1}" if one.held.end > one.held.begin else "nothing"
        table.add_row(str(one.partition), *(str(c) if c >= 0 else "–" for c in cells), held, str(one.gap or "–"))
    console.print(table)
    problems = [problem for one in found for problem in _problems(one)]
    for problem in problems:
        console.print(problem, soft_wrap=True)
    console.print("records are MISSING" if problems else "the chain is whole", style="bold")


def _problems(one: "Standing") -> Iterator[str]:
    from sinks.gaps import remedy

    whose = f"partition {one.partition}"
    if one.gap is not None:
        yield f"{whose}: source offsets {one.gap} are missing. {remedy(one.partition, *one.gap, one.held)}"
    if one.lost is not None:
        yield (
            f"{whose}: {one.lost} were loaded, and ClickHouse has them no more. Load them again: sendtrail replay "
            f"--partition {one.partition} --from {one.lost.first} --to {one.lost.last}"
        )
    for hole in one.holes[:_HOLES_SHOWN]:
        yield (
            f"{whose}: {hole} are in no row of table audit. Load them again: sendtrail replay "
            f"--partition {one.partition} --from {hole.first} --to {hole.last}"
        )
    if len(one.holes) > _HOLES_SHOWN:
        yield f"{whose}: and {len(one.holes) - _HOLES_SHOWN} more holes: --format json lists all"
