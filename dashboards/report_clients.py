"""Report `clients`: the programs, systems, devices and countries of opens and clicks (METRICS, report 9)."""

from collections.abc import Sequence
from typing import Annotated, Any

from msgspec import Meta

from dashboards.base import numbers
from dashboards.definition import Context, Definition
from dashboards.indicators import rate
from dashboards.options import OfDeliveries
from dashboards.queries import Row
from dashboards.scope import Scope, report
from dashboards.shape import Chart, Column, Note, Report, Table
from dashboards.words import NOT_KNOWN, OTHERS, TOTAL

#: Dimension -> key of its part, its title, and what a value is called.
PARTS = {
    "client": ("clients", Note("By client"), "client"),
    "version": ("versions", Note("By client and version"), "client and version"),
    "os": ("systems", Note("By operating system"), "system"),
    "device": ("devices", Note("By device"), "device"),
    "country": ("countries", Note("By country"), "country"),
}
_PROXY = " proxy"  # the rules' names of programs that fetch on a reader's behalf end so
_MAIL_PROXY, _PROGRAM = Note("mail proxy"), Note("reader's program")


def columns(what: str) -> list[Column]:
    """The columns of a part whose rows are values of one dimension."""
    proxied = [Column("proxy", "stands for", "text", "a mail provider's proxy, or the reader's own program")]
    return [
        Column("row", "row", "text", "value, others, not_known or total", shown=False),
        Column("value", what, "text", "as the user agent tells it"),
        *(proxied if what == "client" else []),
        Column("opens", "opens", "count", "open hits"),
        Column("open_share", "share", "rate", "opens / opens in all"),
        Column("clicks", "clicks", "count", "click hits"),
        Column("click_share", "share of clicks", "rate", "clicks / clicks in all", gives_way=1),
        Column("clickers", "clickers", "count", "messages with a click through it; one may be clicked in several"),
    ]


def build(scope: Scope, top: int) -> Report:
    """The report; `top`: how many values of a dimension have a row of their own."""
    found = numbers(scope.queries, scope.keys, scope.cut, scope.live)
    hits = scope.queries.rows("clients", deliveries=scope.keys, people=scope.people)
    clickers = {
        (row["dim"], row["value"]): row["clickers"]
        for row in scope.queries.rows("clickers", deliveries=scope.keys, people=scope.people)
    }
    in_all = sum(base.recipient_click for base in found.bases)
    parts = []
    for dim in PARTS:
        rows = [row | {"clickers": clickers.get((dim, row["value"]), 0)} for row in hits if row["dim"] == dim]
        if dim != "country" or any(row["value"] for row in rows):
            parts.append(table(dim, rows, in_all, top))
    return report(scope, "clients", "Clients", parts, found, _notes(hits))


def table(dim: str, rows: Sequence[Row], clickers: int, top: int) -> Table:
    """Values with most hits first, then Others, not known, and Total. Hits add up; clickers are distinct messages."""
    key, title, what = PARTS[dim]
    opens, clicks = _sum(rows, "opens"), _sum(rows, "clicks")
    named = sorted((row for row in rows if row["value"]), key=lambda row: (-row["opens"] - row["clicks"], row["value"]))

    def line(row: str, value: str, several: Sequence[Row], clickers: int | None) -> list[Any]:
        stands = [_stands_for(value) if row == "value" else ""] if dim == "client" else []
        here = _sum(several, "opens"), _sum(several, "clicks")
        return [row, value, *stands, here[0], rate(here[0], opens), here[1], rate(here[1], clicks), clickers]

    lines = [line("value", row["value"], [row], row["clickers"]) for row in named[:top]]
    ranked, unknown = len(lines), [row for row in rows if not row["value"]]
    if named[top:]:
        lines.append(line("others", OTHERS, named[top:], None))
    if unknown:
        lines.append(line("not_known", NOT_KNOWN, unknown, _sum(unknown, "clickers")))
    lines.append(line("total", TOTAL, rows, clickers))
    chart = Chart("bar", x="value", values=["opens", "clicks"])
    return Table(key, title, columns(what), lines, total_from=ranked, chart=chart)


def _notes(hits: Sequence[Row]) -> list[Note]:
    clients = [row for row in hits if row["dim"] == "client" and row["value"].endswith(_PROXY)]
    notes = []
    if clients:
        notes.append(
            Note(
                "Opens and clicks through proxies: {n:,}. Proxies tell no system and no device; where they stand says "
                "nothing about the reader.",
                n=_sum(clients, "opens") + _sum(clients, "clicks"),
            )
        )
    if not any(row["value"] for row in hits if row["dim"] == "country"):
        notes.append(Note("No country is known: no geo database is configured."))
    return notes


def _stands_for(client: str) -> str:
    return _MAIL_PROXY if client.endswith(_PROXY) else _PROGRAM


def _sum(rows: Sequence[Row], name: str) -> int:
    return sum(row[name] for row in rows)


class Asked(OfDeliveries, frozen=True, kw_only=True):
    """What this report can be asked."""

    top: Annotated[int, Meta(ge=1, le=10_000, description="Values of each kind with a row of their own.")] = 20


def _build(context: Context, asked: Asked) -> Report:
    return build(context.scope(asked), asked.top)


REPORT = Definition(
    name="clients",
    title="Clients",
    answers="which programs, systems and devices opens and clicks came from",
    more="Programs that mail providers use to fetch images are named as proxies and not geolocated. Hits add up to the "
    "delivery's; a message clicked in two programs is a clicker of both.",
    example="-d june-news --part systems",
    options=Asked,
    parts={key: columns(what) for key, _, what in PARTS.values()},
    build=_build,
)
