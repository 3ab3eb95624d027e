"""Replies as bytes."""

from hypothesis import given
from hypothesis import strategies as st

from producers.edge import replies
from producers.edge.wire import CLOSE, KEEP, KEEP_ALIVE, Wire
from tests.support.strategies import destinations

NOON = 1_700_000_000_000


def head_of(made: bytes) -> list[bytes]:
    return made.partition(b"\r\n\r\n")[0].split(b"\r\n")


def test_the_pixel_is_a_gif_of_43_bytes_that_nobody_caches() -> None:
    made = Wire().encode(replies.PIXEL, KEEP, True, NOON)
    status, *headers = head_of(made)
    assert status == b"HTTP/1.1 200 OK"
    assert b"Date: Tue, 14 Nov 2023 22:13:20 GMT" in headers
    assert b"Content-Type: image/gif" in headers
    assert b"Content-Length: 43" in headers
    assert [line for line in headers if line.startswith(b"Cache-Control: no-store")]
    assert made.endswith(b"\r\n\r\n" + replies.GIF)
    assert (len(replies.GIF), replies.GIF[:6], replies.GIF[-1:]) == (43, b"GIF89a", b";")


def test_head_has_the_headers_of_get_and_no_body() -> None:
    wire = Wire()
    full, bare = wire.encode(replies.PIXEL, KEEP, True, NOON), wire.encode(replies.PIXEL, KEEP, False, NOON)
    assert full == bare + replies.GIF


def test_connection_headers() -> None:
    wire = Wire()
    said = [
        [line for line in head_of(wire.encode(replies.PIXEL, how, True, NOON)) if line.startswith(b"Connection")]
        for how in (KEEP, CLOSE, KEEP_ALIVE)
    ]
    assert said == [[], [b"Connection: close"], [b"Connection: keep-alive"]]


def test_the_date_follows_the_clock_in_both_directions() -> None:
    wire = Wire()
    dates = [head_of(wire.encode(replies.PIXEL, KEEP, True, NOON + step))[1] for step in (0, 999, 1000, -5000)]
    assert dates[0] == dates[1]
    assert [date[-12:] for date in dates[1:]] == [b"22:13:20 GMT", b"22:13:21 GMT", b"22:13:15 GMT"]


@given(destinations)
def test_a_redirect_is_one_line_of_ascii(destination: str) -> None:
    reply = replies.redirect("click", destination)
    assert reply is not None
    made = Wire().encode(reply, KEEP, True, NOON)
    locations = [line for line in head_of(made) if line.startswith(b"Location: ")]
    if destination.isascii():
        assert locations == [b"Location: " + destination.encode()]
    for line in locations:
        assert line.decode("ascii").isprintable()


def test_other_letters_are_percent_encoded_and_the_rest_stays() -> None:
    reply = replies.redirect("click", "https://bücher.example/ä?q=%2F&x=a+b#Ü%20")
    assert reply is not None
    assert b"Location: https://b%C3%BCcher.example/%C3%A4?q=%2F&x=a+b#%C3%9C%20\r\n" in reply.headers


@given(
    st.sampled_from(
        ["javascript:alert(1)", "https://a\r\nSet-Cookie: x", "//evil.example", "ftp://a", "https://a b", ""]
    )
)
def test_nothing_but_http_is_followed(destination: str) -> None:
    assert replies.redirect("click", destination) is None
