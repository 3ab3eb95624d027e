"""Mails that came back: whose they were, what they say, and nothing that raises."""

from __future__ import annotations

import base64
import quopri
import random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from producers.mta.bounces import told_of
from producers.mta.match import Matcher, verp_regex
from producers.mta.told import Told
from sendtrail.errors import SettingsError
from sendtrail.naming import key
from tests.producers.mta.mails import BASE, DATE_MS, KEYRING, bounce, complaint, link, ours, sent

METADATA = {"sendtrail_delivery": "7", "sendtrail_message": "8", "sendtrail_recipient": "9"}
PLAIN = Matcher(KEYRING, KEYRING.naming_key)
VERP = "bounce+{delivery}-{message}@shop.example"
FORGED = {"X-Sendtrail-Delivery": "1", "X-Sendtrail-Message": "2"}


def one(mail: bytes, matcher: Matcher = PLAIN) -> Told:
    (told,) = told_of(mail, matcher)
    return told


@pytest.mark.parametrize("returned_type", ["message/rfc822", "text/rfc822-headers"])
def test_a_bounce_is_matched_by_the_headers_of_what_came_back(returned_type: str) -> None:
    told = one(bounce(sent(ours()), returned_type=returned_type))
    assert (told.kind, told.reason, told.time_ms, told.email) == (
        "bounced", "unknown_user", DATE_MS, "anna@mail.example",
    )  # fmt: skip
    assert told.metadata == METADATA
    assert told.diagnostic == "5.1.1 smtp; 550 5.1.1 no such user".replace("smtp; ", "")


@pytest.mark.parametrize(
    "returned",
    [
        sent({"List-Unsubscribe": f"<{link(kind='optout')}>, <mailto:u@shop.example>"}),
        sent(text=f'<a href="{link()}">shop</a>'),
        sent(FORGED | {"List-Unsubscribe": f"<{link(kind='optout')}>"}),
        sent(text=f"{BASE}/c/{'A' * 60} and {link()}."),
    ],
    ids=["header", "text", "beside other headers", "behind a broken one"],
)
def test_a_signed_link_that_came_back_tells_whose_it_was(returned: str) -> None:
    assert one(bounce(returned)).metadata == METADATA
    assert one(bounce(returned), Matcher(KEYRING, KEYRING.naming_key, signed_only=True)).metadata == METADATA


def test_headers_may_be_left_out_of_belief() -> None:
    told = one(bounce(sent(FORGED)), Matcher(KEYRING, KEYRING.naming_key, VERP, signed_only=True))
    assert told.refused == "unattributed"
    assert one(bounce(sent(ours())), Matcher(None, bytes(32))).metadata == METADATA


def test_a_verp_address_tells_keys_and_names() -> None:
    matcher = Matcher(KEYRING, KEYRING.naming_key, VERP)
    names = one(bounce(sent(), to="<bounce+spring-12@shop.example>"), matcher)
    assert names.metadata["sendtrail_delivery"] == str(key(KEYRING.naming_key, "", "delivery", "spring"))
    assert names.metadata["sendtrail_message"] == "12"
    large = one(bounce(sent(), to="x@y.example, bounce+9223372036854775809-8@shop.example"), matcher)
    assert large.metadata["sendtrail_delivery"] == str(2**63 + 1)
    assert one(bounce(sent(), to="bounce@shop.example"), matcher).refused == "unattributed"


@pytest.mark.parametrize("pattern", ["x@y", "{delivery}", "{delivery}{message}{other}", "{delivery}{message}{message}"])
def test_a_verp_pattern_that_can_not_tell_is_refused(pattern: str) -> None:
    with pytest.raises(SettingsError, match="verp_pattern"):
        verp_regex(pattern)


@pytest.mark.parametrize(
    ("action", "status", "answer", "kind", "reason"),
    [
        ("failed", "5.2.2", "smtp; 552 mailbox full", "bounced", "mailbox_full"),
        ("failed", "5.4.4", "X-Postfix; Host or domain name not found", "bounced", "invalid_domain"),
        ("failed", "4.4.7", "smtp; 421 delivery time expired", "bounced", "unreachable"),
        ("Delayed", "4.2.0", "smtp; 450 greylisted", "deferred", "policy"),
        ("delivered", "2.0.0", "smtp; 250 ok", "delivered", None),
        ("relayed (to non-DSN)", "2.0.0", "", "delivered", None),
    ],
)
def test_actions(action: str, status: str, answer: str, kind: str, reason: str | None) -> None:
    told = one(bounce(sent(ours()), action, status, answer))
    assert (told.kind, told.reason) == (kind, reason)


def test_each_recipient_of_a_report_is_told() -> None:
    more = "\r\nFinal-Recipient: rfc822; ben@mail.example\r\nAction: failed\r\nStatus: 5.2.2\r\n"
    first, second = told_of(bounce(sent(ours()), more=more), PLAIN)
    assert (first.email, second.email, second.reason) == ("anna@mail.example", "ben@mail.example", "mailbox_full")
    assert first.id != second.id
    assert second.time_ms == DATE_MS  # the report's own


def test_a_report_on_internationalised_mail() -> None:
    """RFC 6533, as of servers that offer SMTPUTF8."""
    mail = bounce(sent(ours()), returned_type="message/global-headers").decode()
    mail = mail.replace("message/delivery-status", "message/global-delivery-status")
    mail = mail.replace("rfc822; anna@mail.example", "utf-8; änne@pöst.example").replace(
        "Original-Recipient", "X-Other"
    )
    told = one(mail.encode())
    assert (told.kind, told.email, told.metadata["sendtrail_message"]) == ("bounced", "änne@pöst.example", "8")


@pytest.mark.parametrize("encoding", ["base64", "quoted-printable"])
def test_a_report_whose_fields_are_encoded(encoding: str) -> None:
    mail = bounce(sent(ours())).decode()
    head, rest = mail.split("message/delivery-status\r\n\r\n")
    fields, returned = rest.split("\r\n--b1", 1)
    encode = base64.encodebytes if encoding == "base64" else quopri.encodestring
    packed = encode(fields.encode()).decode()
    kind = f"message/delivery-status\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n"
    told = one(f"{head}{kind}{packed}\r\n--b1{returned}".encode())
    assert (told.kind, told.reason, told.email) == ("bounced", "unknown_user", "anna@mail.example")


def test_complaints() -> None:
    told = one(complaint(sent(ours())))
    assert (told.kind, told.time_ms, told.email, told.metadata) == (
        "complained", DATE_MS, "anna@mail.example", METADATA,
    )  # fmt: skip
    assert one(complaint(sent(ours()), "opt-out")).kind == "unsubscribed"
    assert one(complaint(sent(ours()), "not-spam")).refused == "unknown_type"


def test_what_is_no_report_or_nobodys_is_refused_and_kept() -> None:
    reply = sent({"Date": "Mon, 21 Sep 2026 13:33:10 +0000"}, "I am away").encode()
    told = one(reply)
    assert (told.refused, told.time_ms, told.original) == ("unknown_type", DATE_MS, reply.decode())
    stranger = one(bounce(sent()))
    assert (stranger.refused, stranger.time_ms) == ("unattributed", DATE_MS)
    assert "no such user" in stranger.original


def test_a_report_inside_what_came_back_is_not_read() -> None:
    assert one(bounce(sent({"Content-Type": "text/plain"}, complaint(sent(ours())).decode()))).refused == "unattributed"
    forwarded = b"Content-Type: message/rfc822\r\n\r\n" + bounce(sent(ours()))
    assert one(forwarded).refused == "unknown_type"


def test_the_same_mail_is_the_same_events() -> None:
    mail = bounce(sent(ours()))
    assert told_of(mail, PLAIN) == told_of(mail, PLAIN)
    without = mail.replace(b"Message-ID: <report-1@mx.example>\r\n", b"")
    assert one(without).id == one(without).id != one(mail).id


_NESTED = b"--b\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n" * 3000
_ENCODED = b"message/delivery-status\r\nContent-Transfer-Encoding: base64\r\n"
_ODD = [
    b"", b"\0", b"\xff" * 100, b"\n" * 1000, b"Content-Type: multipart/report; boundary=\"b\r\n\r\n--b",
    b"Content-Type: multipart/report; boundary*0*=x''%FF\r\n\r\n--x\r\n", b"Date: \xff\xfe\r\n\r\n",
    b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + _NESTED,
    b"Content-Type: message/rfc822\r\n\r\n" * 2000, b"X: y\r\n" * 20_000 + b"\r\n",
    b"Content-Type: message/delivery-status\r\n\r\nAction: failed\r\nStatus: " + b"5" * 100_000,
    b"Content-Type: message/delivery-status\r\nContent-Transfer-Encoding: base64\r\n\r\n!!!!",
    bounce(sent(ours())).replace(b"message/delivery-status\r\n", _ENCODED),
    bounce(sent(ours()), when="Mon, 99 Xyz 99999 99:99:99 +9999"), bounce(sent(ours()), when="\ud7ff"),
    bounce(sent({"List-Unsubscribe": "<http://[/u/x> " * 100})),
]  # fmt: skip


@pytest.mark.parametrize("mail", _ODD, ids=range(len(_ODD)))
def test_odd_mails(mail: bytes) -> None:
    told = told_of(mail, PLAIN)
    assert told
    msgspec.json.encode(told)


@given(st.randoms(use_true_random=False), st.sampled_from([bounce(sent(ours())), complaint(sent(ours()))]))
def test_damaged_mails(chance: random.Random, mail: bytes) -> None:
    damaged = bytearray(mail)
    for _ in range(chance.randint(1, 30)):
        at = chance.randrange(len(damaged))
        damaged[at : at + chance.randint(0, 8)] = chance.randbytes(chance.randint(0, 4))
    msgspec.json.encode(told_of(bytes(damaged), PLAIN))
