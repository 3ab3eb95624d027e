"""sendtrail demo --once: ends by itself, even, and leaves nothing."""

from __future__ import annotations

import re
from pathlib import Path

from tests.line.running import run

_LAST = re.compile(r"ledger: (\d+) hits sent, (\d+) stored, 0 lost, 0 twice")


def test_the_demo_ends_with_an_even_ledger_and_cleans_up(tmp_path: Path) -> None:
    done = run("demo", "--once", "--recipients", "200", cwd=tmp_path, timeout_s=230)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    last = _LAST.fullmatch(done.stdout.splitlines()[-1])
    assert last is not None, done.stdout[-500:]
    assert last[1] == last[2]
    assert int(last[1]) > 200
    assert "open rate" in done.stdout
    assert list(tmp_path.iterdir()) == []
