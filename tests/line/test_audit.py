"""sendtrail audit: even after repeats, rejects and foreign records; not even once a row is gone."""

from __future__ import annotations

import json
import secrets
import time
from typing import Any

import pytest
from kafka import KafkaProducer

from sendtrail.instrument.api import Api
from sendtrail.packs import PackHeader, Totals, headers_of, minute_of
from tests.line.auditing import copied
from tests.line.running import Line, until
from tests.line.traffic import Mailing, Traffic

_GARBAGE = b'\xff\xfe{"v": 1'
_NUMBERS = {
    "accepted", "in_topic", "resent", "duplicate", "rejected", "enriched", "stored", "waiting", "given_up",
    "difference",
}  # fmt: skip


def test_each_number_says_what_happened(line: Line) -> None:
    before = line.audit()
    mailing = Mailing(line)
    traffic = Traffic(mailing)
    with traffic.going_on():
        traffic.wait_for_more(20)
    items = [mailing.item("sent"), mailing.item("delivered", domain="example.com")]
    api = Api(line.endpoints["api"])
    for _ in range(3):
        assert api.feed(items) == []
    mailing.wait_for(len(traffic.answered) + len(items))
    after = line.audit()
    grown = {name: after["total"][name] - before["total"][name] for name in _NUMBERS - {"resent"}}
    stored = len(traffic.answered) + 2
    assert grown == {
        "accepted": stored + 4, "in_topic": stored + 4 + after["total"]["resent"] - before["total"]["resent"],
        "duplicate": 4, "rejected": 0, "enriched": stored, "stored": stored, "waiting": 0, "given_up": 0,
        "difference": 0,
    }  # fmt: skip


def test_the_audit_for_machines_adds_up(line: Line) -> None:
    result = line.audit()
    assert set(result) == {"even", "total", "minutes", "problems", "findings", "not_provable_before"}
    assert set(result["total"]) == _NUMBERS
    for minute in result["minutes"]:
        assert set(minute) == _NUMBERS | {"minute"}
        assert minute["difference"] == 0
    for name in _NUMBERS:
        assert sum(minute[name] for minute in result["minutes"]) == result["total"][name]
    done = line.run("audit")
    assert done.returncode == 0
    assert "even: nothing lost, nothing twice" in done.stdout


def test_the_audit_is_even_while_events_are_on_their_way(line: Line) -> None:
    traffic = Traffic(Mailing(line))
    with traffic.going_on():
        traffic.wait_for_more(20)
        for _ in range(4):
            (result,) = line.lines("audit", "--format", "json")
            assert (result["total"]["difference"], result["problems"]) == (0, [])
    traffic.check()
    line.audit()


def test_the_window_leaves_older_minutes_out(line: Line) -> None:
    mailing = Mailing(line)
    day_ago_ms = time.time_ns() // 1_000_000 - 86_400_000
    Api(line.endpoints["api"]).feed([mailing.item("sent") | {"time": day_ago_ms}])
    mailing.wait_for(1)
    whole = line.audit()
    (last,) = line.lines("audit", "--since", "2", "--format", "json")
    assert last["even"]
    assert last["total"]["stored"] < whole["total"]["stored"]


def _put(line: Line, *records: dict[str, Any]) -> None:
    """Put records straight into partition 0 of tracking.events."""
    producer = KafkaProducer(bootstrap_servers=line.endpoints["kafka"], acks="all")
    try:
        for record in records:
            producer.send("tracking.events", partition=0, **record)
        producer.flush(30)
    finally:
        producer.close()


@pytest.mark.parametrize("with_headers", [False, True], ids=["without pack headers", "with pack headers"])
def test_what_cannot_be_decoded_is_a_reject_and_the_line_goes_on(line: Line, with_headers: bool) -> None:
    before = line.audit()["total"]
    now_ms = time.time_ns() // 1_000_000
    mark = secrets.token_bytes(8)
    value = _GARBAGE + mark
    if with_headers:
        pack = PackHeader(secrets.token_hex(16), 0, 0, 0, 1)
        totals = Totals("foreign", 1, 0, {"0": {str(minute_of(now_ms)): 1}})
        end = pack._replace(events=0)
        _put(
            line,
            {"value": value, "timestamp_ms": now_ms, "headers": headers_of(pack)},
            {"value": b"", "timestamp_ms": now_ms, "headers": headers_of(end, totals)},
        )
    else:
        _put(line, {"value": value, "timestamp_ms": now_ms, "headers": []})
    query = (
        "SELECT toString(stage), reason, hex(original), count FROM rejects WHERE position(original, unhex(%(m)s)) > 0"
    )
    until(lambda: bool(line.rows(query, m=mark.hex())), "the reject is a row")
    reason = "undecodable" if with_headers else "bad_pack"
    assert line.rows(query, m=mark.hex()) == [("streams", reason, value.hex().upper(), 1)]
    traffic = Traffic(Mailing(line))
    with traffic.going_on():
        traffic.wait_for_more(10)
    traffic.check()
    after = line.audit()["total"]
    assert after["rejected"] == before["rejected"] + 1
    assert after["accepted"] == before["accepted"] + 1 + len(traffic.answered)


def test_a_row_that_is_gone_shows_as_a_difference(line: Line) -> None:
    mailing = Mailing(line)
    Api(line.endpoints["api"]).feed([mailing.item("sent"), mailing.item("delivered")])
    mailing.wait_for(2)
    line.audit()
    with copied(line) as client:
        [(name,)] = client.execute("SELECT currentDatabase()")
        assert line.run("audit", SENDTRAIL_CLICKHOUSE_DATABASE=name).returncode == 0
        client.execute(
            f"ALTER TABLE events DELETE WHERE delivery_id = {mailing.delivery_key} AND kind = 'sent' "
            "SETTINGS mutations_sync = 1"
        )
        shown = line.run("audit", "--format", "json", SENDTRAIL_CLICKHOUSE_DATABASE=name)
        people = line.run("audit", SENDTRAIL_CLICKHOUSE_DATABASE=name, COLUMNS="100")
    assert shown.returncode == people.returncode == 1
    assert '"even": false' in shown.stdout
    assert '"difference": 1' in shown.stdout
    assert "NOT even" in people.stdout
    assert "1 event is missing in table events" in people.stdout
    assert max(map(len, people.stdout.splitlines())) <= 100


def test_every_number_is_what_the_events_say(line: Line) -> None:
    """Beside traffic: tables that are a moment ahead of each other are no difference."""
    traffic = Traffic(Mailing(line))
    with traffic.going_on():
        traffic.wait_for_more(20)
        done = line.run("verify", "--format", "json")
    result = json.loads(done.stdout)
    assert (done.returncode, result["equal"], result["differences"]) == (0, True, [])
    assert result["deliveries"] > 0
    assert result["events"] > 20
