"""KumoMTA's log topic on a real Kafka: read once, committed once the API has it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from kafka import KafkaAdminClient, KafkaProducer
from kafka.admin import NewTopic

from producers.api.providers.events import is_reject
from tests.producers.api.providers import payloads
from tests.producers.api.running import ApiProcess

SENDTRAIL = str(Path(sys.executable).parent / "sendtrail")


def run(kafka: str, topic: str, url: str, place: Path) -> subprocess.CompletedProcess[str]:
    environ = {name: value for name, value in os.environ.items() if not name.startswith("SENDTRAIL_")}
    environ |= {
        "SENDTRAIL_FEED_URL": url, "SENDTRAIL_MTA_KUMOMTA_KAFKA": kafka, "SENDTRAIL_MTA_KUMOMTA_TOPIC": topic,
        "SENDTRAIL_MTA_KUMOMTA_GROUP": topic,
    }  # fmt: skip
    return subprocess.run(
        [SENDTRAIL, "kumomta", "--once"], cwd=place, env=environ, capture_output=True, text=True, check=False
    )


@pytest.mark.stack
def test_the_log_topic_is_told_once(kafka: str, topic_prefix: str, tmp_path: Path) -> None:
    topic = f"{topic_prefix}kumomta"
    missing = run(kafka, topic, "http://127.0.0.1:9", tmp_path)
    assert (missing.returncode, "there is no topic" in missing.stderr) == (1, True)
    admin = KafkaAdminClient(bootstrap_servers=kafka)
    admin.create_topics([NewTopic(topic, 2, 1)])
    admin.close()
    records = [msgspec.json.encode(item) for item in payloads.kumomta()[:4]]
    producer = KafkaProducer(bootstrap_servers=kafka)
    for number, record in enumerate([*records, b"{broken"]):
        producer.send(topic, record, partition=number % 2).get(30)
    producer.close()
    with ApiProcess(tmp_path) as api:
        url = str(api.client.base_url)
        done = run(kafka, topic, url, tmp_path)
        assert (done.returncode, json.loads(done.stdout or "{}")) == (0, {"records": 5}), done.stderr
        assert json.loads(run(kafka, topic, url, tmp_path).stdout) == {"records": 0}
        events = api.events()
    assert sorted(event.kind for event in events if not is_reject(event)) == [
        "bounced",
        "deferred",
        "delivered",
        "sent",
    ]
    assert [event.original for event in events if is_reject(event)] == ['"{broken"']
    assert {event.source for event in events} == {"kumomta"}
