"""What headers say."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producers.edge.addresses import TrustedProxies
from producers.edge.request import MAX_TEXT, Request, origin_of, text_of

PROXIES = TrustedProxies(["10.0.0.0/8"])


def request(method: bytes = b"GET", **headers: bytes) -> Request:
    return Request(
        method, "/o/x", "10.0.0.1", {name.replace("_", "-").encode(): value for name, value in headers.items()}
    )


@pytest.mark.parametrize(
    ("made", "hints"),
    [
        (request(), []),
        (request(user_agent=b"prefetch"), []),
        (request(b"HEAD"), ["head"]),
        (request(purpose=b"prefetch"), ["prefetch"]),
        (request(sec_purpose=b"Prefetch;Prerender"), ["prefetch"]),
        (request(x_moz=b"prefetch"), ["prefetch"]),
        (request(x_purpose=b"preview"), ["prefetch"]),
        (request(purpose=b"shopping"), []),
        (request(sec_gpc=b"1"), ["gpc"]),
        (request(sec_gpc=b"0"), []),
        (request(x_forwarded_for=b"198.51.100.1"), ["proxy"]),
        (request(x_forwarded_for=b"\xff\xfe"), []),
        (request(b"HEAD", purpose=b"prefetch", sec_gpc=b"1", x_forwarded_for=b"1.2.3.4"),
         ["head", "prefetch", "gpc", "proxy"]),
    ],
)  # fmt: skip
def test_hints(made: Request, hints: list[str]) -> None:
    assert origin_of(made, PROXIES).hints == hints


@given(st.binary(max_size=5000))
def test_any_header_becomes_text_that_utf8_can_hold(value: bytes) -> None:
    text = text_of(value)
    assert len(text) <= MAX_TEXT
    assert text.encode().decode() == text


def test_text_is_kept_as_it_is_where_it_fits() -> None:
    assert text_of("Zürich ☃".encode()) == "Zürich ☃"
    assert text_of(None) == text_of(b"") == ""
    assert len(text_of("☃".encode() * 3000)) == MAX_TEXT
