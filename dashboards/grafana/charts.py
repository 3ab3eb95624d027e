"""Panels of the dashboard *Pipeline health* as values: a number, or lines over time."""

from collections.abc import Mapping
from typing import NamedTuple

from dashboards.grafana.parts import AnyPanel, figure, lines, metric

SPAN = "[$__rate_interval]"


class Chart(NamedTuple):
    """Lines over time: legend -> PromQL. `[]` in it stands for the interval that fits the time shown."""

    title: str
    help: str
    unit: str
    lines: Mapping[str, str]

    def panel(self) -> AnyPanel:
        """As a panel, three in a row."""
        queries = [metric(expression.replace("[]", SPAN), legend) for legend, expression in self.lines.items()]
        return lines(self.title, self.help, queries, self.unit, width=8)


class Figure(NamedTuple):
    """One number, red from `bad_from` on."""

    title: str
    help: str
    expression: str
    unit: str = "short"
    bad_from: float | None = 1

    def panel(self) -> AnyPanel:
        """As a panel, six in a row."""
        query = metric(self.expression, instant=True)
        return figure(self.title, self.help, query, unit=self.unit, bad_above=self.bad_from)
