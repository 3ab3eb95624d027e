"""sendtrail optouts: who does not want more messages."""

import sys
from collections.abc import Iterable, Iterator
from enum import StrEnum
from itertools import chain, islice
from typing import Annotated, Any

import typer

from sendtrail.cli.times import milliseconds

EXIT_UNREACHABLE = 4
_BATCH = 1000
#: Of a table: how many rows say how wide its columns are, and how wide one may be.
_MEASURED = 200
_WIDEST = 40


class Form(StrEnum):
    """How the list is written."""

    TABLE = "table"
    NDJSON = "ndjson"
    CSV = "csv"


class How(StrEnum):
    """How an opt-out was made."""

    FORM = "form"
    ONE_CLICK = "one_click"
    FED = "fed"


def register(app: typer.Typer) -> None:
    """Add the verbs of this file to the command."""
    app.command("optouts", epilog="Example: sendtrail optouts --since 2026-06-01 --format csv > optouts.csv")(optouts)


def optouts(
    delivery: Annotated[
        list[str] | None, typer.Option("--delivery", "-d", help="Only of this delivery, by name or key; repeatable.")
    ] = None,
    since: Annotated[
        str | None, typer.Option(help="Only from this time on: 2026-06-01T12:00, UTC without offset.")
    ] = None,
    how: Annotated[
        list[How] | None,
        typer.Option(help="Only those made this way: on the page, by the mail program, told by a feed; repeatable."),
    ] = None,
    form: Annotated[Form, typer.Option("--format", help="table for people; ndjson and csv for machines.")] = Form.TABLE,
) -> None:
    """List confirmed opt-outs: one line for each message, by delivery and time.

    Confirmed is what was posted to the edge (form: the button on the page; one_click: the mail
    program's own) and what a feed or provider reported (fed). Views of the page and test recipients
    are left out; deleted deliveries are not, until they are purged. GET /v1/suppressions is for
    programs that resume where they stopped.

    Exit codes: 0 done, 1 unknown delivery or refused query, 2 wrong usage, 3 settings, 4 ClickHouse away.
    """
    from dashboards.choice import by_names
    from dashboards.queries import Queries, Unreachable
    from sendtrail.cli.config import load, naming_key, tables
    from sendtrail.settings import ReportSettings

    since_ms = milliseconds("--since", since)
    config = load()
    try:
        with tables(config) as client:
            # Whoever wants no more mail wants none, also where the delivery was deleted.
            queries = Queries(client, config.section(ReportSettings), hidden=True)
            keys = [one.delivery for one in by_names(queries, delivery or [], naming_key(config))] if delivery else []
            rows = queries.stream("optouts", deliveries=keys, since=since_ms, how=[one.value for one in how or []])
            for text in _written(form, rows):
                sys.stdout.write(text)
            sys.stdout.flush()
    except Unreachable as error:
        print(f"sendtrail: {error}", file=sys.stderr)
        raise typer.Exit(EXIT_UNREACHABLE) from None


def _written(form: Form, rows: Iterator[dict[str, Any]]) -> Iterator[str]:
    """The list, in pieces, with never more than a batch of it in memory."""
    from dashboards.render import as_csv, as_ndjson
    from dashboards.shape import Column, Table

    names = (
        "time",
        "delivery",
        "delivery_name",
        "message",
        "message_name",
        "recipient",
        "recipient_name",
        "how",
        "source",
    )
    columns = [Column(name, name, "time" if name == "time" else "text") for name in names]
    lines = ([_plain(row[name]) for name in names] for row in rows)
    if form is Form.TABLE:
        yield from _table(lines)
        return
    if form is Form.CSV:
        yield as_csv(Table("optouts", "", columns, []))
    for batch in iter(lambda: list(islice(lines, _BATCH)), []):
        part = Table("optouts", "", columns, batch)
        yield as_ndjson(part) if form is Form.NDJSON else as_csv(part).partition("\n")[2]


def _plain(value: Any) -> Any:
    """Keys are above what JSON readers and spreadsheets keep exactly: texts."""
    return str(value) if isinstance(value, int) else value


def _table(lines: Iterable[list[Any]]) -> Iterator[str]:
    """Five columns for people, names where there are any; as wide as the first rows need."""
    lines = iter(lines)
    shown = map(_cells, lines)
    titles = ["time (UTC)", "delivery", "recipient", "message", "how"]
    first = list(islice(shown, _MEASURED))
    widths = [min(_WIDEST, max(map(len, column))) for column in zip(titles, *first, strict=True)]
    yield _line(titles, widths)
    if not first:
        yield "no opt-outs\n"
    for cells in chain(first, shown):
        yield _line(cells, widths)


def _cells(line: list[Any]) -> list[str]:
    at, delivery, delivery_name, message, message_name, recipient, recipient_name, how, _ = line
    moment: str = at.strftime("%Y-%m-%d %H:%M:%S")
    return [moment, delivery_name or delivery, recipient_name or recipient or "–", message_name or message, how]


def _line(cells: list[str], widths: list[int]) -> str:
    return "  ".join(_cut(cell, width).ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip() + "\n"


def _cut(cell: str, width: int) -> str:
    """Printable, on one line."""
    cell = "".join(letter if letter.isprintable() else "·" for letter in cell)
    return cell if len(cell) <= width else cell[: width - 1] + "…"
