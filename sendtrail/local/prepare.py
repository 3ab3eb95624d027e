"""What must be there before the stages start: keys, topics, tables, a users file where one is set."""

from datetime import UTC, datetime

from sendtrail import api_keys, keyring, private_file
from sendtrail.api_keys import ApiKey, ApiKeys
from sendtrail.clickhouse import connect
from sendtrail.kafka_admin import ensure_topics, wait_for_kafka
from sendtrail.local.supervisor import Say
from sendtrail.settings import (
    ApiSettings,
    ClickHouseSettings,
    Config,
    KafkaSettings,
    KeySettings,
    TrackingSettings,
    WebSettings,
)

_PAGES = "report pages"


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


def make_users_file(config: Config, say: Say) -> None:
    """An empty users file where one is set and missing, so that the report pages start and nobody can log in yet."""
    from dashboards.web.access.users import Users, save

    path = config.section(WebSettings).users_file
    if path is not None and not path.exists():
        save(path, Users())
        say(f"no users yet in {path}: `sendtrail users add NAME` adds one")


def make_pages_key(config: Config, say: Say) -> None:
    """The API key of the report pages where its file is set and missing; with it, the API asks everybody for a key."""
    path, keys_file = config.section(WebSettings).api_key_file, config.section(ApiSettings).keys_file
    if path is None or path.exists():
        return
    with private_file.locked(keys_file):
        keys = api_keys.load(keys_file) if keys_file.exists() else ApiKeys()
        if _PAGES in keys.by_name:  # its key is lost
            keys = keys.without(_PAGES)
        made, now = api_keys.new_key(), datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        private_file.write(path, f"{made}\n".encode())
        api_keys.save(keys_file, keys.with_key(ApiKey(_PAGES, "", api_keys.digest_of(made), now)))
    say(f"the report pages have an API key in {path}: `sendtrail api-keys new NAME` makes one for a sender")
