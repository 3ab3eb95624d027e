"""Embedded Apache Kafka as a cluster: n brokers that are all controllers too, each in a JVM of its own.

Topics have up to three copies, and a write waits for one copy less than that: a broker may die at any time.
"""

from __future__ import annotations

import time
from pathlib import Path

from kafka import KafkaAdminClient
from kafka.errors import KafkaError

from sendtrail.local.artifacts import ensure, read_lock
from sendtrail.local.files import write_whole
from sendtrail.local.kafka import KafkaBroker
from sendtrail.local.kafka_config import load_node, new_cluster_id
from sendtrail.local.kafka_lock import LOCK_PATH
from sendtrail.local.process import StartError

_CLUSTER_FILE = "cluster"
_ASK_MS = 5_000


class KafkaCluster:
    """Controls `size` embedded brokers in directories below `data_dir`.

    Ports and the cluster's id are kept with the data, so a cluster that is started again has the same addresses.
    Each broker can be killed, stopped and started by itself (`brokers`), or be run by a supervisor (its `command`).
    """

    def __init__(self, data_dir: Path, size: int = 3, *, die_with_parent: bool = True) -> None:
        """Make the directories and choose ports. `size`: 3 survive the loss of one, 5 of two."""
        self.data_dir = Path(data_dir).absolute()
        directories = [self.data_dir / f"broker{number}" for number in range(1, size + 1)]
        nodes = tuple(load_node(path, number, 0) for number, path in enumerate(directories, 1))
        cluster_id = _kept_cluster_id(self.data_dir / _CLUSTER_FILE)
        self.brokers = tuple(
            KafkaBroker(
                path, node_id=node.node_id, cluster_id=cluster_id, voters=nodes, die_with_parent=die_with_parent
            )
            for path, node in zip(directories, nodes, strict=True)
        )

    @property
    def bootstrap(self) -> str:
        """Addresses for clients, with commas between."""
        return ",".join(broker.bootstrap for broker in self.brokers)

    def start(self) -> None:
        """Start all brokers; returns at once. Raises as `KafkaBroker.start` does."""
        for broker in self.brokers:
            broker.start()

    def wait_ready(self, timeout_s: float = 90.0) -> None:
        """Wait until every broker answers and is a member of the cluster. StartError when the time is over."""
        for broker in self.brokers:
            broker.wait_ready(timeout_s)
        self.wait_members(timeout_s)

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

    def stop(self) -> None:
        """Controlled shutdown of all; the last ones without a quorum are killed after a while."""
        for broker in self.brokers:
            broker.stop(timeout_s=10.0)

    def kill(self) -> None:
        """SIGKILL to all, as in a power cut of the machine without the loss of its memory."""
        for broker in self.brokers:
            broker.kill()

    def __enter__(self) -> KafkaCluster:
        ensure(read_lock(LOCK_PATH))
        self.start()
        self.wait_ready()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def _kept_cluster_id(path: Path) -> str:
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, new_cluster_id())
    return path.read_text().strip()
