"""The key file."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sendtrail.errors import KeysError
from sendtrail.keyring import Keyring, load, new_keyring, save


def test_saved_and_loaded_is_the_same_with_mode_600(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "keys.toml"
    keyring = new_keyring().with_new_key().with_state(0, "retired").with_new_key().with_state(2, "revoked")
    save(path, keyring)
    assert load(path) == keyring
    assert path.stat().st_mode & 0o777 == 0o600
    assert keyring.active.key_id == 1
    assert [p.name for p in path.parent.iterdir()] == ["keys.toml"]


def test_a_readable_draft_of_a_crash_does_not_leak_its_mode(tmp_path: Path) -> None:
    path = tmp_path / "keys.toml"
    draft = tmp_path / "keys.toml.new"
    draft.write_text("half a fi")
    os.chmod(draft, 0o644)
    save(path, new_keyring())
    assert path.stat().st_mode & 0o777 == 0o600


def test_secrets_are_not_in_the_text_of_objects() -> None:
    keyring = new_keyring()
    for text in (repr(keyring), str(keyring), repr(keyring.active), f"{keyring.links}"):
        assert keyring.naming_key.hex() not in text
        assert keyring.active.secret.hex() not in text
        assert repr(keyring.active.secret) not in text


def test_new_keys_get_the_next_id_until_all_are_used() -> None:
    keyring = new_keyring()
    for _ in range(255):
        keyring = keyring.with_new_key()
    assert sorted(keyring.links) == list(range(256))
    with pytest.raises(KeysError, match="256"):
        keyring.with_new_key()


def test_without_an_active_key_nothing_is_minted() -> None:
    with pytest.raises(KeysError, match="keys new"):
        _ = new_keyring().with_state(0, "retired").active
    with pytest.raises(KeysError, match="no link key 9"):
        new_keyring().with_state(9, "retired")
    with pytest.raises(KeysError, match="no active"):
        _ = Keyring(bytes(32), {}).active


SECRET = "ab" * 32
ONE = f'id = 0\nstate = "active"\nsecret = "{SECRET}"'


def _file(key_lines: str, naming: str = SECRET) -> str:
    return f'naming_key = "{naming}"\n[[link_keys]]\n{key_lines}\n'


@pytest.mark.parametrize(
    "text",
    [
        "",
        "not toml [",
        f'naming_key = "{SECRET}"',
        _file('id = 0\nstate = "active"\nsecret = "ab"'),
        _file(f'id = 0\nstate = "asleep"\nsecret = "{SECRET}"'),
        _file(f'id = 256\nstate = "active"\nsecret = "{SECRET}"'),
        _file(f'id = -1\nstate = "active"\nsecret = "{SECRET}"'),
        _file(ONE, naming="ab"),
        _file(f"{ONE}\n[[link_keys]]\n{ONE}"),
    ],
)
def test_a_bad_file_is_named_without_its_secrets(tmp_path: Path, text: str) -> None:
    path = tmp_path / "keys.toml"
    path.write_text(text)
    with pytest.raises(KeysError, match=str(path)) as raised:
        load(path)
    assert SECRET not in str(raised.value)


def test_a_missing_file_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(KeysError, match="keys new"):
        load(tmp_path / "none.toml")
