"""How fast the report queries are: every file of dashboards/sql, for the largest, a median and ten deliveries together.

    python -m bench.reports [--events N] [--data DIR] [--runs N] [--only NAME …]

The data is made inside the engine the first time (100 M events: 5 GB, half an hour on two busy cores) and kept for
later runs. Queries run as reports run them, with the query condition cache off, in both cuts by turns; the first run of
each does not count. Goals (p95): 100 ms for queries that read aggregates, 1 s for those that count messages or events
again. Beside them stands the engine's own CPU time of a run (median): it says more on a machine that others use too.
"""

import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Annotated, Any, NamedTuple

import psutil
import typer

from bench.report_cases import Case, cases, counts_again, parameters
from bench.report_data import fill, settle
from dashboards.queries import Queries, QueryName, ReportError, load
from sendtrail.clickhouse import connect
from sendtrail.local.engine import Engine
from sendtrail.settings import ClickHouseSettings, Config, ReportSettings
from sinks.migrate import migrate

GOALS_MS = {False: 100, True: 1000}  # by whether a query counts again
_FILL_TIMEOUT_S = 3600.0


class Measured(NamedTuple):
    """Milliseconds of a query for one case: until it was answered, and of the engine's CPU."""

    p50: float
    p95: float
    cpu: float

    def __str__(self) -> str:
        return f"{self.p50:,.0f} / {self.p95:,.0f} ({self.cpu:,.0f})"


class Bench:
    """Runs queries of one engine."""

    def __init__(self, client: Any, pid: int, runs: int) -> None:
        self._queries = Queries(client, Config({}).section(ReportSettings, query_timeout_s=120.0))
        self._engine = psutil.Process(pid)
        self._runs = runs

    def measure(self, name: QueryName, text: str, case: Case) -> Measured:
        """Run a query once, and then so many times. Raises ReportError, or KeyError for an unknown parameter."""
        runs = [self._once(name, text, case, people=run % 2) for run in range(self._runs + 1)][1:]
        times, cpu = sorted(time for time, _ in runs), median(cpu for _, cpu in runs)
        return Measured(median(times), times[min(len(times) - 1, round(0.95 * len(times)))], cpu)

    def _once(self, name: QueryName, text: str, case: Case, people: int) -> tuple[float, float]:
        asked, cpu, started = parameters(name, text, case, people), self._cpu_s(), time.perf_counter()
        self._queries.rows(name, **asked)
        return (time.perf_counter() - started) * 1000, (self._cpu_s() - cpu) * 1000

    def _cpu_s(self) -> float:
        return sum(self._engine.cpu_times()[:2])


def run(client: Any, bench: Bench, only: list[str]) -> int:
    """Measure and print a line for each query, then what could not be measured; returns how many missed their goal."""
    asked, texts = cases(client), {name: text for name, text in sorted(load().items()) if not only or name in only}
    print("report queries, ms: p50 / p95 (CPU)")
    for heading in zip(*(_heading(client, case) for case in asked), strict=True):
        print(_line("", *heading))
    missed, unknown = 0, []
    for name, text in texts.items():
        goal = GOALS_MS[counts_again(text)]
        try:
            found = [bench.measure(name, text, case) for case in asked]  # type: ignore[arg-type]
        except KeyError as error:
            unknown.append(f"{name}: nothing is known of parameter {error}; see bench/report_cases.py")
            continue
        except ReportError as error:
            unknown.append(f"{name}: {error}")
            continue
        slow = max(one.p95 for one in found) > goal
        missed += slow
        print(_line(name, *map(str, found)), f"{goal:>6}", "missed" if slow else "", flush=True)
    for line in unknown:
        print(f"not measured: {line}")
    return missed


def _line(name: str, *cells: str) -> str:
    return f"{name:<16}" + "".join(f"{cell:>26}" for cell in cells)


def _heading(client: Any, case: Case) -> tuple[str, str, str]:
    messages, hits = client.execute(
        "SELECT sum(messages), sum(hits) FROM indicators FINAL WHERE delivery_id IN {d:Array(UInt64)}",
        {"d": case.deliveries},
    )[0]
    return case.name, f"{messages:,} messages", f"{hits:,} hits"


def _facts(client: Any) -> Iterator[str]:
    rows, size, parts = client.execute(
        "SELECT sumIf(rows, table = 'events'), sum(bytes_on_disk), countIf(table = 'events') FROM system.parts "
        "WHERE active AND database = currentDatabase()"
    )[0]
    yield f"{rows:,} rows of events in {parts} parts, {size / 1e9:.1f} GB in all"


def main(
    events: Annotated[int, typer.Option(min=10_000, help="About how many events to ask of.")] = 100_000_000,
    data: Annotated[Path | None, typer.Option(help="Kept there. Default: .sendtrail-bench/reports-N.")] = None,
    runs: Annotated[int, typer.Option(min=1, help="Timed runs of each query and case.")] = 20,
    only: Annotated[list[str] | None, typer.Option(help="Only this query; repeatable.")] = None,
) -> None:
    """Make the data where it is missing, measure every query, print a table; exit code 1 where a goal is missed."""
    place = (data or Path(f".sendtrail-bench/reports-{events}")).absolute()
    place.mkdir(parents=True, exist_ok=True)
    with Engine(place / "engine") as engine:
        settings = ClickHouseSettings(
            address=engine.native, password=engine.password, database="bench", timeout_s=_FILL_TIMEOUT_S
        )
        with connect(settings, database="default") as client:
            migrate(client, settings)
        with connect(settings) as client:
            fill(client, place, events)
            settle(client)
            client.settings["use_query_condition_cache"] = 0
            for fact in _facts(client):
                print(fact, flush=True)
            missed = run(client, Bench(client, engine.pid or 0, runs), only or [])
    raise typer.Exit(1 if missed else 0)


if __name__ == "__main__":
    typer.run(main)
