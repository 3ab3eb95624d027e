"""Tables with a chart -> what static/app.js draws, as plain data. Heat maps and funnels are HTML, not drawn."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from dashboards.shape import Column, Table
from dashboards.values import local, plain
from dashboards.web.formats import NUMERIC, Formats

MAX_POINTS = 2_000


def drawing(table: Table, formats: Formats) -> dict[str, Any] | None:
    """Labels and series of a line or bar chart; None where there is nothing to draw: a lone bar says nothing.

    Values are plain numbers, `shown` the same as readers see them. Rates are given in percent. `named`: the labels are
    names of things, not steps of a scale.
    """
    chart, rows = table.chart, table.rows[: table.total_from]
    if chart is None or chart.kind not in ("line", "bar") or not rows:
        return None
    places = {column.key: index for index, column in enumerate(table.columns)}
    columns = [table.columns[places[key]] for key in chart.values]
    x = table.columns[places[chart.x]]
    if chart.split:
        series = _split(rows, places[chart.x], places[chart.split], places[chart.values[0]])
        labels = list(dict.fromkeys(row[places[chart.x]] for row in rows))
        lines = [(_name(name, formats), columns[0], [values.get(label) for label in labels])
                 for name, values in series.items()]  # fmt: skip
    else:
        labels = [row[places[chart.x]] for row in rows]
        lines = [(formats.text(one.title), one, [row[places[one.key]] for row in rows]) for one in columns]
    if chart.kind == "bar" and len(labels) * len(lines) < 2:
        return None
    return {
        "kind": chart.kind,
        "stacked": chart.stacked,
        "named": x.kind in ("text", "names"),
        "percent": all(column.kind == "rate" for _, column, _ in lines),
        "labels": _labels(x, labels[:MAX_POINTS], formats),
        "series": [
            {
                "name": name,
                "values": [_number(column, value, formats) for value in values[:MAX_POINTS]],
                "shown": [formats.value(column.kind, value) for value in values[:MAX_POINTS]],
            }
            for name, column, values in lines
        ],
    }


def _split(rows: Sequence[Sequence[Any]], x: int, split: int, value: int) -> dict[Any, dict[Any, Any]]:
    series: dict[Any, dict[Any, Any]] = {}
    for row in rows:
        series.setdefault(row[split], {})[row[x]] = row[value]
    return series


def _name(value: Any, formats: Formats) -> str:
    return formats.value("text", value) or formats.text("none")


def _labels(column: Column, values: Sequence[Any], formats: Formats) -> list[str]:
    """Of times no more than tells them apart: the hour within a day, the day where all are midnights, else both."""
    if column.kind != "time":
        return [formats.value(column.kind, value) for value in values]
    times = [local(value, formats.zone) for value in values if isinstance(value, datetime)]
    if len({time.date() for time in times}) == 1:
        parts = "Hm"
    elif all(time.hour == time.minute == 0 for time in times):
        parts = "MMMd"
    else:
        parts = "MMMd Hm"
    return [" ".join(formats.skeleton(value, part) for part in parts.split()) if value else "" for value in values]


def _number(column: Column, value: Any, formats: Formats) -> float | None:
    if value is None or column.kind not in NUMERIC:
        return None
    number = plain(column.kind, value, formats.zone)
    return None if number is None else float(number * 100 if column.kind == "rate" else number)
