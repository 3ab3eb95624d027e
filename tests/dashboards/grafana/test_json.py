"""The committed JSON: fresh, of the shape Grafana's own types have, explained, and linked to what is there."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from grafana_foundation_sdk.cog import plugins, runtime
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.variants import Dataquery
from grafana_foundation_sdk.models import dashboard as model

from dashboards.catalogue import REPORTS as BUILT
from dashboards.grafana.__main__ import FOLDER, texts
from dashboards.grafana.parts import CLICKHOUSE, PROMETHEUS, ClickHouseQuery
from sendtrail.metrics import METRICS
from tests.dashboards.grafana.schema import faults
from tests.dashboards.prometheus.test_rules import RECORDED, metrics_of

ROOT = Path(__file__).resolve().parents[3]
FILES = sorted(FOLDER.glob("*.json"))
DASHBOARDS: dict[str, dict[str, Any]] = {path.stem: json.loads(path.read_text()) for path in FILES}
REPORTS = [
    "deliveries", "dashboard", "indicators", "urls", "statistics", "hot-clicks", "activity", "summary", "clients",
    "recipient", "machines", "compare", "over-time", "site", "who",
]  # fmt: skip
#: Grafana's own, and the variables that a link or an expression may use beside those of its dashboard.
BUILT_IN = {"__data", "__url_time_range", "__rate_interval"}


def test_the_files_are_what_the_code_makes() -> None:
    assert {path.name: path.read_text("utf-8") for path in FILES} == texts()


def _parsed(name: str) -> model.Dashboard:
    plugins.register_default_plugins()
    runtime.register_dataquery_variant(runtime.DataqueryConfig(CLICKHOUSE, ClickHouseQuery.from_json))
    return model.Dashboard.from_json(DASHBOARDS[name])


@pytest.mark.parametrize("name", DASHBOARDS)
def test_every_value_has_the_type_of_grafanas_schema(name: str) -> None:
    assert list(faults(_parsed(name), model.Dashboard, name)) == []


@pytest.mark.parametrize("name", DASHBOARDS)
def test_every_key_is_known_to_grafanas_schema(name: str) -> None:
    """What the types do not know would be gone after reading and writing."""
    assert json.loads(json.dumps(_parsed(name), cls=JSONEncoder)) == DASHBOARDS[name]


def test_the_check_finds_what_is_wrong() -> None:
    broken = json.loads(json.dumps(DASHBOARDS["overview"]))
    broken["graphTooltip"], broken["title"], broken["templating"]["list"][0]["multi"] = 7, 5, "yes"
    found = [fault.split(":")[0] for fault in faults(model.Dashboard.from_json(broken), model.Dashboard, "x")]
    assert sorted(found) == ["x.graph_tooltip", "x.templating.list_val", "x.title"]
    wide = json.loads(json.dumps(DASHBOARDS["overview"]))
    wide["panels"][0]["gridPos"]["w"] = "wide"
    found = [fault.split(":")[0] for fault in faults(model.Dashboard.from_json(wide), model.Dashboard, "x")]
    assert found == ["x.panels"]


def _panels(dashboard: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for panel in dashboard["panels"]:
        yield from [panel] if panel["type"] != "row" else []
        yield from panel.get("panels") or []


ALL_PANELS = [(name, panel) for name, dashboard in DASHBOARDS.items() for panel in _panels(dashboard)]


@pytest.mark.parametrize(
    ("name", "panel"), ALL_PANELS, ids=lambda value: value if isinstance(value, str) else value["title"]
)
def test_every_panel_is_explained_and_asks_through_a_variable(name: str, panel: dict[str, Any]) -> None:
    assert panel["description"].endswith(".")
    assert panel["targets"]
    assert panel["datasource"] in (
        {"type": CLICKHOUSE, "uid": "${clickhouse}"},
        {"type": PROMETHEUS, "uid": "${prometheus}"},
    )
    for target in panel["targets"]:
        assert target.get("rawSql") or target.get("expr")
        assert issubclass(ClickHouseQuery, Dataquery)


@pytest.mark.parametrize("name", DASHBOARDS)
def test_panels_have_ids_of_their_own_and_do_not_overlap(name: str) -> None:
    panels = list(_panels(DASHBOARDS[name]))
    every = [panel["id"] for panel in DASHBOARDS[name]["panels"]]
    assert len(set(every)) == len(every)
    assert len({panel["title"] for panel in panels}) == len(panels)
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        cells = {(place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])}
        assert not cells & taken, panel["title"]
        taken |= cells


@pytest.mark.parametrize("name", DASHBOARDS)
def test_only_known_variables_are_used(name: str) -> None:
    dashboard = DASHBOARDS[name]
    known = {variable["name"] for variable in dashboard["templating"]["list"]} | BUILT_IN
    text = json.dumps(dashboard)
    used = set(re.findall(r"\$\{(\w+)", text)) | set(re.findall(r"\$(__\w+)\b(?!\()", text)) - {"__all"}
    assert used - {"__rate_interval"} <= known


@pytest.mark.parametrize("name", ["overview", "delivery", "links", "machines"])
def test_dashboards_of_deliveries_have_all_five_variables(name: str) -> None:
    variables = [variable["name"] for variable in DASHBOARDS[name]["templating"]["list"]]
    assert variables[-5:] == ["account", "channel", "delivery", "domain", "cut"]


def test_links_lead_to_reports_and_dashboards_that_exist() -> None:
    assert set(BUILT) <= set(REPORTS)
    uids = {dashboard["uid"] for dashboard in DASHBOARDS.values()}
    text = "".join(path.read_text() for path in FILES)
    reports = re.findall(r"\$\{reports_url\}/reports/([a-z-]+)", text)
    assert set(reports) <= set(REPORTS)
    assert {"deliveries", "dashboard", "machines"} <= set(reports)
    assert set(re.findall(r'"/d/([\w-]+)\?', text)) <= uids
    for dashboard in DASHBOARDS.values():
        assert [link["tags"] for link in dashboard["links"] if link["type"] == "dashboards"] == [["sendtrail"]]
        assert dashboard["tags"] == ["sendtrail"]


@pytest.mark.parametrize("name", DASHBOARDS)
def test_expressions_use_metrics_and_records_that_exist(name: str) -> None:
    for panel in _panels(DASHBOARDS[name]):
        for target in panel["targets"]:
            expression = target.get("expr", "")
            assert metrics_of(expression) <= METRICS.keys()
            assert set(re.findall(r"\bsendtrail:[\w:]+", expression)) <= RECORDED.keys()


def test_every_metric_is_on_a_panel_or_in_a_rule() -> None:
    shown = {
        name for _, panel in ALL_PANELS for target in panel["targets"] for name in metrics_of(target.get("expr", ""))
    }
    ruled = {name for rule in RECORDED.values() for name in metrics_of(rule["expr"])}
    nowhere = METRICS.keys() - shown - ruled
    assert not nowhere, "show it on a panel of dashboards/grafana/pipeline.py, or don't export it"


def test_provisioning_names_what_is_there() -> None:
    folder = ROOT / "dashboards/grafana/provisioning"
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]["grafana"]
    sources = yaml.safe_load((folder / "datasources/sendtrail.yml").read_text())["datasources"]
    provider = yaml.safe_load((folder / "dashboards/sendtrail.yml").read_text())["providers"][0]
    assert {one["type"] for one in sources} == {CLICKHOUSE, PROMETHEUS}
    assert CLICKHOUSE in compose["environment"]["GF_PLUGINS_PREINSTALL"]
    volumes = dict(volume.split(":")[:2] for volume in compose["volumes"])
    assert volumes["./dashboards/grafana/provisioning"] == "/etc/grafana/provisioning"
    assert volumes["./dashboards/grafana/json"] == provider["options"]["path"]
    assert provider["folder"] == "Sendtrail"
    given = set(re.findall(r"\$(\w+)", (folder / "datasources/sendtrail.yml").read_text()))
    assert given <= compose["environment"].keys()
