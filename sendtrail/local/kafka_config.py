"""Configuration of the embedded broker: ports kept with the data, server.properties, log4j2, JVM flags."""

from __future__ import annotations

import base64
import json
import uuid
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from sendtrail.local.files import write_whole
from sendtrail.local.process import accepts_connections, free_port

OFFSETS_RETENTION_MINUTES = 10 * 365 * 24 * 60
_NODE_FILE = "node.json"
MAX_MESSAGE_BYTES = 8 * 1024 * 1024
JVM_FLAGS = (
    "-XX:+UseSerialGC",
    "-Xms64m",
    "-Xmx512m",
    "-XX:+ExitOnOutOfMemoryError",
    "-Djava.awt.headless=true",
    "--enable-native-access=ALL-UNNAMED",
    "--sun-misc-unsafe-memory-access=allow",
)
# A tool that runs for a second: compiling it well would cost more than it saves.
TOOL_JVM_FLAGS = (*JVM_FLAGS, "-XX:TieredStopAtLevel=1")

_LOG4J2 = """\
status = error
appender.out.type = Console
appender.out.name = out
appender.out.layout.type = PatternLayout
appender.out.layout.pattern = %d{ISO8601} %p %c{1}: %m%n
rootLogger.level = warn
rootLogger.appenderRef.out.ref = out
logger.kafka.name = kafka.server.KafkaRaftServer
logger.kafka.level = info
"""


@dataclass(frozen=True)
class Node:
    """One broker and controller of a cluster: its id and its two loopback ports."""

    node_id: int
    port: int
    controller_port: int


def load_node(data_dir: Path, node_id: int, port: int) -> Node:
    """The node of this data directory. Ports are chosen once and kept; a given `port` replaces the kept one."""
    path = data_dir / _NODE_FILE
    kept = json.loads(path.read_text()) if path.exists() else {}
    node = Node(
        kept.get("node_id", node_id),
        port or kept.get("port") or free_port(),
        kept.get("controller_port") or free_port(),
    )
    if node.node_id != node_id:
        raise ValueError(f"{data_dir} belongs to node {node.node_id}, not {node_id}")
    write_whole(path, json.dumps(asdict(node)))
    return node


def with_free_controller_port(data_dir: Path, node: Node) -> Node:
    """`node`, with another controller port if something took the kept one. Only for a cluster of one node."""
    if not accepts_connections(node.controller_port):
        return node
    node = replace(node, controller_port=free_port())
    write_whole(data_dir / _NODE_FILE, json.dumps(asdict(node)))
    return node


def new_cluster_id() -> str:
    """A random cluster id in Kafka's form: base64url of 16 bytes, no padding.

    It starts with a letter: the storage tool takes a leading "-" for an option.
    """
    first, *rest = uuid.uuid4().bytes
    return base64.urlsafe_b64encode(bytes([first & 0x7F, *rest])).decode().rstrip("=")


def server_properties(node: Node, voters: tuple[Node, ...], data_dir: Path) -> str:
    """server.properties of a combined broker and controller that listens on the loopback interface only."""
    quorum = ",".join(f"{voter.node_id}@127.0.0.1:{voter.controller_port}" for voter in voters)
    replicas = min(3, len(voters))
    settings: dict[str, object] = {
        "process.roles": "broker,controller",
        "node.id": node.node_id,
        "controller.quorum.voters": quorum,
        "listeners": f"PLAINTEXT://127.0.0.1:{node.port},CONTROLLER://127.0.0.1:{node.controller_port}",
        "advertised.listeners": f"PLAINTEXT://127.0.0.1:{node.port}",
        "controller.listener.names": "CONTROLLER",
        "inter.broker.listener.name": "PLAINTEXT",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "log.dirs": data_dir / "log",
        "auto.create.topics.enable": "false",
        "delete.topic.enable": "true",
        "num.partitions": 1,
        "default.replication.factor": replicas,
        "min.insync.replicas": max(1, replicas - 1),
        "offsets.topic.replication.factor": replicas,
        "offsets.topic.num.partitions": 4,
        "offsets.retention.minutes": OFFSETS_RETENTION_MINUTES,
        "transaction.state.log.replication.factor": replicas,
        "transaction.state.log.min.isr": max(1, replicas - 1),
        "transaction.state.log.num.partitions": 4,
        "share.coordinator.state.topic.replication.factor": replicas,
        "share.coordinator.state.topic.min.isr": max(1, replicas - 1),
        "share.coordinator.state.topic.num.partitions": 1,
        "group.initial.rebalance.delay.ms": 0,
        "broker.session.timeout.ms": 2000,
        "broker.heartbeat.interval.ms": 500,
        "message.max.bytes": MAX_MESSAGE_BYTES,
        "replica.fetch.max.bytes": MAX_MESSAGE_BYTES,
        "num.network.threads": 2,
        "num.io.threads": 4,
        "log.cleaner.dedupe.buffer.size": 16 * 1024 * 1024,
    }
    return "".join(f"{key}={value}\n" for key, value in settings.items())


def write_files(node: Node, voters: tuple[Node, ...], data_dir: Path) -> Path:
    """Write server.properties and log4j2.properties; returns the path of the first."""
    properties = data_dir / "server.properties"
    properties.write_text(server_properties(node, voters, data_dir))
    (data_dir / "log4j2.properties").write_text(_LOG4J2)
    return properties
