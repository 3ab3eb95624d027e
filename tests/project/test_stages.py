"""Every stage as a process: a setting nobody knows ends it with exit code 3 and one line that names it."""

import os
import subprocess
import sys

import pytest

from sendtrail.cli.run import STAGES


@pytest.mark.parametrize("module", [module for module, _ in STAGES.values()])
def test_an_unknown_setting_ends_a_stage(module: str) -> None:
    run = subprocess.run(
        [sys.executable, "-m", module],
        env=os.environ | {"SENDTRAIL_NO_SUCH_SETTING": "1"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert run.returncode == 3
    assert "SENDTRAIL_NO_SUCH_SETTING" in run.stderr
    assert len(run.stderr.strip().splitlines()) == 1
