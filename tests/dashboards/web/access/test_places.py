"""Addresses, networks and names of hosts."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboards.web.access.answers import local_path
from dashboards.web.access.places import Hosts, Networks, is_loopback, parse_address, split_host

PROXIES = Networks(["10.0.0.0/8", "2001:db8::1"])


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("203.0.113.5", "192.0.2.1", "203.0.113.5"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "192.0.2.1", "192.0.2.1"),
        ("10.0.0.1", "9.9.9.9, 192.0.2.1", "192.0.2.1"),
        ("10.0.0.1", "192.0.2.1, 10.0.0.2", "192.0.2.1"),
        ("10.0.0.1", "192.0.2.1:1234", "192.0.2.1"),
        ("10.0.0.1", "[2001:db8::7]:1234", "2001:db8::7"),
        ("2001:db8::1", "::ffff:192.0.2.1", "192.0.2.1"),
        ("10.0.0.1", "192.0.2.1, unknown", "10.0.0.1"),
        ("10.0.0.1", "192.0.2.1, unknown, 10.0.0.3", "10.0.0.3"),
        ("10.0.0.1", "10.0.0.2, 10.0.0.3", "10.0.0.2"),
    ],
)
def test_the_client_is_the_last_hop_that_is_no_proxy_of_ours(peer: str, forwarded: str, client: str) -> None:
    assert str(PROXIES.client(parse_address(peer), forwarded)) == client


@given(st.text())
def test_no_text_breaks_the_search_or_makes_a_stranger_trusted(text: str) -> None:
    stranger = ipaddress.ip_address("203.0.113.5")
    assert PROXIES.client(stranger, text) == stranger
    PROXIES.client(ipaddress.ip_address("10.0.0.1"), text)
    split_host(text)
    assert not Hosts(["reports.test"], loopback=False, any_name=False).accepts(text + "x")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("localhost", True), ("LOCALHOST.", True), ("127.0.0.1", True), ("127.255.0.9", True), ("::1", True),
        ("[::1]", True), ("::ffff:127.0.0.1", True), ("", False), ("0.0.0.0", False), ("::", False),
        ("10.0.0.1", False), ("localhost.evil.example", False), ("evil-localhost", False), ("0x7f000001", False),
        ("127.0.0.1.nip.example", False),
    ],
)  # fmt: skip
def test_loopback_is_told_by_the_name_alone(name: str, expected: bool) -> None:
    assert is_loopback(name) is expected


@pytest.mark.parametrize(
    ("host", "name", "port"),
    [
        ("Reports.Test", "reports.test", ""), ("reports.test.:80", "reports.test", "80"),
        ("[::1]:8090", "[::1]", "8090"), ("[::1]", "[::1]", ""), (" a ", "a", ""),
    ],
)  # fmt: skip
def test_a_host_is_a_name_and_a_port(host: str, name: str, port: str) -> None:
    assert split_host(host) == (name, port)


@given(st.text(alphabet=st.sampled_from("/\\.:@?#aevil \t\n%2")))
def test_a_local_path_leads_nowhere_else(text: str) -> None:
    path = local_path("/" + text)
    assert path[0] == "/"
    assert path[1:2] not in ("/", "\\")
    assert not set(path) & set("\\\t\n ")
