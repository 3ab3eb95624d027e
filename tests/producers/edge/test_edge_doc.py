"""docs/edge.md, sections "Web tag" and "Domains": their blocks are run, in order, against a real edge and real DNS."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from producers.edge.tls import Allowed
from sendtrail import keyring
from sendtrail.process import AdminServer, Health
from sendtrail.settings import EdgeSettings
from tests.support.dns_server import DnsServer, dns_server
from tests.support.edges import Edge, running_edge

DOC = (Path(__file__).parents[3] / "docs" / "edge.md").read_text()
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
HERE, NEWS = "t.example.com", "news.shop.example"


def blocks(section: str, language: str) -> list[str]:
    """The blocks of a section in one language."""
    (text,) = re.findall(rf"^## {section}\n(.*?)(?=^## )", DOC, re.MULTILINE | re.DOTALL)
    return [code for found, code in BLOCK.findall(text) if found == language]


class Shell:
    """A terminal in a directory of its own. `places`: what the docs' addresses are here."""

    def __init__(self, directory: Path, places: dict[str, str], **variables: str) -> None:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("SENDTRAIL_")}
        self._environment = {**kept, "PATH": f"{Path(sys.executable).parent}:{kept['PATH']}", **variables}
        self._directory, self._places = directory, places

    def run(self, code: str) -> str:
        for doc, here in self._places.items():
            code = code.replace(doc, here)
        done = subprocess.run(
            ["sh", "-ec", code], cwd=self._directory, env=self._environment, capture_output=True, text=True, timeout=60,
            check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@pytest.fixture
def edge(tmp_path: Path) -> Iterator[Edge]:
    (settings,) = blocks("Web tag", "toml")
    sites: list[str] = tomllib.loads(settings)["edge"]["sites"]
    with running_edge(tmp_path / "spool", EdgeSettings(port=0, sites=sites)) as running:
        yield running


def test_an_order_by_a_program(edge: Edge, tmp_path: Path) -> None:
    (command,) = blocks("Web tag", "sh")
    said = Shell(tmp_path, {"https://t.example.com": f"http://127.0.0.1:{edge.port}"}).run(command)
    assert said.startswith("HTTP/1.1 204 ")
    (order,) = edge.events()
    assert (order.kind, order.site, order.order_id, order.amount) == ("transaction", "shop", "A-1002", 4990)


@pytest.fixture
def dns() -> Iterator[DnsServer]:
    with dns_server() as server:
        server.records[HERE, "A"] = ["192.0.2.10"]
        yield server


def test_a_domain_from_adding_to_removing(dns: DnsServer, tmp_path: Path) -> None:
    keyring.save(tmp_path / ".sendtrail" / "keys.toml", keyring.new_keyring())
    (tmp_path / "newsletter.html").write_text('<p><a href="https://shop.example/" data-st-label="Shop">Shop</a></p>')
    allowed = Allowed(tmp_path / ".sendtrail" / "domains.toml", f"https://{HERE}")
    admin = AdminServer("127.0.0.1", 0, lambda: Health(True, {}), {"/tls/allowed": allowed}).start()
    shell = Shell(
        tmp_path, {"http://127.0.0.1:9101": f"http://127.0.0.1:{admin.port}"},
        SENDTRAIL_DOMAINS_RESOLVERS=dns.address, SENDTRAIL_TRACKING_BASE_URL=f"https://{HERE}", COLUMNS="100",
    )  # fmt: skip
    add, verify, ask, remove = blocks("Domains", "sh")
    try:
        records: list[tuple[Any, ...]] = re.findall(r"^  (\S+)\. (CNAME|TXT) (.+)$", shell.run(add), re.MULTILINE)
        assert shell.run(ask).strip() == "404"
        dns.records |= {(name, kind): [value.rstrip(".")] for name, kind, value in records}
        assert f"{NEWS}: verified" in shell.run(verify)
        assert f'href="https://{NEWS}/c/' in (tmp_path / "tracked.html").read_text()
        assert shell.run(ask).strip() == "200"
        shell.run(remove)
        assert shell.run(ask).strip() == "404"
    finally:
        admin.stop()


def test_tables_name_what_the_script_knows() -> None:
    script = (Path(__file__).parents[3] / "producers" / "edge" / "tag" / "st.js").read_text()
    (section,) = re.findall(r"^## Web tag\n(.*?)(?=^## )", DOC, re.MULTILINE | re.DOTALL)
    told = set(re.findall(r"`data-(\w+)", section))
    assert told == set(re.findall(r"\bset\.(\w+)", script))
    (api,) = re.findall(r"const api = (.*?)^  }$", script, re.MULTILINE | re.DOTALL)
    assert set(re.findall(r"^    (\w+)(?:\(|:|,$)", api, re.MULTILINE)) <= set(re.findall(r"\.(\w+)\(", section))
