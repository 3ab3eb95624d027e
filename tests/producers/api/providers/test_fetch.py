"""What is fetched for SNS, from a server on loopback: nobody is followed elsewhere, and nothing is read without end."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from producers.api.providers.sns_fetch import Certificates, FetchFailed, fetch


class Pages(BaseHTTPRequestHandler):
    """/page is one, /away leads there, /large never ends by itself, all else is missing."""

    asked: list[str] = []

    def do_GET(self) -> None:
        self.asked.append(self.path)
        status = {"/page": 200, "/away": 302, "/large": 200}.get(self.path, 404)
        self.send_response(status)
        if status == 302:
            self.send_header("Location", "/page")
        self.end_headers()
        self.wfile.write({"/page": b"text", "/large": b"x" * 1_000_000}.get(self.path, b""))

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def pages(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    Pages.asked.clear()
    with ThreadingHTTPServer(("127.0.0.1", 0), Pages) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def test_a_page_is_fetched(pages: str) -> None:
    assert fetch(f"{pages}/page") == b"text"


@pytest.mark.parametrize("path", ["/away", "/large", "/missing"])
def test_what_is_not_followed_or_read(pages: str, path: str) -> None:
    with pytest.raises(FetchFailed):
        fetch(f"{pages}{path}")
    assert Pages.asked == [path]


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/", "https://[/", "ftp://127.0.0.1/"])
def test_what_does_not_answer(pages: str, url: str) -> None:
    with pytest.raises(FetchFailed):
        fetch(url)


def test_a_certificate_is_kept_once_it_is_proved() -> None:
    asked: list[str] = []

    def count(url: str) -> bytes:
        asked.append(url)
        return b"pem"

    certificates = Certificates(count)
    assert [certificates.get("a"), certificates.get("a")] == [b"pem", b"pem"]
    certificates.keep("a", b"pem")
    certificates.get("a")
    assert asked == ["a", "a"]
    for number in range(100):
        certificates.keep(str(number), b"pem")
    certificates.get("a")
    assert asked == ["a", "a", "a"]
