"""A line's last part under test: topics, tables, loaders as processes, and the ledger against the tables."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from clickhouse_driver import Client
from kafka import KafkaAdminClient, KafkaConsumer, TopicPartition
from kafka.admin import MemberToRemove

from sendtrail.clickhouse import connect
from sendtrail.kafka_admin import ensure_topics, physical_name
from sendtrail.settings import ClickHouseSettings, Config, KafkaSettings, TrackingSettings
from sendtrail.topics import ENRICHED, LOADER_GROUP
from sinks.migrate import migrate
from sinks.plan import CommitMetadata, decode_metadata
from sinks.recount import aggregates, differing
from tests.support.enriched import Emitter

PARTITIONS = 2
SOURCE_TOPIC_ID = "4f1c2a3e-0000-4000-8000-000000000001"


@dataclass
class Line:
    """Topics and tables of one test, with an emitter in place of the stream worker."""

    kafka: KafkaSettings
    clickhouse: ClickHouseSettings
    directory: Path
    emitter: Emitter
    commits: Any  # a consumer that is no member of the loaders' group and reads its commits
    loaders: list["LoaderProcess"] = field(default_factory=list)

    @classmethod
    def make(
        cls, bootstrap: str, prefix: str, clickhouse: ClickHouseSettings, directory: Path, *, tables: bool = True
    ) -> "Line":
        """Create topics, and tables unless the test does it later."""
        config = Config({})
        kafka = config.section(KafkaSettings, bootstrap=bootstrap, topic_prefix=prefix, partitions=PARTITIONS)
        ensure_topics(kafka, config.section(TrackingSettings))
        emitter = Emitter(bootstrap, physical_name(kafka, ENRICHED), SOURCE_TOPIC_ID)
        line = cls(kafka, clickhouse, directory, emitter, _commits_of(kafka))
        if tables:
            line.migrate()
        return line

    def disconnect(self) -> None:
        """Leave Kafka, before its broker is killed: kafka-python leaves sockets of refused connections open."""
        self.emitter.close()
        self.commits.close()

    def reconnect(self) -> None:
        """Back to Kafka."""
        self.emitter.producer = self.emitter.make_producer()
        self.commits = _commits_of(self.kafka)

    def migrate(self) -> None:
        """Create the tables."""
        with connect(self.clickhouse, database="default") as client:
            migrate(client, self.clickhouse)

    def client(self) -> Client:
        """A client of the tables."""
        return connect(self.clickhouse)

    def loader(
        self,
        die_at: str = "",
        times: int = 1,
        name: str = "loader",
        environment: Mapping[str, str] | None = None,
        **settings: Any,
    ) -> "LoaderProcess":
        """Start a loader; `name` is its data directory's, `settings` are of LoaderSettings."""
        variables = {
            "SENDTRAIL_KAFKA_BOOTSTRAP": self.kafka.bootstrap,
            "SENDTRAIL_KAFKA_TOPIC_PREFIX": self.kafka.topic_prefix,
            "SENDTRAIL_KAFKA_PARTITIONS": str(PARTITIONS),
            "SENDTRAIL_CLICKHOUSE_ADDRESS": self.clickhouse.address,
            "SENDTRAIL_CLICKHOUSE_USER": self.clickhouse.user,
            "SENDTRAIL_CLICKHOUSE_PASSWORD": self.clickhouse.secret(),
            "SENDTRAIL_CLICKHOUSE_DATABASE": self.clickhouse.database,
            "SENDTRAIL_LOADER_DATA_DIR": str(self.directory / name),
            "SENDTRAIL_LOADER_ADMIN_PORT": "0",
            **(environment or {}),
        }
        defaults = {"batch_wait_ms": 50, "gap_timeout_s": 60, "addresses": "full"}
        variables |= {f"SENDTRAIL_LOADER_{key}".upper(): str(value) for key, value in (defaults | settings).items()}
        process = LoaderProcess(variables, self.directory / f"{name}.log", [die_at, str(times)])
        self.loaders.append(process)
        return process

    def member_id(self, name: str = "loader") -> str:
        """The id of the loader with that data directory."""
        return (self.directory / name / "member").read_text().strip()

    def close(self) -> None:
        """Kill what still runs."""
        for loader in self.loaders:
            loader.kill()
        self.disconnect()

    def wait_loaded(self, timeout_s: float = 30.0) -> None:
        """Until every source offset that was emitted is committed as loaded. Raises AssertionError with the log."""
        expected = {partition: count - 1 for partition, count in self.emitter.next_offset.items() if count}
        self.wait(lambda: self.committed() == expected, f"source offsets {expected} are committed", timeout_s)

    def committed(self) -> dict[int, int]:
        """The group's chain position by partition, where no plan is open."""
        commits = {partition: self._commit(partition) for partition in range(PARTITIONS)}
        return {number: each.src for number, (_, each) in commits.items() if each is not None and each.plan is None}

    def lose_commits(self) -> None:
        """Delete the group, as an operator or its expiry does. No loader may run."""
        group = self.kafka.topic_prefix + LOADER_GROUP
        admin = KafkaAdminClient(bootstrap_servers=self.kafka.bootstrap)
        admin.remove_group_members(group, [MemberToRemove(group_instance_id=self.member_id())])
        admin.delete_groups([group])
        admin.close()
        assert self.offset(0) is None

    def offset(self, partition: int) -> int | None:
        """The group's offset in tracking.enriched."""
        return self._commit(partition)[0]

    def has_intent(self, partition: int) -> bool:
        """True if a plan is open."""
        metadata = self._commit(partition)[1]
        return metadata is not None and metadata.plan is not None

    def _commit(self, partition: int) -> tuple[int | None, CommitMetadata | None]:
        commit = self.commits.committed(TopicPartition(self.emitter.topic, partition), metadata=True)
        metadata = decode_metadata(commit.metadata) if commit else None
        return commit.offset if commit else None, metadata if isinstance(metadata, CommitMetadata) else None

    def wait(self, condition: Callable[[], bool], what: str, timeout_s: float = 30.0) -> None:
        """Until the condition holds. Raises AssertionError with the loader's log."""
        deadline = time.monotonic() + timeout_s
        while not condition():
            log = self.loaders[-1].log_text()[-4000:] if self.loaders else ""
            assert time.monotonic() < deadline, f"not within {timeout_s:g} s: {what}\n{log}"
            time.sleep(0.05)

    def assert_ledger(self, records: int | None = None) -> None:
        """Every emitted event is one row with its newest class, every reject a row, every aggregate a recount.

        `records`: how many records make up the chain, where not one per source offset.
        """
        with self.client() as client:
            live = {
                event_id: (delivery, class_)
                for event_id, delivery, class_ in client.execute(
                    "SELECT lower(hex(event_id)), any(delivery_id), argMax(class, rev) FROM events "
                    "GROUP BY event_id HAVING sum(sign) = 1"
                )
            }
            others = client.execute(
                "SELECT count() FROM (SELECT 1 FROM events GROUP BY event_id HAVING sum(sign) != 1)"
            )
            assert others == [(0,)]
            assert live == self.emitter.events
            assert client.execute("SELECT count() FROM rejects") == [(self.emitter.rejects,)]
            records = sum(self.emitter.next_offset.values()) if records is None else records
            assert client.execute("SELECT count(), uniqExact(src_topic, src_partition, src_offset) FROM audit") == [
                (records, records)
            ]
            deliveries = list(range(1, self.emitter.deliveries + 1))
            assert {each.target: differing(client, each, deliveries) for each in aggregates(client)} == dict.fromkeys(
                (each.target for each in aggregates(client)), 0
            )


def _commits_of(kafka: KafkaSettings) -> Any:
    group = kafka.topic_prefix + LOADER_GROUP
    return KafkaConsumer(bootstrap_servers=kafka.bootstrap, group_id=group, enable_auto_commit=False)


class LoaderProcess:
    """A loader as a child process, its log in a file."""

    def __init__(self, environment: Mapping[str, str], log: Path, arguments: list[str]) -> None:
        self._log = log
        with log.open("ab") as out:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.support.loader_child", *arguments],
                env={**os.environ, **environment},
                stdout=out,
                stderr=out,
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    def wait(self, timeout_s: float = 30.0) -> int:
        """Its exit code, negative for a signal. Raises AssertionError with its log if it does not end."""
        try:
            return self._process.wait(timeout_s)
        except subprocess.TimeoutExpired as error:
            raise AssertionError(f"the loader does not end\n{self.log_text()[-4000:]}") from error

    def terminate(self) -> int:
        """SIGTERM; returns the exit code."""
        self._process.terminate()
        return self.wait()

    def kill(self) -> None:
        """SIGKILL, if it still runs."""
        if self.running:
            self._process.kill()
            self._process.wait()

    def log_text(self) -> str:
        """Everything loaders of this name have said."""
        return self._log.read_text() if self._log.exists() else ""
