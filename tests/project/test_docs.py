"""Generated parts of the docs are fresh, and every command has help."""

import subprocess
import sys
from pathlib import Path

from typer.main import get_command

from sendtrail.cli.main import app

ROOT = Path(__file__).resolve().parents[2]


def test_generated_parts_are_fresh() -> None:
    run = subprocess.run(
        [sys.executable, "docs/generate.py", "--check"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr


def test_every_command_and_every_option_has_help() -> None:
    waiting = list(getattr(get_command(app), "commands", {}).items())
    assert waiting
    while waiting:
        name, command = waiting.pop()
        assert command.help, f"{name} has no help"
        for option in command.params:
            assert getattr(option, "help", None), f"{name} {option.name} has no help"
        waiting += [(f"{name} {child}", leaf) for child, leaf in getattr(command, "commands", {}).items()]
