"""sendtrail users, as typed."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import termios
import time
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from dashboards.web.access.passwords import hash_token, verify
from dashboards.web.access.users import User, load
from sendtrail.cli.main import app
from sendtrail.errors import SendtrailError, SettingsError, UsersError
from tests.dashboards.web.access.site import PASSWORD, Site

pytestmark = pytest.mark.usefixtures("_own_directory")

FILE = Path("deep/users.toml")


@pytest.fixture
def _own_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SENDTRAIL_WEB_USERS_FILE", str(FILE))


def run(*args: str, stdin: str = "") -> Result:
    return CliRunner().invoke(app, ["users", *args], input=stdin)


def ok(*args: str, stdin: str = "") -> list[Any]:
    """The JSON lines of a command that succeeds."""
    result = run(*args, "--json", stdin=stdin)
    assert result.exit_code == 0, (result.output, result.exception)
    return [json.loads(line) for line in result.stdout.splitlines()]


def refused(*args: str, stdin: str = "") -> SendtrailError:
    error = run(*args, stdin=stdin).exception
    assert isinstance(error, SendtrailError)
    return error


def the(name: str) -> User:
    return load(FILE).get(name)


def add(name: str, *args: str) -> Any:
    [facts] = ok("add", name, "--password-file", "-", *args, stdin=PASSWORD + "\n")
    return facts


def test_a_user_is_added_with_role_accounts_and_a_hashed_password() -> None:
    assert ok("list") == []
    assert add("Ñandú 李") == {
        "name": "Ñandú 李", "role": "viewer", "accounts": None, "has_password": True, "has_token": False,
    }  # fmt: skip
    facts = add("ana", "--role", "analyst", "--account", "", "--account", "shop")
    assert (facts["role"], facts["accounts"]) == ("analyst", ["", "shop"])
    assert FILE.stat().st_mode & 0o777 == 0o600
    assert PASSWORD not in FILE.read_text()
    assert verify(the("ana").password, PASSWORD)
    assert [line["name"] for line in ok("list")] == ["ana", "Ñandú 李"]
    shown = run("list").output
    assert "(default), shop" in shown
    assert "argon2" not in shown


def test_the_password_comes_from_a_file_or_standard_input_without_its_line_end(tmp_path: Path) -> None:
    (tmp_path / "pw").write_text(f"{PASSWORD}\r\nnot this\n")
    ok("add", "ana", "--password-file", str(tmp_path / "pw"))
    assert verify(the("ana").password, PASSWORD)
    ok("passwd", "ana", "--password-file", "-", stdin="  spaces around it  ")
    assert verify(the("ana").password, "  spaces around it  ")
    assert not verify(the("ana").password, "spaces around it")


@pytest.mark.parametrize(
    ("args", "stdin", "named"),
    [
        (("add", "ana"), "", "--password-file"),
        (("add", "ana", "--password-file", "-"), "short\n", "12 characters"),
        (("add", "ana", "--password-file", "-"), "", "12 characters"),
        (("add", "ana", "--password-file", "/nowhere"), "", "/nowhere"),
        (("add", " ", "--no-password"), "", "visible characters"),
        (("passwd", "nobody", "--password-file", "-"), PASSWORD, "nobody"),
        (("change", "nobody", "--role", "viewer"), "", "nobody"),
        (("remove", "nobody", "--yes"), "", "nobody"),
        (("token", "nobody"), "", "nobody"),
    ],
)
def test_what_can_t_be_done_says_why_and_changes_nothing(args: tuple[str, ...], stdin: str, named: str) -> None:
    error = refused(*args, stdin=stdin)
    assert isinstance(error, UsersError)
    assert named in str(error)
    assert not FILE.exists()


def test_a_name_is_given_once() -> None:
    add("ana")
    assert "already" in str(refused("add", "ana", "--no-password"))
    assert "already" in str(refused("add", " ana ", "--no-password"))
    assert verify(the("ana").password, PASSWORD)


def test_options_that_contradict_each_other_are_wrong_usage() -> None:
    assert run("add", "ana", "--no-password", "--password-file", "-").exit_code == 2
    add("ana")
    assert run("change", "ana", "--account", "x", "--all-accounts").exit_code == 2
    assert run("change", "ana", "--role", "admin").exit_code == 2


def test_a_change_replaces_what_it_names_and_nothing_else() -> None:
    add("ana", "--role", "analyst", "--account", "shop")
    before = the("ana")
    assert ok("change", "ana", "--role", "viewer")[0]["accounts"] == ["shop"]
    assert ok("change", "ana", "--account", "a", "--account", "b")[0]["accounts"] == ["a", "b"]
    assert ok("change", "ana", "--all-accounts")[0] == {
        "name": "ana", "role": "viewer", "accounts": None, "has_password": True, "has_token": False,
    }  # fmt: skip
    assert the("ana").password == before.password


def test_a_token_is_shown_once_and_kept_as_a_hash() -> None:
    ok("add", "robot", "--no-password")
    assert the("robot").password == ""
    [facts] = ok("token", "robot")
    assert (facts["has_password"], facts["has_token"]) == (False, True)
    first = facts["token"]
    assert first not in FILE.read_text()
    assert the("robot").token == hash_token(first)
    result = run("token", "robot")
    assert the("robot").token == hash_token(result.stdout.strip())
    assert the("robot").token != hash_token(first)
    assert ok("token", "robot", "--revoke")[0]["has_token"] is False
    assert the("robot").token == ""


def test_removing_asks() -> None:
    add("ana")
    assert run("remove", "ana", stdin="n\n").exit_code == 1
    assert the("ana").name == "ana"
    assert run("remove", "ana", stdin="y\n").exit_code == 0
    assert ok("list") == []


def test_a_damaged_file_is_left_alone() -> None:
    add("ana")
    FILE.write_text("no TOML [")
    assert "can't be read" in str(refused("add", "bob", "--no-password"))
    assert FILE.read_text() == "no TOML ["


def test_without_the_setting_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SENDTRAIL_WEB_USERS_FILE")
    error = refused("list")
    assert isinstance(error, SettingsError)
    assert "SENDTRAIL_WEB_USERS_FILE" in str(error)


@pytest.mark.asyncio
async def test_a_running_server_follows_the_command(tmp_path: Path) -> None:
    add("ana")
    site = Site(tmp_path, users_file=FILE.absolute())
    async with site.browser() as browser, site.browser() as program:
        await browser.log_in("ana")
        assert (await browser.me())["role"] == "viewer"
        ok("change", "ana", "--role", "analyst", "--account", "shop")
        found = await browser.me()
        assert (found["role"], found["accounts"]) == ("analyst", ["shop"])
        program.headers["Authorization"] = f"Bearer {ok('token', 'ana')[0]['token']}"
        assert (await program.get("/v1/me")).json()["name"] == "ana"
        assert (await browser.me())["name"] == "ana"
        ok("passwd", "ana", "--password-file", "-", stdin="quite another one")
        assert (await browser.get("/me")).status_code == 303
        assert (await program.get("/v1/me")).status_code == 200
        ok("token", "ana", "--revoke")
        assert (await program.get("/v1/me")).status_code == 401
        await browser.log_in("ana", "quite another one")
        assert (await browser.me())["name"] == "ana"
        ok("remove", "ana", "--yes")
        assert (await browser.get("/me")).status_code == 303


def test_on_a_terminal_the_password_is_asked_for_twice_and_not_shown(tmp_path: Path) -> None:
    ours, theirs = os.openpty()
    command = [sys.executable, "-c", "from sendtrail.cli.main import main; main()", "users", "add", "ana"]
    process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True)
    try:
        shown = _until(ours, "Password")
        for words in ("again", "is added"):
            _wait_hidden(theirs)
            os.write(ours, f"{PASSWORD}\n".encode())
            shown += _until(ours, words)
        assert process.wait(60) == 0
    finally:
        process.kill()
        process.wait()
        os.close(ours)
        os.close(theirs)
    assert PASSWORD not in shown
    assert verify(the("ana").password, PASSWORD)


def _until(terminal: int, words: str) -> str:
    shown = ""
    while words not in shown:
        readable, _, _ = select.select([terminal], [], [], 60)
        assert readable, f"{words!r} does not come after {shown!r}"
        shown += os.read(terminal, 4096).decode()
    return shown


def _wait_hidden(terminal: int) -> None:
    """Until what is typed is not shown: what is typed before that is thrown away."""
    for _ in range(6000):
        if not termios.tcgetattr(terminal)[3] & termios.ECHO:
            return
        time.sleep(0.01)
    raise AssertionError("the terminal still shows what is typed")


def test_many_at_once_lose_nobody() -> None:
    command = [sys.executable, "-c", "from sendtrail.cli.main import main; main()", "users", "add", "--no-password"]
    children = [subprocess.Popen([*command, f"user{number}"], stdout=subprocess.DEVNULL) for number in range(4)]
    assert [child.wait(120) for child in children] == [0] * 4
    assert set(load(FILE).by_name) == {f"user{number}" for number in range(4)}
