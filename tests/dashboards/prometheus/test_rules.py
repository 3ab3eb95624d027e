"""Rules and scrape configuration: sound, tried in both directions, and explained to whoever is called."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.main import get_command

from sendtrail.cli.main import app
from sendtrail.metrics import METRICS

ROOT = Path(__file__).resolve().parents[3]
RULES = ROOT / "dashboards/prometheus/rules"
CASES = Path(__file__).parent / "alerts_test.yml"
OPERATE = (ROOT / "docs/operate.md").read_text()
_SUFFIXES = ("_bucket", "_sum", "_count")


def _rules(kind: str) -> list[dict[str, Any]]:
    groups = [group for path in sorted(RULES.glob("*.yml")) for group in yaml.safe_load(path.read_text())["groups"]]
    return [rule for group in groups for rule in group["rules"] if kind in rule]


ALERTS = {rule["alert"]: rule for rule in _rules("alert")}
RECORDED = {rule["record"]: rule for rule in _rules("record")}


def _promtool(*arguments: str) -> None:
    if shutil.which("promtool") is None:
        pytest.skip("promtool is not installed")
    run = subprocess.run(["promtool", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr


def test_the_configuration_and_its_rules_are_sound() -> None:
    _promtool("check", "config", "dashboards/prometheus/prometheus.yml")
    _promtool("check", "rules", *map(str, sorted(RULES.glob("*.yml"))))


def test_every_alert_fires_where_it_must_and_only_there() -> None:
    _promtool("test", "rules", str(CASES))


def _expectations(alert: str) -> list[bool]:
    """Of each tried moment: whether the alert was to fire."""
    tests = yaml.safe_load(CASES.read_text())["tests"]
    tried = [case for test in tests for case in test.get("promql_expr_test", []) if f'"{alert}"' in case["expr"]]
    return [bool(case.get("exp_samples")) for case in tried]


@pytest.mark.parametrize("alert", ALERTS)
def test_every_alert_has_a_firing_and_a_silent_case(alert: str) -> None:
    assert set(_expectations(alert)) == {True, False}


@pytest.mark.parametrize("alert", ALERTS)
def test_every_alert_says_how_bad_it_is_and_what_to_do(alert: str) -> None:
    rule = ALERTS[alert]
    assert rule["labels"]["severity"] in ("page", "ticket")
    assert rule["annotations"]["summary"]
    document, _, anchor = rule["annotations"]["runbook_url"].partition("#")
    assert document == "docs/operate.md"
    assert anchor == alert.lower()
    assert f"\n## {alert}\n" in OPERATE


def test_the_document_has_no_section_of_an_alert_that_is_gone() -> None:
    assert set(re.findall(r"^## (Sendtrail\w+)$", OPERATE, re.MULTILINE)) == set(ALERTS)
    anchors = set(re.findall(r"\]\(#(\w+)\)", OPERATE))
    assert anchors <= {alert.lower() for alert in ALERTS}


def metrics_of(expression: str) -> set[str]:
    """The metrics of ours in a PromQL expression, of histograms the name without its suffix."""
    names = set(re.findall(r"\bsendtrail_\w+", expression))
    for family in re.findall(r'__name__=~"([^"]+)"', expression):
        names -= {name for name in names if name in family}
        names |= {name for name in METRICS if re.fullmatch(family, name)}
    return {_family(name) for name in names}


def _family(name: str) -> str:
    return next((name.removesuffix(end) for end in _SUFFIXES if name.removesuffix(end) in METRICS), name)


@pytest.mark.parametrize("name", [*ALERTS, *RECORDED])
def test_rules_use_metrics_and_records_that_exist(name: str) -> None:
    expression = (ALERTS | RECORDED)[name]["expr"]
    assert metrics_of(expression) <= METRICS.keys()
    assert set(re.findall(r"\bsendtrail:[\w:]+", expression)) <= RECORDED.keys()


def test_every_command_in_the_document_exists() -> None:
    commands = set(getattr(get_command(app), "commands", {}))
    spoken = set(re.findall(r"(?:^|`)sendtrail ([a-z]+)", OPERATE, re.MULTILINE))
    assert spoken
    assert spoken <= commands


def test_every_metric_and_setting_in_the_document_exists() -> None:
    from sendtrail.settings import SECTIONS
    from sendtrail.topics import TOPICS

    settings = {f"{cls.section}.{name}" for cls in SECTIONS for name in cls.model_fields}
    sections = "|".join(cls.section for cls in SECTIONS)
    spoken = set(re.findall(rf"`((?:{sections})\.[a-z_]+)`", OPERATE))
    assert spoken
    assert spoken - {topic.name for topic in TOPICS} - {"retention.ms"} <= settings  # the last is a topic's own
    assert metrics_of(OPERATE.replace("_…", "")) - {f"sendtrail_{part}" for part in _parts()} <= METRICS.keys()


def _parts() -> set[str]:
    return {name.split("_")[1] for name in METRICS}
