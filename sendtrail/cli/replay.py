"""sendtrail replay: what ClickHouse lost or has wrong, made again from Kafka or from its own events."""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from sendtrail.cli import screen
from sendtrail.cli.times import milliseconds

if TYPE_CHECKING:
    from clickhouse_driver import Client

    from sendtrail.settings import Config
    from sinks.gaps import Span
    from sinks.recount import Aggregate
    from sinks.replay import Outcome, Slice
    from sinks.standing import Standing

_REGISTRY = ("deliveries", "delivery_urls", "delivery_contents", "consents")


def register(app: typer.Typer) -> None:
    """Add the verbs of this file to the command."""
    app.command("replay")(replay)


def replay(
    partition: Annotated[
        int | None, typer.Option("--partition", "-p", help="--from and --to are source offsets of this one.", min=0)
    ] = None,
    from_: Annotated[
        str | None, typer.Option("--from", help="First source offset with --partition, else a time: 2026-11-24T15:00.")
    ] = None,
    to: Annotated[str | None, typer.Option("--to", help="Last source offset, or a time (UTC).")] = None,
    lost: Annotated[
        bool, typer.Option("--lost", help="Whatever Kafka's commits say is loaded and ClickHouse lacks, everywhere.")
    ] = False,
    table: Annotated[
        list[str] | None,
        typer.Option("--table", help="Only this one, may be repeated: events, rejects, audit or an aggregate."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Count what is missing or wrong; change nothing.")] = False,
) -> None:
    """Make again what ClickHouse lost or has wrong: rows from tracking.enriched, aggregates from the rows of events.

    The loader names the command after a back-up was restored; it goes on by itself afterwards. Nothing that is right
    is touched: missing rows and differences are inserted, so readers never see a wrong number, and doing it twice
    changes nothing. It may be killed at any time; the same command goes on. Loaders hold for a moment at each step.

    Without --from and --to, a --table is looked through as a whole: aggregates over all deliveries whose events are
    still stored. Exit code 1 if Kafka has not all of it any more: what is missing is named.
    """
    aggregates = [name for name in table or () if name not in ("events", "rejects", "audit", *_REGISTRY)]
    if partition is None and not (from_ or to or lost or table):
        raise typer.BadParameter("say what: --lost, --partition with --from and --to, --from and --to, or --table")
    if partition is not None and (from_ is None or to is None):
        raise typer.BadParameter("--partition needs --from and --to, both source offsets of it")
    run = _Run(dry_run)
    try:
        whole = True
        if len(aggregates) < len(table or ()) or not table:
            whole = run.rows(partition, from_, to, lost, [name for name in table or () if name not in aggregates])
        if aggregates:
            run.aggregates(aggregates, from_ if partition is None else None)
    finally:
        run.close()
    raise typer.Exit(0 if whole else 1)


class _Run:
    """One call: settings, a client, and the bars."""

    def __init__(self, dry_run: bool) -> None:
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn

        from sendtrail.cli.config import load, tables
        from sendtrail.settings import ClickHouseSettings, KafkaSettings

        self._dry_run = dry_run
        self._config: Config = load()
        self._kafka = self._config.section(KafkaSettings)
        self._settings = self._config.section(ClickHouseSettings)
        self._connection = tables(self._config)
        self._client: Client = self._connection.__enter__()
        self._bars = screen.bars(
            TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
        )
        self._bars.start()

    def close(self) -> None:
        """Take the bars away, disconnect."""
        self._bars.stop()
        self._connection.__exit__(None, None, None)

    def rows(
        self, partition: int | None, from_: str | None, to: str | None, lost: bool, tables: Sequence[str]
    ) -> bool:  # fmt: skip
        """From tracking.enriched, and the registry where all is lost. True if Kafka had all of it."""
        from sinks.erased import Erased
        from sinks.keys import keep_addresses, naming_key
        from sinks.replay import LOADED, Tools, absent_spans, replay, with_margin

        wanted = [name for name in tables if name in LOADED] or (list(LOADED) if not tables else [])
        slices = self._slices(partition, from_, to, lost) if wanted else []
        whole = True
        if slices:
            for one in slices:
                print(f"partition {one.standing.partition}: source offsets {one.span}")
            slices = [with_margin(self._client, one) for one in slices]
            task = self._bars.add_task("source records", total=sum(one.span.records for one in slices))
            erased = Erased(naming_key(self._config))
            tools = Tools(self._kafka, self._settings, self._client, erased, keep_addresses(self._config))
            whole, later = self._say_absent(
                absent_spans(self._kafka, self._client, slices),
                {one.standing.partition: one.standing for one in slices},
            )
            if later:
                return False
            outcome = replay(
                tools, slices, lambda done: self._bars.advance(task, done), tables=wanted, dry_run=self._dry_run
            )  # fmt: skip
            self._say(outcome)
        elif wanted:
            print("nothing is lost: ClickHouse has what Kafka's commits say is loaded")
        if (lost and not tables) or any(name in _REGISTRY for name in tables):
            self._registry()
        return whole

    def _slices(
        self, partition: int | None, from_: str | None, to: str | None, lost: bool
    ) -> "list[Slice]":  # fmt: skip
        from sinks.gaps import Span
        from sinks.replay import Slice
        from sinks.replay import lost as lost_slices
        from sinks.standing import offsets_at, standings

        task = self._bars.add_task("looking where the chain stands", total=None)
        found = standings(self._kafka, self._client, lambda done, of: self._bars.update(task, completed=done, total=of))
        self._bars.remove_task(task)
        if partition is not None:
            if partition >= len(found):
                raise typer.BadParameter(f"there is no partition {partition}: kafka.partitions is {len(found)}")
            first, last = _offset(from_, "--from"), _offset(to, "--to")
            if first > last:
                raise typer.BadParameter("--to is before --from")
            return _clip([Slice(found[partition], Span(first, last))])
        if lost:
            return lost_slices(found)
        begins = offsets_at(self._kafka, milliseconds("--from", from_))
        ends = offsets_at(self._kafka, milliseconds("--to", to) + 1) if to else {}
        slices = []
        for one in found:
            last = ends.get(one.partition, one.held.end) - 1
            if begins[one.partition] <= last:
                slices.append(Slice(one, Span(begins[one.partition], last)))
        return _clip(slices)

    def _say(self, outcome: "Outcome") -> None:
        word = "missing" if self._dry_run else "inserted"
        print(f"rows {word}: " + ", ".join(f"{name} {rows:,}" for name, rows in outcome.rows.items()))
        if outcome.keys:
            print(f"aggregates: {outcome.keys:,} keys put right")

    def _say_absent(
        self, absent: "dict[int, list[Span]]", standings: "dict[int, Standing]"
    ) -> tuple[bool, bool]:  # fmt: skip
        """True if Kafka has everything; and whether some of it can be had again, which has to come first."""
        from sinks.gaps import gone, readable

        later = False
        for partition, span in [(number, span) for number, spans in absent.items() for span in spans]:
            held = standings[partition].held
            there, lost = readable(span, held), gone(span, held)
            whose = f"partition {partition}: source offsets"
            _warn(f"{whose} {span} are not in tracking.enriched any more")
            if lost is not None:
                _warn(f"{whose} {lost} can't be restored: tracking.events has them no more either")
            if there is not None:
                later = True
                _warn(
                    f"{whose} {there} can be enriched again: sendtrail chain repair --partition {partition} "
                    f"--from {there.first}"
                )
        if later:
            _warn(
                "nothing was replayed: what comes after depends on it. Have it enriched, then give this command again"
            )
        return not absent, later

    def _registry(self) -> None:
        from sinks.erased import Erased
        from sinks.keys import naming_key
        from sinks.registry import Registry

        if self._dry_run:
            print(f"would read {', '.join(_REGISTRY)} again from their topics")
            return
        task = self._bars.add_task("registry", total=None)
        records = Registry(self._kafka, self._settings, Erased(naming_key(self._config))).fill(
            self._client, lambda done: self._bars.update(task, completed=done)
        )
        print(f"registry: {records:,} records read again")

    def aggregates(self, names: Sequence[str], since: str | None) -> None:
        """From the rows of events."""
        from sendtrail.settings import LoaderSettings
        from sinks.rebuild import rebuild
        from sinks.recount import aggregates
        from sinks.verify import scope

        known = {aggregate.target: aggregate for aggregate in aggregates(self._client)}
        chosen: list[Aggregate] = [known[name] for name in names if name in known]
        if len(chosen) < len(names):
            others = sorted(set(names) - known.keys())
            raise typer.BadParameter(
                f"{', '.join(others)} can't be replayed. These can: events, rejects, audit, "
                f"{', '.join(sorted(known))}, {', '.join(_REGISTRY)}"
            )
        looked_at = scope(self._client, milliseconds("--from", since))
        window = self._config.section(LoaderSettings).dedup_window
        for aggregate in chosen:
            task = self._bars.add_task(aggregate.target, total=sum(looked_at.provable.values()))
            keys = rebuild(
                self._settings, self._client, aggregate, looked_at, window,
                lambda rows, task=task: self._bars.advance(task, rows), self._dry_run,  # type: ignore[misc]
            )  # fmt: skip
            print(f"{aggregate.target}: {keys:,} keys {'differ' if self._dry_run else 'put right'}")
        if looked_at.not_provable:
            print(
                f"left as they are: {len(looked_at.not_provable):,} deliveries with events older than events are kept"
            )


def _warn(text: str) -> None:
    print(text, file=sys.stderr)


def _clip(slices: "list[Slice]") -> "list[Slice]":
    """Not beyond what the loaders have reached: what follows is theirs to load."""
    from sinks.gaps import Span

    found = []
    for one in slices:
        reached = max(one.standing.loaded, one.standing.lost.last if one.standing.lost else -1)
        last = min(one.span.last, reached)
        if one.span.first <= last:
            found.append(one._replace(span=Span(one.span.first, last)))
    return found


def _offset(text: str | None, option: str) -> int:
    if text is None or not text.isascii() or not text.isdigit():
        raise typer.BadParameter(f"{option} is a source offset where there is a --partition: a number from 0 on")
    return int(text)
