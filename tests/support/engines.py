"""Embedded engines of other ClickHouse releases: an older chDB in a folder of its own, made once from its lock file.

tests/engines/NAME.lock names one chDB wheel and its hashes. It is installed without what it depends on: the engine's
process takes the rest from the environment of the tests.
"""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

from sendtrail.local.engine import Engine

ROOT = Path(__file__).parents[2]
LOCKS = ROOT / "tests" / "engines"
_MADE = ROOT / ".venv-engines"


def releases() -> list[str]:
    """Names of the releases that are tested beside the installed one, oldest first."""
    return sorted(path.stem for path in LOCKS.glob("*.lock"))


class OtherEngine(Engine):
    """The embedded engine with the chDB of another release."""

    def __init__(self, data_dir: Path, release: str) -> None:
        super().__init__(data_dir)
        self._packages = packages(release)

    @property
    def command(self) -> list[str]:
        """What runs this engine."""
        python, _, _, *options = super().command
        return ["env", f"PYTHONPATH={self._packages}", python, str(LOCKS / "serve.py"), *options]


def packages(release: str) -> Path:
    """The folder with a release's chDB; downloaded the first time, by one process at a time.

    Raises RuntimeError with pip's own words where that fails: a release that can't be had is a failure, not a skip.
    """
    lock = LOCKS / f"{release}.lock"
    folder = _MADE / f"{release}-{hashlib.sha256(lock.read_bytes()).hexdigest()[:12]}"
    _MADE.mkdir(exist_ok=True)
    with (_MADE / f"{release}.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        if not folder.exists():
            for stale in _MADE.glob(f"{release}-*"):
                shutil.rmtree(stale)
            _install(lock, folder)
    return folder


def _install(lock: Path, folder: Path) -> None:
    unfinished = folder.with_name(folder.name + ".part")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    command += ["--no-compile", "--only-binary=:all:", "--require-hashes", "--target", str(unfinished), "-r", str(lock)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"chDB of {lock.name} can't be installed: {done.stderr.strip()}")
    unfinished.rename(folder)
