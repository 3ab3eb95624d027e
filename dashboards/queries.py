"""dashboards/sql/*.sql -> rows. Every value is a server-side parameter; no text is ever put into a query."""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from typing import Any, Literal, get_args

from clickhouse_driver import errors

from sendtrail.errors import SendtrailError
from sendtrail.removal.hiding import HIDDEN_KEYS, hiding
from sendtrail.settings import ReportSettings

#: One file each in dashboards/sql. A misspelt name is a type error, a missing file fails at start.
QueryName = Literal[
    "accounts", "activity", "attributes", "base_live", "base_stored", "bursts", "chain", "clickers", "clients",
    "cohorts", "contents", "delivery_keys", "delivery_list", "domain_health", "domain_persons", "domains",
    "first_times", "growth", "hot_clicks", "link_names", "log_count", "logs", "machine_hits",
    "machine_span", "machine_times",
    "message_names", "messages", "money", "odd_hits", "optouts", "other_links", "over_time", "over_time_domains",
    "peers", "percents", "periods", "persons", "reasons", "recipient", "recipient_firsts", "recipient_known",
    "registry", "reject_reasons", "relabelled", "signals", "site", "site_funnel", "span", "sparklines", "starts",
    "template_links", "throughput", "urls", "urls_since", "who", "who_details", "who_inactive", "who_slices",
]  # fmt: skip
Row = dict[str, Any]
Value = int | str | list[int] | list[str]

_HIDDEN_FOR_S = 0.5
_TOO_SLOW = 159
_TOO_MUCH = {241, 396}  # memory, rows
_NO_TABLES = {60, 81}
_NO_ENTRY = {192, 193, 194, 516}


class ReportError(SendtrailError):
    """A report that can't be given: an unknown delivery, an ambiguous name, a query past its limits."""


class Unreachable(ReportError):
    """ClickHouse does not answer, or does not let us in."""


def load() -> dict[str, str]:
    """Name -> text of every query. Raises ReportError where one is missing."""
    folder = files("dashboards") / "sql"
    texts = {entry.name[:-4]: entry.read_text("utf-8") for entry in folder.iterdir() if entry.name.endswith(".sql")}
    missing = sorted(set(get_args(QueryName)) - texts.keys())
    if missing:
        raise ReportError(f"this installation lacks report queries: {', '.join(missing)}")
    return texts


class Queries:
    """Runs report queries on one connection, read only and within the limits of the settings.

    `client` is clickhouse-driver's, with server-side parameters: for one thread at a time. `hidden`: also what is
    deleted and not purged yet, for those who check tables.
    """

    def __init__(self, client: Any, settings: ReportSettings, hidden: bool = False) -> None:
        self.settings = settings
        self._client = client
        self._texts = load()
        self._hidden, self._asked = hidden, float("-inf")
        self._filters: dict[str, str] = {}
        self._limits: dict[str, Any] = {
            "readonly": 2,
            "max_execution_time": settings.query_timeout_s,
            "max_result_rows": settings.max_rows,
            "max_memory_usage": settings.query_memory_bytes,
            "result_overflow_mode": "throw",
        }

    def rows(self, name: QueryName, **parameters: Value) -> list[Row]:
        """The rows of a query by column name. Raises Unreachable or ReportError, each in one line."""
        with _said(name):
            found, columns = self._client.execute(
                self._texts[name], parameters, with_column_types=True, settings=self._limits | self._hiding()
            )
        titles = [title for title, _ in columns]
        return [dict(zip(titles, row, strict=True)) for row in found]

    def stream(self, name: QueryName, **parameters: Value) -> Iterator[Row]:
        """The rows of a query one by one as they come, however many: without reports.max_rows and its time limit.

        Read all of it, or close the connection. Raises as `rows`, also while it is read.
        """
        limits = {"readonly": 2, "max_execution_time": self.settings.export_timeout_s}
        with _said(name):
            found = iter(self._client.execute_iter(
                self._texts[name], parameters, with_column_types=True, settings=limits | self._hiding()
            ))  # fmt: skip
            titles = [title for title, _ in next(found)]
            for row in found:
                yield dict(zip(titles, row, strict=True))

    def _hiding(self) -> dict[str, str]:
        """What keeps deleted deliveries out, asked once for the few queries of a report."""
        if not self._hidden and time.monotonic() - self._asked > _HIDDEN_FOR_S:
            keys = self._client.execute(HIDDEN_KEYS, settings=self._limits | {"max_result_rows": 0})
            self._filters, self._asked = hiding([key for (key,) in keys]), time.monotonic()
        return self._filters

    def row(self, name: QueryName, **parameters: Value) -> Row:
        """The one row of a query that always has one."""
        return self.rows(name, **parameters)[0]


@contextmanager
def _said(name: str) -> Iterator[None]:
    """Turns the driver's errors into ours."""
    try:
        yield
    except errors.ServerException as error:
        raise _refused(name, error) from error
    except (errors.Error, OSError, EOFError) as error:
        raise unreachable(error) from error


def unreachable(error: Exception) -> Unreachable:
    """What to say of an error of the driver, in one line."""
    return Unreachable(f"ClickHouse does not answer: {_line(str(error) or repr(error))}")


def _refused(name: str, error: errors.ServerException) -> ReportError:
    if error.code in _NO_TABLES:
        return ReportError("ClickHouse has no tables of Sendtrail there: run `sendtrail migrate`")
    if error.code in _NO_ENTRY:
        return Unreachable("ClickHouse refuses the user or password: see clickhouse.user and clickhouse.password")
    if error.code == _TOO_SLOW:
        return ReportError(f"query {name} took longer than reports.query_timeout_s")
    if error.code in _TOO_MUCH:
        return ReportError(f"query {name} passed a limit (reports.max_rows, or memory): {_line(error.message)}")
    return ReportError(f"ClickHouse refused query {name} (code {error.code}): {_line(error.message)}")


def _line(text: str) -> str:
    """What an error says, without its code, the server's class name and the stack trace."""
    said = re.sub(r"^Code: \d+\.\s*", "", text.strip()).removeprefix("DB::Exception: ")
    return said.split("\n", 1)[0].split(" Stack trace", 1)[0].strip()
