"""A short run of the fault harness: `make chaos` with a fixed seed."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.stack, pytest.mark.timeout(900)]

SEED = 7
MINUTES = 0.4
_LAST = re.compile(r"ledger: (\d+) sent, (\d+) stored, 0 lost, 0 twice, (\d+) faults")
_LANES = 8


def test_a_line_that_is_killed_frozen_and_robbed_stores_everything_once(tmp_path: Path) -> None:
    data = tmp_path / "chaos"
    command = [sys.executable, "-m", "tests.chaos", "--seed", str(SEED), "--minutes", str(MINUTES), "--data", str(data)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=800, check=False)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-3000:]
    last = _LAST.fullmatch(done.stdout.splitlines()[-1])
    assert last is not None, done.stdout[-2000:]
    assert last[1] == last[2]
    assert int(last[1]) > 100
    assert int(last[3]) >= _LANES
    assert "verify: clean" in done.stdout
    assert "audit: even" in done.stdout
    # What every run does, whatever the seed: repeats are sent all the time.
    assert re.search(r"duplicates dropped +[1-9]", done.stdout)
    assert "problem:" not in done.stdout
