"""The progress file: what a restart knows, whatever a crash left of it."""

from __future__ import annotations

from pathlib import Path

from producers.forward.progress import Progress, ProgressFile, progress_path, read_progress


def test_a_restart_knows_what_is_in_kafka_and_the_planned_cuts(tmp_path: Path) -> None:
    path = progress_path(tmp_path / "s.open")
    file = ProgressFile(path)
    for end in (500, 700, 900):
        file.cut(end)
    file.acked(500, {})
    file.acked(700, {29_000_000: 3})
    file.close()
    assert read_progress(path) == Progress(700, [900], {29_000_000: 3})


def test_nothing_is_done_without_a_file(tmp_path: Path) -> None:
    assert read_progress(tmp_path / "none.ack") == Progress(0, [], {})


def test_a_torn_line_says_nothing_and_does_not_spoil_the_next(tmp_path: Path) -> None:
    path = tmp_path / "s.ack"
    path.write_bytes(b'{"cut":500}\n{"acked":50')
    file = ProgressFile(path)
    file.cut(800)
    file.close()
    assert read_progress(path) == Progress(0, [500, 800], {})
    path.write_bytes(b"\x00" * 100 + b"\n[]\n\xff\n" + b'{"acked":"x"}\n{"acked":5}')
    assert read_progress(path).acked == 5


def test_the_same_file_for_an_open_and_a_finished_segment(tmp_path: Path) -> None:
    assert progress_path(tmp_path / "a-1.open") == progress_path(tmp_path / "a-1.seg")


def test_what_can_not_be_written_is_let_go(tmp_path: Path) -> None:
    file = ProgressFile(tmp_path / "missing" / "s.ack")
    file.cut(5)
    file.remove()
