"""The two closed tables: topics and metric names."""

from __future__ import annotations

import re

import pytest

from sendtrail.metrics import METRICS, counter, gauge, histogram
from sendtrail.topics import TOPICS

_UNITS = ("_total", "_bytes", "_seconds", "_records", "_connections", "_segments", "_offset", "_partitions")


def test_every_topic_is_named_and_keyed_once() -> None:
    assert [t.name for t in TOPICS] == [
        "tracking.events", "tracking.enriched", "tracking.rejects", "tracking.deliveries", "tracking.contents",
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
    assert re.fullmatch(r"sendtrail_(edge|spool|forward|registry|api|streams|loader)_[a-z_]+", name)
    assert name.endswith(_UNITS)
    assert name.endswith("_total") == (metric.kind == "counter")
    assert metric.help


def test_a_metric_is_made_once_and_only_from_the_list() -> None:
    assert counter("sendtrail_edge_bad_links_total") is counter("sendtrail_edge_bad_links_total")
    gauge("sendtrail_spool_bytes").labels("edge").set(1)
    histogram("sendtrail_loader_insert_seconds").labels("events").observe(0.1)
    with pytest.raises(KeyError):
        counter("sendtrail_anything_total")
