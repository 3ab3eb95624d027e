"""Checks before sending: each code where it must be found, at its place, and a clean message without any."""

from __future__ import annotations

from typing import get_args

import pytest
from hypothesis import given

from sendtrail.instrument import Policy, UrlRule
from sendtrail.instrument.check import check, check_message
from sendtrail.instrument.findings import CHECKS, CODES, Finding, OwnCode
from tests.instrument.messages import Built, messages
from tests.instrument.odd import documents

OUT = '<a href="#" data-st-mode="optout">Leave</a>'
GOOD = f'<p>\n<a href="https://shop.example.org/?a=1&amp;b=2">Shop</a> {OUT}'
MAIL = (
    "From: a@example.org\r\nTo: b@example.org\r\nSubject: s\r\nDate: Mon, 23 Nov 2026 10:00:00 +0000\r\n"
    "Message-ID: <1@example.org>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary=b\r\n\r\n"
    "--b\r\nContent-Type: text/plain\r\n\r\nShop https://shop.example.org/ sendtrail:optout\r\n"
    "--b\r\nContent-Type: text/html\r\n\r\n%s\r\n--b--\r\n"
)


def codes(findings: list[Finding]) -> list[str]:
    return [found.code for found in findings]


def test_every_code_has_a_severity_and_advice_and_no_other() -> None:
    assert CHECKS.keys() == set(CODES)


def test_what_is_well_has_no_findings() -> None:
    assert check(html=GOOD, text="Shop https://shop.example.org/ sendtrail:optout") == []
    assert check_message((MAIL % GOOD).encode()) == []


@pytest.mark.parametrize(
    ("html", "code", "place"),
    [
        ('<a href="https://shop.example.org/"><img src=x></a>', "label_missing", (1, 10)),
        ('\n <a href="https://a.example.org/?x=1&copy;=2&reg">x</a>', "bad_ampersand", (2, 11)),
        ('<a href="https://a.example.org/?x=1&amp;amp;y=2">x</a>', "bad_ampersand", (1, 10)),
        ('<a href="https://a.example.org/?x=1&y=2">x</a>', "bare_ampersand", (1, 10)),
        ('<a href="http://localhost:8000/">x</a>', "private_host", (1, 10)),
        ('<a href="http://10.0.0.7/">x</a>', "private_host", (1, 10)),
        ('<a href="http://[fd00::1]/">x</a>', "private_host", (1, 10)),
        ('<a href="http://127.1/">x</a>', "private_host", (1, 10)),
        ('<a href="http://0xa.0.7/">x</a>', "private_host", (1, 10)),
        ('<a href="https://intranet/">x</a>', "private_host", (1, 10)),
        (f'<a href="https://a.example.org/{"x" * 1600}">x</a>', "link_too_long", (1, 10)),
        ("Dear {{name}}", "placeholder_left", (1, 6)),
        ("Dear\n*|NAME|*", "placeholder_left", (2, 1)),
        ("{{#if vip}}", "placeholder_left", (1, 1)),
        ("a {% endfor %}", "placeholder_left", (1, 3)),
        ("a <%= name %>", "placeholder_left", (1, 3)),
        ('<p title="%first_name%">', "placeholder_left", (1, 11)),
        ('<a href="https://a.example.org/1">Buy</a>\n<a href="https://a.example.org/2">Buy</a>', "same_label", (2, 10)),
        ('<a href="page.html">x</a>', "relative_link", (0, 0)),
        ('<a href="https://a.example.org/" data-st-mode="trackd">x</a>', "unknown_mode", (0, 0)),
        ("x" * 105_000, "clipped", (0, 0)),
    ],
)  # fmt: skip
def test_what_is_wrong_is_found_at_its_place(html: str, code: str, place: tuple[int, int]) -> None:
    findings = check(html=html + OUT)
    assert codes(findings) == [code]
    assert (findings[0].line, findings[0].column) == place
    assert findings[0].severity == CHECKS[code][0]


def test_a_message_that_gmail_would_cut_off_without_a_pixel_too() -> None:
    assert codes(check(html="x" * 105_000 + OUT, policy=Policy(pixel=False))) == ["clipped"]


def test_ways_out() -> None:
    assert codes(check(html="<p>x")) == ["no_optout"]
    assert codes(check(text="x")) == ["no_optout"]
    assert codes(check(html='<a href="https://shop.example.org/abmelden">x</a>')) == ["optout_not_marked"]
    rule = Policy(urls={"https://shop.example.org/bye": UrlRule(mode="optout")})
    assert check(html='<a href="https://shop.example.org/bye">x</a>', policy=rule) == []


def test_placeholders_of_the_policy_may_be_open_in_a_template_but_not_with_values() -> None:
    policy = Policy(placeholders="{{x}}", fill_body=True)
    page = f'Dear {{{{name}}}} <a href="https://a.example.org/?c={{{{code}}}}">x</a>{OUT}'
    assert check(html=page, policy=policy) == []
    findings = check(html=page, policy=policy, values={"name": "Ann"})
    assert [(found.code, found.text) for found in findings] == [("value_missing", "'code' has no value")]
    assert codes(check(html=f'<a href="https://{{{{host}}}}/">x</a>{OUT}', policy=policy)) == ["personalised_host"]


def test_braces_of_scripts_and_styles_are_no_placeholders() -> None:
    assert check(html=f"<style>a{{{{b}}}}</style><script>`${{x}}`</script>{OUT}") == []


def test_an_ampersand_of_html_in_text() -> None:
    assert codes(check(text="https://a.example.org/?a=1&amp;b=2 sendtrail:optout")) == ["bad_ampersand"]


def test_whole_messages() -> None:
    bare = b"Content-Type: text/html\r\n\r\n" + GOOD.encode()
    assert sorted(codes(check_message(bare))) == [
        "no_date", "no_from", "no_message_id", "no_subject", "no_text_part", "no_to",
    ]  # fmt: skip
    assert codes(check_message(b"DKIM-Signature: v=1\r\n" + (MAIL % GOOD).encode())) == ["sealed"]
    subject = check_message((MAIL % GOOD).replace("Subject: s", "Subject: =?utf-8?q?Hi_=7B=7Bname=7D=7D?=").encode())
    assert [(found.code, found.text) for found in subject] == [("placeholder_left", "Subject: {{name}}")]
    located = check_message((MAIL % f'x\r\n<a href="http://localhost/">x</a>{OUT}').encode())
    assert [(found.code, found.part, found.line) for found in located] == [("private_host", "html", 2)]


@given(documents)
def test_odd_html_has_findings_of_the_closed_list(source: str) -> None:
    for found in check(html=source, text=source):
        assert found.code in CODES
        assert found.line <= source.count("\n") + 1


@given(messages())
def test_odd_messages_have_findings_of_the_closed_list(built: Built) -> None:
    assert {found.code for found in check_message(built.data)} <= set(CODES)


def test_own_codes_are_all_tried_here() -> None:
    """A code that no test of this file names would be one that nobody has seen."""
    from pathlib import Path

    text = Path(__file__).read_text()
    assert not [code for code in get_args(OwnCode) if code not in text]
