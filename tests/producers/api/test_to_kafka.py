"""From HTTP to the topics: the API's spools through the forwarder."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from sendtrail.deliveries import Delivery, DeliveryUrl, decode_record
from sendtrail.spool_files import segment_files
from sendtrail.topics import DELIVERIES, EVENTS
from tests.producers.api.running import ApiProcess
from tests.producers.forward.running import ForwarderProcess, Ledger, kafka_settings, read_topic, wait_until


@pytest.mark.stack
def test_what_is_fed_is_in_the_topics(kafka: str, topic_prefix: str, tmp_path: Path) -> None:
    settings = kafka_settings(kafka, topic_prefix)
    with ApiProcess(tmp_path, segment_age_ms=100) as api, ForwarderProcess(settings, api.spool):
        for label in ("first", "second"):
            reply = api.client.put(
                "/v1/deliveries/spring", json={"label": label, "urls": [{"url": "https://a.example/"}]}
            )  # fmt: skip
            assert reply.status_code == 200
        now_ms = int(time.time() * 1000)
        items = [
            {"kind": "sent", "time": now_ms, "delivery": "spring", "message": number, "recipient": f"r{number}"}
            for number in range(500)
        ]
        results = api.feed(*items, *items[:50])
        directories = (api.spool, api.spool / "registry")
        wait_until(lambda: not any(segment_files(directory) for directory in directories), "empty spools")
    ledger = Ledger(read_topic(kafka, topic_prefix + EVENTS.name))
    assert ledger.ids == sorted(result["event_id"] for result in results)
    ledger.check_totals()
    records = read_topic(kafka, topic_prefix + DELIVERIES.name)
    entries = [decode_record(record.key, record.value) for record in records]
    assert [entry.label for entry in entries if isinstance(entry, Delivery)] == ["first", "second"]
    assert [entry.url for entry in entries if isinstance(entry, DeliveryUrl)] == ["https://a.example/"] * 2
