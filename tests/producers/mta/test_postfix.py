"""Postfix's log: whose a queue id is, what became of it, and a log that is followed through restarts and rotations."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import OrderedDict
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from producers.mta.follow import Follower, Position
from producers.mta.match import verp_regex
from producers.mta.postfix import PostfixLog
from producers.mta.told import Told
from sendtrail.errors import SendtrailError
from tests.producers.api.running import ApiProcess
from tests.support.golden import GOLDEN

NOW = datetime(2026, 9, 22, tzinfo=UTC)
SENDTRAIL = str(Path(sys.executable).parent / "sendtrail")
AT = "Sep 21 15:33:10"
AT_MS = 1_789_997_590_000


def learnt(queue: str = "4XyZ1abcDEz", message: int = 8, at: str = AT, service: str = "cleanup") -> list[str]:
    """The lines that header_checks logs."""
    tail = "from app.shop.example[192.0.2.1]; from=<news@shop.example> to=<anna@mail.example> proto=ESMTP helo=<app>"
    headers = {"Delivery": 7, "Message": message, "Recipient": 9}
    head = f"{at} mx postfix/{service}[99]: {queue}:"
    return [f"{head} info: header X-Sendtrail-{name}: {key} {tail}" for name, key in headers.items()]


def outcome(
    status: str, dsn: str, answer: str, queue: str = "4XyZ1abcDEz", at: str = AT, relay: str = "mail.example"
) -> str:
    return (
        f"{at} mx postfix/smtp[123]: {queue}: to=<anna@mail.example>, relay={relay}[198.51.100.9]:25, delay=1.2, "
        f"delays=0.1/0/0.5/0.6, dsn={dsn}, status={status} ({answer})"
    )


def log(**changes: object) -> PostfixLog:
    given: dict[str, object] = {"zone": ZoneInfo("Europe/Madrid"), "message_id": None, "naming_key": bytes(32)}
    return PostfixLog(**{**given, "queue": OrderedDict(), **changes})  # type: ignore[arg-type]


def told(log: PostfixLog, *lines: str) -> list[Told]:
    return [one for line in lines if (one := log.read(line, NOW)) is not None]


def test_outcomes_belong_to_the_headers_of_their_queue_id() -> None:
    found = told(
        log(), *learnt(), outcome("deferred", "4.2.2", "host mail.example said: 452 4.2.2 over quota"),
        outcome("sent", "2.0.0", "250 2.0.0 OK"),
    )  # fmt: skip
    assert [one.kind for one in found] == ["deferred", "delivered"]
    deferred, delivered = found
    assert deferred.metadata == {"X-Sendtrail-Delivery": "7", "X-Sendtrail-Message": "8", "X-Sendtrail-Recipient": "9"}
    assert (deferred.time_ms, deferred.reason, deferred.email) == (AT_MS, "mailbox_full", "anna@mail.example")
    assert (delivered.reason, delivered.diagnostic) == (None, "")
    assert deferred.id != delivered.id


def test_the_log_of_a_real_postfix() -> None:
    """Version 3.7.11, three mails to a server that takes one, refuses one and puts one off; the bounce goes back."""
    lines = (GOLDEN / "providers" / "postfix.log").read_text().splitlines()
    reader = log(message_id=verp_regex("{delivery}.{message}@shop.example"))
    found = [one for line in lines if (one := reader.read(line, datetime(2026, 12, 1, tzinfo=UTC))) is not None]
    assert [(one.kind, one.reason, one.metadata["X-Sendtrail-Message"]) for one in found] == [
        ("delivered", None, "1"), ("bounced", "unknown_user", "2"), ("deferred", "mailbox_full", "3"),
    ]  # fmt: skip
    assert {one.metadata["X-Sendtrail-Recipient"] for one in found} == {"9223372036854775817"}
    assert (reader.unmatched, list(reader.queue)) == (1, ["8A66EC8338"])


def test_a_bounce_that_passes_through_is_not_the_message_in_it() -> None:
    reader = log()
    lines = [line.replace("from=<news@shop.example>", "from=<>") for line in learnt()]
    assert told(reader, *lines, outcome("sent", "2.0.0", "delivered to mailbox")) == []


@pytest.mark.parametrize(
    ("line", "kind", "reason"),
    [
        (outcome("bounced", "5.1.1", "host x said: 550 5.1.1 no such user"), "bounced", "unknown_user"),
        (outcome("bounced", "5.4.4", "Host or domain name not found. Name service error"), "bounced", "invalid_domain"),
        (f"{AT} mx postfix/qmgr[5]: 4XyZ1abcDEz: from=<news@shop.example>, status=expired, returned to sender",
         "bounced", "unreachable"),
        (outcome("sent", "2.0.0", "250 OK").replace("postfix/smtp", "postfix-out/smtp/smtp"), "delivered", None),
        (outcome("sent", "2.0.0", "delivered to maildir").replace("postfix/smtp", "postfix/local"), "delivered", None),
    ],
)  # fmt: skip
def test_what_a_line_says(line: str, kind: str, reason: str | None) -> None:
    (found,) = told(log(), *learnt(), line)
    assert (found.kind, found.reason) == (kind, reason)


@pytest.mark.parametrize(
    "line",
    [
        "", "nonsense", "\0" * 100, f"{AT} mx postfix/smtpd[1]: connect from unknown[192.0.2.1]",
        f"{AT} mx postfix/qmgr[5]: 4XyZ1abcDEz: from=<news@shop.example>, size=1, nrcpt=1 (queue active)",
        f"{AT} mx postfix/smtp[5]: 4XyZ1abcDEz: to=<a@b.example>, dsn=2.0.0, status=deliverable (probe)",
        outcome("sent", "2.0.0", "250 OK", relay="127.0.0.1"),
        outcome("sent", "2.0.0", "250 OK", relay="localhost").replace("198.51.100.9", "127.0.0.1"),
    ],
)  # fmt: skip
def test_lines_that_tell_nothing(line: str) -> None:
    reader = log()
    assert told(reader, *learnt(), line) == []
    assert reader.unmatched == 0


def test_mail_that_is_not_ours_is_counted_and_left() -> None:
    reader = log()
    assert told(reader, outcome("sent", "2.0.0", "250 OK")) == []
    assert told(reader, *learnt()[:1], outcome("sent", "2.0.0", "250 OK")) == []
    assert reader.unmatched == 2


def test_a_queue_id_is_forgotten_once_it_is_removed() -> None:
    reader = log()
    told(reader, *learnt(), f"{AT} mx postfix/qmgr[5]: 4XyZ1abcDEz: removed")
    assert reader.queue == {}


def test_a_message_id_tells_too() -> None:
    reader = log(message_id=verp_regex("{delivery}.{message}@shop.example", "mta.message_id_pattern"))
    line = f"{AT} mx postfix/cleanup[9]: 4XyZ1abcDEz: message-id=<7.8@shop.example>"
    (found,) = told(reader, line, outcome("sent", "2.0.0", "250 OK"))
    assert found.metadata == {"sendtrail_delivery": "7", "sendtrail_message": "8"}
    assert told(reader, line.replace("shop.example>", "other.example>").replace("4XyZ1abcDEz", "4XyZ2abcDEz")) == []


@pytest.mark.parametrize(
    ("text", "time_ms"),
    [
        ("Sep 21 15:33:10", AT_MS),
        ("2026-09-21T13:33:10.417123+00:00", AT_MS + 417),
        ("2026-09-21T13:33:10Z", AT_MS),
        ("Dec 31 23:59:59", 1_767_221_999_000),
        ("Feb 29 10:00:00", None),
    ],
)
def test_times(text: str, time_ms: int | None) -> None:
    (found,) = told(log(), *learnt(at=text), outcome("sent", "2.0.0", "250 OK", at=text))
    assert found.time_ms == time_ms


def follow(path: Path, position: Position) -> list[str]:
    """Everything there is, from a position that then stands behind it."""
    follower, lines = Follower(path, position), []
    while read := follower.read():
        lines += read
    follower.close()
    position.inode, position.offset = follower.inode, follower.offset
    assert not follower.lost
    return lines


def test_a_log_is_followed_through_rotations(tmp_path: Path) -> None:
    path, position = tmp_path / "mail.log", Position()
    path.write_text("a\nb\nhal")
    assert follow(path, position) == ["a", "b"]
    with path.open("a") as file:
        file.write("f\nc\n")
    path.rename(tmp_path / "mail.log.1")
    path.write_text("d\n")
    assert follow(path, position) == ["half", "c", "d"]
    path.write_text("e\n")  # copied and truncated: the same file, shorter or as long
    position.offset = 100
    assert follow(path, position) == ["e"]


def test_a_log_that_is_rotated_while_it_is_followed(tmp_path: Path) -> None:
    path = tmp_path / "mail.log"
    path.write_text("a\n")
    follower = Follower(path, Position())
    assert follower.read() == ["a"]
    with path.open("a") as file:
        file.write("b\n")
    path.rename(tmp_path / "mail.log.1")
    assert follower.read() == ["b"]
    assert follower.read() == []  # no new file yet
    path.write_text("c\n")
    assert follower.read() == ["c"]
    follower.close()
    assert not follower.lost


def test_a_file_that_went_away_unread_is_said(tmp_path: Path) -> None:
    path = tmp_path / "mail.log"
    path.write_text("a\n")
    follower = Follower(path, Position(inode=1, offset=10))
    assert (follower.read(), follower.lost) == (["a"], True)
    follower.close()


def test_very_long_lines_are_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "mail.log"
    path.write_text("x" * 3_000_000 + "\nb\n")
    assert follow(path, Position())[-1] == "b"


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiProcess]:
    with ApiProcess(tmp_path_factory.mktemp("api")) as running:
        yield running


def run(url: str, place: Path) -> subprocess.CompletedProcess[str]:
    environ = {name: value for name, value in os.environ.items() if not name.startswith("SENDTRAIL_")}
    command = [SENDTRAIL, "postfix-log", "mail.log", "--position", "position", "--once", "--timezone", "UTC"]
    return subprocess.run(
        command, cwd=place, env=environ | {"SENDTRAIL_FEED_URL": url}, capture_output=True, text=True, check=False
    )


def test_the_command_goes_on_where_it_ended_and_twice_changes_nothing(api: ApiProcess, tmp_path: Path) -> None:
    url, path = str(api.client.base_url), tmp_path / "mail.log"
    path.write_text("\n".join([*learnt(), outcome("deferred", "4.4.1", "timed out"), ""]))
    assert json.loads(run(url, tmp_path).stdout) == {"told": 1, "unmatched": 0, "queued": 1}
    with path.open("a") as file:
        file.write(outcome("sent", "2.0.0", "250 OK") + "\n")
    assert json.loads(run(url, tmp_path).stdout) == {"told": 1, "unmatched": 0, "queued": 1}
    assert [event.kind for event in api.events()] == ["deferred", "delivered"]
    (tmp_path / "position").unlink()
    assert json.loads(run(url, tmp_path).stdout)["told"] == 2
    assert len({event.event_id for event in api.events()}) == 2
    assert {event.source for event in api.events()} == {"postfix"}


def test_a_position_that_can_not_be_read_is_said(tmp_path: Path) -> None:
    (tmp_path / "position").write_text("{")
    with pytest.raises(SendtrailError, match="position"):
        Position.load(tmp_path / "position")
