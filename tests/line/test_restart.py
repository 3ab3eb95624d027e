"""Ctrl-C and the start after it: nothing left running, nothing forgotten."""

from __future__ import annotations

from tests.line.running import Line
from tests.line.traffic import Mailing, Traffic


def test_ctrl_c_ends_everything_and_the_next_start_goes_on_counting(line: Line) -> None:
    mailing = Mailing(line)
    before = Traffic(mailing)
    with before.going_on():
        before.wait_for_more(40)
    processes, endpoints = line.tree(), line.endpoints
    assert len(processes) >= 8
    assert line.interrupt() == 0
    assert [process for process in processes if process.alive] == []
    assert not (line.data / "endpoints.json").exists()
    assert "Traceback" not in line.output.read_text()
    line.start()
    assert line.endpoints["edge"] == endpoints["edge"]
    before.check()
    after = Traffic(later := Mailing(line))
    with after.going_on():
        after.wait_for_more(40)
    after.check()
    assert mailing.stored() == len(before.answered)
    assert later.stored() == len(after.answered)
    line.audit()
