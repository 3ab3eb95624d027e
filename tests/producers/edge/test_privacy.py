"""/privacy: what a reader is told, and who may change what."""

import pytest

from tests.producers.edge.asking import Edge

ON = Edge({"tracking": {"visitor_cookies": "persistent"}})
VISITOR = "0123456789abcdef" * 2
SAME = {"sec_fetch_site": "same-origin"}
CLEARED = "; Path=/; SameSite=Lax; Secure; HttpOnly"


def test_what_is_shown_says_what_holds() -> None:
    shown = {
        "off": Edge().ask("/privacy"),
        "allowed": ON.ask("/privacy", cookie=f"st_visitor={VISITOR}"),
        "refused": ON.ask("/privacy", cookie="st_visitor_refused=1"),
        "gpc": ON.ask("/privacy?from=mail", sec_gpc="1"),
    }
    pages = ON.known.pages.of(None)
    for state, asked in shown.items():
        assert asked.reply is pages.privacy[state]
        assert (asked.status, asked.event, asked.cookies, asked.reason) == (200, None, [], "")
        assert asked.header("Referrer-Policy") == "same-origin"  # no-referrer would hide where the form was
    assert len({asked.body for asked in shown.values()}) == 4


def test_the_page_is_in_the_readers_language() -> None:
    assert '<html lang="de">' in ON.ask("/privacy", accept_language="de-CH,en;q=0.5").body
    assert '<html lang="fr">' in Edge({"answers": {"language": "fr"}}).ask("/privacy").body


def test_refusing_forgets_the_visitor_and_keeps_that_it_was_refused() -> None:
    asked = ON.ask("/privacy", b"POST", b"choice=refuse", cookie=f"st_visitor={VISITOR}", **SAME)
    assert (asked.status, asked.header("Location"), asked.event) == (303, "/privacy", None)
    assert asked.cookies == [
        f"st_visitor=; Max-Age=0{CLEARED}",
        f"st_visitor_click=; Max-Age=0{CLEARED.replace('Path=/', 'Path=/w')}",
        f"st_visitor_refused=1; Max-Age=34560000{CLEARED}",
    ]
    after = ON.ask(ON.path("click", "https://example.com/"), cookie=f"st_visitor={VISITOR}; st_visitor_refused=1")
    assert (after.status, after.hit.visitor, after.cookies) == (302, None, [])


def test_allowing_again_takes_the_refusal_back() -> None:
    asked = ON.ask("/privacy", b"POST", b"choice=allow", cookie="st_visitor_refused=1", **SAME)
    assert (asked.status, asked.cookies) == (303, [f"st_visitor_refused=; Max-Age=0{CLEARED}"])


@pytest.mark.parametrize(
    ("headers", "acts"),
    [
        ({"sec_fetch_site": "same-origin"}, True),
        ({"origin": "https://t.example", "host": "t.example"}, True),
        ({"origin": "http://T.example:8080", "host": "t.example:8080"}, True),
        ({"sec_fetch_site": "cross-site", "origin": "https://t.example", "host": "t.example"}, False),
        ({"sec_fetch_site": "same-site"}, False),
        ({"sec_fetch_site": "none"}, False),
        ({"origin": "https://evil.example", "host": "t.example"}, False),
        ({"origin": "https://t.example.evil.example", "host": "t.example"}, False),
        ({"origin": "null", "host": "t.example"}, False),
        ({"origin": "null", "host": "null"}, False),
        ({"origin": "", "host": ""}, False),
        ({"host": "t.example"}, False),
        ({}, False),
    ],
)
def test_only_a_form_of_our_own_page_changes_anything(headers: dict[str, str], acts: bool) -> None:
    for body in (b"choice=refuse", b"choice=allow", b"x=y&choice=allow\r\n"):
        asked = ON.ask("/privacy", b"POST", body, **headers)
        assert asked.status == (303 if acts else 403)
        assert bool(asked.cookies) == acts


@pytest.mark.parametrize("body", [b"", b"choice=", b"choice=refused", b"xchoice=refuse", b"\xff", b"choice"])
def test_a_form_that_says_nothing_changes_nothing(body: bytes) -> None:
    asked = ON.ask("/privacy", b"POST", body, **SAME)
    assert (asked.status, asked.cookies) == (403, [])


@pytest.mark.parametrize("headers", [{}, SAME])
def test_without_cookies_there_is_nothing_to_choose(headers: dict[str, str]) -> None:
    asked = Edge().ask("/privacy", b"POST", b"choice=allow", **headers)
    assert (asked.status, asked.cookies) == (200, [])
    assert ON.ask("/privacy", b"POST", b"choice=allow", sec_gpc="1", **headers).cookies == []


def test_other_paths_are_no_privacy_page() -> None:
    assert [ON.ask(path).status for path in ("/privacy/", "/Privacy", "/privacyx", "/a/privacy")] == [404] * 4
    assert ON.ask("/privacy", b"PUT").status == 405
