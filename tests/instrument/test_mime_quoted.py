"""Quoted-printable parts: what has no link goes out as the sender's program wrote it."""

from __future__ import annotations

import pytest

from tests.instrument.test_mime import TRACKED, compiled, contents, rendered


@pytest.mark.parametrize("line_break", [b"\n", b"\r\n"])
def test_quoted_lines_without_links_keep_their_bytes(line_break: bytes) -> None:
    """Programs break and escape lines as they like: lower-case digits, soft breaks anywhere, long lines."""
    odd = [b"<p>gr=c3=bc=", b"=c3=9fe=3D =   ", b"=41nd " + b"more " * 30, b"<br>=20", b"."]
    link = [b'<a href=3D"https://e.exam=', b'ple/?a=3D1">x</a>=C3=', b"=A9"]
    head = [b"Content-Type: text/html; charset=utf-8", b"Content-Transfer-Encoding: quoted-printable", b"", b""]
    output = rendered(line_break.join([*head[:-1], *odd, *link, *odd]))
    assert output.count(line_break.join(odd)) == 2
    page = contents(output)[0]
    assert TRACKED.search(page.encode())
    assert "x</a>\u00e9" in page


def test_padding_behind_a_soft_break_is_no_text() -> None:
    head = b"Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n\n"
    template = compiled(head + b"see https://e.exam= \nple/page= \t\n/x").template
    assert template is not None
    assert [entry.url for entry in template.urls if entry.mode == "tracked"] == ["https://e.example/page/x"]
