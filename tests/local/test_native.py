"""The native protocol through clickhouse-driver: the same on the embedded engine and on a real server."""

from __future__ import annotations

from tests.support.stack import ClickHouse


def test_select(clickhouse: ClickHouse) -> None:
    with clickhouse.client() as client:
        assert client.execute("SELECT 1, 'x'") == [(1, "x")]
