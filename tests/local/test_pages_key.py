"""The API key that `sendtrail setup` makes for the report pages."""

from __future__ import annotations

from pathlib import Path

from sendtrail import api_keys
from sendtrail.local.prepare import make_pages_key
from sendtrail.settings import WebSettings, load


def test_the_pages_get_a_key_once_and_another_where_it_is_lost(tmp_path: Path) -> None:
    page_key, keys = tmp_path / "web" / "api-key", tmp_path / "api" / "api-keys.toml"
    config = load(
        {"SENDTRAIL_WEB_API_KEY_FILE": str(page_key), "SENDTRAIL_API_KEYS_FILE": str(keys)}, Path("/dev/null")
    )
    said: list[str] = []
    for _ in range(2):
        make_pages_key(config, said.append)
    assert len(said) == 1
    first = config.section(WebSettings).api_key()
    assert page_key.stat().st_mode & 0o777 == 0o600
    found = api_keys.load(keys).find(first)
    assert found is not None
    assert found.account == ""
    page_key.unlink()
    make_pages_key(config, said.append)
    assert api_keys.load(keys).find(first) is None
    assert api_keys.load(keys).find(config.section(WebSettings).api_key()) is not None


def test_without_the_setting_none_is_made(tmp_path: Path) -> None:
    keys = tmp_path / "api-keys.toml"
    make_pages_key(load({"SENDTRAIL_API_KEYS_FILE": str(keys)}, Path("/dev/null")), print)
    assert not keys.exists()
