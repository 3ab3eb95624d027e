"""Where the line stands: spools on this machine, the groups' positions in Kafka, the newest rows in ClickHouse."""

import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from clickhouse_driver import errors as clickhouse_errors
from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError

from sendtrail.clickhouse import connect
from sendtrail.kafka_admin import admin_client, physical_name
from sendtrail.kafka_read import group_less, partitions_of
from sendtrail.settings import ClickHouseSettings, Config, ForwardSettings, KafkaSettings, StreamSettings
from sendtrail.spool_files import damaged_files, read_lost, read_segments, segment_files
from sendtrail.topics import ENRICHED, EVENTS, LOADER_GROUP, STREAMS_GROUP, Topic
from streams.hold import read_held

_TIMEOUT_MS = 5_000


class StageStatus(NamedTuple):
    """One line of `sendtrail status`. `lag_s`: age of the oldest thing that waits, None where nothing can be said."""

    stage: str
    state: str
    backlog: str
    last_event: str | None
    lag_s: float | None
    well: bool = True


def read_status(config: Config) -> list[StageStatus]:
    """One row per spool, group and store. A part that does not answer is a row that says so."""
    rows = [spool_status(directory) for directory in config.section(ForwardSettings).spool_dirs]
    kafka = config.section(KafkaSettings)
    try:
        rows += list(_groups(kafka))
    except KafkaError as error:
        rows.append(StageStatus("Kafka", f"does not answer at {kafka.bootstrap}: {error}", "?", None, None, False))
    rows += _held(config.section(StreamSettings).state_dir)
    rows.append(_clickhouse(config.section(ClickHouseSettings)))
    return rows


def spool_status(directory: Path) -> StageStatus:
    """What waits in one spool directory; the age is that of its oldest segment."""
    if not directory.is_dir():
        return StageStatus(f"spool {directory.name}", "not here", "?", None, None)
    changed = [path.stat().st_mtime for file in segment_files(directory) if (path := file.path).exists()]
    events = sum(len(content.payloads) for content in read_segments(directory))
    lost, damaged = read_lost(directory).events, len(damaged_files(directory))
    lag_s = max(0.0, time.time() - min(changed)) if changed else 0.0
    state = "waiting" if events else "empty"
    if damaged:
        state = f"{damaged} DAMAGED segments are kept aside: `sendtrail spool list {directory}`"
    if lost:
        state = f"LOST {lost} events: the disk was full or failed"
    newest = _text(max(changed, default=None))
    return StageStatus(f"spool {directory.name}", state, f"{events} events", newest, lag_s)


def _groups(kafka: KafkaSettings) -> Iterator[StageStatus]:
    consumer = group_less(kafka.bootstrap, bootstrap_timeout_ms=_TIMEOUT_MS)
    try:
        for stage, topic, group in (("stream worker", EVENTS, STREAMS_GROUP), ("loader", ENRICHED, LOADER_GROUP)):
            yield _group(consumer, kafka, stage, topic, kafka.topic_prefix + group)
    finally:
        consumer.close()


def _group(consumer: KafkaConsumer, kafka: KafkaSettings, stage: str, topic: Topic, group: str) -> StageStatus:
    name = physical_name(kafka, topic)
    partitions = partitions_of(consumer, name)
    if not partitions:
        return StageStatus(stage, f"topic {name} is not there: `sendtrail topics`", "?", None, None, False)
    client = admin_client(kafka.bootstrap)
    try:
        committed = client.list_group_offsets({group: partitions}).get(group, {})
    finally:
        client.close()
    ends, begins = consumer.end_offsets(partitions), consumer.beginning_offsets(partitions)
    done = {p: max(committed[p].offset, begins[p]) if p in committed else begins[p] for p in partitions}
    backlog = sum(ends[p] - done[p] for p in partitions)
    behind = [(p, done[p]) for p in partitions if ends[p] > done[p]]
    last = [(p, ends[p] - 1) for p in partitions if ends[p] > begins[p]]
    lag_s = max((time.time() - at for at in _times(consumer, behind)), default=0.0)
    newest = max(_times(consumer, last), default=None)
    return StageStatus(stage, "behind" if backlog else "level", f"{backlog} records", _text(newest), max(0.0, lag_s))


def _times(consumer: KafkaConsumer, places: Sequence[tuple[TopicPartition, int]]) -> list[float]:
    """Log times, in seconds, of the records at these places."""
    times = []
    for partition, offset in places:
        consumer.assign([partition])
        consumer.seek(partition, offset)
        records = consumer.poll(_TIMEOUT_MS, max_records=1).get(partition, [])
        times += [record.timestamp / 1000 for record in records]
    return times


def _held(state_dir: Path) -> list[StageStatus]:
    """A row where a worker of this machine holds because of rejects."""
    held = read_held(state_dir)
    if not held:
        return []
    state = "HOLDS, too much is rejected: `sendtrail rejects list`, then `sendtrail rejects pass`. " + held[0].text
    return [StageStatus("stream worker", state, f"{len(held)} partitions", None, None, False)]


def _clickhouse(settings: ClickHouseSettings) -> StageStatus:
    client = connect(settings)
    try:
        rows, newest = client.execute("SELECT count(), toUnixTimestamp64Milli(max(log_time)) / 1000 FROM events")[0]
        return StageStatus("ClickHouse", "answers", f"{rows} rows in events", _text(newest or None), None)
    except (clickhouse_errors.Error, OSError) as error:
        state = f"does not answer at {settings.address}: {str(error).splitlines()[0]}"
        return StageStatus("ClickHouse", state, "?", None, None, False)
    finally:
        client.disconnect()


def _text(seconds: float | None) -> str | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")
