"""Mailboxes: a mail is marked once the API has what it says, and does not come again."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from producers.api.providers.events import is_reject
from producers.mta.collect import collect
from producers.mta.mailbox import Imap, MailboxError, Maildir
from producers.mta.match import Matcher
from sendtrail.errors import ApiUnavailable
from sendtrail.feed import Feed
from sendtrail.settings import MtaSettings
from tests.producers.api.running import ApiProcess
from tests.producers.mta.imap import DOVECOT, PASSWORD, USER, Dovecot, SmallImap
from tests.producers.mta.mails import KEYRING, bounce, ours, sent

PLAIN = Matcher(KEYRING, KEYRING.naming_key)
SENDTRAIL = str(Path(sys.executable).parent / "sendtrail")
NOBODYS = bounce(sent())


def mail(number: int) -> bytes:
    return bounce(sent(ours() | {"X-Sendtrail-Message": str(number)}), ident=f"<{number}@mx.example>")


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiProcess]:
    with ApiProcess(tmp_path_factory.mktemp("api")) as running:
        yield running


@pytest.fixture(scope="module")
def feed(api: ApiProcess) -> Iterator[Feed]:
    with Feed(str(api.client.base_url)) as feed:
        yield feed


@pytest.fixture
def maildir(tmp_path: Path) -> Path:
    for folder in ("new", "cur", "tmp"):
        (tmp_path / "box" / folder).mkdir(parents=True)
    return tmp_path / "box"


def names(maildir: Path) -> list[str]:
    return sorted(f"{path.parent.name}/{path.name}" for path in maildir.glob("*/*"))


def kinds(api: ApiProcess, *messages: int) -> list[str]:
    return [event.kind for event in api.events() if event.message in messages]


def test_a_maildir_is_told_once(api: ApiProcess, feed: Feed, maildir: Path) -> None:
    (maildir / "new" / "a").write_bytes(mail(201))
    (maildir / "cur" / "b:2,R").write_bytes(mail(202))
    (maildir / "cur" / "c:2,S").write_bytes(mail(203))
    (maildir / "new" / "d").write_bytes(NOBODYS)
    assert collect(Maildir(maildir), PLAIN, feed) == {"mails": 3, "told": 2, "refused": 1}
    assert names(maildir) == ["cur/a:2,S", "cur/b:2,RS", "cur/c:2,S", "cur/d:2,FS"]
    assert kinds(api, 201, 202, 203) == ["bounced", "bounced"]
    assert sum(map(is_reject, api.events())) == 1
    assert collect(Maildir(maildir), PLAIN, feed) == {"mails": 0, "told": 0, "refused": 0}


def test_nothing_is_marked_while_the_api_is_away(maildir: Path) -> None:
    (maildir / "new" / "a").write_bytes(mail(211))
    with Feed("http://127.0.0.1:9", retry_s=0) as away, pytest.raises(ApiUnavailable):
        collect(Maildir(maildir), PLAIN, away)
    assert names(maildir) == ["new/a"]


def test_what_is_no_maildir_is_said(tmp_path: Path) -> None:
    with pytest.raises(MailboxError, match="no Maildir"):
        Maildir(tmp_path)


@pytest.fixture(params=[SmallImap, pytest.param(Dovecot, marks=pytest.mark.skipif(not DOVECOT, reason="no Dovecot"))])
def mailbox(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SmallImap | Dovecot]:
    with request.param(tmp_path) as server:
        yield server


def settings(server: SmallImap | Dovecot, **changes: object) -> MtaSettings:
    given = {
        "imap_host": "127.0.0.1", "imap_port": server.port, "imap_user": USER, "imap_password": SecretStr(PASSWORD),
        "imap_ca_file": server.ca,
    }  # fmt: skip
    return MtaSettings.model_validate({**given, **changes})


def test_imap_is_told_once(api: ApiProcess, feed: Feed, mailbox: SmallImap | Dovecot) -> None:
    first = 220 + 10 * isinstance(mailbox, Dovecot)
    mailbox.put("a", mail(first))
    mailbox.put("b", NOBODYS)
    with Imap(settings(mailbox)) as imap:
        assert collect(imap, PLAIN, feed) == {"mails": 2, "told": 1, "refused": 1}
        assert collect(imap, PLAIN, feed)["mails"] == 0
        mailbox.put("c", mail(first + 1))
        assert collect(imap, PLAIN, feed)["told"] == 1
    assert [mailbox.flags(name) for name in "abc"] == ["S", "FS", "S"]
    assert kinds(api, first, first + 1) == ["bounced", "bounced"]


def test_imap_marks_nothing_while_the_api_is_away(mailbox: SmallImap | Dovecot) -> None:
    mailbox.put("a", mail(241))
    with (
        Imap(settings(mailbox)) as imap,
        Feed("http://127.0.0.1:9", retry_s=0) as away,
        pytest.raises(ApiUnavailable),
    ):
        collect(imap, PLAIN, away)
    assert mailbox.flags("a") == ""


def test_imap_says_what_is_wrong(mailbox: SmallImap | Dovecot) -> None:
    for wrong in (
        {"imap_ca_file": None},  # signed by nobody this machine knows
        {"imap_password": SecretStr("wrong")},
        {"imap_folder": 'No "such" folder'},
        {"imap_host": ""},
    ):
        with pytest.raises(MailboxError):
            Imap(settings(mailbox, **wrong))


def run(
    api: ApiProcess, place: Path, *args: str, mail: bytes = b"", **settings: str
) -> subprocess.CompletedProcess[bytes]:
    environ = {name: value for name, value in os.environ.items() if not name.startswith("SENDTRAIL_")}
    environ |= {
        "SENDTRAIL_FEED_URL": str(api.client.base_url),
        "SENDTRAIL_KEYS_FILE": str(api.spool.parent / "keys.toml"),
    } | settings
    return subprocess.run(
        [SENDTRAIL, "bounces", *args], input=mail, cwd=place, env=environ, capture_output=True, check=False
    )


def test_a_mail_through_a_pipe(api: ApiProcess, tmp_path: Path) -> None:
    done = run(api, tmp_path, "-", mail=mail(251))
    assert (done.returncode, done.stdout) == (0, b""), done.stderr
    assert kinds(api, 251) == ["bounced"]
    shown = run(api, tmp_path, "-", "--dry-run", mail=mail(252))
    assert b'"sendtrail_message":"252"' in shown.stdout
    assert kinds(api, 252) == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"SENDTRAIL_FEED_URL": "{api}/elsewhere"},
        {"SENDTRAIL_FEED_KEY_FILE": "/nowhere"},
        {"SENDTRAIL_MTA_VERP_PATTERN": "x"},
    ],
)
def test_the_mail_server_keeps_a_mail_while_settings_are_wrong(
    api: ApiProcess, tmp_path: Path, wrong: dict[str, str]
) -> None:
    settings = {name: value.format(api=api.client.base_url) for name, value in wrong.items()}
    done = run(api, tmp_path, "-", mail=mail(253), **settings)
    assert done.returncode == 75, done.stderr
    assert kinds(api, 253) == []


def test_a_maildir_by_the_command(api: ApiProcess, maildir: Path) -> None:
    (maildir / "new" / "a").write_bytes(mail(261))
    done = run(api, maildir.parent, str(maildir))
    assert done.stdout == b'{"mails": 1, "told": 1, "refused": 0}\n', done.stderr
    refused = run(api, maildir.parent, "nowhere")
    assert refused.returncode == 1
    assert b"Traceback" not in refused.stderr
