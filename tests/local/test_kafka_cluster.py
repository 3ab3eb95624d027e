"""The embedded cluster keeps who it is. That it replicates and survives the loss of a broker: tests/chaos."""

from __future__ import annotations

from pathlib import Path

from sendtrail.local.kafka_cluster import KafkaCluster


def test_addresses_and_id_outlive_a_restart(tmp_path: Path) -> None:
    before = KafkaCluster(tmp_path, 3)
    assert len({broker.bootstrap for broker in before.brokers}) == 3
    after = KafkaCluster(tmp_path, 3)
    assert (after.bootstrap, [one.command for one in after.brokers]) == (
        before.bootstrap,
        [one.command for one in before.brokers],
    )
    for number, broker in enumerate(before.brokers, 1):
        command = broker.command
        assert command.count("--voter") == 3
        assert command[command.index("--node-id") + 1] == str(number)
        assert command[command.index("--cluster-id") + 1] == (tmp_path / "cluster").read_text()
