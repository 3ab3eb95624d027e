"""Mail through a relay: what goes on, what is answered, what is counted."""

from __future__ import annotations

import re
import smtplib
import threading

import httpx
import pytest

from sendtrail.links import ReadLink, read_token
from sendtrail.naming import key
from tests.producers.relay.running import BASE, Hop, RelayProcess

HTML = (
    b"From: shop@e.example\r\nTo: anna@e.example\r\nMessage-ID: <%s@e.example>\r\nMIME-Version: 1.0\r\n"
    b"%sContent-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
    b"<p>h\xc3\xa9 <a href='https://shop.example/?a=1'>shop</a>\r\n.dot\r\n"
)


def mail(number: str, *headers: str) -> bytes:
    return HTML % (number.encode(), "".join(f"X-Sendtrail-{header}\r\n" for header in headers).encode())


def test_a_mail_with_a_delivery_is_tracked_and_counted(relay: RelayProcess, steady_hop: Hop) -> None:
    asked = mail("1", "Delivery: spring", "Message: m-1", "Recipient: anna", "Seed: yes", "Attribute: city=Lyon")
    assert relay.send(asked) == (250, "2.0.0 taken")
    (taken,) = steady_hop.mails
    assert (taken.sender, taken.recipient) == ("shop@e.example", "anna@e.example")
    assert b"sendtrail-" not in taken.content.lower()
    assert taken.content.startswith(b"Received: from client.example ([127.0.0.1])\r\n\tby relay.example (Sendtrail)")
    found = re.search(rf"<a href='{BASE}/c/([\w-]+)'>shop</a>", taken.content.decode())
    assert found
    assert b"\r\n.dot\r\n" in taken.content
    read = read_token(relay.keys, found[1])
    assert isinstance(read, ReadLink)
    event = next(event for event in relay.events() if event.message_name == "m-1")
    naming = relay.keys.naming_key
    assert (read.link.delivery, read.link.message, read.link.recipient, read.link.flags) == (
        event.delivery, event.message, event.recipient, event.flags,
    )  # fmt: skip
    assert event.delivery == key(naming, "", "delivery", "spring")
    assert (event.kind, event.source, event.recipient_name, event.domain) == ("sent", "relay", "anna", "e.example")
    assert (event.format, event.flags, event.attributes) == ("html", 1, {"city": "Lyon"})
    assert "https://shop.example/?a=1" in [getattr(entry, "url", "") for entry in relay.entries()]


def test_a_mail_without_a_delivery_goes_on_as_it_is(relay: RelayProcess, steady_hop: Hop) -> None:
    before = len(relay.events())
    assert relay.send(mail("2"))[0] == 250
    assert re.sub(rb"\AReceived:.*?\r\n(?=From)", b"", steady_hop.mails[0].content, flags=re.DOTALL) == mail("2")
    assert len(relay.events()) == before


def test_a_message_without_a_name_is_known_by_its_id_and_recipient(relay: RelayProcess) -> None:
    relay.send(mail("3", "Delivery: names"))
    relay.send(mail("3", "Delivery: names"), recipient="Ben@e.example")
    relay.send(mail("4", "Delivery: names"))
    relay.send(mail("3", "Delivery: names"))
    names = [event.message_name for event in relay.events() if event.delivery_name == "names"]
    assert len(names) == 4
    assert len(set(names)) == 3
    assert names[0] == names[3]


def test_the_next_hops_answers_are_ours(relay: RelayProcess, steady_hop: Hop) -> None:
    before = len(relay.events())
    for word, answer, code in [
        ("RCPT", "550 5.1.1 no such user", 550), ("MAIL", "452 4.3.1 full", 452), ("DATA", "451 4.7.1 greylisted", 451),
        ("RCPT", "421 4.3.2 closing", 451), ("MAIL", "550-one\n550 two", 550),
    ]:  # fmt: skip
        steady_hop.answers = {word: answer}
        got = relay.send(mail("5", "Delivery: d"))
        assert got == (code, "\n".join(line[4:] for line in answer.split("\n")))
    steady_hop.answers = {}
    steady_hop.end = "554 5.7.1 spam"
    assert relay.send(mail("5", "Delivery: d")) == (554, "5.7.1 spam")
    assert steady_hop.mails == []
    assert len(relay.events()) == before


def test_a_next_hop_that_is_down_is_try_again(tmp_path_factory: pytest.TempPathFactory) -> None:
    gone = Hop()
    gone.close()
    with RelayProcess(tmp_path_factory.mktemp("down"), gone) as relay:
        code, text = relay.send(mail("6", "Delivery: d"))
        assert (code, text[:5]) == (451, "4.4.1")
        assert relay.events() == []
        assert relay.metric("deferred") == 1


def test_one_recipient_per_transaction(relay: RelayProcess, steady_hop: Hop) -> None:
    with relay.client() as client:
        refused = client.sendmail("shop@e.example", ["anna@e.example", "ben@e.example"], mail("7"))
        assert {address: code for address, (code, _) in refused.items()} == {"ben@e.example": 452}
        assert client.sendmail("shop@e.example", ["ben@e.example"], mail("7")) == {}
    assert [taken.recipient for taken in steady_hop.mails] == ["anna@e.example", "ben@e.example"]


def test_8_bit_and_utf8_go_on(relay: RelayProcess, steady_hop: Hop) -> None:
    with relay.client() as client:
        client.ehlo()
        client.mail("jos\u00e9@e.example", ["SMTPUTF8", "BODY=8BITMIME"])
        assert client.rcpt("\u8cb7@e.example")[0] == 250
        assert client.data(mail("8"))[0] == 250
    assert (steady_hop.mails[0].sender, steady_hop.mails[0].recipient) == ("jos\u00e9@e.example", "\u8cb7@e.example")
    assert "BODY=8BITMIME SMTPUTF8" in steady_hop.commands[1]
    steady_hop.answers = {"EHLO": "250 hop"}
    assert relay.send(mail("8"))[0] == 554
    assert relay.send(mail("8").replace(b"\xc3\xa9", b"e"), recipient="jos\u00e9@e.example")[0] == 553


def test_bounces_have_no_sender(relay: RelayProcess, steady_hop: Hop) -> None:
    assert relay.send(mail("9"), sender="")[0] == 250
    assert steady_hop.mails[0].sender == ""


@pytest.mark.parametrize(
    "header",
    ["Delivry: typo", f"Message: {'x' * 129}", "Seed: perhaps", "Attribute: no equals sign", "Delivery: again"],
)
def test_directions_that_can_not_be_followed_are_refused_for_good(relay: RelayProcess, header: str) -> None:
    code, text = relay.send(mail("10", "Delivery: d", header))
    assert (code, text[:5]) == (554, "5.6.0")


def test_limits(tmp_path_factory: pytest.TempPathFactory, steady_hop: Hop) -> None:
    settings = {"max_message_bytes": 2000, "max_connections": 1}
    with RelayProcess(tmp_path_factory.mktemp("limits"), steady_hop, **settings) as relay:
        with relay.client() as client:
            client.ehlo()
            assert client.esmtp_features["size"] == "2000"
            assert client.mail("a@e.example", ["SIZE=2001"])[0] == 552
            client.mail("a@e.example")
            client.rcpt("b@e.example")
            assert client.data(b"x" * 2100)[0] in (500, 552)
            with pytest.raises(smtplib.SMTPResponseException) as refused:
                relay.client()
            assert refused.value.smtp_code == 421
        assert relay.send(mail("11"))[0] == 250


def test_a_next_hop_that_never_answers_is_try_again(tmp_path_factory: pytest.TempPathFactory) -> None:
    silent, heard = Hop(), threading.Event()

    def never() -> str:
        heard.wait(30)
        return "250 too late"

    silent.end = never
    with RelayProcess(tmp_path_factory.mktemp("silent"), silent, next_hop_timeout_s=0.5) as relay:
        assert relay.send(mail("17", "Delivery: d"))[1][:5] == "4.4.2"
        assert relay.metric("unknown") == 1
        heard.set()
    silent.close()


def test_a_relay_whose_spool_is_full_is_not_ready(tmp_path_factory: pytest.TempPathFactory, steady_hop: Hop) -> None:
    def ready() -> int:
        return httpx.get(f"http://127.0.0.1:{relay.admin_port}/ready", trust_env=False).status_code

    with RelayProcess(tmp_path_factory.mktemp("full"), steady_hop, ready_backlog_bytes=0) as relay:
        assert ready() == 200
        assert relay.send(mail("18", "Delivery: d"))[0] == 250
        assert relay.send(mail("19", "Delivery: d"))[0] == 452
        assert ready() == 503


def test_long_lines_are_taken(relay: RelayProcess, steady_hop: Hop) -> None:
    assert relay.send(mail("12") + b"x" * 100_000 + b"\r\n")[0] == 250
    assert b"x" * 100_000 in steady_hop.mails[0].content
    with relay.client() as client:
        assert client.docmd("EHLO", "x" * 5_000)[0] == 500


def test_a_loop_is_refused(relay: RelayProcess) -> None:
    assert relay.send(b"Received: x\r\n" * 101 + mail("13"))[0] == 554


def test_a_signed_mail_is_counted_and_left_alone(relay: RelayProcess, steady_hop: Hop) -> None:
    signed = b"DKIM-Signature: v=1\r\n" + mail("14", "Delivery: signed")
    assert relay.send(signed)[0] == 250
    assert BASE.encode() not in steady_hop.mails[0].content
    assert [event.kind for event in relay.events() if event.delivery_name == "signed"] == ["sent"]


def test_policy_values_consent_and_headers_of_a_provider(
    tmp_path_factory: pytest.TempPathFactory, steady_hop: Hop
) -> None:
    place = tmp_path_factory.mktemp("policy")
    (place / "policy.toml").write_text('placeholders = "{{x}}"\n')
    steady_hop.mails.clear()
    settings = {"policy_file": place / "policy.toml", "headers_for": "generic", "delivery": "usual"}
    with RelayProcess(place, steady_hop, **settings) as relay:
        personal = mail("15", "Value: a=Ann & Co", "Message: 15").replace(b"a=1", b"a={{a}}")
        assert relay.send(personal)[0] == 250
        assert relay.send(mail("16", "Consent: no"))[0] == 250
        tracked, untracked = (taken.content for taken in steady_hop.mails)
        token = re.search(rb"/c/([\w-]+)'", tracked)
        assert token
        read = read_token(relay.keys, token[1].decode())
        assert isinstance(read, ReadLink)
        assert read.link.destination == "https://shop.example/?a=Ann%20%26%20Co"
        assert f"\r\nX-Sendtrail-Message: {read.link.message}\r\n".encode() in tracked
        assert b"href='https://shop.example/?a=1'" in untracked
        assert b"/o/" not in untracked
        assert [event.delivery_name for event in relay.events()] == ["usual", "usual"]
