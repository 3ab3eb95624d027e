"""Whole messages: what is instrumented, what is left alone, and that nothing else changes."""

from __future__ import annotations

import email
import re
from base64 import b64encode
from email import policy
from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sendtrail.instrument import compile
from sendtrail.instrument.mime import MessageTemplate, compile_message
from tests.instrument.messages import Built, messages
from tests.support.golden import golden_keyring

KEYRING = golden_keyring()
BASE = "https://t.example"
TRACKED = re.compile(re.escape(BASE).encode() + rb"/[ocu]/[A-Za-z0-9_-]+")
HTML = '<p>H\u00e9 <a href="https://shop.example/?a=1&amp;b=2">shop</a></p>'
TEXT = "H\u00e9, see https://shop.example/x.\n"


def compiled(source: bytes | EmailMessage) -> MessageTemplate:
    return compile_message(source, delivery=1, keyring=KEYRING, base_url=BASE)


def rendered(source: bytes | EmailMessage) -> bytes:
    return compiled(source).render(2, 3).data


def codes(source: bytes | EmailMessage) -> list[str]:
    return [notice.code for notice in compiled(source).warnings]


def newsletter(**html: str) -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "shop@e.example", "anna@e.example", "Sale"
    message.set_content(TEXT, cte="quoted-printable")
    message.add_alternative(HTML, subtype="html", **({"cte": "base64"} | html))  # type: ignore[arg-type]
    return message


def contents(data: bytes) -> list[str]:
    """The text parts as Python's own mail package reads them."""
    parsed = email.message_from_bytes(data, policy=policy.default)
    assert isinstance(parsed, EmailMessage)
    return [part.get_content() for part in parsed.walk() if part.get_content_maintype() == "text"]


@given(messages())
def test_nothing_but_bodies_and_added_headers_changes(built: Built) -> None:
    output = rendered(built.data)
    line_break = b"\r\n" if b"\r\n" in built.pieces[0] else b"\n"
    output = re.sub(rb"^List-Unsubscribe(-Post)?:[^\n]*\n", b"", output, flags=re.MULTILINE)
    added = b"Content-Transfer-Encoding: quoted-printable" + line_break
    position = 0
    for number, piece in enumerate(built.pieces):
        if number % 2:
            continue
        at = output.find(piece, position)
        if number == 0:
            assert at == 0 or output.startswith(b"From: a@e.example")
        if at == -1:  # the one header that may change: a part that had to become quoted-printable
            assert added in output
            return
        position = at + len(piece)


@given(messages())
def test_parts_hold_what_compile_makes_of_their_text(built: Built) -> None:
    """Each changed body, read by Python's mail package, is the HTML or text `compile` would give, links apart."""
    before, after = (email.message_from_bytes(data) for data in (built.data, rendered(built.data)))
    for old, new in zip(before.walk(), after.walk(), strict=True):
        assert old.get_content_type() == new.get_content_type()
        if old.is_multipart() or (raw := old.get_payload(decode=True)) == new.get_payload(decode=True):
            continue
        assert isinstance(raw, bytes)
        charset = old.get_content_charset() or "ascii"
        text = raw.decode(charset)
        is_html = old.get_content_type() == "text/html"
        alone = compile(html=text, delivery=1, keyring=KEYRING, base_url=BASE) if is_html else compile(
            text=text, delivery=1, keyring=KEYRING, base_url=BASE
        )  # fmt: skip
        expected = alone.render(2, 3)
        payload = new.get_payload(decode=True)
        assert isinstance(payload, bytes)
        mine = _without_tokens(payload.decode(charset))
        wanted = _without_tokens((expected.html if is_html else expected.text) or "")
        assert _lines(mine) in (_lines(wanted), _lines(wanted.replace(PIXEL, "")))


PIXEL = f'<img src="{BASE}" width="1" height="1" border="0" alt="" style="width:1px;height:1px;border:0">'


def _without_tokens(text: str) -> str:
    return TRACKED.sub(BASE.encode(), text.encode()).decode()


def _lines(text: str) -> str:
    return text.replace("\r\n", "\n")


ODD_FIELDS = [
    b"Content-Type: text/html; charset*=utf-8''%E2%80%9C\r\n", b"Content-Type: text/plain; charset=\xff\xfe\r\n",
    b"Content-Type: multipart/mixed; boundary*0=b; boundary*1=2\r\n", b"Content-Type: ;;;;\r\n",
    b"Content-Disposition: attachment; filename*=x''%ff\r\n", b"Content-Type: text/html; charset=idna\r\n",
    b"Content-Type: text/html; charset=utf-7\r\n", b"Content-Transfer-Encoding: =?utf-8?q?base64?=\r\n",
    b'Content-Type: text/html; charset="utf-8\0"\r\n', b'Content-Type: multipart/mixed; boundary="\\""\r\n',
]  # fmt: skip


@given(messages(), st.lists(st.tuples(st.integers(0, 5000), st.sampled_from(ODD_FIELDS) | st.binary(max_size=4))))
def test_no_message_is_an_error_however_broken(built: Built, broken: list[tuple[int, bytes]]) -> None:
    data = built.data
    for place, piece in broken:
        at = data.rfind(b"\n", 0, place % (len(data) + 1)) + 1 if piece in ODD_FIELDS else place % (len(data) + 1)
        data = data[:at] + piece + data[at:]
    once = rendered(data)
    assert BASE.encode() not in once or compiled(once).render(4, 5).data.count(b"/o/") <= once.count(b"/o/") + 1


def test_a_newsletter() -> None:
    template = compiled(newsletter())
    result = template.render(2, "anna")
    text, html = contents(result.data)
    assert re.fullmatch(rf"H\u00e9, see {BASE}/c/[\w-]+\.\n", text)
    assert re.search(rf'H\u00e9 <a href="{BASE}/c/[\w-]+">shop</a></p>\n<img src="{BASE}/o/', html)
    assert [name for name, _ in result.headers] == ["List-Unsubscribe", "List-Unsubscribe-Post"]
    assert result.message()["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert template.format == "multipart"
    assert template.warnings == ()
    assert template.template is not None
    assert [entry.url for entry in template.template.urls][:2] == [
        "https://shop.example/?a=1&b=2", "https://shop.example/x",
    ]  # fmt: skip
    assert result.data != template.render(4, "ben").data


def test_bytes_and_message_objects_are_one() -> None:
    message = newsletter()
    message.set_boundary("b")
    assert rendered(message) == rendered(message.as_bytes())


@pytest.mark.parametrize("line_break", [b"\n", b"\r\n"])
def test_line_breaks_stay(line_break: bytes) -> None:
    source = newsletter().as_bytes().replace(b"\n", line_break)
    output = rendered(source)
    assert output.replace(line_break, b"").count(b"\n") == 0
    assert output.count(b"\r") == (output.count(b"\n") if line_break == b"\r\n" else 0)


def test_what_has_no_links_keeps_its_bytes_however_odd() -> None:
    body = b"soft =\r\nbreak =zz =3d  \r\nno link, caf=E9\r\n"
    source = (
        b"From: a\r\nContent-Type: text/plain; charset=latin-1\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
    )
    assert rendered(source + body).endswith(b"\r\n\r\n" + body)


def test_every_part_that_is_shown_is_instrumented_and_positions_go_on() -> None:
    message = newsletter()
    message.make_mixed()
    message.attach(_part('<p><a href="https://shop.example/2">two</a>', "html"))
    message.attach(_part("three https://shop.example/3", "plain"))
    template = compiled(message)
    text, html, more_html, more_text = contents(template.render(2).data)
    assert html.count("/o/") == 0
    assert more_html.count("/o/") == 1
    assert "https://t.example/c/" in more_text
    assert text.count("https://t.example/c/") == 1
    assert template.template is not None
    assert "next-part" not in html + more_html
    assert len({entry.url_id for entry in template.template.urls}) == 5


def _part(text: str, subtype: str) -> EmailMessage:
    part = EmailMessage()
    part.set_content(text, subtype=subtype)
    return part


def test_attachments_amp_and_attached_messages_are_left_alone() -> None:
    message = newsletter()
    message.add_alternative('<a href="https://shop.example/amp">x</a>', subtype="x-amp-html")
    message.make_mixed()
    message.add_attachment("https://shop.example/file", filename="links.txt")
    message.add_attachment(b"%PDF", maintype="application", subtype="pdf", filename="a.pdf")
    message.attach(_attached())
    assert codes(message) == ["part_left"] * 3
    output = rendered(message)
    for kept in (b"https://shop.example/amp", b"https://shop.example/file", b"https://shop.example/inner"):
        assert kept in output


def _attached() -> EmailMessage:
    inner = EmailMessage()
    inner.set_content("https://shop.example/inner")
    outer = EmailMessage()
    outer.set_content(inner)
    return outer


def test_resources_of_a_page_are_left_alone() -> None:
    message = EmailMessage()
    message.set_content(HTML, subtype="html")
    message.add_related('<a href="https://frame.example/">x</a>', subtype="html", cid="<frame@x>", disposition="inline")
    page, frame = contents(rendered(message))
    assert BASE in page
    assert BASE not in frame
    assert codes(message) == ["part_left"]


def test_a_message_that_was_cut_off_is_instrumented_as_far_as_it_goes() -> None:
    source = newsletter().as_bytes()
    closing = source.rindex(b"--=")
    output = rendered(source[:closing])
    assert re.sub(rb"List-Unsubscribe[^\n]*\n", b"", output)[:200] == source[:200]
    assert [BASE in part for part in contents(output)] == [True, True]


SIGNED = b"Content-Type: multipart/signed; boundary=b; protocol=%s\n\n--b\n\nhttps://e.example/\n--b\n\nx\n--b--\n"


@pytest.mark.parametrize(
    "source",
    [
        b"From: a\nDKIM-Signature: v=1; a=rsa-sha256; b=abc\n\nhttps://e.example/\n",
        b"From: a\n" + SIGNED % b"application/pgp-signature",
        b"From: a\nContent-Type: multipart/mixed; boundary=o\n\n--o\n" + SIGNED % b"x" + b"--o--\n",
        b"From: a\nContent-Type: application/pkcs7-mime; smime-type=signed-data\n\nMIIB\n",
        b"From: a\n\n-----BEGIN PGP SIGNED MESSAGE-----\nhttps://e.example/\n",
        b"From: a\nContent-Transfer-Encoding: quoted-printable\n\n=2D----BEGIN PGP SIGNED MESSAGE=2D----\nhttps://e.example/",
        b"From: a\nContent-Transfer-Encoding: base64\n\n"
        + b64encode(b"-----BEGIN PGP MESSAGE-----\nhttps://e.example/\n"),
        b"From: a\nARC-Message-Signature: i=1; bh=abc; b=abc\n\nhttps://e.example/\n",
    ],
)
def test_a_signed_message_is_left_alone_with_a_warning(source: bytes) -> None:
    assert rendered(source) == source
    assert codes(source) == ["sealed"]


def test_list_unsubscribe_of_the_sender_stays_alone() -> None:
    message = newsletter()
    message["List-Unsubscribe"] = "<mailto:leave@e.example>"
    assert codes(message) == ["header_kept"]
    assert rendered(message).count(b"List-Unsubscribe") == 1


def test_a_providers_header_of_the_sender_stays_with_a_warning() -> None:
    message = newsletter()
    message["X-SMTPAPI"] = '{"category": "mine"}'
    result = compiled(message).render(2, provider="sendgrid")
    assert [notice.code for notice in result.warnings] == ["header_kept"]
    assert result.data.count(b"X-SMTPAPI") == 1
    assert b"sendtrail_delivery" in compiled(newsletter()).render(2, provider="sendgrid").data


def test_a_short_line_that_becomes_too_long_is_quoted() -> None:
    line = "".join(f'<a href="https://e.example/{n}">{n}</a>' for n in range(12))
    result = compiled(_seven_bit(line)).render(2)
    assert [notice.code for notice in result.warnings] == ["reencoded"]
    assert max(map(len, result.data.splitlines())) < 998
    assert b"7bit" not in result.data
    (html,) = contents(result.data)
    assert html.count(f"{BASE}/c/") == 12


def _seven_bit(line: str) -> bytes:
    head = "From: a\nContent-Type: text/html; charset=us-ascii\nContent-Transfer-Encoding: 7bit\n\n"
    return (head + line + "\n").encode()


def test_a_line_that_was_too_long_before_is_the_senders_business() -> None:
    result = compiled(_seven_bit("x" * 1000 + ' <a href="https://e.example/">y</a>')).render(2)
    assert result.warnings == ()
    assert b"7bit" in result.data


def test_a_byte_that_is_no_character_costs_one_link_at_most() -> None:
    source = (
        b"From: a\nContent-Type: text/html; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n"
        b"caf\xe9 <a href='https://e.example/caf\xe9'>bad</a> <a href='https://e.example/good'>good \xe9</a>\n"
    )
    template = compiled(source)
    output = template.render(2).data
    assert b"caf\xe9 <a href='https://e.example/caf\xe9'>bad</a> <a href='https://t.example/c/" in output
    assert [notice.code for notice in template.warnings] == ["bad_destination"]
    assert template.template is not None
    assert "good \ufffd" in [entry.label for entry in template.template.urls]


def test_what_can_not_be_read_is_left_with_a_warning() -> None:
    for charset, encoding in (
        ("x-none", "8bit"),
        ("hex", "8bit"),
        ("idna", "8bit"),
        ("unicode_escape", "8bit"),
        ("utf-8", "x-uuencode"),
        ("utf-8", "base64"),
    ):
        head = f"From: a\nContent-Type: text/plain; charset={charset}\nContent-Transfer-Encoding: {encoding}\n\n"
        source = head.encode() + b"https://e.example/abc\n"
        assert rendered(source) == source, charset
        assert codes(source) == ["undecodable_part", "nothing_to_track"]


def test_urls_cut_by_flowed_text_are_left_alone() -> None:
    head = b"From: a\nContent-Type: text/plain; format=flowed; delsp=yes\n\n"
    assert codes(head + b"see https://e.example/a \nbc\n")[0] == "undecodable_part"
    assert codes(head + b"see https://e.example/abc\n") == []


@pytest.mark.parametrize(
    "source", [b"", b"\n", b"hello", b"From: a", b"From: a\n", b"Content-Type: multipart/mixed; boundary=\n\n"]
)
def test_what_is_hardly_a_message_is_no_error(source: bytes) -> None:
    output = re.sub(rb"List-Unsubscribe[^\n]*\n", b"", rendered(source))
    assert output.rstrip() == source.rstrip()
