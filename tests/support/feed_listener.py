"""An HTTP server in the place of the feed API: keeps what it is asked, answers what a test has laid out."""

from __future__ import annotations

import gzip
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

import zstandard

_UNPACK: dict[str, Any] = {"": bytes, "gzip": gzip.decompress, "zstd": zstandard.decompress}


class Reply(NamedTuple):
    """One answer: status, JSON or text, further headers."""

    status: int
    content: Any
    headers: dict[str, str] = {}


class Listener:
    """Answers `answers` in turn, then 200. `asked`: method, path and body as JSON, a list where it was lines."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.answers: list[tuple[Any, ...]] = []
        listener = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _answer(self) -> None:
                headers = {name.lower(): value for name, value in self.headers.items()}
                raw = self.rfile.read(int(headers.get("content-length", 0)))
                body = _read(_UNPACK[headers.get("content-encoding", "")](raw), headers.get("content-type", ""))
                listener.asked.append((self.command, self.path, body))
                listener.headers.append(headers)
                reply = Reply(*(listener.answers.pop(0) if listener.answers else (200, taken(body))))
                content = reply.content if isinstance(reply.content, str) else json.dumps(reply.content)
                self.send_response(reply.status)
                for name, value in {**reply.headers, "Content-Length": str(len(content.encode()))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content.encode())

            do_PUT = do_POST = do_GET = _answer  # noqa: N815

            def log_message(self, format: str, *args: Any) -> None:
                """Quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.address = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End it."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def taken(body: Any) -> Any:
    """What the API answers where it takes everything."""
    return {"results": [{"status": "accepted"} for _ in body]} if isinstance(body, list) else {"delivery": 1}


def _read(raw: bytes, content_type: str) -> Any:
    if content_type == "application/x-ndjson":
        return [json.loads(line) for line in raw.split(b"\n")]
    return json.loads(raw) if raw else None
