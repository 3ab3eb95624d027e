"""Small files that a crash leaves whole."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from sendtrail.local.engine.secret import Credentials, ensure_password
from sendtrail.local.files import create_whole, write_whole


def test_replacing(tmp_path: Path) -> None:
    path = tmp_path / "a" / "file"
    for text in ("one", "two"):
        write_whole(path, text)
        assert path.read_text() == text
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [found.name for found in path.parent.iterdir()] == ["file"]


def test_the_first_maker_wins(tmp_path: Path) -> None:
    path = tmp_path / "file"
    assert create_whole(path, "one")
    assert not create_whole(path, "two")
    assert path.read_text() == "one"
    assert [found.name for found in tmp_path.iterdir()] == ["file"]


def test_starts_that_race_share_one_password(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        passwords = set(pool.map(lambda _: ensure_password(tmp_path / "password"), range(8)))
    assert len(passwords) == 1


def test_an_empty_password_lets_nobody_in(tmp_path: Path) -> None:
    (tmp_path / "password").touch()
    credentials = Credentials(ensure_password(tmp_path / "password"))
    assert credentials.check("default", "") is not None
