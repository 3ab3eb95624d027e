r"""Builds .venv-bench, where the contenders of bench.compare run: `python -m bench.others`. Nothing of it is shipped.

bench/others.lock has versions and hashes only. To make it anew:

    .venv/bin/uv pip compile bench/others.in --python-version 3.11 --generate-hashes --no-emit-index-url \
        --output-file bench/others.lock
"""

import subprocess
import sys
import venv
from pathlib import Path

LOCK = Path(__file__).with_name("others.lock")
FOLDER = Path(__file__).parents[1] / ".venv-bench"
PYTHON = FOLDER / "bin" / "python"
_BUILT = FOLDER / ".built"


def build() -> None:
    """Once, and again where the lock is newer. Raises CalledProcessError where the installation fails."""
    if _BUILT.exists() and _BUILT.stat().st_mtime >= LOCK.stat().st_mtime:
        return
    print(f"building {FOLDER.name} from {LOCK.name}", file=sys.stderr)
    venv.create(FOLDER, clear=True, with_pip=True)
    quiet = ["--quiet", "--disable-pip-version-check", "--require-hashes"]
    subprocess.run([str(PYTHON), "-m", "pip", "install", *quiet, "-r", str(LOCK)], check=True)
    _BUILT.touch()


if __name__ == "__main__":
    build()
