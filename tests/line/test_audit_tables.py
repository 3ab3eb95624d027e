"""Damage done to tables by hand: the audit says what it is, of which minute, and where, to the source record."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from clickhouse_driver import Client
from kafka import KafkaProducer

from sendtrail.clickhouse import connect
from sendtrail.instrument.api import Api
from sinks.audit_findings import Finding
from sinks.migrate import migrate
from tests.line.auditing import audit_of, copied, only, tables_of
from tests.line.running import Line
from tests.line.traffic import Mailing
from tests.support.stack import random_name

ROOT = Path(__file__).resolve().parents[2]
_DELETE = "ALTER TABLE {table} DELETE WHERE {where} SETTINGS mutations_sync = 1"
_MINUTE = "intDiv(reinterpretAsUInt64(reverse(concat('\\0\\0', substring(event_id, 1, 6)))), 60000)"


class Event(NamedTuple):
    """A row of events, by what the audit names it with."""

    id: str
    partition: int
    offset: int
    record_index: int
    segment_index: int
    minute: int

    @property
    def place(self) -> dict[str, int]:
        return {"partition": self.partition, "first_offset": self.offset, "last_offset": self.offset}


@pytest.fixture(scope="module")
def mailing(_line: Line) -> Mailing:
    """Four events of one message, loaded."""
    if not _line.running:
        _line.start()
    made = Mailing(_line)
    items = [made.item("sent"), made.item("delivered", domain="example.com"), made.item("complained")]
    assert Api(_line.endpoints["api"]).feed(items) == []
    made.wait_for(3)
    producer = KafkaProducer(bootstrap_servers=_line.endpoints["kafka"], acks="all")
    producer.send("tracking.events", partition=0, value=b"no pack")
    producer.close()
    return made


@pytest.fixture
def copy(line: Line, mailing: Mailing) -> Iterator[Client]:
    line.audit()
    with copied(line) as client:
        yield client


def event(client: Client, mailing: Mailing, kind: str = "delivered") -> Event:
    [row] = client.execute(
        f"SELECT lower(hex(event_id)), src_partition, src_offset, src_index, segment_index, {_MINUTE} FROM events "
        f"WHERE delivery_id = {mailing.delivery_key} AND kind = '{kind}'"
    )
    return Event(*row)


def delete(client: Client, table: str, where: str) -> None:
    client.execute(_DELETE.format(table=table, where=where))


def at(place: dict[str, Any]) -> dict[str, Any]:
    return {name: place[name] for name in ("partition", "first_offset", "last_offset")}


def test_a_row_deleted_by_hand_is_named_with_its_record_and_its_id(line: Line, mailing: Mailing, copy: Client) -> None:
    lost = event(copy, mailing)
    delete(copy, "events", f"event_id = unhex('{lost.id}')")
    audit = audit_of(line, copy)
    found = only(audit, "missing")
    assert (found.events, found.minutes, at(found.place)) == (1, (lost.minute, lost.minute), lost.place)
    assert (found.place["record_indexes"], found.place["ids"]) == ([lost.record_index], [lost.id])
    [pack] = found.place["packs"]
    assert pack["first_index"] <= lost.segment_index <= pack["last_index"]
    assert pack["spool"] in found.where
    assert f"sendtrail trace {lost.id}" in found.next
    assert audit.total.difference == audit.minutes[lost.minute].difference == 1


def taken_back(found: Finding) -> str:
    """The statement of docs/operate.md, for the place of a finding."""
    [text] = re.findall(
        r"```sql\n(INSERT INTO events SELECT.*?)```", (ROOT / "docs" / "operate.md").read_text(), re.DOTALL
    )
    place = found.place
    text = text.replace("src_partition = 0", f"src_partition = {place['partition']}")
    return str(text).replace("12 AND 19", f"{place['first_offset']} AND {place['last_offset']}")


def test_a_loss_and_a_doubled_row_of_one_minute_do_not_cancel(line: Line, mailing: Mailing, copy: Client) -> None:
    lost, twice = event(copy, mailing, "sent"), event(copy, mailing, "complained")
    delete(copy, "events", f"event_id = unhex('{lost.id}')")
    copy.execute(f"INSERT INTO events SELECT * FROM events WHERE event_id = unhex('{twice.id}')")
    audit = audit_of(line, copy)
    assert audit.total.difference == 0
    assert {(one.kind, one.events, one.place["first_offset"]) for one in audit.differences} == {
        ("missing", 1, lost.offset), ("twice", 1, twice.offset),
    }  # fmt: skip
    assert not audit.even


@pytest.mark.parametrize("views", [True, False], ids=["and in aggregates", "in events only"])
def test_one_insert_applied_twice(line: Line, mailing: Mailing, copy: Client, views: bool) -> None:
    """Into a database whose views feed aggregates, the second time with them or without."""
    name = random_name("copy")
    settings = tables_of(line, name)
    source = copy.execute("SELECT currentDatabase()")[0][0]
    try:
        migrate(copy, settings)
        with connect(settings) as client:
            for table in ("audit", "rejects", "events"):
                client.execute(f"INSERT INTO {table} SELECT * FROM {source}.{table}")
            of_plan = f"SELECT * FROM {source}.events WHERE delivery_id = {mailing.delivery_key}"
            if views:
                client.execute(f"INSERT INTO events {of_plan}", settings={"insert_deduplicate": 0})
            else:
                client.execute("CREATE TABLE aside AS events")
                client.execute(f"INSERT INTO aside {of_plan}")
                client.execute("ALTER TABLE aside MODIFY SETTING non_replicated_deduplication_window = 0")
                client.execute("ALTER TABLE events ATTACH PARTITION ALL FROM aside")
            found = only(audit_of(line, client), "twice")
            first = event(copy, mailing, "sent")
            client.execute(taken_back(found))
            assert audit_of(line, client).even
        assert found.events == 3
        assert found.place["partition"] == first.partition
        assert found.place["first_offset"] <= first.offset <= found.place["last_offset"]
        assert ("reports count them twice too" in found.cause) is views
        assert ("reports count them once" in found.cause) is not views
    finally:
        with line.client() as client:
            client.execute(f"DROP DATABASE IF EXISTS {name} SYNC")


def test_a_row_that_moved_to_another_minute(line: Line, mailing: Mailing, copy: Client) -> None:
    moved = event(copy, mailing)
    later = f"{int(moved.id[:12], 16) + 120_000:012x}{moved.id[12:]}"
    copy.execute(
        f"INSERT INTO events SELECT * REPLACE (unhex('{later}') AS event_id) FROM events AS e "
        f"WHERE e.event_id = unhex('{moved.id}')"
    )
    delete(copy, "events", f"event_id = unhex('{moved.id}')")
    audit = audit_of(line, copy)
    found = only(audit, "moved")
    assert (found.events, found.minutes, at(found.place)) == (1, (moved.minute, moved.minute + 2), moved.place)
    assert audit.minutes[moved.minute].difference == 1
    assert audit.minutes[moved.minute + 2].difference == -1


def test_a_row_of_audit_deleted_by_hand_is_a_lost_proof_not_a_lost_event(
    line: Line, mailing: Mailing, copy: Client
) -> None:
    of = event(copy, mailing)
    Api(line.endpoints["api"]).feed([mailing.item("deferred")])  # a record behind it
    mailing.wait_for(4)
    line.audit()
    with copied(line) as later:
        delete(later, "audit", f"src_partition = {of.partition} AND src_offset = {of.offset}")
        found = only(audit_of(line, later), "audit_row_gone")
    assert found.events == 3
    assert at(found.place) == of.place
    assert f"sendtrail replay --partition {of.partition} --from {of.offset} --to {of.offset}" in found.next


def test_minutes_that_are_not_kept_are_not_provable(line: Line, mailing: Mailing, copy: Client) -> None:
    """Rows of an earlier year went by the TTL, and table audit still tells of them: no difference, but said."""
    year = 366 * 24 * 60
    copy.execute(
        "INSERT INTO audit SELECT * REPLACE ('earlier' AS src_topic, '' AS spool, '' AS totals, 0 AS reject_rows, "
        f"arrayMap(m -> if(m = 0, 0, m - {2 * year}), minute) AS minute) FROM audit"
    )
    audit = audit_of(line, copy)
    assert audit.even, audit.problems
    assert audit.kept_from > 0
    assert not audit_of(line, copy, retention_days=0).even


def test_a_row_of_rejects_that_is_gone_or_twice(line: Line, mailing: Mailing, copy: Client) -> None:
    reject = copy.execute("SELECT src_partition, src_offset FROM rejects ORDER BY log_time DESC LIMIT 1")[0]
    where = f"src_partition = {reject[0]} AND src_offset = {reject[1]}"
    copy.execute(f"INSERT INTO rejects SELECT * FROM rejects WHERE {where}")
    twice = only(audit_of(line, copy), "reject_too_many")
    delete(copy, "rejects", where)
    gone = only(audit_of(line, copy), "reject_missing")
    assert at(twice.place) == at(gone.place) == {
        "partition": reject[0], "first_offset": reject[1], "last_offset": reject[1],
    }  # fmt: skip
