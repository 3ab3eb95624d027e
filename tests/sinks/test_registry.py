"""tracking.deliveries -> deliveries and delivery_urls, on a real broker and the real engine."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from clickhouse_driver import Client
from kafka import KafkaProducer

from sendtrail.deliveries import Delivery, DeliveryUrl, key_of
from sendtrail.errors import Invalid
from sendtrail.kafka_admin import ensure_topics, physical_name
from sendtrail.settings import ClickHouseSettings, Config, KafkaSettings, TrackingSettings
from sendtrail.topics import DELIVERIES
from sinks.registry import Registry
from sinks.registry_rows import delivery_row, url_row
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
        assert client.execute("SELECT delivery_id, url_id, url, label, mode FROM delivery_urls FINAL") == [
            (7, 2**32 - 1, "https://a.example/", "x", "optout")
        ]
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

    def test_it_waits_for_the_topic_and_for_the_tables(
        self, kafka_settings: KafkaSettings, registry: Registry, request: pytest.FixtureRequest
    ) -> None:
        time.sleep(0.5)
        client: Client = request.getfixturevalue("client")
        publish: Publish = request.getfixturevalue("publish")
        publish(Delivery(delivery=1, updated_ms=1))
        wait_for(client, "SELECT count() FROM deliveries FINAL", [(1,)])


def wait_for(client: Client, query: str, expected: list[tuple[Any, ...]]) -> None:
    """Ask until it is so; fails with the last answer."""
    deadline = time.monotonic() + WAIT_S
    while (found := client.execute(query)) != expected and time.monotonic() < deadline:
        time.sleep(0.1)
    assert found == expected
