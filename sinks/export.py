"""A table or view as Parquet, CSV or NDJSON from ClickHouse's HTTP interface, in pieces of bounded size.

Names of tables and columns come from the server's own catalogue, values go as server-side parameters.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx

from sendtrail.errors import SendtrailError
from sendtrail.removal.hiding import hiding
from sendtrail.settings import ClickHouseSettings

#: Our name of a format -> ClickHouse's.
FORMATS = {"parquet": "Parquet", "csv": "CSVWithNames", "ndjson": "JSONEachRow"}

_COLUMNS = """SELECT t.name, t.engine, c.name, c.type FROM system.tables AS t
    INNER JOIN system.columns AS c ON c.database = t.database AND c.table = t.name
    WHERE t.database = {database:String} AND t.engine != 'MaterializedView' ORDER BY t.name, c.position"""
_TIMES = ("event_time", "minute", "day", "contact_date", "log_time")  # the first of these a table has is its time
_MERGED = re.compile(r"(Collapsing|Summing|Aggregating|Replacing)MergeTree$")
_SETTINGS = {
    "readonly": "2", "max_execution_time": "0", "date_time_output_format": "iso",
    "output_format_json_quote_64bit_integers": "0", "output_format_parquet_string_as_string": "1",
}  # fmt: skip
_BROKEN = re.compile(rb"(?:^|\n)(?:Code: \d+\. DB::Exception: |__exception__)")
_TAIL = 16 * 1024
_NO_ENTRY = {"192", "193", "194", "516"}


class ExportError(SendtrailError):
    """ClickHouse refused the export or broke it off; nothing was written."""


class Away(ExportError):
    """ClickHouse's HTTP interface does not answer, or does not let us in."""


class Unknown(SendtrailError):
    """A table, column or filter that is not there. `option` is what named it, `there` what there is."""

    def __init__(self, option: str, text: str, there: Sequence[str] = ()) -> None:
        super().__init__(f"{text}; there are {', '.join(there)}" if there else text)
        self.option = option


@dataclass(frozen=True)
class Relation:
    """A table or view that can be exported: its engine and its columns' types by name, in order."""

    name: str
    engine: str
    columns: Mapping[str, str]

    @property
    def time(self) -> str | None:
        """The column that `--from` and `--to` are about."""
        return next((name for name in _TIMES if "Date" in self.columns.get(name, "")), None)


@dataclass(frozen=True)
class Wanted:
    """What to export. No columns, no deliveries: all. `since` is included, `until` is not; `parts`: rows as stored."""

    table: str
    columns: Sequence[str] = ()
    deliveries: Sequence[int] = ()
    since: datetime | None = None
    until: datetime | None = None
    limit: int | None = None
    parts: bool = False


@dataclass(frozen=True)
class Statement:
    """SQL without a FORMAT clause, and its parameters as the HTTP interface takes them."""

    text: str
    parameters: Mapping[str, str] = field(default_factory=dict)


def catalogue(client: Any, database: str) -> dict[str, Relation]:
    """Every table and view of the database by name. `client`: clickhouse-driver's."""
    columns: dict[tuple[str, str], dict[str, str]] = {}
    for table, engine, column, type_ in client.execute(_COLUMNS, {"database": database}):
        columns.setdefault((table, engine), {})[column] = type_
    return {table: Relation(table, engine, types) for (table, engine), types in columns.items()}


def statement(known: Mapping[str, Relation], wanted: Wanted) -> Statement:
    """The query. Raises Unknown for a table, column or filter that is not there."""
    relation = known.get(wanted.table)
    if relation is None:
        raise Unknown("TABLE", f"no table or view {wanted.table!r}", sorted(known))
    for name in wanted.columns:
        if name not in relation.columns:
            raise Unknown("--columns", f"{wanted.table} has no column {name!r}", list(relation.columns))
    conditions, parameters = _filters(relation, wanted)
    columns = ", ".join(f"`{name}`" for name in wanted.columns or relation.columns)
    final = " FINAL" if _MERGED.search(relation.engine) and not wanted.parts else ""
    text = f"SELECT {columns} FROM `{relation.name}`{final}"
    if conditions:
        text += " WHERE " + " AND ".join(conditions)
    if wanted.limit is not None:
        text += " LIMIT {limit:UInt64}"
        parameters["limit"] = str(wanted.limit)
    return Statement(text, parameters)


def _filters(relation: Relation, wanted: Wanted) -> tuple[list[str], dict[str, str]]:
    conditions, parameters = [], {}
    if wanted.deliveries:
        if "delivery_id" not in relation.columns:
            raise Unknown("--delivery", f"{relation.name} has no column delivery_id")
        conditions.append("delivery_id IN {deliveries:Array(UInt64)}")
        parameters["deliveries"] = "[" + ",".join(str(int(one)) for one in wanted.deliveries) + "]"
    for option, sign, moment in (("--from", ">=", wanted.since), ("--to", "<", wanted.until)):
        if moment is None:
            continue
        if relation.time is None:
            raise Unknown(option, f"{relation.name} has no column with a time to filter by")
        name = option.removeprefix("--")
        conditions.append(f"`{relation.time}` {sign} {{{name}:{_parameter_type(relation.columns[relation.time])}}}")
        parameters[name] = _moment(moment, relation.columns[relation.time])
    return conditions, parameters


def _parameter_type(column_type: str) -> str:
    if "DateTime" in column_type:
        return "DateTime64(3, 'UTC')"
    return "Date"


def _moment(moment: datetime, column_type: str) -> str:
    utc = moment.astimezone(UTC)
    return f"{utc:%Y-%m-%d %H:%M:%S}.{utc.microsecond // 1000:03d}" if "DateTime" in column_type else f"{utc:%Y-%m-%d}"


def pieces(settings: ClickHouseSettings, asked: Statement, form: str) -> Iterator[bytes]:
    """The answer as it comes. Raises Away, or ExportError for a refused query and for an answer that is not whole."""
    tail = b""
    with _answer(settings, asked, FORMATS[form]) as answer:
        try:
            for piece in answer.iter_raw():
                tail = (tail + piece)[-_TAIL:]
                yield piece
        except httpx.HTTPError as error:
            raise ExportError(f"ClickHouse broke the answer off: {_said(tail) or error}") from error
    if form == "parquet" and not tail.endswith(b"PAR1"):
        raise ExportError(f"the Parquet file is not whole: {_said(tail) or 'its end is missing'}")
    if form != "parquet" and _BROKEN.search(tail):
        raise ExportError(f"ClickHouse broke the answer off: {_said(tail)}")


@contextmanager
def _answer(settings: ClickHouseSettings, asked: Statement, form: str) -> Iterator[httpx.Response]:
    parameters = {f"param_{name}": value for name, value in asked.parameters.items()}
    try:
        with (
            httpx.Client(timeout=httpx.Timeout(settings.timeout_s, read=None), trust_env=False) as client,
            client.stream(
                "POST", settings.http_url, content=f"{asked.text} FORMAT {form}".encode(),
                params={"database": settings.database, **_SETTINGS, **hiding(), **parameters},
                headers={"X-ClickHouse-User": settings.user, "X-ClickHouse-Key": settings.secret(),
                         "Accept-Encoding": "identity"},
            ) as answer,
        ):  # fmt: skip
            if answer.status_code != 200:
                raise _refused(answer)
            yield answer
    except (httpx.TransportError, httpx.InvalidURL) as error:
        raise Away(f"ClickHouse does not answer at {settings.http_url} (clickhouse.http_url): {error}") from error


def _refused(answer: httpx.Response) -> ExportError:
    text = _line(answer.read().decode("utf-8", "replace"))
    code = answer.headers.get("X-ClickHouse-Exception-Code")
    if code in _NO_ENTRY or (code is None and answer.status_code in (401, 403)):
        return Away("ClickHouse refuses the user or password: see clickhouse.user and clickhouse.password")
    return ExportError(f"ClickHouse refused the export: {text}")


def _said(tail: bytes) -> str:
    found = re.search(rb"Code: \d+\. DB::Exception: ([^\n]*)", tail)
    return _line(found[0].decode("utf-8", "replace")) if found else ""


def _line(text: str) -> str:
    said = re.sub(r"^Code: \d+\.\s*", "", text.strip()).removeprefix("DB::Exception: ")
    return said.split("\n", 1)[0]
