"""Writes kafka.lock.toml: resolves Kafka's artifacts and records their versions and SHA-256.

python -m sendtrail.local.kafka_lock
"""

from __future__ import annotations

from pathlib import Path

from sendtrail.local.artifacts import Artifact, Lock, digest, format_lock

KAFKA_VERSION = "4.4.0"
LOCK_PATH = Path(__file__).with_name("kafka.lock.toml")
_KAFKA = f"org.apache.kafka:kafka_2.13:{KAFKA_VERSION}"
_LOG_BINDING = ("org.apache.logging.log4j", "log4j-slf4j-impl")


def resolve() -> Lock:
    """Ask Maven for Kafka and its dependencies, and for the slf4j binding of the log4j it uses."""
    import jgo

    found = {(a.groupId, a.artifactId): a for a in jgo.resolve(_KAFKA)}
    log4j_version = found["org.apache.logging.log4j", "log4j-core"].version
    # Resolved on its own: together with Kafka, log4j's managed versions would replace Kafka's.
    for artifact in jgo.resolve(":".join((*_LOG_BINDING, log4j_version))):
        found.setdefault((artifact.groupId, artifact.artifactId), artifact)
    locked = []
    for (group, name), artifact in sorted(found.items()):
        path = artifact.resolve()
        locked.append(Artifact(group, name, artifact.version, path.stat().st_size, digest(path)))
    return Lock("kafka", KAFKA_VERSION, tuple(locked))


if __name__ == "__main__":
    LOCK_PATH.write_text(format_lock(resolve(), "python -m sendtrail.local.kafka_lock"))
