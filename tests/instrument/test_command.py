"""sendtrail instrument, as typed."""

from __future__ import annotations

import json
from base64 import b64decode
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from sendtrail.cli.main import app
from sendtrail.errors import SendtrailError

BASE = "https://t.example"
NAMES = ["--delivery", "spring", "--message", "1"]

pytestmark = pytest.mark.usefixtures("_own_directory")


@pytest.fixture
def _own_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SENDTRAIL_TRACKING_BASE_URL", BASE)
    assert run("keys", "new").exit_code == 0


def run(*args: str, stdin: bytes = b"") -> Result:
    return CliRunner().invoke(app, list(args), input=stdin)


def test_html_from_a_file_to_standard_output_byte_for_byte() -> None:
    source = b"\xef\xbb\xbf<p>h\xc3\xa4\r\n<A HREF='https://a.example/?b&amp;c'>x</A>\r\n"
    Path("m.html").write_bytes(source)
    result = run("instrument", "m.html", *NAMES, "--recipient", "anna", "--no-pixel")
    assert result.exit_code == 0
    before, _, rest = result.stdout_bytes.partition(f"{BASE}/c/".encode())
    assert before == b"\xef\xbb\xbf<p>h\xc3\xa4\r\n<A HREF='"
    assert rest.partition(b"'")[2] == b">x</A>\r\n"
    assert f"header: List-Unsubscribe: <{BASE}/u/" in result.stderr
    assert "warning" not in result.stderr


def test_warnings_go_to_standard_error() -> None:
    result = run("instrument", "-", *NAMES, stdin=b"<a href=page.html>")
    assert "warning: relative_link: 'page.html'" in result.stderr
    assert "warning" not in result.stdout


def test_the_content_is_told_or_given() -> None:
    assert "/o/" in run("instrument", "-", *NAMES, stdin=b"<p>hello").stdout
    assert run("instrument", "-", *NAMES, stdin=b"hello").stdout == "hello"
    assert run("instrument", "-", *NAMES, "--as", "text", stdin=b"<p>hello").stdout == "<p>hello"
    assert "/o/" in run("instrument", "-", *NAMES, "--as", "html", stdin=b"hello").stdout


def test_json_holds_everything() -> None:
    shown = json.loads(run("instrument", "-", *NAMES, "--json", "--seed", stdin=b"see https://a.example/x").stdout)
    assert shown["text"].startswith(f"see {BASE}/c/")
    assert [header[0] for header in shown["headers"]] == ["List-Unsubscribe", "List-Unsubscribe-Post"]
    assert [url["url"] for url in shown["urls"]] == ["https://a.example/x", "sendtrail:optout"]
    prepared = shown["prepared"]
    assert prepared.pop("time") > 0
    assert prepared == {"kind": "prepared", "delivery": "spring", "message": "1", "format": "text", "seed": True}
    read = json.loads(run("links", "read", shown["text"].split()[1]).stdout)
    assert (read["valid"], read["destination"], read["flags"]) == (True, "https://a.example/x", ["seed"])


def test_other_character_sets_are_kept() -> None:
    source = "<p>ä <a href='https://a.example/ü'>x</a>".encode("latin-1")
    result = run("instrument", "-", *NAMES, "--encoding", "latin-1", "--no-pixel", stdin=source)
    assert result.stdout_bytes.startswith(b"<p>\xe4 <a href='https://t.example/c/")
    refused = run("instrument", "-", *NAMES, stdin=source).exception
    assert isinstance(refused, SendtrailError)
    assert "--encoding" in str(refused)


def test_what_can_not_be_read_is_named() -> None:
    refused = run("instrument", "none.html", *NAMES).exception
    assert isinstance(refused, SendtrailError)
    assert "none.html" in str(refused)


MAIL = (
    b"From: shop@e.example\r\nTo: a@e.example\r\nMIME-Version: 1.0\r\nContent-Type: text/html; charset=iso-8859-1\r\n"
    b"Content-Transfer-Encoding: 8bit\r\n\r\n<p>h\xe4 <a href='https://a.example/'>x</a>\r\n"
)


def test_a_whole_message_is_told_by_its_headers() -> None:
    Path("m.eml").write_bytes(MAIL)
    result = run("instrument", "m.eml", *NAMES, "--no-pixel")
    assert result.exit_code == 0
    head, _, body = result.stdout_bytes.partition(b"\r\n\r\n")
    assert head.startswith(MAIL.partition(b"\r\n\r\n")[0] + b"\r\nList-Unsubscribe: <https://t.example/u/")
    assert body.startswith(b"<p>h\xe4 <a href='https://t.example/c/")
    assert "header:" not in result.stderr


def test_json_of_a_whole_message() -> None:
    shown = json.loads(run("instrument", "-", *NAMES, "--json", stdin=MAIL).stdout)
    assert b64decode(shown["mime"]).startswith(b"From: shop@e.example")
    assert shown["prepared"]["format"] == "html"
    sealed = json.loads(run("instrument", "-", *NAMES, "--json", stdin=b"DKIM-Signature: x\r\n" + MAIL).stdout)
    assert b64decode(sealed["mime"]) == b"DKIM-Signature: x\r\n" + MAIL
    assert (sealed["prepared"], sealed["warnings"][0]["code"]) == (None, "sealed")


def test_policy_values_consent_and_a_providers_headers() -> None:
    Path("policy.toml").write_text('placeholders = "{{x}}"\n[parameters]\nutm_source = "letter"\n')
    page = b"<a href='https://a.example/?who={{name}}'>x</a>"
    args = [
        "instrument",
        "-",
        *NAMES,
        "--policy",
        "policy.toml",
        "--value",
        "name=Ann & Co",
        "--headers-for",
        "postmark",
    ]
    result = run(*args, "--no-pixel", "--proof", stdin=page)
    read = json.loads(run("links", "read", result.stdout.split("'")[1]).stdout)
    assert read["destination"] == "https://a.example/?who=Ann%20%26%20Co&utm_source=letter"
    assert read["flags"] == ["proof"]
    assert "header: X-PM-Metadata-sendtrail_delivery: " in result.stderr
    untracked = run(*args, "--no-consent", stdin=page)
    assert untracked.stdout == "<a href='https://a.example/?who=Ann%20%26%20Co&amp;utm_source=letter'>x</a>"
    assert "unresolved_placeholder: 'name'" in run(*args[:8], stdin=page).stderr


def test_headers_of_a_provider_are_put_on_a_whole_message() -> None:
    result = run("instrument", "-", *NAMES, "--headers-for", "kumomta", stdin=MAIL)
    assert b"\r\nX-Sendtrail-Message: 1\r\n" in result.stdout_bytes
    listed = json.loads(run("instrument", "-", *NAMES, "--attribute", "city=Lyon", "--json", stdin=MAIL).stdout)
    assert listed["prepared"]["attributes"] == {"city": "Lyon"}
    assert run("instrument", "-", *NAMES, "--json", "--attribute", "city", stdin=MAIL).exit_code == 2


@pytest.mark.parametrize("option", [("--attribute", "city=Lyon"), ("--label", "Spring")])
def test_what_only_the_api_would_be_told_is_not_lost_without_a_word(option: tuple[str, str]) -> None:
    refused = run("instrument", "-", *NAMES, *option, stdin=MAIL)
    assert refused.exit_code == 2
    assert "--api" in refused.stderr


def test_check_ends_with_1_on_errors_alone() -> None:
    Path("bad.html").write_text('<a href="http://localhost/">x</a>')
    found = run("check", "bad.html", "--json")
    assert found.exit_code == 1
    told = json.loads(found.stdout)
    assert (told["errors"], told["warnings"]) == (2, 0)
    assert {one["code"]: one["line"] for one in told["findings"]} == {"private_host": 1, "no_optout": 0}
    shown = run("check", "bad.html")
    assert shown.exit_code == 1
    assert "private_host" in shown.stdout
    assert "2 errors, 0 warnings" in shown.stdout
    Path("good.html").write_text('<a href="#" data-st-mode="optout">Leave</a><a href="https://a.example/?a&b">x</a>')
    good = run("check", "good.html")
    assert good.exit_code == 0
    assert "0 errors, 1 warnings" in good.stdout
