"""kill -9 of a writer: what was acknowledged is there, in order, and its orphaned segment can be told."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from producers.spool_lock import is_orphan, remove_lock
from sendtrail.spool_files import segment_files
from tests.support.spools import events

WRITER = """
import sys
from pathlib import Path
from producers.spool import SpoolWriter
from sendtrail.events import Event

spool = SpoolWriter(Path(sys.argv[1]), "edge", fsync=sys.argv[2], fsync_interval_ms=5, segment_bytes=20_000)
number = 0
while True:
    batch = [
        Event(version=1, event_id=f"{each:032x}", kind="open", event_time_ms=each, user_agent="agent" * (each % 40))
        for each in range(number, number + 1 + number % 7)
    ]
    spool.append(batch)
    number += len(batch)
    print(number, flush=True)
    spool.tick()
"""


@pytest.mark.parametrize(("policy", "delay_s"), [("none", 0.02), ("interval", 0.11), ("batch", 0.07), ("none", 0.3)])
def test_nothing_acknowledged_is_lost(tmp_path: Path, policy: str, delay_s: float) -> None:
    process = subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path), policy], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    with process.stdout as answers:
        first = answers.readline()
        assert first.strip() == "1"
        spool = segment_files(tmp_path)[0].spool
        assert not is_orphan(tmp_path, spool)
        time.sleep(delay_s)
        process.kill()
        process.wait(10)
        acknowledged = int([first, *(line for line in answers if line.endswith("\n"))][-1])
    found = [event.event_time_ms for event in events(tmp_path)]
    assert len(found) >= acknowledged
    assert found == list(range(len(found)))
    assert is_orphan(tmp_path, spool)
    remove_lock(tmp_path, spool)
    assert is_orphan(tmp_path, spool)
