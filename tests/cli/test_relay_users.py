"""sendtrail relay-users, as typed."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from producers.relay import users
from sendtrail.cli.main import app
from sendtrail.errors import SendtrailError

PASSWORD = "a password of length"


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SENDTRAIL_RELAY_USERS_FILE", "users.toml")
    return tmp_path / "users.toml"


def run(*args: str, stdin: str = "") -> Result:
    return CliRunner().invoke(app, ["relay-users", *args], input=stdin)


def test_adding_changing_and_removing(file: Path) -> None:
    assert run("add", "shop", stdin=f"{PASSWORD}\n{PASSWORD}\n").exit_code == 0
    assert run("add", "crm", "--password-file", "-", stdin=PASSWORD).exit_code == 0
    assert file.stat().st_mode & 0o777 == 0o600
    assert PASSWORD not in file.read_text()
    known = users.Users(file)
    assert known.may("shop", PASSWORD)
    assert not known.may("shop", PASSWORD + "!")
    assert not known.may("nobody", PASSWORD)
    assert run("list").stdout.split() == ["shop", "crm"]
    assert run("add", "shop", "--password-file", "-", stdin=PASSWORD + "!").exit_code == 0
    assert known.may("shop", PASSWORD + "!")  # the file is read again
    assert run("remove", "shop").exit_code == 0
    assert not known.may("shop", PASSWORD + "!")
    assert run("list", "--json").stdout == '{"name": "crm"}\n'


@pytest.mark.parametrize(
    ("args", "stdin", "said"),
    [
        (["add", "shop", "--password-file", "-"], "short", "12 to 1024"),
        (["add", "sh\nop", "--password-file", "-"], PASSWORD, "printable"),
        (["add", "shop", "--password-file", "none"], "", "none can't be read"),
        (["remove", "nobody"], "", "can't be read"),
    ],
)
@pytest.mark.usefixtures("file")
def test_what_can_not_be_is_said(args: list[str], stdin: str, said: str) -> None:
    result = run(*args, stdin=stdin)
    assert isinstance(result.exception, SendtrailError)
    assert said in str(result.exception)


def test_no_file_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    assert "SENDTRAIL_RELAY_USERS_FILE" in str(run("list").exception)
