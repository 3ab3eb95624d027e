"""tracking.deliveries -> deliveries and delivery_urls, on a real broker and the real engine."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from clickhouse_driver import Client
from kafka import KafkaProducer

from sendtrail.contents import Content, content_key
from sendtrail.deliveries import Delivery, DeliveryUrl, key_of
from sendtrail.errors import Invalid
from sendtrail.kafka_admin import ensure_topics, physical_name
from sendtrail.settings import ClickHouseSettings, Config, KafkaSettings, TrackingSettings
from sendtrail.topics import CONTENTS, DELIVERIES
from sinks.registry import Registry
from sinks.registry_rows import content_row, delivery_row, url_row
from tests.support.line import clickhouse_settings, migrated
from tests.support.stack import ClickHouse

import msgspec  # isort: skip

WAIT_S = 30.0
Publish = Callable[..., None]


@pytest.mark.parametrize(
    "entry",
    [
        Delivery(delivery=2**64),
        Delivery(targeted=2**64),
        Delivery(excluded={"x": 2**64}),
        Delivery(contact_date_ms=2**50),
        Delivery(updated_ms=2**50),
    ],
)
def test_a_delivery_out_of_range_is_refused(entry: Delivery) -> None:
    assert isinstance(delivery_row(entry), Invalid)


@pytest.mark.parametrize(
    "entry", [DeliveryUrl(url_id=2**32), DeliveryUrl(delivery=2**64), DeliveryUrl(updated_ms=2**50)]
)
def test_a_link_out_of_range_is_refused(entry: DeliveryUrl) -> None:
    assert isinstance(url_row(entry), Invalid)


@pytest.mark.parametrize("entry", [Content(delivery=2**64), Content(updated_ms=2**50)])
def test_a_content_out_of_range_is_refused(entry: Content) -> None:
    assert isinstance(content_row(entry), Invalid)


@pytest.mark.stack
class TestOnTheStack:
    """With a broker and an engine."""

    @pytest.fixture
    def kafka_settings(self, kafka: str, topic_prefix: str) -> KafkaSettings:
        return Config({}).section(KafkaSettings, bootstrap=kafka, topic_prefix=topic_prefix)

    @pytest.fixture
    def settings(self, clickhouse: ClickHouse, database: str) -> ClickHouseSettings:
        return clickhouse_settings(clickhouse, database)

    @pytest.fixture
    def client(self, clickhouse: ClickHouse, database: str) -> Iterator[Client]:
        with migrated(clickhouse, database) as client:
            yield client

    @pytest.fixture
    def publish(self, kafka_settings: KafkaSettings) -> Iterator[Publish]:
        ensure_topics(kafka_settings, Config({}).section(TrackingSettings))
        producer = KafkaProducer(bootstrap_servers=kafka_settings.bootstrap)

        def send(*entries: Delivery | DeliveryUrl | tuple[bytes, bytes | None]) -> None:
            for entry in entries:
                key, value = entry if isinstance(entry, tuple) else (key_of(entry).encode(), msgspec.json.encode(entry))
                producer.send(physical_name(kafka_settings, DELIVERIES), value, key).get(timeout=WAIT_S)

        yield send
        producer.close()

    @pytest.fixture
    def registry(self, kafka_settings: KafkaSettings, settings: ClickHouseSettings) -> Iterator[Registry]:
        registry = Registry(kafka_settings, settings)
        yield registry.start()
        registry.stop()

    def test_the_newest_of_each_key_is_there_and_bad_records_stop_nothing(
        self, publish: Publish, client: Client, registry: Registry
    ) -> None:
        publish(
            Delivery(
                delivery=7, account="acme", name="Autumn", label="Autumn news", tags=["a", "b"], subject="ü",
                contact_date_ms=1_790_000_000_123, status="sending", targeted=10, excluded={"blocked": 2},
                to_deliver=8, updated_ms=5,
            ),
            (b"7/meta", b"not JSON"),
            (b"7/meta", None),
            (b"9/meta", msgspec.json.encode(Delivery(delivery=7))),
            Delivery(delivery=2**64 - 1, contact_date_ms=2**50),
            DeliveryUrl(delivery=7, url_id=2**32 - 1, url="https://a.example/", label="x", mode="optout", updated_ms=5),
            Delivery(delivery=7, name="Autumn", label="older", updated_ms=4),
            Delivery(delivery=8, name="last", updated_ms=1),
        )  # fmt: skip
        wait_for(client, "SELECT count() FROM deliveries WHERE delivery_id = 8", [(1,)])
        assert client.execute(
            "SELECT account, name, label, tags, subject, toUnixTimestamp64Milli(contact_date), status, targeted,"
            " excluded, to_deliver, success FROM deliveries FINAL WHERE delivery_id = 7"
        ) == [
            (
                "acme",
                "Autumn",
                "Autumn news",
                ["a", "b"],
                "ü",
                1_790_000_000_123,
                "sending",
                10,
                {"blocked": 2},
                8,
                None,
            )
        ]
        urls = "SELECT delivery_id, url_id, url, label, mode FROM delivery_urls FINAL"
        wait_for(client, urls, [(7, 2**32 - 1, "https://a.example/", "x", "optout")])
        assert client.execute("SELECT count() FROM deliveries FINAL") == [(2,)]

    def test_an_edit_shows_and_may_clear_a_field(self, publish: Publish, client: Client, registry: Registry) -> None:
        publish(Delivery(delivery=1, label="before", campaign="spring", to_deliver=5, updated_ms=1))
        wait_for(client, "SELECT label FROM deliveries FINAL", [("before",)])
        publish(Delivery(delivery=1, label="after", updated_ms=2))
        wait_for(client, "SELECT label, campaign, to_deliver FROM deliveries FINAL", [("after", "", None)])

    def test_tables_that_were_lost_fill_again_at_the_next_start(
        self, publish: Publish, client: Client, kafka_settings: KafkaSettings, settings: ClickHouseSettings
    ) -> None:
        publish(Delivery(delivery=1, updated_ms=1), DeliveryUrl(delivery=1, url_id=2, updated_ms=1))
        for _ in range(2):
            client.execute("TRUNCATE TABLE deliveries")
            registry = Registry(kafka_settings, settings).start()
            wait_for(client, "SELECT count() FROM deliveries FINAL", [(1,)])
            registry.stop()
        assert client.execute("SELECT count() FROM delivery_urls FINAL") == [(1,)]

    @pytest.fixture
    def publish_content(self, kafka_settings: KafkaSettings, publish: Publish) -> Iterator[Publish]:
        producer = KafkaProducer(bootstrap_servers=kafka_settings.bootstrap, max_request_size=CONTENTS.max_bytes)

        def send(*entries: Content | tuple[bytes, bytes | None]) -> None:
            for entry in entries:
                key, value = entry if isinstance(entry, tuple) else (_key(entry), msgspec.json.encode(entry))
                producer.send(physical_name(kafka_settings, CONTENTS), value, key).get(timeout=WAIT_S)

        yield send
        producer.close()

    def test_contents_of_any_size_are_stored_the_newest_of_each_part(
        self, publish: Publish, publish_content: Publish, client: Client, registry: Registry
    ) -> None:
        publish(Delivery(delivery=7, label="seven", updated_ms=1))
        large = "\x01" * 1_000_000
        publish_content(
            Content(delivery=7, part="html", content="<p>ä</p>", updated_ms=2),
            (b"7/html", b"not JSON"),
            (b"7/html", None),
            Content(delivery=2**64, part="html", content="no", updated_ms=2),
            Content(delivery=7, part="html", content="older", updated_ms=1),
            Content(delivery=7, part="text", content=large, updated_ms=3),
            Content(delivery=2**64 - 1, part="text", content="last", updated_ms=2),
        )
        wait_for(client, "SELECT count() FROM delivery_contents WHERE delivery_id > 7", [(1,)])
        stored = "SELECT delivery_id, part, content FROM delivery_contents FINAL ORDER BY delivery_id, part"
        assert client.execute(stored) == [(7, "html", "<p>ä</p>"), (7, "text", large), (2**64 - 1, "text", "last")]
        publish_content(Content(delivery=7, part="html", updated_ms=4))
        wait_for(client, "SELECT content FROM delivery_contents FINAL WHERE (delivery_id, part) = (7, 'html')", [("",)])

    def test_a_start_inserts_only_contents_the_table_lacks(
        self, publish_content: Publish, client: Client, kafka_settings: KafkaSettings, settings: ClickHouseSettings
    ) -> None:
        client.execute("SYSTEM STOP MERGES delivery_contents")
        publish_content(*(Content(delivery=one, content="a", updated_ms=1) for one in (1, 2)))
        for lost in (False, False, True):
            if lost:
                client.execute("TRUNCATE TABLE delivery_contents")
            registry = Registry(kafka_settings, settings).start()
            wait_for_records(registry, 2)
            registry.stop()
            assert client.execute("SELECT count() FROM delivery_contents") == [(2,)]

    def test_it_waits_for_the_topic_and_for_the_tables(
        self, kafka_settings: KafkaSettings, registry: Registry, request: pytest.FixtureRequest
    ) -> None:
        time.sleep(0.5)
        client: Client = request.getfixturevalue("client")
        publish: Publish = request.getfixturevalue("publish")
        publish(Delivery(delivery=1, updated_ms=1))
        wait_for(client, "SELECT count() FROM deliveries FINAL", [(1,)])


def wait_for_records(registry: Registry, count: int) -> None:
    """Wait until it has read so many; fails after a while."""
    deadline = time.monotonic() + WAIT_S
    while registry.records < count and time.monotonic() < deadline:
        time.sleep(0.05)
    assert registry.records == count


def _key(entry: Content) -> bytes:
    return content_key(entry.delivery, entry.part).encode()


def wait_for(client: Client, query: str, expected: list[tuple[Any, ...]]) -> None:
    """Ask until it is so; fails with the last answer."""
    deadline = time.monotonic() + WAIT_S
    while (found := client.execute(query)) != expected and time.monotonic() < deadline:
        time.sleep(0.1)
    assert found == expected
