"""Each reason a line may be rejected for, through the one step that gives it."""

from __future__ import annotations

import msgspec
import pytest

from sendtrail.events import Event, encode
from sendtrail.ids import EARLIEST_MS, relabel_id, transaction_id
from sendtrail.partitions import partition_of
from streams.steps.validate import validate
from tests.streams.making import NOW, hit, item_of, known_of

DAY = 86_400_000


def verdict(event: Event | bytes, log_time_ms: int = NOW, partitions: int = 1, partition: int = 0) -> str:
    item = item_of(hit(), log_time_ms)
    item.line = event if isinstance(event, bytes) else encode(event)
    validate(item, known_of(partition=partition, partitions=partitions))
    return item.reason


def test_a_sound_event_passes_and_counts_in_the_minute_of_its_id() -> None:
    item = item_of(hit(at=NOW - 5), NOW)
    item.id_time_ms = 0
    validate(item, known_of())
    assert item.outcome == ""
    assert item.id_time_ms == NOW - 5


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"", "undecodable"),
        (b"\xff\x00", "undecodable"),
        (b"[]", "bad_field"),
        (b'{"v":1}', "bad_field"),
        (b'{"v":9,"k":"telepathy"}', "bad_version"),
        (b'{"v":1,"id":"' + b"z" * 32 + b'","k":"open","t":1}', "bad_id"),
        (b"x" * 200_000, "too_large"),
    ],
)
def test_what_can_not_be_read_is_named(line: bytes, reason: str) -> None:
    assert verdict(line) == reason


def test_the_time_in_an_id_is_the_time_of_the_event() -> None:
    event = hit()
    event.event_time_ms += 1
    assert verdict(event) == "bad_id"


def test_tools_give_ids_with_times_of_their_own() -> None:
    event = hit(source="tool")
    event.event_time_ms -= 5 * DAY
    assert verdict(event) == ""


def test_a_relabel_has_the_time_of_its_run() -> None:
    target = hit().event_id
    event = hit(kind="relabel", target_id=target, new_class="machine", run="r")
    event.event_id = relabel_id(NOW - 77, "r", target)
    assert verdict(event) == ""


def test_a_transaction_has_no_time_in_its_id() -> None:
    event = hit(kind="transaction", site="shop", order_id="1")
    assert verdict(event) == "bad_id"
    event.event_id = transaction_id("", "shop", "1")
    assert verdict(event) == ""


@pytest.mark.parametrize(("at", "reason"), [(EARLIEST_MS, ""), (EARLIEST_MS - 1, "bad_time")])
def test_nothing_happened_before_2000(at: int, reason: str) -> None:
    assert verdict(hit(at=at)) == reason


@pytest.mark.parametrize(("at", "reason"), [(NOW + DAY, ""), (NOW + DAY + 1, "bad_time")])
def test_a_day_past_log_time_is_taken_for_a_clock_that_is_ahead(at: int, reason: str) -> None:
    assert verdict(hit(at=at)) == reason


def test_a_transaction_is_not_exempt_from_having_happened() -> None:
    event = hit(kind="transaction", site="shop", order_id="1", at=NOW + 2 * DAY)
    event.event_id = transaction_id("", "shop", "1")
    assert verdict(event) == "bad_time"


def test_an_event_elsewhere_than_in_its_partition_is_rejected() -> None:
    event = hit()
    belongs = partition_of(event, 4)
    assert verdict(event, partitions=4, partition=belongs) == ""
    assert verdict(event, partitions=4, partition=(belongs + 1) % 4) == "wrong_partition"


def test_the_detail_of_a_reject_is_short() -> None:
    item = item_of(hit())
    item.line = msgspec.json.encode({"v": 1, "id": "0" * 32, "t": 1, "k": "x" * 10_000})
    validate(item, known_of())
    assert item.reason == "bad_field"
    assert len(item.detail) <= 500
