"""docs/senders.md does what it says: its blocks are run in order in an empty directory."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

DOC = Path(__file__).parent.parent.parent / "docs" / "senders.md"
BLOCK = re.compile(r"^```(sh|python|toml)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_every_block_that_needs_no_api_runs(tmp_path: Path) -> None:
    (tmp_path / "newsletter.html").write_text('<p>Hello <a href="https://shop.example.com/">shop</a>')
    (tmp_path / "newsletter.txt").write_text("Hello https://shop.example.com/\n")
    environ = {name: value for name, value in os.environ.items() if not name.startswith("SENDTRAIL_")}
    environ["PATH"] = f"{Path(sys.executable).parent}:{environ['PATH']}"
    blocks = BLOCK.findall(DOC.read_text())
    assert {language for language, _ in blocks} == {"sh", "python", "toml"}
    said, program = "", ""
    for language, code in blocks:
        if language == "toml":
            (tmp_path / "policy.toml").write_text(code)
        elif language == "python":  # one session, as a reader would have it
            program += "" if "instrument.api" in code else code
        else:
            said += _run(["sh", "-ec", code], tmp_path, environ)
    assert "mints new links" in said
    assert "127.0.0.1:8080/c/" in (tmp_path / "tracked.html").read_text()
    assert "127.0.0.1:8080/c/" in (tmp_path / "tracked.txt").read_text()
    read = json.loads(said.splitlines()[-1])
    assert (read["valid"], read["destination"]) == (True, "https://shop.example.com/?a=1#top")
    printed = _run([sys.executable, "-c", program], tmp_path, environ)
    assert printed.count("List-Unsubscribe-Post") == 2
    assert '<p>Dear Anna &amp; Ben, <a href="https://t.example.com/c/' in printed
    assert "https://shop.example.com/c/{{customer}}?code={{code}} your offer" in printed
    assert "remembered: never https://shop.example.com/jobs" in printed
    assert '"unique_args": {"sendtrail_delivery": "' in printed
    assert "shop.example.com/jobs" in (tmp_path / "policy.toml").read_text()


def _run(command: list[str], directory: Path, environ: dict[str, str]) -> str:
    done = subprocess.run(
        command, cwd=directory, env=environ, capture_output=True, text=True, timeout=60, check=False
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout
