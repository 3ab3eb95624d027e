"""docs/senders.md does what it says: its blocks are run in order in an empty directory, beside an API and a relay."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sendtrail.local.process import free_port
from tests.producers.relay.running import Hop
from tests.support import spools

DOC = Path(__file__).parent.parent.parent / "docs" / "senders.md"
BLOCK = re.compile(r"^```(sh|python|toml)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PAGE = (
    '<p>Hello <a href="https://shop.example.com/">shop</a>\n'
    '<a href="#" data-st-mode="optout">Leave</a>'
)  # fmt: skip
MAIL = (
    "From: shop@example.com\r\nTo: anna@example.com\r\nSubject: Sale\r\nMessage-ID: <1@example.com>\r\n"
    "X-Sendtrail-Delivery: spring\r\nContent-Type: text/html; charset=utf-8\r\n\r\n" + PAGE + "\r\n"
)


def test_every_block_runs(tmp_path: Path) -> None:
    (tmp_path / "newsletter.html").write_text(PAGE)
    (tmp_path / "newsletter.txt").write_text("Hello https://shop.example.com/\n")
    (tmp_path / "newsletter.eml").write_text(MAIL, newline="")
    hop, api, relay = Hop(), free_port(), free_port()
    environ = {name: value for name, value in os.environ.items() if not name.startswith("SENDTRAIL_")}
    environ |= {
        "PATH": f"{Path(sys.executable).parent}:{environ['PATH']}", "no_proxy": "127.0.0.1",
        "SENDTRAIL_API_PORT": str(api), "SENDTRAIL_API_ADMIN_PORT": "0",
        "SENDTRAIL_RELAY_PORT": str(relay), "SENDTRAIL_RELAY_ADMIN_PORT": "0",
    }  # fmt: skip
    ours = {"127.0.0.1:8081": f"127.0.0.1:{api}", "127.0.0.1:2525": f"127.0.0.1:{relay}",
            '"127.0.0.1", 2525': f'"127.0.0.1", {relay}', "127.0.0.1:25 ": f"127.0.0.1:{hop.port} "}  # fmt: skip
    blocks = BLOCK.findall(DOC.read_text())
    assert {language for language, _ in blocks} == {"sh", "python", "toml"}
    (relaying,) = [code for language, code in blocks if language == "sh" and code.endswith("sendtrail relay\n")]
    said, program = _run(["sh", "-ec", blocks[0][1]], tmp_path, environ), ""
    with _running("sendtrail api", tmp_path, environ), _running(_with(ours, relaying), tmp_path, environ):
        for language, block in blocks[1:]:
            code = _with(ours, block)
            if language == "toml":
                (tmp_path / "policy.toml").write_text(code)
            elif language == "python":  # one session, as a reader would have it
                program += code
            elif block != relaying:
                said += _run(["sh", "-ec", code], tmp_path, environ)
        printed = _run([sys.executable, "-c", program], tmp_path, environ)
    hop.close()
    _check_commands(tmp_path, said)
    _check_python(tmp_path, printed)
    _check_relay(tmp_path, hop)


def _check_commands(place: Path, said: str) -> None:
    assert "mints new links" in said
    assert "nothing found" in said
    for name in ("tracked.html", "tracked.txt", "tracked.eml", "test.eml"):
        assert "http://127.0.0.1:8080/c/" in (place / name).read_text(), name
    assert "127.0.0.1:8080/c/" in json.loads((place / "instrumented.json").read_text())["html"]
    assert "shop may send through the relay\nshop\n" in said
    read = json.loads(said.splitlines()[-1])
    assert (read["valid"], read["destination"]) == (True, "https://shop.example.com/?a=1#top")


def _check_python(place: Path, printed: str) -> None:
    assert printed.count("List-Unsubscribe-Post") == 2
    assert "List-Unsubscribe=One-Click" in printed
    assert '<p>Dear Anna &amp; Ben, <a href="https://t.example.com/c/' in printed
    assert "https://shop.example.com/c/{{customer}}?code={{code}} your offer" in printed
    assert "remembered: never https://shop.example.com/jobs" in printed
    assert '"unique_args": {"sendtrail_delivery": "' in printed
    assert "shop.example.com/jobs" in (place / "policy.toml").read_text()
    assert printed.splitlines()[-1] == "[]"


def _check_relay(place: Path, hop: Hop) -> None:
    assert len(hop.mails) == 2
    assert all(b"http://127.0.0.1:8080/c/" in taken.content for taken in hop.mails)
    assert not [taken for taken in hop.mails if b"X-Sendtrail" in taken.content]
    sent = spools.events(place / ".sendtrail" / "spool" / "relay")
    assert sorted(event.attributes.get("segment", "") for event in sent) == ["", "new"]
    fed = spools.events(place / ".sendtrail" / "spool" / "api")
    assert [event.kind for event in fed] == ["prepared"] * 3


def _with(ours: dict[str, str], code: str) -> str:
    for theirs, mine in ours.items():
        code = code.replace(theirs, mine)
    return code


@contextmanager
def _running(command: str, directory: Path, environ: dict[str, str]) -> Iterator[None]:
    """A process of the line, until it has started, then beside what is done, then to its orderly end."""
    log = directory / f"{command.rsplit(maxsplit=1)[-1]}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            ["sh", "-c", re.sub(r"\bsendtrail (\w+)\s*$", r"exec sendtrail \1", command)],
            cwd=directory, env=environ, stdout=output, stderr=output,
        )  # fmt: skip
    try:
        end = time.monotonic() + 60
        while '"started"' not in log.read_text():
            assert process.poll() is None and time.monotonic() < end, log.read_text()  # noqa: PT018
            time.sleep(0.05)
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0, log.read_text()


def _run(command: list[str], directory: Path, environ: dict[str, str]) -> str:
    done = subprocess.run(
        command, cwd=directory, env=environ, capture_output=True, text=True, timeout=60, check=False
    )  # fmt: skip
    assert done.returncode == 0, f"{command[-1]}\n{done.stderr}"
    return done.stdout
