"""A SIGTERM in the moment between the listeners and uvicorn's own handlers is not lost."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from sendtrail import keyring

_CHILD = """
import os, signal, sys
from producers.api import main as api
from sendtrail.settings import load

class Admin(api.AdminServer):
    def start(self):
        os.kill(os.getpid(), signal.SIGTERM)
        return super().start()

api.AdminServer = Admin
sys.exit(api.main(load()))
"""


def test_an_api_that_is_stopped_while_it_starts_ends(tmp_path: Path) -> None:
    keys = tmp_path / "keys.toml"
    keyring.save(keys, keyring.new_keyring())
    settings = {
        "KEYS_FILE": keys, "API_SPOOL_DIR": tmp_path / "spool", "API_PORT": 0, "API_ADMIN_PORT": 0,
        "API_KEYS_FILE": tmp_path / "api-keys.toml",
    }  # fmt: skip
    environment = {f"SENDTRAIL_{name}": str(value) for name, value in settings.items()}
    done = subprocess.run(
        [sys.executable, "-c", _CHILD], env={**os.environ, **environment}, capture_output=True, text=True, timeout=60,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert '"event": "stopped"' in done.stderr
