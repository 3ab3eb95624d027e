"""The users file: what it may hold, and what a running server does when it changes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from dashboards.web.access.passwords import MAX_BYTES, hash_password, is_hash, verify
from dashboards.web.access.users import User, Users, load, save
from dashboards.web.access.users_file import UsersFile
from sendtrail.errors import SettingsError, UsersError
from tests.dashboards.web.access.site import ANA, PASSWORD, VERA, Site, user


def write(path: Path, text: str, mode: int = 0o600) -> Path:
    path.write_text(text)
    path.chmod(mode)
    return path


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "users.toml"
    users = Users([ANA, VERA, user('"quoted" Ñandú 李', accounts=frozenset()), User("bare", "viewer")])
    save(path, users)
    assert load(path).by_name == users.by_name
    assert path.stat().st_mode & 0o777 == 0o600
    assert PASSWORD not in path.read_text()


def test_an_empty_file_has_no_users(tmp_path: Path) -> None:
    assert load(write(tmp_path / "u", "")).by_name == {}


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[users", "can't be read"),
        ("\xff", "can't be read"),
        ("x = 1", "nothing else"),
        ("users = 1", "nothing else"),
        ("[users]\nana = 1", "ana"),
        ("[users.ana]", "role is one of viewer, analyst"),
        ('[users.ana]\nrole = "admin"', "admin"),
        ('[users.ana]\nrole = "viewer"\nrank = 1', "nothing else"),
        ('[users.ana]\nrole = "viewer"\naccounts = "shop"', "list of texts"),
        ('[users.ana]\nrole = "viewer"\naccounts = [1]', "list of texts"),
        ('[users.ana]\nrole = "viewer"\npassword = "plain"', "sendtrail users passwd"),
        ('[users.ana]\nrole = "viewer"\npassword = "$argon2i$v=19$m=8,t=1,p=1$YWJjZGVmZ2g$YWJjZGVmZ2g"', "Argon2id"),
        ('[users.ana]\nrole = "viewer"\ntoken = "strt_plain"', "sendtrail users token"),
        ('[users.""]\nrole = "viewer"', "visible characters"),
        ('[users."a\\nb"]\nrole = "viewer"', "visible characters"),
        (f'[users.{"x" * 129}]\nrole = "viewer"', "visible characters"),
        ('[users."\u00e9"]\nrole = "viewer"\n[users."e\u0301"]\nrole = "analyst"', "same name"),
        (
            f'[users.a]\nrole = "viewer"\ntoken = "{"0" * 64}"\n[users.b]\nrole = "viewer"\ntoken = "{"0" * 64}"',
            "token",
        ),
    ],
)
def test_what_is_wrong_with_a_file_is_said(tmp_path: Path, text: str, named: str) -> None:
    path = tmp_path / "users.toml"
    path.write_bytes(text.encode("latin-1" if text == "\xff" else "utf-8"))
    path.chmod(0o600)
    with pytest.raises(UsersError, match=named) as caught:
        load(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644, 0o610])
def test_a_file_open_to_others_is_refused(tmp_path: Path, mode: int) -> None:
    save(tmp_path / "users.toml", Users([ANA]))
    (tmp_path / "users.toml").chmod(mode)
    with pytest.raises(SettingsError, match="chmod 600"):
        Site(tmp_path, users_file=tmp_path / "users.toml")


def test_hashes_are_argon2id_and_passwords_have_a_least_and_a_greatest_length() -> None:
    stored = hash_password("twelve chars")
    assert stored.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert is_hash(stored)
    assert verify(stored, "twelve chars")
    assert not verify(stored, "twelve charz")
    assert not verify("", "twelve chars")
    assert not verify("damaged", "twelve chars")
    for bad in ("elevenchars", "x" * (MAX_BYTES + 1)):
        with pytest.raises(UsersError, match="password"):
            hash_password(bad)
    assert verify(hash_password("ééééééééééééé"), "é" * 13)


def test_a_change_is_seen_and_a_bad_one_leaves_the_users_there_were(tmp_path: Path) -> None:
    path = tmp_path / "users.toml"
    save(path, Users([ANA]))
    watched = UsersFile(path)
    save(path, Users([ANA, VERA]))
    assert set(watched.now().by_name) == {"ana", "vera"}
    with capture_logs() as logs:
        write(path, "[users.eve\n")
        assert set(watched.now().by_name) == {"ana", "vera"}
        assert set(watched.now().by_name) == {"ana", "vera"}
    assert [(line["log_level"], str(path) in line["error"]) for line in logs] == [("error", True)]
    write(path, '[users.eve]\nrole = "viewer"\n')
    assert set(watched.now().by_name) == {"eve"}
    path.chmod(0o644)
    write(path, '[users.bob]\nrole = "viewer"\n', 0o644)
    assert set(watched.now().by_name) == {"eve"}
    path.chmod(0o600)
    assert set(watched.now().by_name) == {"bob"}
    path.unlink()
    assert set(watched.now().by_name) == {"bob"}
    save(path, Users())
    assert watched.now().by_name == {}


@pytest.mark.asyncio
async def test_a_server_goes_on_with_the_users_before_a_bad_change(tmp_path: Path) -> None:
    site = Site(tmp_path, [ANA])
    async with site.browser() as browser:
        await browser.log_in("ana")
        write(site.users_file, "no TOML [")
        assert (await browser.me())["name"] == "ana"
        save(site.users_file, Users([replace(ANA, role="viewer")]))
        assert (await browser.me())["role"] == "viewer"


@pytest.mark.parametrize("text", ["no TOML [", '[users.ana]\nrole = "admin"'])
def test_a_server_does_not_start_with_a_bad_file(tmp_path: Path, text: str) -> None:
    with pytest.raises(SettingsError, match=r"users\.toml"):
        Site(tmp_path, users_file=write(tmp_path / "users.toml", text))
