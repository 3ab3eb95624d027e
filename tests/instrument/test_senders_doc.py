"""docs/senders.md does what it says: its blocks are run in order in an empty directory."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

DOC = Path(__file__).parent.parent.parent / "docs" / "senders.md"
BLOCK = re.compile(r"^```(sh|python)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_every_block_that_needs_no_api_runs(tmp_path: Path) -> None:
    (tmp_path / "newsletter.html").write_text('<p>Hello <a href="https://shop.example.com/">shop</a>')
    (tmp_path / "newsletter.txt").write_text("Hello https://shop.example.com/\n")
    environ = {name: value for name, value in os.environ.items() if not name.startswith("SENDTRAIL_")}
    environ["PATH"] = f"{Path(sys.executable).parent}:{environ['PATH']}"
    blocks = BLOCK.findall(DOC.read_text())
    assert [language for language, _ in blocks] == ["sh", "sh", "python", "python", "sh"]
    outputs = [
        subprocess.run(
            ["sh", "-ec", code] if language == "sh" else [sys.executable, "-c", code],
            cwd=tmp_path, env=environ, capture_output=True, text=True, timeout=60, check=True,
        ).stdout
        for language, code in blocks
        if "instrument.api" not in code
    ]  # fmt: skip
    assert "mints new links" in outputs[0]
    assert "127.0.0.1:8080/c/" in (tmp_path / "tracked.html").read_text()
    assert "127.0.0.1:8080/c/" in (tmp_path / "tracked.txt").read_text()
    assert outputs[2].count("List-Unsubscribe-Post") == 2
    read = json.loads(outputs[3])
    assert (read["valid"], read["destination"]) == (True, "https://shop.example.com/?a=1#top")
