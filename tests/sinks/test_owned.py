"""Which partitions are stopped, as metrics tell it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from prometheus_client import REGISTRY

from sendtrail.settings import Config, LoaderSettings
from sinks.owned import Owned


def test_after_a_rebalance_no_partition_counts_as_stopped() -> None:
    source: Any = SimpleNamespace(assignment=1, poll=lambda timeout_ms, max_records: {})
    server: Any = None
    owned = Owned(source, server, Config({}).section(LoaderSettings))
    owned.poll(0)
    owned.stop_all([3, 4], "a gap that lasts")
    assert REGISTRY.get_sample_value("sendtrail_loader_stopped_partitions") == 2
    source.assignment = 2
    assert owned.poll(0)
    assert REGISTRY.get_sample_value("sendtrail_loader_stopped_partitions") == 0
