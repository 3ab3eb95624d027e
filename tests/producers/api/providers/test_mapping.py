"""Mapping files: any JSON webhook, and clear words about a file that is wrong."""

from __future__ import annotations

import hmac
import json
import os
import subprocess
import sys
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest

from producers.api.body import Refusal
from producers.api.providers.all import webhooks
from producers.api.providers.events import EventMaker
from producers.api.providers.found import Found, Happening, Rejected
from producers.api.providers.mapping import parse, read
from producers.api.providers.mapping_file import load, steps_of
from sendtrail.errors import SettingsError
from sendtrail.naming import key
from sendtrail.settings import ProvidersSettings
from tests.producers.api.providers.signing import METADATA, NOW_MS, call

KEY = bytes(32)
SENDTRAIL = str(Path(sys.executable).parent / "sendtrail")
ACME = """
items = "events"
metadata = "about.meta"
id = "uid"
email = { path = ["to", "rcpt.0"] }
diagnostic = ["smtp.answer", "smtp.text"]
user_agent = "agent"
address = "ip"
url = "link"
[auth]
secret_file = "acme.secret"
[kind]
path = "what"
values = { ok = "delivered", fail = "bounced", wait = "deferred", seen = "open", hit = "click" }
[time]
path = "at"
format = "unix"
[reason]
path = "smtp.class"
values = { nobody = "unknown_user" }
[hints]
robot = "flags.robot"
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "acme.secret").write_text("hidden\n")
    path = tmp_path / "acme.toml"
    path.write_text(ACME)
    return path


def item(what: str, **more: Any) -> dict[str, Any]:
    return {"what": what, "at": 1_789_999_990, "uid": "u1", "about": {"meta": METADATA}, **more}


def found(path: Path, *items: Any) -> list[Found]:
    return read({"events": list(items)}, load(path), KEY)


def test_fields_are_taken_where_the_file_says(file: Path) -> None:
    bounce = item("fail", rcpt=["a@mail.example"], smtp={"answer": "550 gone", "class": "nobody"})
    click = item("hit", to="b@mail.example", link="https://a.example/", ip="192.0.2.1", flags={"robot": True})
    first, second = found(file, bounce, click)
    assert isinstance(first, Happening)
    assert isinstance(second, Happening)
    assert (first.kind, first.time_ms, first.id, first.email) == ("bounced", 1_789_999_990_000, "u1", "a@mail.example")
    assert (first.reason, first.diagnostic, first.hints) == ("unknown_user", "550 gone", ())
    assert (second.kind, second.email, second.url, second.address) == (
        "click", "b@mail.example", "https://a.example/", "192.0.2.1",
    )  # fmt: skip
    assert (second.reason, second.diagnostic, second.hints) == (None, "", ("robot",))
    event = EventMaker(KEY, "acme", "").event(first, NOW_MS)
    assert (event.delivery, event.message, event.recipient) == (7, 8, 9)


def test_what_the_file_does_not_know_is_a_reject(file: Path) -> None:
    unknown, no_object = found(file, item("danced"), 5)
    assert isinstance(unknown, Rejected)
    assert isinstance(no_object, Rejected)
    assert (unknown.reason, no_object.reason) == ("unknown_type", "undecodable")
    (no_list,) = read({"events": 5}, load(file), KEY)
    assert isinstance(no_list, Rejected)


def test_a_reason_without_translation_is_read_from_the_answer(file: Path) -> None:
    full, bare = found(file, item("fail", smtp={"answer": "552 5.2.2 quota exceeded", "class": "x"}), item("wait"))
    assert isinstance(full, Happening)
    assert isinstance(bare, Happening)
    assert (full.reason, bare.reason) == ("mailbox_full", "other")


@pytest.mark.parametrize(
    ("format", "value"),
    [
        ("unix", 1_789_999_990), ("unix", "1789999990"), ("unix_ms", 1_789_999_990_000), ("unix_ms", "1789999990000"),
        ("rfc3339", "2026-09-21T14:13:10Z"), ("%d.%m.%Y %H:%M:%S", "21.09.2026 14:13:10"),
        ("%Y-%m-%d %H:%M:%S %z", "2026-09-21 16:13:10 +0200"),
    ],
)  # fmt: skip
def test_times(file: Path, format: str, value: Any) -> None:
    file.write_text(ACME.replace('"unix"', f'"{format}"'))
    (one,) = found(file, item("ok", at=value))
    (other,) = found(file, item("ok", at=["odd"]))
    assert one.time_ms == 1_789_999_990_000
    assert other.time_ms is None


def test_the_senders_own_names_become_keys(file: Path) -> None:
    names = 'delivery = "d"\nmessage = { path = "m", value = "m0" }\nrecipient = "r"'
    file.write_text('account = "shop"\n' + ACME.replace('metadata = "about.meta"', names))
    one, other = found(
        file, {"what": "ok", "at": 1_789_999_990, "d": "spring", "r": "anna"}, {"what": "ok", "at": 1, "d": "x" * 200}
    )
    assert isinstance(one, Happening)
    assert one.metadata == {
        "sendtrail_delivery": str(key(KEY, "shop", "delivery", "spring")),
        "sendtrail_message": str(key(KEY, "shop", "message", "m0")),
        "sendtrail_recipient": str(key(KEY, "shop", "recipient", "anna")),
    }
    event = EventMaker(KEY, "acme", "shop").event(one, NOW_MS)
    assert (event.delivery_name, event.message_name, event.recipient_name) == ("spring", "m0", "anna")
    assert isinstance(other, Rejected)
    assert other.reason == "bad_name"


def test_paths() -> None:
    assert steps_of(r"a.b\.c.0") == ["a", "b.c", "0"]


def test_callers_prove_themselves(file: Path) -> None:
    body = json.dumps({"events": [item("ok")]}).encode()
    loaded = load(file)
    assert isinstance(parse(call(body), loaded, KEY), Refusal)
    assert len(taken(parse(call(body, secret="hidden"), loaded, KEY))) == 1
    digest = hmac.digest(b"hidden", body, "sha1")
    for encoding, signature in (("hex", digest.hex()), ("base64", b64encode(digest).decode())):
        auth = 'hmac_key_file = "acme.secret"\nhmac_header = "X-Sig"\nhmac_prefix = "v1="\nhmac_digest = "sha1"\n'
        file.write_text(ACME.replace('secret_file = "acme.secret"', f'{auth}hmac_encoding = "{encoding}"'))
        signed = call(body, {"x-sig": f"v1={signature}"})
        assert len(taken(parse(signed, load(file), KEY))) == 1
        refused = parse(signed._replace(body=body + b" "), load(file), KEY)
        assert isinstance(refused, Refusal)
        assert refused.error == "bad_signature"
        assert isinstance(parse(call(body, secret="hidden"), load(file), KEY), Refusal)


def taken(read: list[Found] | Refusal) -> list[Found]:
    assert not isinstance(read, Refusal), read
    return read


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("items", "itmes"), "itmes"),
        (('"delivered"', '"deliverd"'), "kind.values"),
        (('"unknown_user"', '"nobody"'), "reason.values"),
        (('"unix"', '"swatch"'), "time.format"),
        (('path = "what"\n', ""), "path"),
        (('metadata = "about.meta"', ""), "metadata"),
        (('secret_file = "acme.secret"', ""), "[auth]"),
        (("acme.secret", "no.secret"), "no.secret"),
        (('items = "events"', 'name = "A b"'), "name"),
        (("[auth]", "[auth"), "can't be read"),
    ],
)
def test_a_file_that_is_wrong_says_where(file: Path, change: tuple[str, str], said: str) -> None:
    file.write_text(ACME.replace(*change))
    with pytest.raises(SettingsError) as caught:
        load(file)
    assert said in str(caught.value)
    assert str(file) in str(caught.value)


@pytest.mark.parametrize("name", ["sendgrid", "edge"])
def test_a_name_that_is_taken_ends_the_start(file: Path, name: str) -> None:
    file.write_text(f'name = "{name}"\n{ACME}')
    with pytest.raises(SettingsError, match="is taken"):
        webhooks(ProvidersSettings(mappings=[file]), KEY)


def run(*args: str, stdin: str = "", **settings: str) -> subprocess.CompletedProcess[str]:
    environ = {name: value for name, value in os.environ.items() if not name.startswith("SENDTRAIL_")}
    return subprocess.run(
        [SENDTRAIL, "webhooks", *args], input=stdin, env=environ | settings, capture_output=True, text=True, check=False
    )


def test_the_dry_run_prints_what_would_be_fed(file: Path) -> None:
    body = json.dumps({"events": [item("ok"), item("danced")]})
    done = run("try", str(file), "-", stdin=body)
    first, second = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 1
    assert (first["kind"], first["time"], first["delivery"]) == ("delivered", "2026-09-21T14:13:10.000+00:00", 7)
    assert second["rejected"] == "unknown_type"
    assert run("try", str(file), "-", stdin=json.dumps({"events": [item("ok")]})).returncode == 0
    wrong = run("try", str(file), "-", stdin="{")
    assert (wrong.returncode, wrong.stdout) == (1, "")
    assert "Traceback" not in wrong.stderr


def test_the_list_says_which_webhooks_take_something(file: Path) -> None:
    done = run("list", SENDTRAIL_PROVIDERS_MAPPINGS=str(file), SENDTRAIL_PROVIDERS_KUMOMTA_SECRET="x")
    lines = dict(line.split(maxsplit=1) for line in done.stdout.splitlines())
    assert (lines["/v1/webhooks/acme"], lines["/v1/webhooks/kumomta"]) == ("open", "open")
    assert "providers.sendgrid_public_key" in lines["/v1/webhooks/sendgrid"]
    as_json = [json.loads(line) for line in run("list", "--json").stdout.splitlines()]
    assert {one["open"] for one in as_json} == {False}
