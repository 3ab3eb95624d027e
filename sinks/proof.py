"""Where a recipient still stands: counted in every table, and said with a date for what only time empties.

Kafka's topics, the workers' state and back-ups can't be changed; they run out. Their dates come from what the broker
and the settings say now.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from clickhouse_driver import Client
from kafka.admin import ConfigResource, ConfigResourceType
from kafka.errors import KafkaError

from sendtrail.kafka_admin import admin_client, physical_name
from sendtrail.naming import HASHED
from sendtrail.settings import Config, KafkaSettings, RetentionSettings, StreamSettings, TrackingSettings
from sendtrail.topics import CONSENTS, DAY_MS, ENRICHED, EVENTS, REJECTS, Topic
from sinks.queries import query

#: Shorter names are looked for as a whole value only.
_LONG_NAME = 6
_SEGMENT_MS = 7 * DAY_MS  # Kafka's own default


class Left(NamedTuple):
    """What a table still has: rows with the recipient's key, and rows with a name of the recipient in some text."""

    table: str
    by_key: int
    by_name: int
    columns: tuple[str, ...]


class Place(NamedTuple):
    """Where something may be outside the tables, from when on it is not, and why then."""

    place: str
    free: datetime | None
    why: str


def left(
    client: Client, recipient: int, names: Sequence[str], progress: Callable[[str], None] = lambda table: None
) -> list[Left]:
    """Every table with what it has of a recipient, by key and by name, whoever's row it is.

    Reads all of them. Lets the driver's errors through.
    """
    columns: dict[str, list[tuple[str, str]]] = {}
    for table, column, kind in client.execute(query("proof_columns")):
        columns.setdefault(table, []).append((column, kind))
    found = []
    for table, several in columns.items():
        progress(table)
        found.append(_left(client, table, several, recipient, names))
    return found


def _left(
    client: Client, table: str, columns: Sequence[tuple[str, str]], recipient: int, names: Sequence[str]
) -> Left:  # fmt: skip
    keyed = [name for name, _ in columns if name == "recipient_key"]
    texts = [name for name, _ in columns if name != "recipient_key"]
    values: dict[str, Any] = {"recipient": recipient, "digits": str(recipient)}
    values |= {f"name{number}": name for number, name in enumerate(names)}
    by_key = [f"ifNull({name} = {{recipient:UInt64}}, 0)" for name in keyed]
    if recipient >= HASHED:
        by_key += [f"position(toString({name}), {{digits:String}}) > 0" for name in texts]
    by_name = {column: _named(column, names) for column in texts}
    counts = ", ".join(f"countIf({condition})" for condition in by_name.values() if condition)
    asked = (
        f"SELECT countIf({' OR '.join(by_key) or '0'}), {_any(by_name)}{', ' if counts else ''}{counts} FROM {table}"
    )
    ((keys, named, *each),) = client.execute(asked, values)
    several = [column for column, condition in by_name.items() if condition]
    return Left(table, keys, named, tuple(one for one, count in zip(several, each, strict=True) if count))


def _named(column: str, names: Sequence[str]) -> str:
    """Whether a text has a name, empty where that would say nothing."""
    conditions = []
    for number, name in enumerate(names):
        if len(name) >= _LONG_NAME and not name.isdecimal():
            conditions.append(f"positionCaseInsensitiveUTF8(toString({column}), {{name{number}:String}}) > 0")
        elif column == "recipient_name":
            conditions.append(f"{column} = {{name{number}:String}}")
    return " OR ".join(conditions)


def _any(by_name: Mapping[str, str]) -> str:
    conditions = [condition for condition in by_name.values() if condition]
    return f"countIf({' OR '.join(conditions)})" if conditions else "0"


def places(config: Config, since: datetime) -> list[Place]:
    """What else there is, and when it is free of what was there at `since`."""
    kafka, tracking = config.section(KafkaSettings), config.section(TrackingSettings)
    kept, streams = config.section(RetentionSettings), config.section(StreamSettings)
    found = _topics(kafka, tracking, since)
    window = tracking.id_window_days + 1
    found.append(Place("workers' state", since + timedelta(days=window),
                       f"tracking.id_window_days = {tracking.id_window_days}, deleted a day behind"))  # fmt: skip
    if streams.checkpoint_dir is not None:
        kept_s = streams.checkpoints_kept * streams.checkpoint_every_s
        found.append(Place("checkpoints", since + timedelta(days=window, seconds=kept_s),
                           f"{streams.checkpoints_kept} copies, one every {streams.checkpoint_every_s} s"))  # fmt: skip
    found.append(Place("spools", None, "once forwarded: `sendtrail status` says what waits"))
    if kept.backups_days:
        found.append(Place("back-ups", since + timedelta(days=kept.backups_days), "retention.backups_days"))
    else:
        found.append(Place("back-ups", None, "none by retention.backups_days; others' you know"))
    return found


def _topics(kafka: KafkaSettings, tracking: TrackingSettings, since: datetime) -> list[Place]:
    said = _configured(kafka, (EVENTS, ENRICHED, REJECTS, CONSENTS))
    found = []
    for topic in (EVENTS, ENRICHED, REJECTS, CONSENTS):
        settings = said.get(topic.name, {})
        asked = topic.settings(tracking.id_window_days)
        by = "the broker's" if settings else "as it is to be, the broker does not answer:"
        segment_ms = int(settings.get("segment.ms", _SEGMENT_MS))
        if topic.policy == "compact":
            free = since + timedelta(milliseconds=segment_ms)
            found.append(Place(topic.name, free, f"compacted once its segment is closed, {by} segment.ms"))
            continue
        retention_ms = int(settings.get("retention.ms", asked["retention.ms"]))
        if retention_ms < 0:
            found.append(Place(topic.name, None, f"never: {by} retention.ms is without end"))
            continue
        free = since + timedelta(milliseconds=retention_ms + segment_ms)
        found.append(Place(topic.name, free, f"{by} retention.ms + segment.ms"))
    return found


def _configured(kafka: KafkaSettings, topics: Sequence[Topic]) -> dict[str, dict[str, str]]:
    """What the broker has of topics, by our name; empty where it does not answer."""
    try:
        admin = admin_client(kafka.bootstrap)
        try:
            found = {}
            for topic in topics:
                name = physical_name(kafka, topic)
                resource = ConfigResource(ConfigResourceType.TOPIC, name)
                described = admin.describe_configs([resource], config_filter="all")["topic"][name]
                found[topic.name] = {key: str(entry["value"]) for key, entry in described.items()}
            return found
        finally:
            admin.close()
    except (KafkaError, OSError, LookupError):
        return {}
