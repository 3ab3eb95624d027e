"""What all dashboards share: data sources, variables, links, and panels in one line each."""

from collections.abc import Sequence
from typing import Any, Self, TypeVar

from grafana_foundation_sdk.builders import bargauge, common, heatmap, prometheus, stat, table, timeseries
from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.variants import Dataquery
from grafana_foundation_sdk.models import common as kinds
from grafana_foundation_sdk.models import dashboard as model
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

from dashboards.grafana.sql import ALL, Fixed, panel_sql

CLICKHOUSE, PROMETHEUS = "grafana-clickhouse-datasource", "prometheus"
TAG = "sendtrail"
#: Where the report pages are, for links: a variable that is seen nowhere, to be changed in the dashboard's settings.
REPORTS_URL = "http://127.0.0.1:8090"
WIDTH = 24
_SERIES, _TABLE = 0, 1
_PLUGIN_VERSION = "4.10.2"

AnyPanel = Builder[model.Panel]
_B = TypeVar("_B", bound=Any)


class ClickHouseQuery(Dataquery):
    """A query as the ClickHouse plugin stores it. `may_be_empty`: for the tests, no rows are no fault."""

    def __init__(self, sql: str, table: bool, may_be_empty: bool = False, ref_id: str = "A") -> None:
        self.sql, self.table, self.may_be_empty, self.ref_id = sql, table, may_be_empty, ref_id

    def to_json(self) -> dict[str, object]:
        """As in a dashboard's JSON."""
        return {
            "refId": self.ref_id,
            "datasource": source(CLICKHOUSE),
            "editorType": "sql",
            "queryType": "table" if self.table else "timeseries",
            "format": _TABLE if self.table else _SERIES,
            "pluginVersion": _PLUGIN_VERSION,
            "meta": {"mayBeEmpty": self.may_be_empty},
            "rawSql": self.sql,
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """The other way, for checks."""
        return cls(data["rawSql"], data["format"] == _TABLE, data["meta"]["mayBeEmpty"], data["refId"])


class _Ready(Builder[Dataquery]):
    def __init__(self, query: Dataquery) -> None:
        self._query = query

    def build(self) -> Dataquery:
        return self._query


def source(kind: str) -> model.DataSourceRef:
    """The data source that the dashboard's variable of that kind names."""
    return model.DataSourceRef(kind, "${clickhouse}" if kind == CLICKHOUSE else "${prometheus}")


def rows(name: str, may_be_empty: bool = False, **fixed: Fixed) -> Builder[Dataquery]:
    """A query whose columns are shown as they come."""
    return _Ready(ClickHouseQuery(panel_sql(name, **fixed), table=True, may_be_empty=may_be_empty))


def series(name: str, may_be_empty: bool = False, **fixed: Fixed) -> Builder[Dataquery]:
    """A query of (time, name, value): a line for each name."""
    return _Ready(ClickHouseQuery(panel_sql(name, **fixed), table=False, may_be_empty=may_be_empty))


def metric(expression: str, legend: str = "", instant: bool = False, heat: bool = False) -> Builder[Dataquery]:
    """A Prometheus query."""
    query = prometheus.Dataquery().expr(expression).legend_format(legend or "__auto")
    query = query.instant() if instant else query.range()
    return query.format(PromQueryFormat.HEATMAP) if heat else query


def begin(uid: str, title: str, description: str, time: str = "now-7d", refresh: str = "1m") -> build.Dashboard:
    """A dashboard with the data sources and links that all have."""
    made = (
        build.Dashboard(title).uid(uid).description(description).tags([TAG]).readonly().time(time, "now")
        .refresh(refresh).tooltip(model.DashboardCursorSync.CROSSHAIR).timezone("browser")
    )  # fmt: skip
    for name, kind in (("clickhouse", CLICKHOUSE), ("prometheus", PROMETHEUS)):
        made = made.with_variable(build.DatasourceVariable(name).label(name.capitalize()).type(kind))
    made = made.with_variable(
        build.TextBoxVariable("reports_url").label("Report pages").default_value(REPORTS_URL)
        .current(model.VariableOption(text=REPORTS_URL, value=REPORTS_URL)).hide(model.VariableHide.HIDE_VARIABLE)
    )  # fmt: skip
    others = build.DashboardLink("Sendtrail").type(model.DashboardLinkType.DASHBOARDS).tags([TAG])
    made = made.link(others.as_dropdown(True).include_vars(True).keep_time(True))
    return made.link(page("Report pages", "deliveries", "cut=${cut:percentencode}" if uid in _OF_DELIVERIES else ""))


def add(made: build.Dashboard, *panels: AnyPanel) -> build.Dashboard:
    """The dashboard with further panels, from left to right."""
    for panel in panels:
        made = made.with_panel(panel)
    return made


_OF_DELIVERIES = ("sendtrail-overview", "sendtrail-delivery", "sendtrail-links", "sendtrail-machines")


def choosing(made: build.Dashboard) -> build.Dashboard:
    """The variables of dashboards about deliveries."""
    cut = build.CustomVariable("cut").label("Cut").values("people,all").multi(False)
    cut = cut.description("people: class human or unknown; all: machines too").options(
        [_option("people", "people", True), _option("all", "all")]
    )
    made = made.with_variable(_asked("account", "Account", "account_values", "of the sender"))
    made = made.with_variable(_asked("channel", "Channel", "channel_values", "email, sms, … as registered"))
    made = made.with_variable(_asked("delivery", "Delivery", "delivery_values", "newest first", several=True))
    made = made.with_variable(
        _asked("domain", "Domain", "domain_values", "with a row of their own; all: the ten largest", several=True)
    )
    return made.with_variable(cut.current(model.VariableOption(text="people", value="people", selected=True)))


def _asked(name: str, label: str, query: str, description: str, several: bool = False) -> build.QueryVariable:
    """A variable whose values ClickHouse knows."""
    asked = ClickHouseQuery(panel_sql(query), table=True).to_json() | {"refId": f"variable-{name}"}
    everything = model.VariableOption(selected=True, text="All", value="$__all")
    if several:
        everything = model.VariableOption(selected=True, text=["All"], value=["$__all"])
    return (
        build.QueryVariable(name).label(label).description(description).query(asked).datasource(source(CLICKHOUSE))
        .refresh(model.VariableRefresh.ON_DASHBOARD_LOAD).include_all(True).all_value(ALL)
        .sort(model.VariableSort.DISABLED).current(everything).multi(several)
    )  # fmt: skip


def _option(text: str, value: str, selected: bool = False) -> model.VariableOption:
    return model.VariableOption(text=text, value=value, selected=selected)


def page(title: str, report: str, query: str = "") -> build.DashboardLink:
    """A link to a report page."""
    url = f"${{reports_url}}/reports/{report}" + (f"?{query}" if query else "")
    return build.DashboardLink(title).type(model.DashboardLinkType.LINK).url(url).icon("doc").target_blank(True)


def of_row(title: str, report: str) -> build.DashboardLink:
    """A link from a row with a delivery's key to a page of that delivery."""
    return page(title, report, "delivery=${__data.fields.key}&cut=${cut:percentencode}")


def to_dashboard(title: str, uid: str) -> build.DashboardLink:
    """A link from a row with a delivery's key to another dashboard, with that delivery."""
    url = f"/d/{uid}?var-delivery=${{__data.fields.key}}&${{cut:queryparam}}&${{__url_time_range}}"
    return build.DashboardLink(title).type(model.DashboardLinkType.LINK).url(url)


def lines(
    title: str, help: str, queries: Sequence[Builder[Dataquery]], unit: str = "short", stacked: bool = False,
    width: int = WIDTH // 2, height: int = 8, interval: str = "1m",
) -> AnyPanel:  # fmt: skip
    """Values over time: lines, or bars on top of each other."""
    legend = common.VizLegendOptions().show_legend(True).display_mode(kinds.LegendDisplayMode.LIST)
    made = _with(timeseries.Panel(), title, help, queries, width, height).unit(unit).interval(interval)
    made = made.legend(legend.placement(kinds.LegendPlacement.BOTTOM).calcs([]))
    made = made.tooltip(
        common.VizTooltipOptions().mode(kinds.TooltipDisplayMode.MULTI).sort(kinds.SortOrder.DESCENDING)
    )
    if not stacked:
        return _panel(made.line_width(1).fill_opacity(8).show_points(kinds.VisibilityMode.AUTO))
    stacking = common.StackingConfig().mode(kinds.StackingMode.NORMAL).group("A")
    return _panel(made.draw_style(kinds.GraphDrawStyle.BARS).fill_opacity(80).line_width(0).stacking(stacking))


def figure(
    title: str, help: str, query: Builder[Dataquery], field: str = "", unit: str = "short",
    bad_above: float | None = None,
    width: int = 4, decimals: int | None = None,
) -> AnyPanel:  # fmt: skip
    """One number. `field`: which column; `bad_above`: red above it."""
    reduce = common.ReduceDataOptions().values(False).calcs(["lastNotNull"]).fields(f"/^{field}$/" if field else "")
    made = _with(stat.Panel(), title, help, [query], width, 4).unit(unit).reduce_options(reduce).no_value("–")
    made = made.graph_mode(kinds.BigValueGraphMode.NONE).color_mode(kinds.BigValueColorMode.VALUE)
    steps = [model.Threshold(value=None, color="text")]
    if bad_above is not None:  # below 0 is as bad: a difference can be either
        colors: dict[float | None, str] = {None: "red", 0: "green", bad_above: "red"}
        steps = [model.Threshold(value=value, color=color) for value, color in colors.items()]
    made = made.thresholds(build.ThresholdsConfig().mode(model.ThresholdsMode.ABSOLUTE).steps(steps))
    return _panel(made if decimals is None else made.decimals(decimals))


def bars(title: str, help: str, query: Builder[Dataquery], width: int = 8, height: int = 8) -> AnyPanel:
    """A bar for each row (first column its name), or for each column of a single row."""
    reduce = common.ReduceDataOptions().values(True).calcs([]).fields("")
    made = _with(bargauge.Panel(), title, help, [query], width, height).reduce_options(reduce).min(0)
    made = made.orientation(kinds.VizOrientation.HORIZONTAL).display_mode(kinds.BarGaugeDisplayMode.BASIC)
    plain = build.ThresholdsConfig().mode(model.ThresholdsMode.ABSOLUTE)
    return _panel(made.thresholds(plain.steps([model.Threshold(value=None, color="blue")])))


def grid(
    title: str, help: str, query: Builder[Dataquery], units: dict[str, str] | None = None,
    links: Sequence[build.DashboardLink] = (), linked: str = "", hidden: Sequence[str] = (),
    width: int = WIDTH // 2, height: int = 9,
) -> AnyPanel:  # fmt: skip
    """A table. `units` by column; `links` are offered on the column `linked`; `hidden` columns only serve links."""
    made = _with(table.Panel(), title, help, [query], width, height).show_header(True)
    for column, unit in (units or {}).items():
        made = made.override_by_name(column, [model.DynamicConfigValue("unit", unit)])
    if links:
        made = made.override_by_name(linked, [model.DynamicConfigValue("links", [_data_link(link) for link in links])])
    for column in hidden:
        made = made.override_by_name(column, [model.DynamicConfigValue("custom.hidden", True)])
    return _panel(made)


def heat(title: str, help: str, query: Builder[Dataquery], width: int = WIDTH // 2, height: int = 8) -> AnyPanel:
    """A histogram over time."""
    linear = common.ScaleDistributionConfig().type(kinds.ScaleDistribution.LINEAR)
    made = _with(heatmap.Panel(), title, help, [query], width, height).calculate(False).cell_gap(1)
    return _panel(made.scale_distribution(linear))


def _data_link(link: build.DashboardLink) -> dict[str, object]:
    made = link.build()
    return {"title": made.title, "url": made.url, "targetBlank": made.target_blank}


def _with(made: _B, title: str, help: str, queries: Sequence[Builder[Dataquery]], width: int, height: int) -> _B:
    """What every panel has. The data source is that of its queries."""
    built = [query.build() for query in queries]
    kind = CLICKHOUSE if isinstance(built[0], ClickHouseQuery) else PROMETHEUS
    made = made.title(title).description(help).datasource(source(kind)).span(width).height(height)
    for number, query in enumerate(built):
        query.ref_id = chr(ord("A") + number)  # type: ignore[attr-defined]
        made = made.with_target(_Ready(query))
    result: _B = made
    return result


def _panel(made: Any) -> AnyPanel:
    panel: AnyPanel = made
    return panel
