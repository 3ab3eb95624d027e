"""What `sendtrail status` says of a spool directory."""

from pathlib import Path

from producers.spool_loss import LossFile
from sendtrail.cli.line_status import spool_status
from sendtrail.segments import SegmentHeader, encode_frame, encode_header
from sendtrail.spool_files import segment_path


def test_a_directory_that_is_elsewhere(tmp_path: Path) -> None:
    assert spool_status(tmp_path / "edge").state == "not here"


def test_events_that_wait(tmp_path: Path) -> None:
    data = encode_header(SegmentHeader(bytes(16), "edge", 0, 0)) + encode_frame(b"a") + encode_frame(b"b")
    segment_path(tmp_path, "00" * 16, 0, "open").write_bytes(data)
    status = spool_status(tmp_path)
    assert (status.state, status.backlog, status.well) == ("waiting", "2 events", True)
    assert status.last_event is not None


def test_a_loss_is_said(tmp_path: Path) -> None:
    loss = LossFile(tmp_path)
    assert spool_status(tmp_path).state == "empty"
    loss.add(7, 1)
    loss.close()
    assert spool_status(tmp_path).state.startswith("LOST 7 events")
