"""What a webhook could not attribute or read ends among the rejects, with its reason and its own bytes."""

from __future__ import annotations

import json

from producers.api.providers.events import EventMaker
from producers.api.providers.found import Rejected, unknown_type
from producers.api.providers.sendgrid import finding
from sendtrail.enriched import RejectRow
from sendtrail.events import encode
from tests.streams.making import NOW, Line, hit, source

MAKER = EventMaker(bytes(32), "sendgrid", "")
NOBODYS = {"event": "delivered", "timestamp": NOW // 1000, "x": "1"}


def test_they_are_rejects_that_name_their_reason_and_hold_the_item() -> None:
    found = [finding(NOBODYS), unknown_type(NOBODYS, "waved", NOW), Rejected("undecodable", "no object", 5)]
    events = [MAKER.event(one, NOW) for one in found]
    (output,) = Line().feed(source(0, [*events, hit(4)]))
    rejects = [row for row in output.rows if isinstance(row, RejectRow)]
    assert [row.reason for row in rejects] == ["unattributed", "unknown_type", "undecodable"]
    assert [row.original for row in rejects] == [encode(event) for event in events]
    assert json.loads(json.loads(rejects[0].original)["raw"]) == NOBODYS
    assert "sendtrail_delivery" in rejects[0].detail
    assert len(output.ids()) == 1


def test_they_count_in_the_minute_of_their_id() -> None:
    event = MAKER.event(finding(NOBODYS), NOW + 3_600_000)
    (output,) = Line().feed(source(0, [event]))
    ((minute, counts),) = output.header.counts.items()
    assert (int(minute), counts.rejected) == (NOW // 60_000, 1)


def test_a_reason_that_is_none_is_unattributed() -> None:
    (output,) = Line().feed(source(0, [hit(original="x", reason="whatever")]))
    assert [row.reason for row in output.rows if isinstance(row, RejectRow)] == ["unattributed"]
