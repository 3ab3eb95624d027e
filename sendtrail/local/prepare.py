"""What must be there before the stages start: keys, topics, tables."""

from sendtrail import keyring
from sendtrail.clickhouse import connect
from sendtrail.kafka_admin import ensure_topics, wait_for_kafka
from sendtrail.local.supervisor import Say
from sendtrail.settings import ClickHouseSettings, Config, KafkaSettings, KeySettings, TrackingSettings


def make_keys(config: Config, say: Say) -> None:
    """A key file with one active link key, unless there is one."""
    path = config.section(KeySettings).file
    if not path.exists():
        keyring.save(path, keyring.new_keyring())
        say(f"new keys in {path}: back them up, mail that is out depends on them")


def make_topics_and_tables(config: Config, say: Say) -> None:
    """Topics as in `TOPICS`, tables as in the migrations. Waits for Kafka; raises TopicsError, ClickHouse's errors."""
    from sinks.migrate import migrate

    kafka = config.section(KafkaSettings)
    wait_for_kafka(kafka.bootstrap, say)
    ensure_topics(kafka, config.section(TrackingSettings))
    settings = config.section(ClickHouseSettings)
    client = connect(settings, database="default")
    try:
        migrate(client, settings)
    finally:
        client.disconnect()
