"""Opt-out: a page for people, a POST that acts, and nothing else that does (RFC 8058)."""

import pytest

from producers.edge.languages import LANGUAGES
from sendtrail.events import FLAG_HONEYPOT
from tests.producers.edge.asking import Edge

EDGE = Edge()
PATH = EDGE.path("optout")
URLENCODED = b"List-Unsubscribe=One-Click"
MULTIPART = (
    b'--b0undary\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--b0undary--\r\n'
)


@pytest.mark.parametrize("language", LANGUAGES)
def test_page_and_confirmation_are_in_the_readers_language(language: str) -> None:
    page = EDGE.ask(PATH, accept_language=f"{language}-XX, it;q=0.5")
    done = EDGE.ask(PATH, b"POST", b"optout=confirm", accept_language=language)
    for asked in (page, done):
        assert f'<html lang="{language}">' in asked.body
        assert asked.header("Content-Language") == language
    assert '<form method="post">' in page.body
    assert not [tag for tag in ("<form", "<a ", "<button", "http") if tag in done.body]  # nothing to press by mistake


@pytest.mark.parametrize("body", [URLENCODED, MULTIPART, URLENCODED.lower() + b"\r\n"])
def test_a_mailbox_providers_post_acts_at_once_without_cookies(body: bytes) -> None:
    asked = EDGE.ask(PATH, b"POST", body)
    assert (asked.status, asked.hit.how, asked.header("Location")) == (200, "one_click", None)


def test_the_button_acts() -> None:
    assert EDGE.ask(PATH, b"POST", b"optout=confirm").hit.how == "form"


@pytest.mark.parametrize(
    ("method", "headers"),
    [
        (b"GET", {}),
        (b"HEAD", {}),
        (b"GET", {"purpose": "prefetch"}),
        (b"POST", {"sec_purpose": "prefetch;prerender"}),
        (b"POST", {"purpose": "prefetch"}),
        (b"POST", {"x_moz": "prefetch"}),
        (b"POST", {"x_purpose": "preview"}),
        (b"GET", {"user_agent": "Barracuda Sentinel (EE)"}),
    ],
)
def test_nothing_acts_but_a_post_that_somebody_sent(method: bytes, headers: dict[str, str]) -> None:
    for body in (b"", URLENCODED, b"optout=confirm"):
        asked = EDGE.ask(PATH, method, body, **headers)
        assert (asked.status, asked.hit.how) == (200, "view")
        assert "<form" in asked.body


def test_a_link_that_people_do_not_see_never_acts() -> None:
    asked = EDGE.ask(EDGE.path("optout", flags=FLAG_HONEYPOT), b"POST", URLENCODED)
    assert (asked.hit.how, asked.hit.flags) == ("view", FLAG_HONEYPOT)


def test_a_page_of_the_senders_own_counts_unconfirmed_and_one_click_still_acts() -> None:
    path = EDGE.path("optout", "https://example.com/preferences")
    shown, acted = EDGE.ask(path), EDGE.ask(path, b"POST", URLENCODED)
    assert (shown.status, shown.header("Location"), shown.hit.how) == (302, "https://example.com/preferences", "view")
    assert (acted.status, acted.hit.how) == (200, "one_click")


def test_a_forged_link_unsubscribes_nobody() -> None:
    asked = EDGE.ask(PATH[:-3] + "AAA", b"POST", URLENCODED, accept_language="es")
    assert (asked.status, asked.event) == (404, None)
    assert '<html lang="es">' in asked.body
