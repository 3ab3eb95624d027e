"""sendtrail keys and sendtrail links, as typed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from sendtrail import keyring
from sendtrail.cli.main import app
from sendtrail.errors import KeysError, SendtrailError
from sendtrail.links import mint, url_id_of
from sendtrail.naming import key
from tests.contract.test_links import SAMPLES

pytestmark = pytest.mark.usefixtures("_own_directory")


@pytest.fixture
def _own_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SENDTRAIL_KEYS_FILE", "deep/keys.toml")


def run(*args: str, stdin: str = "") -> Result:
    return CliRunner().invoke(app, list(args), input=stdin)


def ok(*args: str, stdin: str = "") -> list[Any]:
    """The JSON lines of a command that succeeds."""
    result = run(*args, stdin=stdin)
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


def refused(*args: str) -> str:
    """The message of a command that ends with an expected error."""
    error = run(*args).exception
    assert isinstance(error, SendtrailError)
    return str(error)


def ring() -> keyring.Keyring:
    return keyring.load(Path("deep/keys.toml"))


def states() -> dict[int, str]:
    return {line["id"]: line["state"] for line in ok("keys", "list", "--json")}


def test_the_first_key_comes_with_the_file_and_the_naming_key() -> None:
    assert "keys new" in refused("keys", "list")
    assert ok("keys", "new", "--json") == [{"file": "deep/keys.toml", "id": 0, "state": "active", "first": True}]
    naming = ring().naming_key
    assert ok("keys", "new", "--json")[0]["first"] is False
    assert ring().naming_key == naming
    assert Path("deep/keys.toml").stat().st_mode & 0o777 == 0o600
    assert ok("keys", "list", "--json") == [
        {"id": 0, "state": "active", "mints": False},
        {"id": 1, "state": "active", "mints": True},
    ]


def test_a_key_is_retired_but_not_the_last_active_one() -> None:
    run("keys", "new")
    assert "last active" in refused("keys", "retire", "0")
    run("keys", "new")
    assert ok("keys", "retire", "0", "--json")[0]["state"] == "retired"
    assert "last active" in refused("keys", "retire", "1")
    assert "nothing can be minted" in run("keys", "retire", "1", "--force").output
    assert states() == {0: "retired", 1: "retired"}
    assert "no link key 7" in refused("keys", "retire", "7", "--force")
    assert "keys new" in refused("links", "mint")


def test_revoking_asks_and_is_taken_back_only_by_force() -> None:
    run("keys", "new")
    run("keys", "new")
    assert run("keys", "revoke", "0", stdin="n\n").exit_code == 1
    assert run("keys", "revoke", "0").exit_code == 1
    assert states()[0] == "active"
    assert run("keys", "revoke", "0", stdin="y\n").exit_code == 0
    assert ok("keys", "revoke", "0", "--yes", "--json")[0]["state"] == "revoked"
    assert "revoked" in refused("keys", "retire", "0")
    assert ok("keys", "retire", "0", "--force", "--json")[0]["state"] == "retired"


def test_a_backup_is_the_same_file_and_never_overwrites() -> None:
    assert "keys new" in refused("keys", "backup", "copy.toml")
    run("keys", "new")
    assert run("keys", "backup", "copy.toml").exit_code == 0
    copy = Path("copy.toml")
    assert copy.read_bytes() == Path("deep/keys.toml").read_bytes()
    assert copy.stat().st_mode & 0o777 == 0o600
    copy.write_text("mine")
    assert "not overwritten" in refused("keys", "backup", "copy.toml")
    assert copy.read_text() == "mine"
    assert "can't be written" in refused("keys", "backup", "no/such/dir/copy.toml")


def test_no_verb_prints_a_secret() -> None:
    outputs = [
        run(*args).output
        for args in (
            ["keys", "new"], ["keys", "new", "--json"], ["keys", "list"], ["keys", "list", "--json"],
            ["keys", "retire", "0"], ["keys", "revoke", "0", "--yes"], ["keys", "backup", "copy.toml"],
        )
    ]  # fmt: skip
    shown = "".join(outputs)
    assert "mints new links" in shown
    for secret in [ring().naming_key, *(k.secret for k in ring().links.values())]:
        assert secret.hex() not in shown


def test_a_damaged_file_is_an_error_and_left_alone() -> None:
    Path("deep").mkdir()
    Path("deep/keys.toml").write_text("naming_key = 1")
    with pytest.raises(KeysError):
        keyring.load(Path("deep/keys.toml"))
    assert "can't be read" in refused("keys", "new")
    assert Path("deep/keys.toml").read_text() == "naming_key = 1"


def test_minted_lines_read_back() -> None:
    run("keys", "new")
    requests = [
        {"delivery": "spring", "message": 7, "recipient": "anna@example.com", "url": "https://shop.example/a?b#c",
         "position": 4, "flags": ["seed", "no_cookie"]},
        {"delivery": "spring", "message": "m", "kind": "open", "base": "https://t.example/"},
        {"delivery": 5, "message": 7, "url": "https://x.example/{{id}}", "destination": "https://x.example/9"},
        {"delivery": 5, "message": 7, "kind": "optout", "url_id": 99},
    ]  # fmt: skip
    stdin = "\n".join(map(json.dumps, requests))
    made = ok("links", "mint", "--base", "https://base.example", stdin=stdin)
    assert [line["url"].rpartition("/")[0] for line in made] == [
        "https://base.example/c", "https://t.example/o", "https://base.example/c", "https://base.example/u",
    ]  # fmt: skip
    naming = ring().naming_key
    read = ok("links", "read", *[line["url"] for line in made])
    assert read == ok("links", "read", "-", stdin="\n".join(line["token"] for line in made))
    assert read[0] == {
        "kind": "click", "delivery": key(naming, "", "delivery", "spring"), "message": 7,
        "recipient": key(naming, "", "recipient", "anna@example.com"), "url_id": url_id_of("https://shop.example/a?b#c"),
        "position": 4, "destination": "https://shop.example/a?b#c", "flags": ["seed", "no_cookie"],
        "key": 0, "key_state": "active", "valid": True, "reason": "",
    }  # fmt: skip
    assert (read[1]["recipient"], read[1]["kind"]) == (None, "open")
    assert read[2]["url_id"] == url_id_of("https://x.example/{{id}}")
    assert read[2]["destination"] == "https://x.example/9"
    assert read[3]["url_id"] == 99


def test_lines_from_a_file_and_bad_lines_in_their_place(tmp_path: Path) -> None:
    run("keys", "new")
    good = '{"delivery":1,"message":2,"url":"https://x.example/"}'
    bad = [
        '{"delivery":1',
        '{"delivery":"","message":2}',
        '{"delivery":1,"message":2}',
        '{"nope":1}',
        '{"delivery":1,"message":2,"url":"ftp://x.example/"}',
        '{"delivery":1,"message":2,"kind":"open","flags":["x"]}',
        "\udcff",
    ]
    source = tmp_path / "lines"
    source.write_bytes("\n".join([good, *bad, good]).encode("utf-8", "surrogateescape"))
    result = run("links", "mint", str(source))
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert result.exit_code == 1
    assert [line.get("line") for line in lines] == [None, 2, 3, 4, 5, 6, 7, 8, None]
    assert all(line.get("error") for line in lines[1:-1])
    assert "can't be read" in refused("links", "mint", str(tmp_path / "none"))


def test_errors_name_the_line_as_an_editor_counts_it() -> None:
    run("keys", "new")
    result = run("links", "mint", stdin='\n{"delivery":1,"message":2,"kind":"open"}\n\n  \nnot JSON\n')
    assert [json.loads(line).get("line") for line in result.stdout.splitlines()] == [None, 5]


@pytest.mark.parametrize("base", ["t.example", "ftp://t.example", "https://t.example/?a", "https://", "https://a b/"])
def test_links_point_at_a_tracking_host_that_mail_clients_can_open(base: str, monkeypatch: pytest.MonkeyPatch) -> None:
    run("keys", "new")
    request = {"delivery": 1, "message": 2, "kind": "open"}
    by_line = run("links", "mint", stdin=json.dumps(request | {"base": base}))
    by_option = run("links", "mint", "--base", base, stdin=json.dumps(request))
    monkeypatch.setenv("SENDTRAIL_TRACKING_BASE_URL", base)
    by_setting = run("links", "mint", stdin=json.dumps(request))
    for result in (by_line, by_option, by_setting):
        assert result.exit_code == 1
        assert "error" in json.loads(result.stdout)


def test_reading_repairs_and_refuses() -> None:
    run("keys", "new")
    token = mint(ring().active, SAMPLES["idn"])
    broken = f"  <https://t.example/c/{token}&amp;x=1>"
    assert ok("links", "read", broken)[0]["destination"] == SAMPLES["idn"].destination
    result = run(
        "links", "read", f"https://t.example/o/{token}", token[:-2] + "AA", "ü", "https://t.example/c/" + token
    )
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert result.exit_code == 1
    assert [line["valid"] for line in lines] == [False, False, False, True]
    assert [line["reason"] for line in lines] == ["wrong_kind", "bad_mac", "not_a_link", ""]
