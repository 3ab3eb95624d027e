"""A next hop or a relay that dies in the middle of a mail: nothing is lost, nothing is counted twice."""

from __future__ import annotations

import smtplib
import socket
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from tests.producers.relay.running import Hop, RelayProcess
from tests.producers.relay.test_relay import mail

KILLED = (smtplib.SMTPServerDisconnected, ConnectionError)


def event_ids(relay: RelayProcess) -> set[str]:
    return {event.event_id for event in relay.events()}


def test_a_next_hop_that_dies_mid_data(hop: Hop, tmp_path: Path) -> None:
    hop.dies_after = 2
    with RelayProcess(tmp_path, hop) as relay:
        assert relay.send(mail("1", "Delivery: d"))[0] == 451
        assert (hop.mails, relay.events()) == ([], [])
        hop.dies_after = None
        assert relay.send(mail("1", "Delivery: d"))[0] == 250
        assert len(hop.mails) == len(relay.events()) == 1


def test_a_next_hop_that_takes_a_mail_and_dies_before_its_answer(hop: Hop, tmp_path: Path) -> None:
    hop.end = "close"
    with RelayProcess(tmp_path, hop) as relay:
        code, text = relay.send(mail("1", "Delivery: d"))
        assert (code, text[:5]) == (451, "4.4.2")
        assert (relay.events(), relay.metric("unknown")) == ([], 1)
        hop.end = "250 ok"
        assert relay.send(mail("1", "Delivery: d"))[0] == 250
        # A second copy, which nobody could have known to be one: it is counted and logged, and the message counts once.
        assert (len(hop.mails), relay.metric("again")) == (2, 1)
        assert "passed_on_again" in relay.log.read_text()
        assert len(relay.events()) == 1


def test_a_relay_killed_before_it_knows_the_next_hops_answer(hop: Hop, tmp_path: Path) -> None:
    relay = RelayProcess(tmp_path, hop).start()

    def kill() -> str:
        relay.kill()
        return "250 taken"

    hop.end = kill
    with pytest.raises(KILLED):
        relay.send(mail("1", "Delivery: d"))
    assert relay.events() == []
    hop.end = "250 taken"
    with relay.start():
        assert relay.send(mail("1", "Delivery: d"))[0] == 250
        assert (len(hop.mails), relay.metric("again")) == (2, 1)
        assert len(event_ids(relay)) == 1


def test_a_relay_killed_between_the_next_hops_answer_and_its_own(hop: Hop, tmp_path: Path) -> None:
    """The client is gone before the answer, so the mail stays in the journal; its second try sends nothing."""
    relay = RelayProcess(tmp_path, hop).start()
    client = socket.create_connection(("127.0.0.1", relay.port), timeout=30)

    def answer_when_the_client_is_gone() -> str:
        client.close()
        _wait(lambda: _connections(relay) == 0)
        return "250 2.0.0 queued as 42"

    hop.end = answer_when_the_client_is_gone
    client.sendall(b"EHLO c\r\nMAIL FROM:<shop@e.example>\r\nRCPT TO:<anna@e.example>\r\nDATA\r\n")
    client.sendall(mail("1", "Delivery: d").replace(b"\r\n.", b"\r\n..") + b".\r\n")
    _wait(lambda: relay.metric("passed") == 1)
    _wait(lambda: len(event_ids(relay)) == 1)
    relay.kill()
    with relay.start():
        assert relay.send(mail("1", "Delivery: d")) == (250, "2.0.0 queued as 42")
        assert (len(hop.mails), relay.metric("repeated")) == (1, 1)
        assert len(event_ids(relay)) == 1
        # Answered now: the same bytes once more are another mail, and no mail is swallowed.
        hop.end = "250 once more"
        assert relay.send(mail("1", "Delivery: d"))[0] == 250
        assert len(hop.mails) == 2


def test_a_relay_that_is_stopped_finishes_the_mail_and_answers(hop: Hop, tmp_path: Path) -> None:
    relay = RelayProcess(tmp_path, hop).start()

    def end() -> str:
        relay.terminate()
        _wait(lambda: _refused(relay))
        return "250 last one"

    hop.end = end
    assert relay.send(mail("1", "Delivery: d")) == (250, "last one")
    assert relay.stop() == 0
    assert len(relay.events()) == 1


def test_every_mail_gets_there_and_counts_once_whenever_the_relay_is_killed(hop: Hop, tmp_path: Path) -> None:
    """Every third mail, the next hop's answer and a SIGKILL race: it hits before, in or after the journal's write."""
    relay = RelayProcess(tmp_path, hop).start()
    hop.after = lambda: relay.kill() if len(hop.mails) % 3 == 0 else None
    for number in range(9):
        while True:
            try:
                code, _ = relay.send(mail(str(number), "Delivery: d", f"Message: {number}"))
                assert code == 250
                break
            except KILLED:
                relay.start()
    hop.after = lambda: None
    relay.kill()
    assert sorted({event.message_name for event in relay.events()}) == [str(number) for number in range(9)]
    assert len(event_ids(relay)) == 9
    ids = [taken.content.partition(b"Message-ID: <")[2].partition(b"@")[0] for taken in hop.mails]
    assert sorted(set(ids)) == [str(number).encode() for number in range(9)]


def _connections(relay: RelayProcess) -> float:
    page = httpx.get(f"http://127.0.0.1:{relay.admin_port}/metrics", trust_env=False).text
    return float(next(line for line in page.splitlines() if line.startswith("sendtrail_relay_connections ")).split()[1])


def _refused(relay: RelayProcess) -> bool:
    """Whether the relay listens no more."""
    try:
        socket.create_connection(("127.0.0.1", relay.port), timeout=5).close()
    except ConnectionRefusedError:
        return True
    return False


def _wait(reached: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not reached():
        assert time.monotonic() < end
        time.sleep(0.02)
