"""The two closed tables: topics and metric names."""

from __future__ import annotations

import re
from math import isnan
from pathlib import Path
from typing import get_args

import pytest
from prometheus_client import REGISTRY

from sendtrail.events import RejectReason
from sendtrail.metrics import METRICS, Part, begin, counter, gauge, histogram, show
from sendtrail.process import watch_disk
from sendtrail.topics import TOPICS

_UNITS = (
    "_total", "_bytes", "_seconds", "_records", "_events", "_connections", "_segments", "_offset", "_partitions",
    "_ratio", "_workers",
)  # fmt: skip


def test_every_topic_is_named_and_keyed_once() -> None:
    assert [t.name for t in TOPICS] == [
        "tracking.events", "tracking.enriched", "tracking.rejects", "tracking.deliveries", "tracking.contents",
        "tracking.consents",
    ]  # fmt: skip
    for topic in TOPICS:
        assert topic.key
        assert topic.producer
        assert topic.consumer


def test_the_log_topics_carry_log_time_and_the_registry_is_compacted() -> None:
    settings = {topic.name: topic.settings() for topic in TOPICS}
    for name in ("tracking.events", "tracking.enriched"):
        assert settings[name]["message.timestamp.type"] == "LogAppendTime"
        assert settings[name]["cleanup.policy"] == "delete"
    for name in ("tracking.deliveries", "tracking.contents"):
        assert settings[name]["cleanup.policy"] == "compact"
        assert settings[name]["retention.ms"] == "-1"
    assert int(settings["tracking.enriched"]["max.message.bytes"]) == 8 * 1024 * 1024


@pytest.mark.parametrize("name", METRICS)
def test_metric_names_carry_project_stage_and_unit(name: str) -> None:
    metric = METRICS[name]
    project, part = name.split("_")[:2]
    assert project == "sendtrail"
    assert part in get_args(Part)
    assert re.fullmatch(r"[a-z_]+", name)
    assert name.endswith(_UNITS)
    assert name.endswith("_total") == (metric.kind == "counter")
    assert metric.help
    assert metric.values.keys() <= set(metric.labels)


def test_series_of_closed_lists_are_there_before_anything_happened() -> None:
    begin("streams")
    for reason in get_args(RejectReason):
        assert REGISTRY.get_sample_value("sendtrail_streams_rejects_total", {"reason": reason}) is not None
    assert REGISTRY.get_sample_value("sendtrail_streams_records_total") is not None


def test_a_partition_that_is_gone_is_shown_no_more() -> None:
    name = "sendtrail_loader_lag_records"
    show(name, {0: 5, 1: 6})
    show(name, {1: 7})
    assert REGISTRY.get_sample_value(name, {"partition": "0"}) is None
    assert REGISTRY.get_sample_value(name, {"partition": "1"}) == 7


def test_a_disk_is_watched_and_one_that_is_gone_is_not_a_number(tmp_path: Path) -> None:
    watch_disk("here", tmp_path)
    watch_disk("gone", tmp_path / "gone")
    free = REGISTRY.get_sample_value("sendtrail_disk_free_bytes", {"disk": "here"})
    size = REGISTRY.get_sample_value("sendtrail_disk_size_bytes", {"disk": "here"})
    assert free is not None
    assert size is not None
    assert 0 < free <= size
    assert isnan(REGISTRY.get_sample_value("sendtrail_disk_free_bytes", {"disk": "gone"}) or 0)


def test_a_metric_is_made_once_and_only_from_the_list() -> None:
    assert counter("sendtrail_edge_bad_links_total") is counter("sendtrail_edge_bad_links_total")
    gauge("sendtrail_spool_bytes").labels("edge").set(1)
    histogram("sendtrail_loader_insert_seconds").labels("events").observe(0.1)
    with pytest.raises(KeyError):
        counter("sendtrail_anything_total")
