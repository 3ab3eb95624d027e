"""How far each process's clock is off: a file of 8 bytes that hook/sitecustomize.py reads in the process."""

from __future__ import annotations

import os
import struct
from pathlib import Path

HOOK = Path(__file__).with_name("hook")


class Clocks:
    """The clocks of a line's processes, by name; right until stepped."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._directory = directory

    def environment(self, name: str) -> dict[str, str]:
        """What a process must have in its environment for its clock to be steppable."""
        path = self._directory / name
        if not path.exists():
            self.step(name, 0)
        places = [str(HOOK), *filter(None, [os.environ.get("PYTHONPATH")])]
        return {"PYTHONPATH": os.pathsep.join(places), "CHAOS_CLOCK": str(path)}

    def step(self, name: str, off_ms: int) -> None:
        """Set how far the clock of a process is off, in milliseconds; 0 is right."""
        with (self._directory / name).open("r+b" if (self._directory / name).exists() else "w+b") as file:
            file.write(struct.pack("<q", off_ms * 1_000_000))
