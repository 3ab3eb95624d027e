"""`sendtrail spool list` and `show` on spools with and without damage; what the audit says of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from producers.forward.source import SpoolDirectory
from producers.spool import SpoolWriter
from producers.spool_loss import LossFile
from sendtrail.cli.line_status import spool_status
from sendtrail.cli.main import app
from sendtrail.deliveries import Delivery, record_of
from sendtrail.events import encode
from sendtrail.segments import Stream
from sinks.audit_sources import spool_findings
from sinks.audit_tables import WHOLE
from tests.producers.forward.parts import SPOOL, TARGET, Clock, hit, write_segment

LINES = [encode(hit(number)) for number in range(5)]


def run(*args: str | Path, code: int = 0) -> str:
    done = CliRunner().invoke(app, ["spool", *map(str, args)], env={"COLUMNS": "160"})
    assert done.exit_code == code, done.output
    return done.stdout


@pytest.fixture
def spool(tmp_path: Path) -> Path:
    """Two segments of a dead edge, the second with a flipped byte, and what an API has to register."""
    write_segment(tmp_path, LINES[:2])
    file = write_segment(tmp_path, LINES[2:], sequence=1, state="open")
    data = bytearray(file.path.read_bytes())
    data[data.index(b'"m":3')] ^= 1
    file.path.write_bytes(bytes(data))
    registry = SpoolWriter(tmp_path / "registry", "api-registry", stream=Stream.REGISTRY)
    registry.append_payloads([record_of(Delivery(delivery=7, label="Spring"))])
    registry.close()
    return tmp_path


def test_list(spool: Path) -> None:
    rows = [json.loads(line) for line in run("list", spool, "--format", "json").splitlines()]
    assert [(row["edge"], row["sequence"], row["stream"], row["state"], row["events"]) for row in rows] == [
        ("test", 0, "events", "waiting", 2),
        ("test", 1, "events", "left open", 2),
        ("api-registry", 0, "registry", "waiting", 1),
    ]
    assert [bool(row["damage"]) for row in rows] == [False, True, False]
    shown = run("list", spool)
    assert "bytes can't be read, 1 events behind them can" in shown
    assert "3 segments, 5 events" in shown


def test_list_of_a_living_edge_and_of_nothing(tmp_path: Path) -> None:
    assert "0 segments, 0 events" in run("list", tmp_path)
    writer = SpoolWriter(tmp_path, "edge")
    writer.append([hit(1)])
    [row] = [json.loads(line) for line in run("list", tmp_path, "--format", "json").splitlines()]
    assert (row["state"], row["damage"]) == ("being written", "")
    writer.close()
    loss = LossFile(tmp_path)
    loss.add(3, 1)
    loss.close()
    assert "lost: 3 events" in run("list", tmp_path)


def test_show(spool: Path) -> None:
    printed = run("show", spool).splitlines()
    assert [line.encode() for line in printed[:4]] == [*LINES[:3], LINES[4]]
    assert json.loads(printed[4])["key"] == "7/meta"
    assert run("show", spool, "--spool", SPOOL[:6], "--segment", "0").splitlines() == [
        line.decode() for line in LINES[:2]
    ]


def test_show_says_what_can_not_be_decoded(tmp_path: Path) -> None:
    write_segment(tmp_path, [b"\xff\x00", b'{"v":\n1}'])
    assert run("show", tmp_path).splitlines() == ['{"undecodable": "/wA="}', '{"v": 1}']


def test_forward_refuses_a_directory_that_somebody_lives_on(tmp_path: Path) -> None:
    writer = SpoolWriter(tmp_path / "living", "edge", segment_age_ms=0)
    writer.append([hit(1)])
    done = CliRunner().invoke(app, ["spool", "forward", str(tmp_path / "living")])
    assert "an edge writes to" in str(done.exception)
    writer.tick()  # finishes the segment
    assert [path.suffix for path in (tmp_path / "living").glob("*-*")] == [".seg"]
    done = CliRunner().invoke(app, ["spool", "forward", str(tmp_path / "living")])
    assert "an edge writes to" in str(done.exception)
    writer.close()
    forwarder = SpoolDirectory(tmp_path / "living", "edge", TARGET, Clock())
    forwarder.scan()
    done = CliRunner().invoke(app, ["spool", "forward", str(tmp_path / "living")])
    assert "a forwarder has" in str(done.exception)
    forwarder.abandon()


def test_losses_and_damage_are_problems_of_the_audit(spool: Path) -> None:
    assert list(spool_findings(spool, WHOLE)) == []
    [damaged] = [path for path in spool.iterdir() if path.suffix == ".open"]
    damaged.rename(damaged.with_suffix(".damaged"))
    loss = LossFile(spool)
    loss.add(3, 600_000)
    loss.close()
    assert [found.what[:9] for found in spool_findings(spool, WHOLE)] == ["3 events ", "1 segment"]
    assert [found.what[:9] for found in spool_findings(spool, (10, 20))] == ["3 events ", "1 segment"]
    assert [found.what[:9] for found in spool_findings(spool, (11, 20))] == ["1 segment"]
    assert spool_status(spool).state.startswith("LOST 3 events")
