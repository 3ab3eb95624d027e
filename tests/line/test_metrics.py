"""What the processes of a running line export, against the closed list and against what panels and rules ask for."""

from __future__ import annotations

import json
import re
import shutil
import subprocess

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from sendtrail.instrument.api import Api
from sendtrail.metrics import METRICS
from tests.dashboards.grafana.test_json import DASHBOARDS
from tests.dashboards.prometheus.test_rules import ALERTS, RECORDED, metrics_of
from tests.line.running import Line, until
from tests.line.traffic import ADDRESS, Mailing


def scrape(line: Line) -> dict[str, str]:
    """Process -> what its admin listener exports."""
    pages = {}
    for process, address in line.endpoints["admin"].items():
        url = address if "://" in address else f"http://{address}"
        answer = httpx.get(f"{url}/metrics", trust_env=False)
        assert answer.status_code == 200
        pages[process] = answer.text
    return pages


def exported(page: str) -> set[str]:
    """Names of the metrics a page knows, those without a series yet too."""
    return set(re.findall(r"^# TYPE (\S+) ", page, re.MULTILINE))


def samples(page: str, name: str) -> dict[frozenset[tuple[str, str]], float]:
    """Labels -> value of every series of a name."""
    families = text_string_to_metric_families(page)
    found = [sample for family in families for sample in family.samples if sample.name == name]
    return {frozenset(sample.labels.items()): sample.value for sample in found}


def asked_for() -> set[str]:
    """Metrics of ours, and of Python's client, in panels and rules."""
    expressions = [rule["expr"] for rule in (ALERTS | RECORDED).values()]
    expressions += re.findall(r'"expr": (".*")', "\n".join(json.dumps(one, indent=1) for one in DASHBOARDS.values()))
    text = "\n".join(expressions)
    return metrics_of(text) | set(re.findall(r"\bprocess_\w+", text))


@pytest.fixture
def busy(line: Line) -> Line:
    """A line through which a little of everything went."""
    mailing = Mailing(line)
    headers = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64)", "X-Forwarded-For": ADDRESS}
    for url in (mailing.pixel, mailing.click, mailing.click[:-2]):
        httpx.get(url, headers=headers, trust_env=False)
    assert Api(line.endpoints["api"]).feed([mailing.item("sent")]) == []
    mailing.wait_for(3)
    return line


def test_what_is_exported_is_in_the_list_and_the_list_is_exported(busy: Line) -> None:
    pages = scrape(busy)
    for process, page in pages.items():
        ours = {name for name in exported(page) if name.startswith("sendtrail_")}
        ours = {name for name in ours if not name.endswith("_created")}
        assert ours <= METRICS.keys(), process
    assert METRICS.keys() <= set().union(*map(exported, pages.values()))


def test_panels_and_rules_ask_for_nothing_that_no_process_exports(busy: Line) -> None:
    there = set().union(*map(exported, scrape(busy).values()))
    assert asked_for() - there == set()


def test_series_of_closed_lists_are_there_in_some_process(busy: Line) -> None:
    pages = scrape(busy)
    for name, metric in METRICS.items():
        if metric.labels and metric.values.keys() == set(metric.labels):
            of_process = [samples(page, name) for page in pages.values() if name in exported(page)]
            for label, values in metric.values.items():
                assert all({dict(series)[label] for series in found} >= set(values) for found in of_process), name


def test_gauges_tell_what_is(busy: Line) -> None:
    busy.wait_until_empty()
    until(lambda: _sum(busy, "loader", "sendtrail_audit_timestamp_seconds") > 0, "the loader has looked through audit")
    assert _sum(busy, "loader", "sendtrail_audit_difference_events") == 0
    assert _sum(busy, "loader", "sendtrail_audit_missing_records") == 0
    assert _sum(busy, "loader", "sendtrail_loader_commit_timestamp_seconds") > 0
    assert _sum(busy, "worker", "sendtrail_streams_state_bytes") > 0
    assert _sum(busy, "worker", "sendtrail_streams_window_use_ratio_count") > 0
    assert _sum(busy, "edge", "sendtrail_spool_oldest_seconds") == 0
    until(
        lambda: (
            _sum(busy, "worker", "sendtrail_streams_committed_offset")
            == _sum(busy, "worker", "sendtrail_streams_done_offset")
        ),
        "what is processed is committed",
    )
    for process, disk in (("edge", "spool"), ("api", "spool"), ("worker", "state"), ("loader", "loader")):
        page = scrape(busy)[process]
        free = samples(page, "sendtrail_disk_free_bytes")[frozenset({("disk", disk)})]
        assert 0 < free <= samples(page, "sendtrail_disk_size_bytes")[frozenset({("disk", disk)})]


def _sum(line: Line, process: str, name: str) -> float:
    return sum(samples(scrape(line)[process], name).values())


def test_prometheus_finds_nothing_to_say_against_them(busy: Line) -> None:
    if shutil.which("promtool") is None:
        pytest.skip("promtool is not installed")
    for process, page in scrape(busy).items():
        run = subprocess.run(["promtool", "check", "metrics"], input=page, capture_output=True, text=True, check=False)
        said = [line for line in (run.stdout + run.stderr).splitlines() if line.startswith("sendtrail_")]
        assert not said, process
