"""What the loader's watch finds in tables written by hand; tests/line has what it finds beside a running line."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from clickhouse_driver import Client
from prometheus_client import REGISTRY

from sendtrail.settings import ClickHouseSettings
from sinks.watch import SETTLED_S, WINDOW_S, Finding, Watch, look
from tests.support.line import scratch
from tests.support.stack import ClickHouse

SPOOL = "ab" * 16
#: Equal blocks are no repetition here.
_TWICE = {"insert_deduplicate": 0, "deduplicate_insert": "disable"}
_COUNTS = (
    "events_in", "out", "duplicate", "resent", "rejected", "relabels", "stored", "late_duplicate", "refused",
)  # fmt: skip


@pytest.fixture
def empty(clickhouse: ClickHouse) -> Iterator[Client]:
    with scratch(clickhouse) as client:
        yield client


def test_rows_are_held_against_what_audit_says_of_their_minute(empty: Client) -> None:
    now = int(time.time())
    minute = now // 60 - 2
    said = {"minute": [minute], "events_in": [8], "resent": [1], "duplicate": [2], "rejected": [1], "refused": [1]}
    _audit(empty, 5, 5, log_time=_at(now), **said)
    for number in range(3):
        _event(empty, minute, number, offset=5)
    _event(empty, minute, 9, offset=6)  # of a plan that is not finished: on neither side
    assert look(empty, now).rows == 0
    _event(empty, minute, 0, offset=5, sign=-1)
    _event(empty, minute, 0, offset=6, rev=1, history=[("t", 5, 0, 1, 1, 0, "", "", "")])  # a re-label is no event
    assert look(empty, now).rows == 0
    _event(empty, minute, 1, offset=5)
    assert look(empty, now).rows == 1
    _audit(empty, 5, 5, log_time=_at(now), **said)  # the whole insert again
    assert look(empty, now).rows == 1
    empty.execute("DELETE FROM events WHERE src_index = 2")
    assert look(empty, now).rows == 2  # one is gone, another twice: they do not cancel
    assert look(empty, now + WINDOW_S + 300).rows == 0  # the hour is over


def _event(client: Client, minute: int, number: int, **said: object) -> None:
    time_ms = minute * 60_000 + number
    event_id = time_ms.to_bytes(6, "big") + number.to_bytes(10, "big")
    row = {"sign": 1, "delivery_id": 7, "event_id": event_id, "event_time": _at(time_ms // 1000), "kind": "open"}
    row |= {"src_topic": "t", "src_partition": 0, "src_offset": said.pop("offset"), "src_index": number, **said}
    client.execute(f"INSERT INTO events ({', '.join(row)}) VALUES", [list(row.values())], settings=_TWICE)


def _at(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _audit(client: Client, offset: int, first: int, **said: object) -> None:
    said = {name: [0] for name in _COUNTS} | said if "minute" in said else said  # the arrays run parallel
    row = {"src_topic": "t", "src_partition": 0, "src_from": first, "src_offset": offset, **said}
    client.execute(f"INSERT INTO audit ({', '.join(row)}) VALUES", [list(row.values())], settings=_TWICE)


def test_empty_tables_have_nothing_wrong(empty: Client) -> None:
    assert look(empty, int(time.time())) == Finding(0, 0, 0)


def test_a_segment_that_arrived_short_is_found_once_it_is_settled(empty: Client) -> None:
    now = int(time.time())
    _audit(empty, 0, 0, log_time=_at(now), spool=SPOOL, segment=1, minute=[now // 60], events_in=[7], resent=[2])
    _audit(empty, 1, 1, log_time=_at(now), spool=SPOOL, segment=1, totals='{"events": 9, "previous": 0}')
    assert look(empty, now + 1).segments == 0
    assert look(empty, now + SETTLED_S + 1).segments == 4


def test_a_segment_that_nothing_came_of_is_missed_by_the_one_behind_it(empty: Client) -> None:
    now = int(time.time())
    for offset, segment, previous in ((0, 0, 0), (1, 1, 3), (2, 3, 5)):
        totals = f'{{"events": 3, "previous": {previous}}}'
        _audit(empty, offset, offset, log_time=_at(now), spool=SPOOL, segment=segment, totals=totals)
        counted = {"minute": [now // 60], "events_in": [3]}
        _audit(empty, offset + 10, offset + 10, log_time=_at(now), spool=SPOOL, segment=segment, **counted)
    assert look(empty, now + SETTLED_S + 1).segments == 5


def test_source_records_that_nothing_covers_are_counted(empty: Client) -> None:
    now = int(time.time())
    _audit(empty, 3, 0, log_time=_at(now))
    _audit(empty, 9, 7, log_time=_at(now))
    assert look(empty, now).missing_records == 3


def test_what_is_found_is_exported(empty: Client) -> None:
    now = int(time.time())
    _audit(empty, 3, 2, log_time=_at(now))
    _audit(empty, 9, 7, log_time=_at(now))
    Watch(ClickHouseSettings(), clock=lambda: float(now)).measure(empty)
    assert REGISTRY.get_sample_value("sendtrail_audit_missing_records") == 3
    assert REGISTRY.get_sample_value("sendtrail_audit_difference_events", {"check": "rows"}) == 0
    assert REGISTRY.get_sample_value("sendtrail_audit_timestamp_seconds") == now
    disks = [name for (name,) in empty.execute("SELECT name FROM system.disks")]
    for disk in disks:
        size = REGISTRY.get_sample_value("sendtrail_disk_size_bytes", {"disk": f"clickhouse {disk}"})
        assert size is not None
        assert size > 0
