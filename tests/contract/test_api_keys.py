"""The file of the feed API's keys."""

from __future__ import annotations

from pathlib import Path

import pytest

from sendtrail import api_keys
from sendtrail.api_keys import ApiKey, ApiKeys, digest_of, new_key
from sendtrail.errors import ApiKeysError

KEY = new_key()
SHOP = ApiKey("shop", "shop", digest_of(KEY), "2026-11-24T09:30:00Z", 600)
ANY = ApiKey("any", "", digest_of("another"), "2026-11-24T09:30:00Z")


def test_what_is_saved_is_read_and_no_key_is_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "api-keys.toml"
    api_keys.save(path, ApiKeys((SHOP, ANY)))
    assert path.stat().st_mode & 0o777 == 0o600
    assert KEY not in path.read_text()
    read = api_keys.load(path)
    assert read.by_name == {"shop": SHOP, "any": ANY}
    assert (read.find(KEY), read.find("another"), read.find(KEY + "x"), read.find("")) == (SHOP, ANY, None, None)


def test_a_key_has_256_random_bits() -> None:
    made = {new_key() for _ in range(100)}
    assert len(made) == 100
    assert all(key.startswith("stak_") and len(key) == len("stak_") + 43 for key in made)


def test_what_is_no_text_is_no_key() -> None:
    assert ApiKeys((SHOP,)).find("\udcff\ud800") is None


def test_names_are_taken_once_and_given_back() -> None:
    keys = ApiKeys((SHOP,))
    with pytest.raises(ApiKeysError, match="already"):
        keys.with_key(SHOP)
    with pytest.raises(ApiKeysError, match="nobody"):
        keys.without("nobody")
    assert keys.without("shop").find(KEY) is None


def test_a_file_open_to_others_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "api-keys.toml"
    api_keys.save(path, ApiKeys((SHOP,)))
    path.chmod(0o640)
    with pytest.raises(ApiKeysError, match="chmod 600"):
        api_keys.load(path)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("[", "can't be read"),
        ("[other]", "nothing else"),
        ("keys = 5", "nothing else"),
        ('[keys.a]\ndigest = "00"', "SHA-256"),
        ('[keys.a]\nsecret = "x"', "nothing else"),
        (f'[keys.a]\ndigest = "{"0" * 64}"\nrequests_per_minute = true', "whole number"),
        (f'[keys.a]\ndigest = "{"0" * 64}"\naccount = "{"x" * 129}"', "account"),
        (f'[keys.a]\ndigest = "{"0" * 64}"\n[keys.b]\ndigest = "{"0" * 64}"', "same"),
        (f'[keys."a\\u0007"]\ndigest = "{"0" * 64}"', "visible"),
    ],
)
def test_a_bad_file_says_what_is_wrong(tmp_path: Path, content: str, said: str) -> None:
    path = tmp_path / "api-keys.toml"
    path.touch(mode=0o600)
    path.write_text(content)
    with pytest.raises(ApiKeysError, match=said):
        api_keys.load(path)
