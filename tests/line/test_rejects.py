"""sendtrail rejects on the running line: found, shown, sent again, counted once."""

from __future__ import annotations

import json
import secrets
import time

from kafka import KafkaProducer

from sendtrail.events import Event, encode
from sendtrail.ids import hit_id
from sendtrail.packs import PackHeader, Totals, headers_of, minute_of
from sendtrail.partitions import partition_of
from tests.line.running import Line, until
from tests.line.traffic import Mailing

PARTITIONS = 4


def misplaced(line: Line, mailing: Mailing) -> Event:
    """A click in a partition it does not belong to, as a broken producer would write it; the audit stays even."""
    now_ms = time.time_ns() // 1_000_000
    event = Event(
        version=1, event_id=hit_id(now_ms), kind="click", event_time_ms=now_ms, source="edge", url_id=5,
        delivery=mailing.delivery_key, message=mailing.message_key, user_agent="Mozilla/5.0", address="192.0.2.1",
    )  # fmt: skip
    partition = (partition_of(event, PARTITIONS) + 1) % PARTITIONS
    pack = PackHeader(secrets.token_hex(16), 0, 0, 0, 1)
    totals = Totals("foreign", 1, 0, {str(partition): {str(minute_of(now_ms)): 1}})
    producer = KafkaProducer(bootstrap_servers=line.endpoints["kafka"], acks="all")
    try:
        producer.send("tracking.events", encode(event), partition=partition, headers=headers_of(pack))
        end = headers_of(pack._replace(events=0), totals)
        producer.send("tracking.events", b"", partition=0, headers=end)
        producer.flush(30)
    finally:
        producer.close()
    return event


def listed(line: Line, *options: str) -> list[dict[str, object]]:
    done = line.run("rejects", "list", "--reason", "wrong_partition", "--format", "json", *options)
    assert done.returncode == 0, done.stderr
    return [json.loads(row) for row in done.stdout.splitlines()]


def test_a_reject_is_found_shown_and_replayed_once(line: Line) -> None:
    mailing = Mailing(line)
    event = misplaced(line, mailing)
    until(lambda: bool(listed(line)), "the reject is a row")
    (row, *_) = listed(line, "--limit", "1")
    key = str(row["key"])
    assert (row["reason"], row["stage"], row["events"]) == ("wrong_partition", "streams", 1)
    shown = json.loads(line.run("rejects", "show", key).stdout)
    assert shown["original"]["id"] == event.event_id
    assert line.run("rejects", "show", "0" * 32).returncode == 1
    people = line.run("rejects", "list")
    assert key in people.stdout
    assert "wrong_partition: " in people.stdout
    tried = line.run("rejects", "replay", key, "--dry-run")
    assert tried.stdout == "would replay 1 events\n"
    assert mailing.stored() == 0
    for _ in range(2):
        done = line.run("rejects", "replay", key, "--json")
        assert json.loads(done.stdout) == {"replayed": 1, "replayable": 1, "not_replayable": {}}, done.stderr
    mailing.wait_for(1)
    until(lambda: bool(line.audit()["even"]), "the audit is even")
    assert mailing.stored() == 1
    assert line.rows("SELECT lower(hex(event_id)), source FROM events FINAL WHERE delivery_id = %(d)s",
                     d=mailing.delivery_key) == [(key, "tool")]  # fmt: skip


def test_nothing_is_replayed_that_was_not_named(line: Line) -> None:
    assert line.run("rejects", "replay").returncode == 2
