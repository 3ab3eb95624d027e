"""Whom an edge believes about a client's address."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producers.edge.addresses import Client, TrustedProxies, normal_address
from sendtrail.errors import SettingsError

PROXIES = TrustedProxies(["10.0.0.0/8", "192.0.2.7", "2001:db8:ffff::/48"])


@pytest.mark.parametrize(
    ("peer", "forwarded", "address", "by_proxy"),
    [
        ("203.0.113.5", "", "203.0.113.5", False),
        ("203.0.113.5", "198.51.100.1", "203.0.113.5", False),  # not from a proxy of ours: a made-up header
        ("10.1.2.3", "198.51.100.1", "198.51.100.1", True),
        ("192.0.2.7", "198.51.100.1", "198.51.100.1", True),
        ("192.0.2.8", "198.51.100.1", "192.0.2.8", False),
        ("10.1.2.3", "1.1.1.1, 198.51.100.1", "198.51.100.1", True),  # what the client claims is not looked at
        ("10.1.2.3", "1.1.1.1,198.51.100.1 , 10.9.9.9", "198.51.100.1", True),
        ("10.1.2.3", "10.7.7.7, 10.8.8.8", "10.7.7.7", True),  # all ours: the farthest
        ("10.1.2.3", "198.51.100.1:4711", "198.51.100.1", True),
        ("10.1.2.3", "2001:DB8::0001", "2001:db8::1", True),
        ("10.1.2.3", "[2001:db8::1]:443", "2001:db8::1", True),
        ("10.1.2.3", "::ffff:198.51.100.1", "198.51.100.1", True),
        ("2001:db8:ffff::1", "2001:db8::2", "2001:db8::2", True),
        ("2001:db8:fffe::1", "2001:db8::2", "2001:db8:fffe::1", False),
        ("10.1.2.3", "unknown", "10.1.2.3", False),
        ("10.1.2.3", "198.51.100.1, unknown", "10.1.2.3", False),  # left of garbage anything may stand
        ("10.1.2.3", "198.51.100.1, _hidden, 10.9.9.9", "10.9.9.9", True),
        ("10.1.2.3", ",,,", "10.1.2.3", False),
        ("", "198.51.100.1", "", False),
    ],
)
def test_the_rightmost_untrusted_address(peer: str, forwarded: str, address: str, by_proxy: bool) -> None:
    assert PROXIES.client(peer, forwarded) == Client(address, by_proxy)


def test_nobody_is_trusted_by_default() -> None:
    assert TrustedProxies([]).client("127.0.0.1", "198.51.100.1") == Client("127.0.0.1", False)


@pytest.mark.parametrize("text", ["10.0.0.0/33", "proxy.example", "", "300.1.1.1"])
def test_a_proxy_that_is_no_network_is_a_settings_error(text: str) -> None:
    with pytest.raises(SettingsError, match=r"edge\.trusted_proxies"):
        TrustedProxies([text])


@given(st.text(max_size=60))
def test_garbage_never_raises_and_never_becomes_an_address(text: str) -> None:
    found = PROXIES.client("10.1.2.3", text)
    assert found.address == normal_address(found.address)


@given(st.ip_addresses(v=4), st.ip_addresses(v=6))
def test_addresses_have_one_form(four: object, six: object) -> None:
    assert normal_address(str(four)) == str(four)
    assert normal_address(f"{four}:80") == str(four)
    assert normal_address(f"[{six}]:80") == normal_address(str(six)) == normal_address(f"{six}%eth0")
