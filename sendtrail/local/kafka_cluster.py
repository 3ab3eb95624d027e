"""Embedded Apache Kafka as a cluster: n brokers that are all controllers too, each in a JVM of its own.

Topics have up to three copies, and a write waits for one copy less than that: a broker may die at any time.
"""

from __future__ import annotations

import time
from pathlib import Path

from kafka import KafkaAdminClient
from kafka.errors import KafkaError

from sendtrail.local.files import write_whole
from sendtrail.local.kafka import KafkaBroker
from sendtrail.local.kafka_config import load_node, new_cluster_id
from sendtrail.local.process import StartError

_CLUSTER_FILE = "cluster"
_ASK_MS = 5_000


class KafkaCluster:
    """`size` embedded brokers in directories below `data_dir`; each is run by whoever has its `command`, or by itself.

    Ports and the cluster's id are kept with the data, so a cluster that is started again has the same addresses.
    """

    def __init__(self, data_dir: Path, size: int = 3) -> None:
        """Make the directories and choose ports. `size`: 3 survive the loss of one, 5 of two."""
        data_dir = Path(data_dir).absolute()
        directories = [data_dir / f"broker{number}" for number in range(1, size + 1)]
        nodes = tuple(load_node(path, number, 0) for number, path in enumerate(directories, 1))
        cluster_id = _kept_cluster_id(data_dir / _CLUSTER_FILE)
        self.brokers = tuple(
            KafkaBroker(path, node_id=node.node_id, cluster_id=cluster_id, voters=nodes)
            for path, node in zip(directories, nodes, strict=True)
        )

    @property
    def bootstrap(self) -> str:
        """Addresses for clients, with commas between."""
        return ",".join(broker.bootstrap for broker in self.brokers)

    def wait_members(self, timeout_s: float = 90.0) -> None:
        """Wait until the cluster counts all its brokers, whoever started them. StartError when the time is over."""
        deadline = time.monotonic() + timeout_s
        while (found := self.members()) < len(self.brokers):
            if time.monotonic() > deadline:
                raise StartError(f"{found} of {len(self.brokers)} brokers are in the cluster after {timeout_s:g} s")
            time.sleep(0.1)

    def members(self) -> int:
        """How many brokers the cluster counts now; 0 where none answers."""
        try:
            client = KafkaAdminClient(
                bootstrap_servers=self.bootstrap.split(","),
                bootstrap_timeout_ms=_ASK_MS,
                request_timeout_ms=_ASK_MS,
            )
        except KafkaError:
            return 0
        try:
            return len(client.describe_cluster()["brokers"])
        except KafkaError:
            return 0
        finally:
            client.close()


def _kept_cluster_id(path: Path) -> str:
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, new_cluster_id())
    return path.read_text().strip()
