"""sendtrail domains, as typed, against a real DNS server on loopback; and what an edge's admin listener says of it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
from typer.testing import CliRunner

from producers.edge.tls import Allowed
from sendtrail import domains
from sendtrail.cli.main import app
from sendtrail.domains import Domain, checked_name
from sendtrail.errors import DomainsError, SettingsError
from sendtrail.process import AdminServer, Health
from sendtrail.settings import load
from sendtrail.settings.domains import DomainSettings
from tests.support.dns_server import DnsServer, dns_server

FILE = Path("domains.toml")
HERE, NEWS = "t.example", "news.shop.example"


@pytest.fixture
def dns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[DnsServer]:
    """A server that knows the tracking host, and settings that ask it."""
    with dns_server() as server:
        server.records[HERE, "A"] = ["192.0.2.10"]
        server.records[HERE, "AAAA"] = ["2001:db8::10"]
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("SENDTRAIL_DOMAINS_FILE", str(FILE))
        monkeypatch.setenv("SENDTRAIL_DOMAINS_RESOLVERS", server.address)
        monkeypatch.setenv("SENDTRAIL_DOMAINS_TIMEOUT_S", "0.3")
        monkeypatch.setenv("SENDTRAIL_TRACKING_BASE_URL", f"https://{HERE}")
        yield server


def run(*args: str, code: int = 0) -> list[Any]:
    """The JSON lines of a command that ends with this code."""
    result = CliRunner().invoke(app, ["domains", *args, "--json"])
    assert result.exit_code == code, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


def said(*args: str) -> str:
    return CliRunner().invoke(app, ["domains", *args]).output


def verdict(code: int = 0) -> dict[str, Any]:
    (told,) = run("verify", NEWS, code=code)
    return dict(told)


def test_from_adding_to_removing(dns: DnsServer) -> None:
    (added,) = run("add", "News.Shop.example.")
    assert (added["name"], added["cname"], added["txt_name"]) == (NEWS, HERE, f"_sendtrail.{NEWS}")
    assert run("add", NEWS)[0]["txt"] == added["txt"]
    assert FILE.stat().st_mode & 0o777 == 0o600
    told = said("add", NEWS)
    assert f"{NEWS}. CNAME {HERE}." in told
    assert f'_sendtrail.{NEWS}. TXT "{added["txt"]}"' in told
    faults = verdict(code=1)["faults"]
    assert len(faults) == 2
    dns.records[NEWS, "CNAME"] = [HERE]
    assert "does not confirm" in verdict(code=1)["faults"][0]
    dns.records[f"_sendtrail.{NEWS}", "TXT"] = ['"v=spf1 -all"', f'"{added["txt"]}"']
    assert verdict() == {"name": NEWS, "verified": True, "faults": []}
    assert run("list")[0]["verified"]
    assert NEWS in said("list")
    run("remove", NEWS)
    assert run("list") == []
    assert "No domain yet" in said("list")


@pytest.mark.parametrize(
    ("records", "leads"),
    [
        ({"CNAME": ["edge.cdn.example"]}, False),
        ({"A": ["192.0.2.10"]}, True),
        ({"A": ["192.0.2.10"], "AAAA": ["2001:0db8:0::10"]}, True),
        ({"A": ["192.0.2.10", "192.0.2.99"]}, False),
        ({"A": ["192.0.2.99"]}, False),
        ({"AAAA": ["2001:db8::11"]}, False),
        ({"MX": ["1 mail.example."]}, False),
    ],
)
def test_what_leads_here(dns: DnsServer, records: dict[str, list[str]], leads: bool) -> None:
    (added,) = run("add", NEWS)
    dns.records |= {(NEWS, kind): values for kind, values in records.items()}
    dns.records["edge.cdn.example", "A"] = ["192.0.2.99"]
    dns.records[f"_sendtrail.{NEWS}", "TXT"] = [f'"{added["txt"]}"']
    assert verdict(code=0 if leads else 1)["verified"] == leads


def test_a_chain_of_aliases_and_addresses_of_the_settings(dns: DnsServer, monkeypatch: pytest.MonkeyPatch) -> None:
    (added,) = run("add", NEWS)
    dns.records |= {(NEWS, "CNAME"): ["a.example"], ("a.example", "CNAME"): [HERE]}
    dns.records[f"_sendtrail.{NEWS}", "TXT"] = [f'"{added["txt"]}"']
    assert verdict()["verified"]
    dns.records[NEWS, "CNAME"] = ["balancer.example"]
    dns.records["balancer.example", "A"] = ["198.51.100.7"]
    assert not verdict(code=1)["verified"]
    monkeypatch.setenv("SENDTRAIL_DOMAINS_ADDRESSES", "198.51.100.7,2001:db8::7")
    assert verdict()["verified"]


def test_a_domain_that_leads_elsewhere_is_not_verified_any_more_and_silence_changes_nothing(dns: DnsServer) -> None:
    (added,) = run("add", NEWS)
    dns.records[NEWS, "CNAME"] = [HERE]
    dns.records[f"_sendtrail.{NEWS}", "TXT"] = [f'"{added["txt"]}"']
    assert verdict()["verified"]
    dns.silent.add(NEWS)
    (told,) = run("verify", code=1)
    assert "DNS does not say" in told["faults"][0]
    assert run("list")[0]["verified"]
    dns.silent.clear()
    del dns.records[NEWS, "CNAME"]
    assert not verdict(code=1)["verified"]
    assert not run("list")[0]["verified"]


@pytest.mark.parametrize(
    "name", ["", "shop", "https://news.shop.example", "a b.example", "192.0.2.1", "-a.example", "a..b"]
)
def test_what_is_no_domain(name: str) -> None:
    with pytest.raises(DomainsError):
        checked_name(name)


def test_names_of_other_scripts_have_one_form() -> None:
    assert checked_name("Bücher.example") == "xn--bcher-kva.example"


def test_a_domain_that_is_not_there(dns: DnsServer) -> None:
    for verb in ("verify", "remove"):
        result = CliRunner().invoke(app, ["domains", verb, NEWS])
        assert isinstance(result.exception, DomainsError)


def test_a_domain_leads_to_a_name(dns: DnsServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SENDTRAIL_TRACKING_BASE_URL", "http://127.0.0.1:8080")
    result = CliRunner().invoke(app, ["domains", "add", NEWS])
    assert isinstance(result.exception, DomainsError)
    assert "127.0.0.1:8080" in str(result.exception)
    assert not FILE.exists()
    monkeypatch.setenv("SENDTRAIL_DOMAINS_TARGET", "edge.example")
    assert run("add", NEWS)[0]["cname"] == "edge.example"


def test_settings_that_can_t_be() -> None:
    for name, value in (("RESOLVERS", "dns.example"), ("ADDRESSES", "300.1.1.1")):
        with pytest.raises(SettingsError, match="domains"):
            load({f"SENDTRAIL_DOMAINS_{name}": value}).section(DomainSettings)


def _status(port: int, query: str) -> int:
    try:
        with urlopen(f"http://127.0.0.1:{port}/tls/allowed{query}") as answer:
            return int(answer.status)
    except HTTPError as error:
        return error.code


def test_the_admin_listener_tells_which_names_may_have_a_certificate(tmp_path: Path) -> None:
    file = tmp_path / "domains.toml"
    admin = AdminServer(
        "127.0.0.1", 0, lambda: Health(True, {}), {"/tls/allowed": Allowed(file, "https://t.example:8443")}
    ).start()
    try:
        assert _status(admin.port, "?domain=t.example") == 200
        assert _status(admin.port, f"?domain={NEWS}") == 404
        known = [Domain(NEWS, "a", "", "2026-11-24T10:00:00+00:00"), Domain("other.example", "b")]
        domains.save(file, known)
        assert [_status(admin.port, f"?domain={name}") for name in (NEWS, NEWS.upper() + ".", "other.example")] == [
            200, 200, 404,
        ]  # fmt: skip
        file.write_text("[[domain]]\nname = 7\n")
        os.utime(file, ns=(1, 1))
        assert _status(admin.port, f"?domain={NEWS}") == 200  # unreadable: as it was
        file.unlink()
        assert _status(admin.port, f"?domain={NEWS}") == 404
        for query in (
            "",
            "?domain=",
            "?domain=%00",
            f"?domain=t.example&domain={NEWS}",
            "?" + "&" * 50,
            "?x=t.example",
        ):
            assert _status(admin.port, query) == 404
    finally:
        admin.stop()
