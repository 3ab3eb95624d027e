"""Every benchmark, one after the other: `make bench`. Figures of shared machines vary; ratios of one run count.

python -m bench                       # all of RUNS
python -m bench reports --runs 5      # one, with its own options
"""

import os
import platform
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

#: In the order of the line. `reports`, `growth` and `dedup` are asked for by name: making their data takes long.
RUNS = (
    "instrument",
    "edge",
    "api",
    "forward",
    "streams",
    "rows",
    "loader",
    "inserts",
    "latency",
    "compare",
    "restore",
    "recovery",
)


def main() -> int:
    """Run them all, or the one named; 1 if one failed."""
    when, load = f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC", f"load {os.getloadavg()[0]:.1f}"
    print(f"{when}, {_processor()}, {os.cpu_count()} cores, {load}, Python {platform.python_version()}")
    failed = []
    for run, *arguments in [sys.argv[1:]] if sys.argv[1:] else [[name] for name in RUNS]:
        print(f"\n== {run}", flush=True)
        if subprocess.run([sys.executable, "-m", f"bench.{run}", *arguments], check=False).returncode != 0:
            failed.append(run)
    if failed:
        print(f"\nfailed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


if __name__ == "__main__":
    sys.exit(main())
