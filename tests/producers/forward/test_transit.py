"""A segment on its way: cuts, restarts, totals, deletion, tails."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from producers.forward.parcel import Parcel
from producers.forward.progress import progress_path
from producers.forward.transit import Transit
from sendtrail.deliveries import Delivery, record_of
from sendtrail.events import encode
from sendtrail.packs import MAX_WAIT_MS, Totals, minute_of, read_totals
from sendtrail.segments import Stream, encode_frame
from sendtrail.spool_files import SegmentFile, damaged_path, segment_path
from tests.producers.forward.parts import SPOOL, TARGET, TIME_MS, Clock, everything, hit, wire, write_segment

LOG_TIME_MS = TIME_MS + 3_600_000
HITS = [encode(hit(number)) for number in range(5000)]


def transit_of(file: SegmentFile, clock: Clock | None = None) -> Transit:
    return Transit(file, "test", TARGET, clock or Clock())


def acknowledge(transit: Transit, parcels: list[Parcel]) -> None:
    for parcel in parcels:
        transit.acked(parcel, LOG_TIME_MS)


def totals_of(parcels: list[Parcel]) -> Totals:
    (parcel,) = parcels
    totals = read_totals(parcel.headers)
    assert totals is not None
    return totals


def test_a_finished_segment_is_sent_closed_and_deleted(tmp_path: Path) -> None:
    file = write_segment(tmp_path, HITS)
    transit = transit_of(file)
    parcels = everything(transit)
    assert sum(parcel.events for parcel in parcels) == len(HITS)
    assert transit.closing() == []
    acknowledge(transit, parcels)
    closing = transit.closing()
    totals = totals_of(closing)
    assert (totals.edge, totals.events) == ("test", len(HITS))
    assert transit.closing() == []
    assert not transit.done
    assert file.path.exists()
    acknowledge(transit, closing)
    assert transit.done
    assert list(tmp_path.iterdir()) == []


@given(st.data())
@settings(max_examples=20, deadline=None)
def test_a_restart_sends_identical_packs(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    file = write_segment(tmp_path_factory.mktemp("spool"), HITS)
    first = transit_of(file)
    parcels = everything(first)
    acknowledged = [data.draw(st.booleans()) for _ in parcels]
    acknowledge(first, [parcel for parcel, done in zip(parcels, acknowledged, strict=True) if done])
    first.abandon()
    second = transit_of(file)
    again = everything(second)
    missing = [parcel for parcel, done in zip(parcels, acknowledged, strict=True) if not done]
    assert all(sent in wire(parcels) for sent in wire(again))
    assert all(sent in wire(again) for sent in wire(missing))
    acknowledge(second, again)
    assert totals_of(second.closing()).counts == totals_of(_closed(parcels, file)).counts
    second.abandon()


def _closed(parcels: list[Parcel], file: SegmentFile) -> list[Parcel]:
    """The totals of a run without a restart."""
    progress_path(file.path).unlink(missing_ok=True)
    transit = transit_of(file)
    acknowledge(transit, everything(transit))
    return transit.closing()


def test_cuts_made_by_time_are_made_again(tmp_path: Path) -> None:
    clock, path = Clock(), write_segment(tmp_path, HITS[:7], state="open").path
    first = transit_of(SegmentFile(path, SPOOL, 0, False, 0), clock)
    assert first.advance() == []
    clock.now += MAX_WAIT_MS / 1000
    early = first.advance()
    with path.open("ab") as file:
        file.write(b"".join(map(encode_frame, HITS[7:9])))
    assert first.advance() == []
    clock.now += MAX_WAIT_MS / 1000
    late = first.advance()
    assert sum(parcel.events for parcel in early) == 7
    assert sum(parcel.events for parcel in late) == 2
    first.abandon()
    path.rename(segment_path(tmp_path, SPOOL, 0, "seg"))
    second = transit_of(SegmentFile(segment_path(tmp_path, SPOOL, 0, "seg"), SPOOL, 0, True, 0))
    assert wire(everything(second)) == wire(early + late)
    second.abandon()


def test_a_live_segment_ends_when_its_writer_renames_it(tmp_path: Path) -> None:
    clock, path = Clock(), write_segment(tmp_path, HITS[:3], state="open").path
    transit = transit_of(SegmentFile(path, SPOOL, 0, False, 0), clock)
    assert transit.advance() == []
    with path.open("ab") as file:
        file.write(encode_frame(HITS[3]))
    path.rename(segment_path(tmp_path, SPOOL, 0, "seg"))
    parcels = everything(transit)
    assert sum(parcel.events for parcel in parcels) == 4
    acknowledge(transit, parcels)
    acknowledge(transit, transit.closing())
    assert transit.done
    assert list(tmp_path.iterdir()) == []


def test_events_that_can_not_be_decoded_count_in_the_minute_of_their_record(tmp_path: Path) -> None:
    file = write_segment(tmp_path, [HITS[0], b"garbage", HITS[1], b"more\ngarbage"])
    first = transit_of(file)
    acknowledge(first, everything(first))
    first.abandon()
    restarted = transit_of(file)
    assert everything(restarted) == []
    totals = totals_of(restarted.closing())
    restarted.abandon()
    by_minute: dict[str, int] = {}
    for minutes in totals.counts.values():
        for minute, count in minutes.items():
            by_minute[minute] = by_minute.get(minute, 0) + count
    assert by_minute == {str(minute_of(TIME_MS)): 2, str(minute_of(LOG_TIME_MS)): 2}
    assert totals.events == 4


def test_a_torn_tail_is_cut_away(tmp_path: Path) -> None:
    file = write_segment(tmp_path, HITS[:10], tail=encode_frame(HITS[10])[:-20])
    transit = transit_of(file)
    parcels = everything(transit)
    assert sum(parcel.events for parcel in parcels) == 10
    assert file.path.stat().st_size < file.size
    acknowledge(transit, parcels)
    closing = transit.closing()
    assert totals_of(closing).events == 10
    acknowledge(transit, closing)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("tail", [b"\x00" * 1000, encode_frame(HITS[10])[:-1] + b"?"])
def test_a_damaged_segment_is_kept_aside(tmp_path: Path, tail: bytes) -> None:
    file = write_segment(tmp_path, HITS[:10], tail=tail)
    transit = transit_of(file)
    parcels = everything(transit)
    acknowledge(transit, parcels)
    acknowledge(transit, transit.closing())
    assert sum(parcel.events for parcel in parcels) == 10
    assert list(tmp_path.iterdir()) == [damaged_path(file.path)]


def test_a_file_that_is_no_segment_is_kept_aside(tmp_path: Path) -> None:
    path = segment_path(tmp_path, SPOOL, 0, "seg")
    path.write_bytes(b"\x00" * 500)
    transit = transit_of(SegmentFile(path, SPOOL, 0, True, 500))
    assert everything(transit) == []
    assert transit.closing() == []
    assert transit.done
    assert list(tmp_path.iterdir()) == [damaged_path(path)]


def test_a_parcel_replaced_by_smaller_ones_is_waited_for(tmp_path: Path) -> None:
    transit = transit_of(write_segment(tmp_path, HITS[:3]))
    first, *others = everything(transit)
    transit.replaced(first, 2)
    acknowledge(transit, [first, *others])
    assert transit.closing() == []
    acknowledge(transit, [first])
    assert len(transit.closing()) == 1
    transit.abandon()


def test_a_registry_segment_has_no_totals(tmp_path: Path) -> None:
    records = [record_of(Delivery(delivery=number, label="x")) for number in range(1200)]
    records[600] = b"no record"
    transit = transit_of(write_segment(tmp_path, records, stream=Stream.REGISTRY))
    parcels = everything(transit)
    assert len(parcels) == 1199
    acknowledge(transit, parcels)
    assert transit.closing() == []
    assert transit.done
    assert list(tmp_path.iterdir()) == []
