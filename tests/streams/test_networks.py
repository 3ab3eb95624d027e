"""Looking an address up among thousands of ranges finds what a walk over all of them finds."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.rules.networks import Networks, is_cut, parse_range
from streams.rules.tables import NetworkRule

V4 = st.tuples(st.integers(0, 2**8 - 1), st.integers(0, 8)).map(
    lambda one: f"10.0.0.{one[0] >> (8 - one[1]) << (8 - one[1])}/{24 + one[1]}"
)
V6 = st.tuples(st.integers(0, 2**8 - 1), st.integers(0, 8)).map(
    lambda one: f"2001:db8::{one[0] >> (8 - one[1]) << (8 - one[1]):x}/{120 + one[1]}"
)


def networks(*texts: str) -> Networks:
    """Each range is a network with its own text as its name."""
    return Networks((parse_range(text), NetworkRule(name=f"{n} {text}")) for n, text in enumerate(texts))


def name(found: NetworkRule | None) -> str:
    return found.name.partition(" ")[2] if found else ""


@settings(max_examples=50)
@given(st.lists(V4 | V6, max_size=12), st.integers(0, 255))
def test_the_narrowest_range_counts(texts: list[str], last: int) -> None:
    table = networks(*texts)
    for address in (f"10.0.0.{last}", f"2001:db8::{last:x}"):
        around = [text for text in texts if ip_address(address) in ip_network(text)]
        narrowest = max(around, key=lambda text: ip_network(text).prefixlen, default="")
        assert name(table.of(address)) == narrowest


@settings(max_examples=50)
@given(st.lists(V4, max_size=12), st.integers(0, 255))
def test_of_equal_ranges_the_first_counts(texts: list[str], last: int) -> None:
    found = networks(*texts).of(f"10.0.0.{last}")
    if found is not None:
        number, _, text = found.name.partition(" ")
        assert int(number) == texts.index(text)


@settings(max_examples=50)
@given(st.lists(V4, max_size=6))
def test_a_block_is_whole_where_all_its_addresses_are_alike(texts: list[str]) -> None:
    table = networks(*texts)
    each = {name(table.of(f"10.0.0.{last}")) for last in range(256)}
    block = table.of_block("10.0.0.0")
    assert (block.rule, block.whole) == (table.of("10.0.0.0"), len(each) == 1)


@pytest.mark.parametrize(
    ("address", "found"),
    [
        ("0.0.0.0", ""), ("255.255.255.255", "255.0.0.0/8"), ("::ffff:10.0.0.1", "10.0.0.0/8"), ("::", ""),
        ("ffff::", "ff00::/8"), ("10.0.0.1.2", ""), ("", ""), ("text", ""), ("fe80::1%eth0", ""),
    ],
)  # fmt: skip
def test_edges_and_what_is_no_address(address: str, found: str) -> None:
    assert name(networks("255.0.0.0/8", "10.0.0.0/8", "ff00::/8").of(address)) == found


@pytest.mark.parametrize(
    "text", ["10.0.0.1/8", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/-1", "x", "2001::/129", "1/8", ""]
)
def test_what_is_no_range(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        parse_range(text)


def test_cut_addresses_are_known_by_their_zeros() -> None:
    found = [is_cut(text) for text in ("192.0.2.0", "192.0.2.1", "2001:db8:7::", "2001:db8:7::1", "", "aa" * 8)]
    assert found == [True, False, True, False, False, False]
